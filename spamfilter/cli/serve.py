"""``spamfilter serve``: the moderation service."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from spamfilter.errors import ConfigError, OutputError

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_EXAMPLES = """
\b
Examples:
  spamfilter serve --new service.toml            a configuration with a fresh key and password
  spamfilter serve service.toml                  run it, until Ctrl-C
  spamfilter serve service.toml --check          only read the configuration and load the model
"""


@app.command(epilog=_EXAMPLES)
def serve(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG]", envvar="SPAMFILTER_SERVE_CONFIG", help="Configuration file (TOML).", show_default=False
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on.")] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Model to use: a version or a folder.")] = None,
    new: Annotated[
        Path | None, typer.Option("--new", metavar="FILE", help="Write a configuration to begin with, and stop.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Read the configuration, load the model, and stop.")] = False,
    key: Annotated[bool, typer.Option("--key", help="Print a fresh key for a site, and stop.")] = False,
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a password, print its hash for the configuration, and stop.")
    ] = False,
) -> None:
    """Run the moderation service: Akismet's protocol, a JSON API and a moderation page."""
    from spamfilter.service import Settings, load_settings
    from spamfilter.service import serve as run
    from spamfilter.service.keys import hash_password, new_key

    if key:
        typer.echo(new_key())
    elif password:
        typer.echo(hash_password(getpass.getpass("Password: ")))
    elif new is not None:
        _write_new(new)
    elif config is None:
        raise ConfigError("name a configuration file; make one with: spamfilter serve --new service.toml")
    else:
        settings: Settings = load_settings(config, host=host, port=port, model=model)
        if check:
            _check(settings)
        else:
            run(settings)


def _write_new(path: Path) -> None:
    from spamfilter.service.config import example
    from spamfilter.service.keys import hash_password, new_key

    key, secret = new_key(), new_key()
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(example(key, "moderator", hash_password(secret)))
        path.chmod(0o600)
    except FileExistsError:
        raise OutputError(f"{path} exists; choose another name") from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror})") from error
    typer.echo(f"Written: {path}\nKey for your site: {key}\nSign in as moderator with the password: {secret}")
    typer.echo(f"The password is shown only now. Run it with: spamfilter serve {path}")


def _check(settings: object) -> None:
    from spamfilter.service.config import Settings
    from spamfilter.service.models import model_from_store

    assert isinstance(settings, Settings)
    models = model_from_store(settings.model, settings.models)
    typer.echo(f"{len(settings.sites)} sites, {len(settings.moderators)} moderators, model {models.now.name}: all well")
