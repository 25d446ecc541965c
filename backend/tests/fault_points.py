"""Puts an action at a named place of the running program: a change by somebody else, an outage, or a crash.

A fault point is an async function or method. The action runs once, right before or right after it, as if another task
or process had been faster there. So a race is tested without sleeps.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Literal

import pytest

Action = Callable[[], Awaitable[object]]


def act_at(
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    action: Action,
    *,
    when: Literal["before", "after"] = "after",
    call: int = 1,
) -> list[None]:
    """Await `action` once, before or after the given call of the async function `name` of `owner` (a module or object).

    Returns a list that has an element once the action has run, so that a test can assert that the place was reached.
    """
    real = getattr(owner, name)
    calls = 0
    done: list[None] = []

    @wraps(real)
    async def wrapped(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        due = calls == call
        if due and when == "before":
            await action()
            done.append(None)
        result = await real(*arguments, **options)
        if due and when == "after":
            await action()
            done.append(None)
        return result

    monkeypatch.setattr(owner, name, wrapped)
    return done
