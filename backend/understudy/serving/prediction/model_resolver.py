"""Finds and loads a model by its name and version."""

import asyncio
import time
from dataclasses import dataclass
from math import inf

from understudy.errors import Conflict, ModelIsActive, Unavailable
from understudy.registry.database.database import Database
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.table import name_index
from understudy.registry.models.table.name_index import IndexedModel
from understudy.registry.registry import Registry
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.serving.activation.preparation import Preparation
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.sync.live_model import LiveModel, LiveModelReference, LoadedModel
from understudy.settings import Settings

Key = tuple[str, str | None]

_MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class _Known:
    """A model that was looked up. `revision` of the registry and monotonic time `at` are of when the look-up began."""

    model: LoadedModel
    revision: int
    at: float


class ModelResolver:
    """Finds the model of a name, live or not. The version may be left out: names are unique.

    A model that is not live is remembered for `poll_seconds`, and no longer than until this process changes the
    registry. So a row that another process renames or deletes answers under its old name for `poll_seconds` at most. A
    request in the second half of that time starts the next look-up and does not wait for it.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        registry: Registry,
        live: LiveModelReference,
        compilation: Compilation,
        preparation: Preparation,
    ) -> None:
        self._keep_seconds = settings.poll_seconds
        self._database = database
        self._registry = registry
        self._live = live
        self._compilation = compilation
        self._preparation = preparation
        self._known: dict[Key, _Known] = {}
        self._look_ups: dict[tuple[Key, int], asyncio.Task[LoadedModel]] = {}

    async def choose(self, name: str, version: str | None) -> tuple[LoadedModel, int | None]:
        """Return the model and, where it is live, its generation, else None.

        Raises ModelNotFound and what `Preparation.prepare` raises for a model that is not live.
        """
        if (live := self._find_live(name, version)) is not None:
            return live.model, live.generation
        key = name, version
        known = self._known.get(key)
        if known is not None and known.revision == self._registry.revision:
            age = time.monotonic() - known.at
            if age < self._keep_seconds:
                if age > self._keep_seconds / 2:
                    self._look_up(key)
                return known.model, None
        return await asyncio.shield(self._look_up(key)), None

    async def is_live(self, name: str, version: str | None) -> bool:
        """Return whether the model with this name is the live one. Raises ModelNotFound."""
        if self._find_live(name, version) is not None:
            return True
        await self._find_id(name, version)
        return False

    async def unload(self, name: str, version: str | None) -> None:
        """Let go of a model that is loaded and not live; the next request for it loads it again.

        Raises ModelNotFound, and ModelIsActive for the live model.
        """
        model = await self._read_record(name, version)
        live = self._live.current
        if live is not None and live.model.identity.model_id == model.model_id:
            raise ModelIsActive(
                f"{name} is the live model, which stays loaded.",
                remedy="Activate another model first: `understudy activate MODEL_ID`.",
            )
        # A look-up that runs would put the model back.
        running = [task for (key, _), task in self._look_ups.items() if key[0] == name]
        await asyncio.gather(*running, return_exceptions=True)
        self._known = {
            key: known for key, known in self._known.items() if known.model.identity.model_id != model.model_id
        }
        self._preparation.release(model.facts.digest, keep=live.model.engine_model if live else None)

    async def describe(self, name: str, version: str | None) -> tuple[ModelIdentity, CompileReport]:
        """Return the identity and the compile report of a model.

        Raises ModelNotFound, and ReportNotFound for a model that is not compiled.
        """
        if (live := self._find_live(name, version)) is not None:
            return live.model.identity, live.model.engine_model.report
        model = await self._read_record(name, version)
        identity = ModelIdentity(
            model_id=model.model_id, model_name=model.model_name, version=model.version, digest=model.facts.digest
        )
        return identity, await self._compilation.report(model.model_id)

    async def require_ready(self, name: str, version: str | None) -> None:
        """Raises ModelNotFound, and Unavailable for a model that would have to be compiled first."""
        if self._find_live(name, version) is not None:
            return
        model = await self._read_record(name, version)
        if await self._compilation.find(model) is None:
            raise Unavailable(
                f"{model.model_name} is not ready; its compile state is {model.compile_state}.",
                remedy=f"Compile it: `understudy compile {model.model_id}`; the first inference compiles it too.",
            )

    async def list_newest(self, limit: int, *, ready: bool) -> list[IndexedModel]:
        """Return the newest `limit` registered models; of these only the compiled ones where `ready` is true."""
        async with self._database.read() as session:
            found = await name_index.list_newest(session, limit=limit)
        return [model for model in found if not ready or model.is_ready]

    async def close(self) -> None:
        """Wait until every look-up has ended."""
        await asyncio.gather(*self._look_ups.values(), return_exceptions=True)

    def _find_live(self, name: str, version: str | None) -> LiveModel | None:
        live = self._live.current
        if live is not None and _has_name(live.model.identity, name, version):
            return live
        return None

    async def _read_record(self, name: str, version: str | None) -> RegisteredFile:
        """Return the model that has the name. Raises ModelNotFound, and Conflict where it keeps changing."""
        for _ in range(_MOST_TRIES):
            model = await self._registry.read_file_record(await self._find_id(name, version))
            if model.model_name == name and version in (None, model.version):  # else it was renamed in between
                return model
        raise _build_changed(name)

    async def _find_id(self, name: str, version: str | None) -> int:
        async with self._database.read() as session:
            return await name_index.find(session, name, version)

    def _look_up(self, key: Key) -> asyncio.Task[LoadedModel]:
        """Return the task that looks up `key` and that began after the last change by this process."""
        look_up = key, self._registry.revision
        task = self._look_ups.get(look_up)
        if task is None:
            task = self._look_ups[look_up] = asyncio.create_task(self._find_unchanged(key))

            def forget(task: asyncio.Task[LoadedModel]) -> None:
                del self._look_ups[look_up]
                if not task.cancelled() and task.exception() is not None:
                    self._known.pop(key, None)

            task.add_done_callback(forget)
        return task

    async def _find_unchanged(self, key: Key) -> LoadedModel:
        # The first look-up may compile for minutes. The row may have changed by then, so it is read again.
        for patience in (self._keep_seconds, *[inf] * (_MOST_TRIES - 1)):
            revision, at = self._registry.revision, time.monotonic()
            model = await self._load(await self._find_id(*key), self._known.get(key))
            now = time.monotonic()
            if _has_name(model.identity, *key) and revision == self._registry.revision and now - at < patience:
                self._known = {
                    each: known for each, known in self._known.items() if now - known.at < self._keep_seconds
                }
                self._known[key] = _Known(model, revision, at)
                return model
        raise _build_changed(key[0])

    async def _load(self, model_id: int, known: _Known | None) -> LoadedModel:
        if known and known.model.identity.model_id == model_id and await self._preparation.is_current(known.model):
            return known.model
        return await self._preparation.prepare(model_id)


def _build_changed(name: str) -> Conflict:
    return Conflict(f"The model {name!r} changed while it was looked up.")


def _has_name(identity: ModelIdentity, name: str, version: str | None) -> bool:
    return identity.model_name == name and version in (None, identity.version)
