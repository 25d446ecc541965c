"""The one reference that says which model answers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, warmed up.

    `notes` say what differs from the registered file, such as its absence; `form` is float32, or its twin's key.
    """

    identity: ModelIdentity
    pipeline: Pipeline
    notes: tuple[str, ...] = ()
    variant: str = Precision.FLOAT32


@dataclass(frozen=True)
class LiveModel:
    """A loaded model on stage, under the generation that put it there."""

    model: LoadedModel
    generation: int
    since: datetime


class LiveModelReference:
    """Holds the live model. A request takes the reference once and keeps it, so it can never see two models."""

    def __init__(self, on_swap: Callable[[LiveModel], None] = lambda _: None) -> None:
        self._current: LiveModel | None = None
        self._on_swap = on_swap

    @property
    def current(self) -> LiveModel | None:
        return self._current

    def swap(self, live: LiveModel) -> bool:
        """Put `live` on stage unless a later generation already is; the event loop is the only caller.

        Two activations may finish in another order than they committed: the database's order wins.
        """
        if self._current is not None and self._current.generation > live.generation:
            return False
        self._current = live
        self._on_swap(live)
        return True

    def rewind(self, generation: int) -> None:
        """Let `generation` come next, because the database was restored and counts on from there."""
        if self._current is not None:
            self._current = replace(self._current, generation=generation - 1)

    def rename(self, model_id: int, model_name: str, version: str | None) -> None:
        """Name the live model, if it is this one, as its row now does: no answer carries a name that was changed."""
        live = self._current
        if live is None or live.model.identity.model_id != model_id:
            return
        identity = live.model.identity.model_copy(update={"model_name": model_name, "version": version})
        if identity != live.model.identity:
            self._current = replace(live, model=replace(live.model, identity=identity))

    def clear(self) -> None:
        """Leave the stage empty: the database desires no model any more."""
        self._current = None
