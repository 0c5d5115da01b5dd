"""The training line in one call: labels in, a judged and stored challenger out, promoted or refused.

Usage::

    outcome = retrain(config, progress=print)
    outcome.kind            # "promoted", "refused", "nothing new" or "too few labels"

Whatever ends it, the models folder is whole: a version is there or not, and ``CURRENT`` is swapped last.  A run that
was killed after its challenger was stored is ended by the next one, which finds the decision in that folder.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from spamfilter import __version__, store
from spamfilter.adaptation import AdaptationConfig
from spamfilter.datasets import read_data
from spamfilter.errors import ConfigError, DataError, ModelNotFound
from spamfilter.evaluation import Scores, predict, score
from spamfilter.modelcard import model_card
from spamfilter.promotion import Decision, Judged, average_precision, decide
from spamfilter.retrain.config import RetrainConfig
from spamfilter.retrain.gathering import Gathered, gather
from spamfilter.retrain.inputs import fingerprint, weights_digest
from spamfilter.retrain.judging import Champion, Judge, as_it_stands, guarded
from spamfilter.retrain.recipes import Adapting, AsItStands, Made, Recipe, Training
from spamfilter.retraining import FILE, Learnt, Retraining
from spamfilter.store import ModelsFolder, Version
from spamfilter.training import TrainingConfig

__all__ = ["Outcome", "retrain"]

F64 = NDArray[np.float64]
Progress = Callable[[str], None]
Kind = Literal["promoted", "refused", "nothing new", "too few labels"]
_PACKAGES: Final = ("numpy", "scipy", "scikit-learn")
_BY: Final = "retrain"
_UNSEEN: Final = "each group of sites and posts judged by models made without it"
_NEWEST: Final = (
    "the newest labels, which neither has seen: the champion as it stands, the challenger's recipe on what came before"
)
_GUARD: Final = "further data that neither has learnt in this run, judged by both as they stand"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: ``version`` is the challenger (None where none was made), ``current`` the version in use now."""

    kind: Kind
    current: str | None
    version: str | None
    reasons: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    retraining: Retraining | None = None
    dry_run: bool = False
    pruned: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """1 for a challenger that was refused, else 0."""
        return 1 if self.kind == "refused" else 0

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable summary."""
        out: dict[str, Any] = {
            "outcome": self.kind,
            "exit_code": self.exit_code,
            "dry_run": self.dry_run,
            "current": self.current,
            "version": self.version,
            "reasons": list(self.reasons),
            "counts": dict(self.counts),
            "pruned": list(self.pruned),
            "seconds": round(self.seconds, 1),
        }
        if (r := self.retraining) is not None:
            out |= {
                "champion": r.champion, "parent": r.parent, "recipe": r.recipe, "inputs": r.inputs,
                "measures": [asdict(c) for c in r.decision.unseen],
                "newest": [asdict(c) for c in r.decision.newest],
                "slices": [asdict(s) for s in r.decision.slices],
                "findings": [asdict(f) for f in r.findings],
                "left_out": r.left_out, "notes": list(r.notes), "durations": r.durations,
            }  # fmt: skip
        return out


def _now() -> datetime:
    return datetime.now(UTC)


def retrain(
    config: RetrainConfig,
    *,
    dry_run: bool = False,
    force: bool = False,
    progress: Progress = lambda _: None,
    clock: Callable[[], datetime] = _now,
    command: str = "",
) -> Outcome:
    """Make a challenger of the current labels and promote it if it is better.

    ``dry_run`` writes nothing; ``force`` runs though nothing is new.  Raises ``StoreError``, ``DataError``,
    ``ConfigError``, ``ModelError``, ``OutputError``, or ``LockedError`` where another job holds the models folder; none
    of them changes which version is in use.
    """
    begun = time.monotonic()
    models = ModelsFolder(config.models, clock)
    progress("reading labels")
    run = _Run(config, models, gather(config), dry_run, force, progress, clock, command)
    if dry_run:
        outcome = run.run()
    else:
        with models.job():
            outcome = run.run()
            if config.keep and outcome.kind != "nothing new":
                outcome = replace(outcome, pruned=tuple(models.prune(config.keep, _BY)))
    return replace(outcome, seconds=time.monotonic() - begun)


@dataclass(frozen=True, slots=True)
class _Base:
    """The model that labels move: its folder, the name of its copy in the models folder."""

    folder: Path
    manifest: Mapping[str, Any]
    name: str


@dataclass
class _Run:
    config: RetrainConfig
    models: ModelsFolder
    gathered: Gathered
    dry_run: bool
    force: bool
    progress: Progress
    clock: Callable[[], datetime]
    command: str
    notes: list[str] = field(default_factory=list)
    durations: dict[str, float] = field(default_factory=dict)

    def run(self) -> Outcome:
        """Find out whether there is anything to do, and do it."""
        base = self._base()
        self.always = read_data(self.config.always) if self.config.always else None
        self.guard = read_data(self.config.guard) if self.config.guard else None
        self.inputs = fingerprint(self.config, self.gathered, base.manifest, self.always, self.guard)
        done = [v for v in self.models.versions() if v.lineage.get("inputs") == self.inputs]
        if done and (ended := self._end_what_was_killed(done[-1])):
            return ended
        if done and not self.force:
            why = f"nothing was decided, changed or installed since {done[-1].name} was made; --force runs all the same"
            return self._outcome("nothing new", None, (why,))
        if not self.dry_run:
            base = self._settled(base)
        sizes = self.gathered.class_sizes()
        if min(sizes.values()) < self.config.fewest:
            why = f"{sizes['spam']} labels spam and {sizes['ham']} ham count; {self.config.fewest} of each are needed"
            return self._outcome("too few labels", None, (why,))
        return self._challenge(base)

    def _outcome(
        self, kind: Kind, version: str | None, reasons: tuple[str, ...], r: Retraining | None = None
    ) -> Outcome:
        return Outcome(kind, self.models.current(), version, reasons, self.gathered.counts(), r, dry_run=self.dry_run)

    def _timed(self, step: str, begun: float) -> None:
        self.durations[step] = round(self.durations.get(step, 0.0) + time.monotonic() - begun, 3)

    # ------------------------------------------------------------------ base and champion
    def _base(self) -> _Base:
        """The model to move.  Not that of SPAMFILTER_MODEL: this may be a champion, which has learnt these labels."""
        folder = store.find(self.config.base or store.models_folder())
        manifest = store.verify(folder)
        if "inputs" in manifest.get("lineage", {}):
            raise ConfigError(
                f"{folder} came of a retraining itself: its labels would be learnt twice; "
                "name a base that was trained by `spamfilter train`, or none for the model that ships"
            )
        return _Base(folder, manifest, f"{manifest['name']}-{manifest['version']}")

    def _settled(self, base: _Base) -> _Base:
        """The base as a version of the folder, in use where nothing else is: from the first run on there is a model."""
        name = self.models.adopt(base.folder, _BY)
        if self.models.current() is None:
            self.models.promote(name, _BY, "the first version here: the model that labels move")
        return replace(base, name=name)

    def _champion(self, base: _Base) -> Champion:
        """The version in use, and how to make it again."""
        self.parent = base.name
        self.base = store.load(base.folder.absolute())
        name = self.models.current()
        if name is None:  # a dry run in an empty folder
            return as_it_stands(base.name, self.base)
        version = self.models.get(name)
        model = self.models.load(name)
        try:
            r = Retraining.read(version.folder)
        except (ModelNotFound, DataError) as error:
            if not isinstance(error, ModelNotFound):
                self.notes.append(f"what the champion learnt is not known ({error}); figures may flatter it")
            elif "labels" in version.manifest.get("rows", {}):
                self.notes.append("the champion was trained by hand on labels, perhaps these: figures may flatter it")
            return as_it_stands(name, model)
        return Champion(name, model, self._recipe_of(r) or AsItStands(model), r.learnt)

    def _recipe_of(self, r: Retraining) -> Recipe | None:
        """How the champion was made, to make it again without some rows; None where that cannot be done."""
        settings = r.adaptation.get("settings", {})
        try:
            if r.recipe == "adapt":
                parent = self.models.load(r.parent)
                if parent.parameters.inputs == self.base.parameters.inputs:
                    return Adapting(parent, _restored(AdaptationConfig, settings))
                why = f"{r.parent} was made with other signals than this version has"
            elif self.always is not None:
                return Training(self.always, _restored(TrainingConfig, settings))
            else:
                why = "always names no data any more"
        except ModelNotFound as error:
            why = str(error)
        self.notes.append(f"the champion cannot be made again ({why}); it is judged as it stands, which flatters it")
        return None

    # ------------------------------------------------------------------ challenger
    def _recipes(self) -> list[Recipe]:
        out: list[Recipe] = []
        if self.config.recipe != "train":
            out.append(Adapting(self.base, self.config.adaptation))
        if self.always is not None and self.config.recipe != "adapt":
            out.append(Training(self.always, self.config.training))
        return out

    def _challenge(self, base: _Base) -> Outcome:
        champion = self._champion(base)
        self._weigh_again()
        judge = Judge(self.gathered, champion, self.config.folds, self.config.jobs, self.progress)
        begun = time.monotonic()
        recipe, found, tried = self._better_recipe(judge)
        unseen, newest = judge.unseen(found), judge.newest(recipe)
        self._timed("judging", begun)
        begun = time.monotonic()
        self.progress("the challenger, on everything")
        made = recipe.fit(self.gathered.rows, self.gathered.weight, self.progress)
        self._timed("training", begun)
        guard = guarded(self.guard, champion.model, made.model) if self.guard is not None else None
        self.progress("deciding")
        decision = decide(unseen, newest, guard, self.config.rules)
        r = self._retraining(champion, recipe, made, decision, (unseen, newest, guard), tried)
        return self._stored(made, r, found)

    def _weigh_again(self) -> None:
        """Weights once more, now with what the base and then a model that learnt the other labels think of each."""
        begun = time.monotonic()
        self.progress("looking for doubtful labels")
        rows = self.gathered.rows
        untaught = dict(zip(rows.id, predict(self.base, rows).tolist(), strict=True))
        self.gathered = self.gathered.weighed(None, untaught)
        logits = Adapting(self.base, self.config.adaptation).logits(self.gathered.rows, self.gathered.weight)
        probability = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
        unseen = dict(zip(self.gathered.rows.id, probability.tolist(), strict=True))
        self.gathered = self.gathered.weighed(unseen, untaught)
        self._timed("hygiene", begun)

    def _better_recipe(self, judge: Judge) -> tuple[Recipe, tuple[F64, F64], dict[str, float]]:
        """The recipe with the higher average precision out of fold, what it gave the rows, and that figure of each."""
        found: list[tuple[float, Recipe, tuple[F64, F64]]] = []
        for recipe in self._recipes():
            given = judge.out_of_fold(recipe)
            ap = average_precision(self.gathered.rows.label, given[0], self.gathered.judging)
            found.append((ap, recipe, given))
        _, recipe, given = max(found, key=lambda f: f[0])
        return recipe, given, {r.name: round(ap, 4) for ap, r, _ in found}

    # ------------------------------------------------------------------ storing
    def _retraining(
        self,
        champion: Champion,
        recipe: Recipe,
        made: Made,
        decision: Decision,
        judged: tuple[Judged, Judged | None, Judged | None],
        tried: dict[str, float],
    ) -> Retraining:
        unseen, newest, guard = judged
        rows = self.gathered.rows
        words = ["spam" if y else "ham" for y in rows.label.tolist()]
        how = {"unseen": _UNSEEN} | ({"newest": _NEWEST} if newest else {}) | ({"guard": _GUARD} if guard else {})
        return Retraining(
            version=self.models.new_name(),
            created=self.clock().isoformat(timespec="seconds"),
            champion=champion.version,
            parent=self.parent,
            recipe=recipe.name,
            inputs=self.inputs,
            decision=decision,
            unseen=unseen,
            newest=newest,
            guard=guard,
            learnt=Learnt(self.gathered.keys(), rows.id, words, self.gathered.weight.round(6).tolist()),
            how=how,
            counts=self.gathered.counts(),
            left_out=dict(rows.report.left_out),
            findings=self.gathered.findings,
            agreement=self.gathered.agreement(),
            recipes=tried,
            adaptation=made.facts,
            durations=self.durations,
            notes=tuple(self.notes),
            code=__version__,
        )

    def _stored(self, made: Made, r: Retraining, found: tuple[F64, F64]) -> Outcome:
        """Store the challenger, then promote it if it was found better."""
        kind: Kind = "promoted" if r.decision.promote else "refused"
        if self.dry_run:
            return self._outcome(kind, None, r.decision.reasons, r)
        self.progress("saving")
        scores = score(self.gathered.rows, *found)
        manifest = self._manifest(made, r, scores)
        p = made.model.parameters
        card = {**manifest, "cutoffs": {"spam": p.spam_cutoff, "unsure": p.unsure_cutoff}}
        texts = {
            FILE: r.to_json(),
            "scores.json": json.dumps({"how": _UNSEEN, **scores.to_dict()}, indent=1, ensure_ascii=False) + "\n",
            "README.md": model_card(card, scores, f"on the team's labels, {_UNSEEN}"),
        }
        self.models.add(made.model, r.version, manifest, texts)
        if r.decision.promote:
            self._promote(r)
        return self._outcome(kind, r.version, r.decision.reasons, r)

    def _promote(self, r: Retraining) -> None:
        self.models.promote(r.version, _BY, "; ".join(r.decision.reasons), expect=r.champion)

    def _manifest(self, made: Made, r: Retraining, scores: Scores) -> Mapping[str, Any]:
        rows = self.gathered.rows
        return {
            "name": self.config.name,
            "version": r.version,
            "created": r.created,
            "command": self.command,
            "config": made.facts.get("settings", {}),
            "rows": made.rows,
            "fingerprint": rows.fingerprint(),
            "left_out": r.left_out,
            "versions": {
                "spamfilter": __version__,
                "python": platform.python_version(),
                **{p: metadata.version(p) for p in _PACKAGES},
            },
            "metrics": {
                "how": _UNSEEN,
                "auc": scores.all.auc,
                "ap": scores.all.ap,
                "recall_at_1": scores.all.recall_at_1,
            },
            "lineage": {
                "parent": r.parent,
                "parent_weights": weights_digest(self.base.manifest),
                "champion": r.champion,
                "recipe": r.recipe,
                "inputs": r.inputs,
                "labels": {"rows": len(rows), "last": int(self.gathered.place.max(initial=0))},
                "decision": "promote" if r.decision.promote else "refuse",
                "code": __version__,
            },
        }

    # ------------------------------------------------------------------ after a kill
    def _end_what_was_killed(self, version: Version) -> Outcome | None:
        """Promote a challenger that was found better and stored, where the run was killed before it was promoted."""
        if version.lineage.get("decision") != "promote" or self.models.was_used(version.name):
            return None
        if version.lineage.get("champion") != self.models.current():
            return None  # somebody chose another champion since: what was found holds against the old one only
        r = Retraining.read(version.folder)
        if not self.dry_run:
            self._promote(r)
        why = "an earlier run found it better and was ended before it could be promoted"
        return self._outcome("promoted", version.name, (why, *r.decision.reasons), r)


def _restored(kind: type[Any], settings: Mapping[str, Any]) -> Any:
    """A configuration as it was stored; settings that are no more are passed over."""
    known = {f.name for f in fields(kind)}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items() if k in known})
