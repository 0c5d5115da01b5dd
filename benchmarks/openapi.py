"""Everything that the OpenAPI document promises, tried by schemathesis on a running service.

    pip install schemathesis
    python benchmarks/openapi.py                          # half a minute
    python benchmarks/openapi.py --max-examples 500       # what follows goes to `schemathesis run`

The service runs in a folder of its own, on loopback, and ends with the program.  Exit code 0: nothing was found.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from service import KEY, free_port, service


def main() -> int:
    program = shutil.which("schemathesis", path=sysconfig.get_path("scripts")) or shutil.which("schemathesis")
    if program is None:
        raise SystemExit("schemathesis is not installed: pip install schemathesis")
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        address = f"http://127.0.0.1:{port}/openapi.json"
        given = sys.argv[1:] or ["--max-examples", "30"]
        with service(Path(name), port):
            command = [program, "run", address, "--header", f"Authorization: Bearer {KEY}", *given]
            return subprocess.run(command, cwd=name, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
