"""The commands as one group whose members are imported when they are called.

Usage::

    exit_code = invoke(["score", "page.html"])
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from spamfilter.cli import COMMANDS
from spamfilter.cli.stopping import Terminated
from spamfilter.errors import SpamFilterError

__all__ = ["invoke"]

#: The command could not be run as asked: usage, a model, an output.
_USAGE = 2
#: What shells report for a program ended by Ctrl-C (128 + SIGINT), a closed pipe, and ``kill``.
_INTERRUPTED = 130
_PIPE = 141
_TERMINATED = 143


def _terminated(number: int, frame: object) -> None:
    raise Terminated


class _LazyGroup(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # here, before typer makes an exit code of its own of it
            raise typer.Exit(_closed_pipe()) from None
        except KeyboardInterrupt:
            print("spamfilter: stopped", file=sys.stderr)
            raise typer.Exit(_INTERRUPTED) from None
        except Terminated:
            print("spamfilter: terminated", file=sys.stderr)
            raise typer.Exit(_TERMINATED) from None


_app = typer.Typer(cls=_LazyGroup, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@_app.callback()
def _root() -> None:
    """Find the spam among the comments of scraped pages."""


def invoke(argv: list[str]) -> int:
    """Run the command that ``argv`` names and turn whatever ends it into its exit code."""
    _open_streams()
    command = typer.main.get_command(_app)
    with contextlib.suppress(ValueError):  # only the main thread may; a test runner's thread does without
        signal.signal(signal.SIGTERM, _terminated)
    try:
        command.main(argv, prog_name="spamfilter", standalone_mode=True)
    except SystemExit as end:
        return _flushed(end.code if isinstance(end.code, int) else _USAGE)
    except SpamFilterError as error:
        print(f"spamfilter: {error}", file=sys.stderr)
        return _flushed(_USAGE)
    return _flushed(0)


def _open_streams() -> None:
    """Started with output or errors closed (``>&-``), Python has None there; then nobody is listening."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open until the process ends
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115


def _flushed(code: int) -> int:
    """``code``, when what is left to write could be written; a full disk may show only now."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe()
    except OSError as error:
        _drop_output()
        if code != _USAGE:  # else it was said already
            print(
                f"spamfilter: the output cannot be written ({error.strerror}); make room, run it again", file=sys.stderr
            )
        return _USAGE
    return code


def _closed_pipe() -> int:
    """The reader of our output has gone (``| head``): leave quietly."""
    _drop_output()
    return _PIPE


def _drop_output() -> None:
    """Python flushes once more at the end; what it cannot write then must go somewhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
