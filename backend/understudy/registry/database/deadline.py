"""Ends a transaction that takes too long, and says what it waited for."""

import asyncio
from types import TracebackType
from typing import Self

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from understudy.errors import DatabaseBusy, DatabaseUnavailable, OutcomeUnknown


class Deadline:
    """Cancels the block after `seconds`; the block then ends with an error for what it was waiting for.

    DatabaseBusy while it waits for a connection or a lock of this process, DatabaseUnavailable from `note_answering`
    on, OutcomeUnknown from `note_commit` on.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self._address = address
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)
        self._error: DatabaseUnavailable = DatabaseBusy(
            f"{address} is in use: no connection or lock became free within {seconds:g} s. Nothing was changed."
        )

    @property
    def seconds_left(self) -> float:
        """The time until the end in seconds; 0 after it."""
        when = self._timeout.when()
        return self._seconds if when is None else max(0.0, when - asyncio.get_running_loop().time())

    def note_answering(self) -> None:
        """Say that the block waits for the database from now on."""
        self._error = DatabaseUnavailable(
            f"{self._address} did not answer within {self._seconds:g} s. Nothing was changed."
        )

    def note_commit(self) -> None:
        """Say that the block waits for the answer to its commit from now on."""
        self._error = OutcomeUnknown(
            f"{self._address} did not answer the commit within {self._seconds:g} s. The change may have been done."
        )

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as expired:
            raise self._error from expired
        # An error that the cancellation led to, such as a roll-back on a connection that is closed.
        if self._timeout.expired() and isinstance(error, DBAPIError | PoolTimeout):
            raise self._error from error
