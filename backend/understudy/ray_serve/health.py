"""Decides when a replica may get requests, and when Ray should replace it."""

import asyncio
import time

from understudy.container import Services
from understudy.errors import UnderstudyError

_LOOK_SECONDS = 0.05
# A load that failed is tried again meanwhile: the store or the database may be back.
PATIENCE_SECONDS = 30.0


async def wait_until_ready(services: Services, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when this process serves what the registry desires; an empty registry is ready at once.

    Raises the reason where that fails for `patience_seconds`, or takes longer than a compilation may.
    """
    began = time.monotonic()
    while True:
        try:
            services.status_reporter.require_ready()
        except UnderstudyError:
            failed = services.reconciler.problem is not None or services.reconciler.outage is not None
            longest = patience_seconds if failed else services.settings.compile_wall_seconds + patience_seconds
            if time.monotonic() - began >= longest:
                raise
            await asyncio.sleep(_LOOK_SECONDS)
        else:
            return


def require_useful(services: Services) -> None:
    """Raise the reason why Ray should end this replica and start another one.

    Ray ends a replica whose check fails three times. So only those reasons for not being ready count that a new process
    may mend: no worker process runs, a task is down without which the registry is not followed, or no model is in
    memory although one should be. A replica that answers with the last known model while the database is away, or with
    the model before while the next one cannot be loaded, is kept: a new one could do nothing better.
    """
    if (problem := services.engine.find_problem(None)) is not None:
        raise problem
    if (down := services.supervisor.find_problem()) is not None:
        raise down
    reconciler = services.reconciler
    if services.live.current is None and reconciler.problem is not None and not reconciler.in_sync:
        raise reconciler.build_not_loaded()
