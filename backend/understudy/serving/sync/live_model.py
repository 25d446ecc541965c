"""Holds the reference to the live model of this process."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from understudy.engine.engine import EngineModel
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.schemas.registry.model import ModelOut

log = structlog.get_logger()


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, warmed up.

    `notes` say as sentences what a person should know of it, such as that its file is missing or its labels have no
    names. `variant` is float32 or the key of an int8 variant.
    """

    identity: ModelIdentity
    engine_model: EngineModel
    notes: tuple[str, ...] = ()
    variant: str = Precision.FLOAT32

    def rename(self, model_name: str, version: str | None) -> "LoadedModel":
        """Return the same model under this name and version."""
        identity = self.identity.model_copy(update={"model_name": model_name, "version": version})
        return self if identity == self.identity else replace(self, identity=identity)

    @property
    def tensors_only(self) -> bool:
        """True when the model cannot score recordings."""
        return self.engine_model.report.takes_tensors_only


@dataclass(frozen=True)
class LiveModel:
    """A loaded model and the generation under which it went live.

    `warnings` say as sentences what its activation met, such as a changed sidecar; `model.notes` stay true afterwards.
    `load_seconds` is the time that this process took to load it, with a compilation where one was needed.
    """

    model: LoadedModel
    generation: int
    since: datetime
    warnings: tuple[str, ...] = ()
    load_seconds: float | None = None


def log_live(live: LiveModel, actor: str) -> None:
    """Log that the model went live, and a warning for each thing to know about it."""
    identity = live.model.identity
    log.info("model live", actor=actor, generation=live.generation, **identity.model_dump())
    for note in (*live.warnings, *live.model.notes):
        log.warning("note on the live model", model_id=identity.model_id, model_name=identity.model_name, detail=note)


@dataclass(frozen=True)
class ActivatedModel:
    """A model that was just made live, and its row as the transaction left it."""

    live: LiveModel
    row: ModelOut


class LiveModelReference:
    """Holds the live model. A request reads the reference once and keeps it, so it never sees two models."""

    def __init__(self, on_swap: Callable[[LiveModel], None] = lambda _: None) -> None:
        self._current: LiveModel | None = None
        self._on_swap = on_swap

    @property
    def current(self) -> LiveModel | None:
        return self._current

    def swap(self, live: LiveModel) -> bool:
        """Make `live` the live model, unless a later generation is live already; return whether it was done.

        Two activations may end in another order than they committed: the database's order decides. Call it on the
        event loop only.
        """
        if self._current is not None and self._current.generation > live.generation:
            return False
        self._current = live
        try:
            self._on_swap(live)
        except Exception:  # the switch is committed and done: what only counts it must not fail it
            log.exception("a swap was not counted")
        return True

    def rewind(self, seen: LiveModel, generation: int) -> None:
        """Accept `generation` as the next one: the database was restored from a backup and counts on from there.

        Nothing changes where another model than `seen` is live by now.
        """
        if self._current is seen:
            self._current = replace(seen, generation=generation - 1)

    def rename(self, model_id: int, model_name: str, version: str | None, *, seen: LiveModel | None = None) -> None:
        """Give the live model, if it has this id, the name and version that its row has now.

        With `seen`, nothing changes where the reference is no longer what it was before the row was read: a rename that
        was committed since then is newer.
        """
        live = self._current
        if live is None or live.model.identity.model_id != model_id or (seen is not None and seen is not live):
            return
        renamed = live.model.rename(model_name, version)
        if renamed is not live.model:
            self._current = replace(live, model=renamed)

    def clear(self, generation: int) -> bool:
        """Have no live model, unless one of a later generation than `generation` is live; return whether one was live.

        The database desired no model at `generation`. An activation may have committed since then.
        """
        if self._current is None or self._current.generation > generation:
            return False
        self._current = None
        return True
