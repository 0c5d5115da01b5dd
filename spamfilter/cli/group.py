"""The commands as one group whose members are imported when they are called.

Usage::

    exit_code = invoke(["score", "page.html"])
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from spamfilter.cli import COMMANDS
from spamfilter.errors import SpamFilterError

__all__ = ["invoke"]

#: The command could not be run as asked: usage, a model, an output.
_USAGE = 2
#: What shells report for a program ended by Ctrl-C (128 + SIGINT), and by a closed pipe (128 + SIGPIPE).
_INTERRUPTED = 130
_PIPE = 141


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


_app = typer.Typer(cls=_LazyGroup, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@_app.callback()
def _root() -> None:
    """Find the spam among the comments of scraped pages."""


def invoke(argv: list[str]) -> int:
    """Run the command that ``argv`` names and turn whatever ends it into its exit code."""
    command = typer.main.get_command(_app)
    try:
        command.main(argv, prog_name="spamfilter", standalone_mode=True)
    except SystemExit as end:
        return _flushed(end.code if isinstance(end.code, int) else _USAGE)
    except SpamFilterError as error:
        print(f"spamfilter: {error}", file=sys.stderr)
        return _USAGE
    return _flushed(0)


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe()
    except OSError as error:  # a full disk shows only now
        print(
            f"spamfilter: the output cannot be written ({error.strerror}); make room and run it again", file=sys.stderr
        )
        return _USAGE
    return code


def _closed_pipe() -> int:
    """The reader of our output has gone (``| head``): leave quietly, also when Python flushes at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _PIPE
