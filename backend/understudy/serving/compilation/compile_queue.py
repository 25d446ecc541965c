"""Compiles registered models and runs their examples in the background: activations are then fast."""

import asyncio
from collections import Counter, deque

import structlog

from understudy.compiler.compiler import SLOW
from understudy.errors import CompilationEnded, DatabaseUnavailable, UnderstudyError
from understudy.registry.registry import Registry
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.examples.prover import Prover

log = structlog.get_logger()

# Pause between two models, in which a client that registers many of them is answered.
_PAUSE_SECONDS = 0.05
# Pause after which a model is tried again that met an outage of the database.
_OUTAGE_SECONDS = 5.0
# Pause after a compilation that another process ended, and how often it is tried.
_ENDED_SECONDS = 5.0
_MOST_TRIES = 3


class CompileQueue:
    """A queue of model ids. A model that does not compile is recorded beside its row and never stops the queue.

    One model after the other is compiled; the next one begins also where a compilation takes long.
    """

    def __init__(self, registry: Registry, compilation: Compilation, prover: Prover) -> None:
        self._registry = registry
        self._compilation = compilation
        self._prover = prover
        self._new: deque[int] = deque()
        self._left_over: deque[int] = deque()
        self._ended: Counter[int] = Counter()
        self._running: set[asyncio.Task[None]] = set()
        self._filled = asyncio.Event()

    def add(self, model_id: int) -> None:
        """Compile a model as soon as the others are done that were added before."""
        self._new.append(model_id)
        self._filled.set()

    def add_left_over(self, model_id: int) -> None:
        """Compile a model when no other one waits."""
        self._left_over.append(model_id)
        self._filled.set()

    async def work(self) -> None:
        """Compile until cancelled."""
        try:
            while True:
                model_id = await self._take()
                passed = asyncio.Event()  # set when the model is compiled, or others may pass it
                task = asyncio.create_task(self._compile(model_id, passed))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                await passed.wait()
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            running = list(self._running)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _take(self) -> int:
        while not (queue := self._new or self._left_over):
            self._filled.clear()
            await self._filled.wait()
        return queue.popleft()

    async def _try_again(self, model_id: int) -> None:
        """Compile a model later whose compilation another process ended, three times at most."""
        self._ended[model_id] += 1
        if self._ended[model_id] < _MOST_TRIES:
            await asyncio.sleep(_ENDED_SECONDS)
            self.add_left_over(model_id)

    async def _compile(self, model_id: int, passed: asyncio.Event) -> None:
        def report_step(step: str) -> None:
            if step == SLOW:
                passed.set()

        try:
            model = (await self._registry.read_spec_now(model_id)).model
            compiled = await self._compilation.compile(model, on_step=report_step)
            await self._prover.prove_compiled(model, compiled)
        except DatabaseUnavailable:
            self.add_left_over(model_id)
            await asyncio.sleep(_OUTAGE_SECONDS)
        except CompilationEnded as error:
            log.info("not compiled in advance", model_id=model_id, code=error.code, detail=error.detail)
            passed.set()  # the others need not wait for the next attempt
            await self._try_again(model_id)
        except UnderstudyError as error:
            log.info("not compiled in advance", model_id=model_id, code=error.code, detail=error.detail)
        except Exception:  # the failure of one model must not stop the queue
            log.exception("not compiled in advance", model_id=model_id, remedy="Activate it to try again.")
        finally:
            passed.set()
