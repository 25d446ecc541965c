"""Compiles registered models and runs their examples in the background, one at a time: activations are then fast."""

import asyncio

import structlog

from understudy.errors import UnderstudyError
from understudy.registry.registry import Registry
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.examples.prover import Prover

log = structlog.get_logger()

# Pause between two models, in which a client that registers many of them is answered.
_PAUSE_SECONDS = 0.05


class CompileQueue:
    """A queue of model ids. A model that does not compile is recorded beside its row and never stops the queue."""

    def __init__(self, registry: Registry, compilation: Compilation, prover: Prover) -> None:
        self._registry = registry
        self._compilation = compilation
        self._prover = prover
        self._queue: asyncio.Queue[int] = asyncio.Queue()

    def add(self, model_id: int) -> None:
        self._queue.put_nowait(model_id)

    async def work(self) -> None:
        """Compile until cancelled."""
        while True:
            model_id = await self._queue.get()
            try:
                model = (await self._registry.read_spec_now(model_id)).model
                await self._prover.prove_compiled(model, await self._compilation.compile(model))
            except UnderstudyError as error:
                log.info("not compiled in advance", model_id=model_id, code=error.code, detail=error.detail)
            except Exception:  # the failure of one model must not stop the queue
                log.exception("not compiled in advance", model_id=model_id, remedy="Activate it to try again.")
            await asyncio.sleep(_PAUSE_SECONDS)
