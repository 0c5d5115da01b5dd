"""Configuration of the service: a TOML file, and environment variables over it.

Usage::

    settings = load_settings(Path("service.toml"))
    settings.port, settings.sites["blog.example"].policy.dry_run
    Path("service.toml").write_text(example(key, password_hash))

``SPAMFILTER_SERVE_HOST``, ``…_PORT``, ``…_DATA``, ``…_LABELS``, ``…_MODEL`` and so on (the names of ``[service]`` in
capitals) win over the file.  In ``keys`` and ``password``, "env:NAME" stands for the value of that variable.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from spamfilter.errors import ConfigError
from spamfilter.labels.comments import site_name
from spamfilter.service.keys import KeyRing, digest
from spamfilter.service.policies import Policy

__all__ = ["Fetch", "Moderator", "Settings", "Site", "example", "load_settings"]

_ENVIRONMENT: Final = "SPAMFILTER_SERVE_"


@dataclass(frozen=True, slots=True)
class Site:
    """One site: its address, the keys its software may use (as digests) and its policy."""

    url: str
    keys: tuple[str, ...] = ()
    name: str = ""
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Moderator:
    """A person who may sign in to the moderation page; no ``sites`` means all of them."""

    name: str
    password: str
    sites: tuple[str, ...] = ()

    def may_see(self, site: str) -> bool:
        """Whether the comments of ``site`` are this person's to decide on."""
        return not self.sites or site in self.sites


@dataclass(frozen=True, slots=True)
class Fetch:
    """Whether articles may be fetched from the site's own host, and within which limits."""

    allowed: bool = False
    seconds: float = 3.0
    max_bytes: int = 2_000_000
    redirects: int = 3
    #: For sites on a private network: addresses are then not checked.
    private_addresses: bool = False


@dataclass(frozen=True)
class Settings:
    """Everything that can be set.  Times are in seconds, sizes in bytes."""

    host: str = "127.0.0.1"
    port: int = 8650
    data: Path = Path("spamfilter-service")
    labels: Path | None = None
    model: str | None = None
    models: Path | None = None
    reload_seconds: float = 2.0
    max_body: int = 2_000_000
    max_page: int = 8_000_000
    header_seconds: float = 10.0
    body_seconds: float = 15.0
    keep_alive_seconds: float = 30.0
    max_connections: int = 2_000
    stop_seconds: float = 20.0
    keep_days: int = 60
    session_hours: float = 12.0
    secure_cookies: bool = False
    proxies: tuple[str, ...] = ("127.0.0.1",)
    metrics: Literal["local", "all", "off"] = "local"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    sites: Mapping[str, Site] = field(default_factory=dict)
    moderators: Mapping[str, Moderator] = field(default_factory=dict)
    fetch: Fetch = field(default_factory=Fetch)
    source: Path | None = None

    @property
    def labels_path(self) -> Path:
        """The file of the label store."""
        return self.labels or self.data / "labels.db"

    @cached_property
    def keys(self) -> KeyRing:
        """All keys of all sites."""
        return KeyRing({key: name for name, site in self.sites.items() for key in site.keys})


def load_settings(path: Path | None, environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Settings from a file (or none), the environment over it, and ``given`` over both.

    Raises ConfigError, naming the place, for what cannot be read, is unknown or has the wrong type.
    """
    env = os.environ if environment is None else environment
    where = str(path) if path else "the configuration"
    table = _read(path) if path else {}
    known = {"service", "site", "moderator", "fetch"}
    if unknown := sorted(set(table) - known):
        raise ConfigError(f"{where}: unknown section [{unknown[0]}]; there are {', '.join(sorted(known))}")
    base = path.parent if path else Path()
    values = _fields(
        Settings, table.get("service", {}), f"{where}: [service]", leave={"sites", "moderators", "fetch", "source"}
    )
    values |= _from_environment(env)
    values |= {k: v for k, v in given.items() if v is not None}
    for name in ("data", "labels", "models"):
        if values.get(name) is not None:
            values[name] = base / values[name]
    sites = _sites(table.get("site", []), where, env)
    settings = Settings(
        **values,
        sites=sites,
        moderators=_moderators(table.get("moderator", []), where, env, sites),
        fetch=Fetch(**_fields(Fetch, table.get("fetch", {}), f"{where}: [fetch]")),
        source=path,
    )
    return _checked(settings, where)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); make one with: spamfilter serve --new {path}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    hints = typing.get_type_hints(Settings)
    out: dict[str, Any] = {}
    for name in (f.name for f in dataclasses.fields(Settings)):
        text = env.get(_ENVIRONMENT + name.upper())
        if text is not None and name not in ("sites", "moderators", "fetch", "source"):
            out[name] = _value(_from_text(text, hints[name]), hints[name], f"{_ENVIRONMENT}{name.upper()}")
    return out


def _from_text(text: str, hint: Any) -> Any:
    if hint is bool:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            return text
    if typing.get_origin(hint) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _sites(tables: Any, where: str, env: Mapping[str, str]) -> dict[str, Site]:
    out: dict[str, Site] = {}
    owners: dict[str, str] = {}
    for n, table in enumerate(_tables(tables, f"{where}: [[site]]"), 1):
        place = f"{where}: [[site]] number {n}"
        policy = _policy(table.pop("policy", {}), f"{place}, policy")
        site = Site(**_fields(Site, table, place, leave={"policy"}, need={"url"}), policy=policy)
        if not site.url.startswith(("http://", "https://")):
            raise ConfigError(f"{place}: url must begin with http:// or https://, got {site.url!r}")
        name = site_name(site.name or site.url)
        if name in out:
            raise ConfigError(f"{place}: the site {name!r} is there already; give it another name")
        keys = tuple(digest(_secret(key, place, env)) for key in site.keys)
        for key in keys:
            if owners.setdefault(key, name) != name:
                raise ConfigError(f"{place}: one of its keys is also that of {owners[key]!r}; every site needs its own")
        out[name] = dataclasses.replace(site, name=name, keys=keys)
    return out


def _policy(table: Any, place: str) -> Policy:
    policy = Policy(**_fields(Policy, table, place))
    for name in ("spam_cutoff", "unsure_cutoff", "discard_cutoff"):
        value = getattr(policy, name)
        if value is not None and not 0.0 <= value <= 1.0:
            raise ConfigError(f"{place}: {name} is a probability, 0 to 1, got {value}")
    if (
        policy.spam_cutoff is not None
        and policy.unsure_cutoff is not None
        and policy.unsure_cutoff > policy.spam_cutoff
    ):
        raise ConfigError(f"{place}: unsure_cutoff must not be above spam_cutoff")
    return policy


def _moderators(tables: Any, where: str, env: Mapping[str, str], sites: Mapping[str, Site]) -> dict[str, Moderator]:
    out: dict[str, Moderator] = {}
    for n, table in enumerate(_tables(tables, f"{where}: [[moderator]]"), 1):
        place = f"{where}: [[moderator]] number {n}"
        person = Moderator(**_fields(Moderator, table, place, need={"name", "password"}))
        password = _secret(person.password, place, env)
        if not password.startswith("scrypt$"):
            raise ConfigError(
                f"{place}: password must be a hash, not the password; make one with: spamfilter serve --password"
            )
        named = tuple(map(site_name, person.sites))
        if unknown := [name for name in named if name not in sites]:
            raise ConfigError(f"{place}: there is no site {unknown[0]!r}")
        out[person.name] = dataclasses.replace(person, password=password, sites=named)
    return out


def _secret(value: str, place: str, env: Mapping[str, str]) -> str:
    if value.startswith("env:"):
        name = value.removeprefix("env:")
        if not env.get(name):
            raise ConfigError(f"{place}: the environment variable {name} is not set")
        return env[name]
    if not value:
        raise ConfigError(f"{place}: an empty key; make one with: spamfilter serve --key")
    return value


def _tables(value: Any, place: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise ConfigError(f"{place} needs double brackets")
    return [dict(v) for v in value]


def _fields(
    kind: type, table: Any, place: str, *, leave: Collection[str] = (), need: Collection[str] = ()
) -> dict[str, Any]:
    """The values of ``table`` as the dataclass ``kind`` takes them."""
    if not isinstance(table, dict):
        raise ConfigError(f"{place} must be a table")
    hints = {k: v for k, v in typing.get_type_hints(kind).items() if k not in leave}
    for name in table:
        if name not in hints:
            raise ConfigError(f"{place}: unknown setting {name!r}; there are {', '.join(sorted(hints))}")
    if missing := sorted(set(need) - set(table)):
        raise ConfigError(f"{place}: {missing[0]} is missing")
    return {name: _value(value, hints[name], f"{place}, {name}") for name, value in table.items()}


def _value(value: Any, hint: Any, place: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _value(value, next(a for a in args if a is not type(None)), place)
    if origin is Literal:
        if value not in args:
            raise ConfigError(f"{place}: {value!r} is none of {', '.join(map(repr, args))}")
        return value
    if origin is tuple:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ConfigError(f"{place} must be a list of texts")
        return tuple(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f"{place} must be {_KINDS.get(hint, hint.__name__)}, got {value!r}")
    return value


_KINDS: Final = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}


def _checked(settings: Settings, where: str) -> Settings:
    if not 0 <= settings.port <= 65535:
        raise ConfigError(f"{where}: port must be 0 to 65535, got {settings.port}")
    for name in (
        "max_body",
        "max_page",
        "header_seconds",
        "body_seconds",
        "max_connections",
        "keep_days",
        "session_hours",
    ):
        if getattr(settings, name) <= 0:
            raise ConfigError(f"{where}: {name} must be above 0, got {getattr(settings, name)}")
    return settings


def example(key: str, moderator: str, password: str) -> str:
    """A configuration file to begin with, for one site."""
    return _EXAMPLE.format(key=key, moderator=moderator, password=password)


_EXAMPLE: Final = """\
# Configuration of `spamfilter serve`.  Every setting is explained in docs/service.md.

[service]
host = "127.0.0.1"
port = 8650
data = "spamfilter-service"        # folder of the databases, beside this file
# models = "models"                # what `spamfilter retrain` promotes here is used, until then the model that ships

[fetch]
allowed = false                    # true: fetch articles that were not given from the site's own host

[[site]]
url = "http://localhost"           # the address of your site
keys = ["{key}"]         # what your site's software uses as its Akismet key

[site.policy]
# spam_cutoff = 0.9                # default: the model's own
# unsure_answer = "ham"            # what clients that know only yes and no are told of an unsure comment
dry_run = false                    # true: answer ham to everything, and record what would have been said
# blocked_domains = ["cheap-pills.example"]
# trusted_after = 3                # approved comments after which an author (by e-mail address) is trusted

[[moderator]]
name = "{moderator}"
password = "{password}"
"""
