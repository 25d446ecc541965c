r"""Runs `understudy`, and kills its own process at a fault point: a named function, right before or right after a call.

    TORTURE_FAULT=understudy.registry.models.table.rows:insert:after TORTURE_ARMED=FILE \
        python -m scripts.torture.killed_program serve

Nothing happens before the file TORTURE_ARMED exists.
"""

import importlib
import inspect
import os
import signal
from functools import wraps
from pathlib import Path
from typing import Any

from understudy.cli import main


def plant_kill(point: str, armed: Path) -> None:
    """Kill this process at `point`, `MODULE:FUNCTION:before` or `MODULE:CLASS.METHOD:after`, once `armed` exists."""
    module, path, when = point.split(":")
    owner: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for each in owners:
        owner = getattr(owner, each)
    real = getattr(owner, name)

    def die() -> None:
        if armed.exists():
            os.kill(os.getpid(), signal.SIGKILL)

    if inspect.iscoroutinefunction(real):

        @wraps(real)
        async def wrapped(*arguments: Any, **options: Any) -> Any:
            if when == "before":
                die()
            result = await real(*arguments, **options)
            die()
            return result

    else:

        @wraps(real)
        def wrapped(*arguments: Any, **options: Any) -> Any:
            if when == "before":
                die()
            result = real(*arguments, **options)
            die()
            return result

    setattr(owner, name, wrapped)


if __name__ == "__main__":
    plant_kill(os.environ["TORTURE_FAULT"], Path(os.environ["TORTURE_ARMED"]))
    main()
