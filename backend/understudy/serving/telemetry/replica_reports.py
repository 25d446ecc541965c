"""Lists what the servers on this database report about themselves."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import replicas
from understudy.schemas.server.status import ReplicaList, ReplicaStatus


@dataclass(frozen=True)
class RolloutProgress:
    """The number of servers that run, and the reports of those that are behind, at a time of the database's clock."""

    running: int
    behind: tuple[ReplicaStatus, ...]
    read_at: datetime


class ReplicaReports:
    """Reads the reports of the servers that run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> ReplicaList:
        """Return the report of each server that runs or ended less than 30 s ago. Raises DatabaseUnavailable."""
        async with self._database.read(Use.MANAGE) as session:
            return await self.read(session)

    async def read_progress(self, generation: int) -> RolloutProgress:
        """Return how far the servers that run followed to `generation`.

        Raises DatabaseUnavailable.
        """
        async with self._database.read(Use.MANAGE) as session:
            progress = await replicas.read_progress(session, generation)
        behind = tuple(map(ReplicaStatus.model_validate, progress.behind))
        return RolloutProgress(progress.running, behind, progress.read_at.replace(tzinfo=UTC))

    async def read(self, session: AsyncSession) -> ReplicaList:
        """Do the same as `list` within a transaction of the caller."""
        reports = await replicas.list_running(session)
        return ReplicaList(replicas=tuple(map(ReplicaStatus.model_validate, reports)))
