"""Configuration of a retraining: a TOML file, what the command was given over it.

Usage::

    config = read_config(Path("retrain.toml"), models=Path("models"))
    config.labels, config.adaptation.folds, config.rules.most_lost["ap"]

Paths in the file are relative to the file.  An unknown setting is refused, with the nearest one that there is.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from spamfilter.adaptation import AdaptationConfig
from spamfilter.errors import ConfigError
from spamfilter.labels.hygiene import Limits
from spamfilter.promotion import Rules
from spamfilter.training import TrainingConfig

__all__ = ["RetrainConfig", "read_config"]

RecipeName = Literal["auto", "adapt", "train"]


@dataclass(frozen=True, slots=True)
class RetrainConfig:
    """Everything that can be set.

    ``labels`` is the label store, ``models`` the team's models folder, ``base`` the model that the labels move (a
    folder or name; default: the one that ships).  ``data`` are further labelled files of the team, learnt from and
    judged like the labels; ``always`` are learnt from in trainings from scratch only and never judged; ``guard`` are
    never learnt from: the challenger must not be worse on them.  ``recipe`` is "adapt" (move the base), "train" (from
    scratch on ``always`` and the labels) or "auto": adapt, and where ``always`` names data also train, and the better
    of both out of fold.  ``folds`` groups of sites and posts are left out in turn for the judgement, ``jobs`` at once.
    Below ``fewest`` labels of either class nothing is trained: ten rows of a class are the least whose ranking says
    anything.  ``keep``, if above 0, prunes after the run as ``models prune --keep`` does.
    """

    labels: Path | None = None
    models: Path = Path("models")
    base: str | None = None
    name: str = "team"
    data: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    guard: tuple[str, ...] = ()
    recipe: RecipeName = "auto"
    folds: int = 5
    jobs: int = 1
    fewest: int = 10
    keep: int = 0
    adaptation: AdaptationConfig = field(default_factory=AdaptationConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    rules: Rules = field(default_factory=Rules)
    hygiene: Limits = field(default_factory=Limits)


#: Section of the file → the field that it fills.
_SECTIONS: Final = {
    "adaptation": AdaptationConfig,
    "training": TrainingConfig,
    "promotion": Rules,
    "hygiene": Limits,
}
_FIELD_OF: Final = {"promotion": "rules"}
_PATHS: Final = ("labels", "models")
_SOURCES: Final = ("data", "always", "guard")
_KINDS: Final = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}


def read_config(path: Path | None, **given: Any) -> RetrainConfig:
    """The settings of a TOML file (or none), and ``given`` over them where it is not None.

    Raises ``ConfigError``, naming the place, for what cannot be read, is unknown, or of the wrong kind.
    """
    where = str(path) if path else "the configuration"
    table = _read(path) if path else {}
    _known(table, ("retrain", *_SECTIONS), where, "section")
    plain = {f.name for f in dataclasses.fields(RetrainConfig)} - {_FIELD_OF.get(s, s) for s in _SECTIONS}
    values = _values(RetrainConfig, table.get("retrain", {}), f"{where}: [retrain]", plain)
    if path is not None:
        values = {k: _placed(k, v, path.parent) for k, v in values.items()}
    values |= {k: v for k, v in given.items() if v is not None}
    for section, kind in _SECTIONS.items():
        own = _values(kind, table.get(section, {}), f"{where}: [{section}]")
        values[_FIELD_OF.get(section, section)] = _with_defaults(kind, own, f"{where}: [{section}]")
    return _checked(RetrainConfig(**values), where)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; name a TOML file that is there") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML ({error})") from error


def _placed(name: str, value: Any, folder: Path) -> Any:
    """Paths beside the file; a base may also be the name of a model."""
    if name in _PATHS:
        return folder / value
    if name in _SOURCES:
        return tuple(str(folder / one) for one in value)
    if name == "base" and (folder / value).exists():
        return str(folder / value)
    return value


def _known(table: Mapping[str, Any], names: typing.Collection[str], where: str, what: str) -> None:
    for name in table:
        if name not in names:
            near = difflib.get_close_matches(name, list(names), 1)
            hint = f"is {near[0]!r} meant?" if near else f"there are: {', '.join(sorted(names))}"
            raise ConfigError(f"{where}: unknown {what} {name!r}; {hint}")


def _values(kind: type, table: Any, where: str, names: typing.Collection[str] | None = None) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    hints = typing.get_type_hints(kind)
    _known(table, hints if names is None else names, where, "setting")
    return {name: _value(value, hints[name], f"{where}, {name}") for name, value in table.items()}


def _with_defaults(kind: type, values: dict[str, Any], where: str) -> Any:
    """The dataclass; of a setting that is itself a table, what is not named keeps its default."""
    made = kind()
    for name, value in values.items():
        before = getattr(made, name)
        if isinstance(value, Mapping):
            _known(value, before, f"{where}, {name}", "key")
            value = {**before, **value}
        made = dataclasses.replace(made, **{name: value})
    return made


def _value(value: Any, hint: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _value(value, next(a for a in args if a is not type(None)), where)
    if origin is Literal:
        if value not in args:
            raise ConfigError(f"{where}: {value!r} is none of {', '.join(map(repr, args))}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where} must be a list, got {value!r}")
        return tuple(_value(v, args[0], where) for v in value)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise ConfigError(f"{where} must be a table, got {value!r}")
        return {k: _value(v, args[1], f"{where}.{k}") for k, v in value.items()}
    return _plain(value, hint, where)


def _plain(value: Any, hint: Any, where: str) -> Any:
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f"{where} must be {_KINDS.get(hint, hint.__name__)}, got {value!r}")
    if hint in (int, float) and value < 0:
        raise ConfigError(f"{where} = {value!r}, it must not be below 0")
    return value


def _checked(config: RetrainConfig, where: str) -> RetrainConfig:
    if config.labels is None and not config.data:
        raise ConfigError(f"{where}: name a label store (labels = …, or --labels FILE) or further data to learn from")
    if config.recipe == "train" and not config.always:
        raise ConfigError(f'{where}: recipe = "train" needs data to learn from: always = ["data/corpus"]')
    if config.folds < 2:
        raise ConfigError(f"{where}: folds = {config.folds}, at least 2 are needed to leave one out")
    if config.jobs < 1 or config.fewest < 2:
        raise ConfigError(f"{where}: jobs must be at least 1 and fewest at least 2")
    if not config.name or config.name != Path(config.name).name:
        raise ConfigError(f"{where}: name = {config.name!r}, give a plain name")
    return config
