"""Writes and reads the history of models."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from understudy.errors import UnderstudyError
from understudy.history_chain import format_state
from understudy.migrations import history_seal
from understudy.models import FLOAT32, FileRecord, History, HistoryEvent, HistoryHead, MlModel
from understudy.registry.database import before_commit, page_cursor
from understudy.registry.models.table.rows import Row
from understudy.schemas.access.actor import get_principal
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.registry.model import HistoryEntry, HistoryPage, HistoryPrincipal, LiveModelAt

_ORDER = "history"
_LARGEST_ID = 2**63 - 1

_DESCRIBED = ("model_name", "version", "file_path", "description", "model_type", "accuracy", "created_by_user_id")

_WENT_LIVE = (HistoryEvent.ACTIVATED, HistoryEvent.ROLLED_BACK)

State = Mapping[str, object]


async def record(
    session: AsyncSession,
    event: HistoryEvent,
    model_id: int | None,
    *,
    actor: str,
    generation: int | None = None,
    variant: str | None = None,
    before: State | None = None,
    after: State | None = None,
    code: str | None = None,
    detail: str | None = None,
    remedy: str | None = None,
) -> None:
    """Append an entry with the model's present name, version and digest; they stay empty for a deleted model.

    `before` and `after` are what the change changed. The entry is written and sealed before `session`, which is from
    `Database.write`, commits.
    """
    name, version, digest = await _read_identity(session, model_id)
    principal = get_principal(actor)
    entry = {
        "event": str(event),
        "model_id": model_id,
        "model_name": name,
        "version": version,
        "digest": digest,
        "generation": generation,
        "form": variant,
        "actor": str(actor),
        "principal_id": principal.principal_id if principal else None,
        "principal_name": principal.name if principal else None,
        "principal_kind": str(principal.kind) if principal else None,
        "before_json": format_state(before),
        "after_json": format_state(after),
        "code": code,
        "detail": detail,
        "remedy": remedy,
    }
    before_commit.defer(session, _append, entry)


def list_pending(session: AsyncSession) -> set[tuple[int | None, str]]:
    """Return model and event of the entries that this transaction writes before it commits."""
    return {(entry["model_id"], entry["event"]) for entry in before_commit.list_deferred(session, _append)}


async def has_head(session: AsyncSession) -> bool:
    """True when the row with the end of the chain exists."""
    return bool(await session.scalar(select(func.count()).select_from(HistoryHead)))


async def restore_head(session: AsyncSession) -> bool:
    """Insert the row with the end of the chain again, and note that; False where it is there."""
    return await (await session.connection()).run_sync(history_seal.restore_head)


async def record_registration(
    session: AsyncSession, model: MlModel, digest: str, *, actor: str, detail: str | None = None
) -> None:
    """Append the entry of a new model."""
    after = {**_describe_columns(model), "digest": digest}
    await record(session, HistoryEvent.REGISTERED, model.model_id, actor=actor, after=after, detail=detail)


async def record_update(session: AsyncSession, row: Row, earlier: State, changed: Sequence[str], *, actor: str) -> None:
    """Append the change of a row: `changed` names columns and `spec`, `earlier` is `describe_row` before the change."""
    now = describe_row(row)
    names = [*changed, "digest"] if "file_path" in changed else changed
    await record(
        session,
        HistoryEvent.UPDATED,
        row.model.model_id,
        actor=actor,
        before={name: earlier[name] for name in names},
        after={name: now[name] for name in names},
        detail=f"Changed: {', '.join(changed)}.",
    )


def describe_row(row: Row) -> State:
    """Return the columns that users write, the spec that was given, and the digest of the file."""
    record = row.record
    return {
        **_describe_columns(row.model),
        "spec": record.given_spec if record else None,
        "digest": record.digest if record else None,
    }


def _describe_columns(model: MlModel) -> dict[str, object]:
    return {name: getattr(model, name) for name in _DESCRIBED}


async def describe_live(session: AsyncSession, model_id: int | None, variant: str) -> State | None:
    """Return the model that is or was live, as it stands before and after a switch; None where there is none."""
    if model_id is None:
        return None
    name, version, digest = await _read_identity(session, model_id)
    return {"model_id": model_id, "model_name": name, "version": version, "digest": digest, "form": variant}


async def _read_identity(session: AsyncSession, model_id: int | None) -> tuple[str | None, str | None, str | None]:
    """Return name, version and digest of a model, as much of them as the history keeps."""
    model = select(MlModel).where(MlModel.model_id == model_id)
    found = await session.execute(
        select(
            model.with_only_columns(_shorten(MlModel.model_name, 255)).scalar_subquery(),
            model.with_only_columns(_shorten(MlModel.version, 50)).scalar_subquery(),
            select(FileRecord.digest).where(FileRecord.model_id == model_id).scalar_subquery(),
        )
    )
    name, version, digest = found.one()
    return name, version, digest


async def _append(session: AsyncSession, entries: list[dict[str, Any]]) -> None:
    await (await session.connection()).run_sync(history_seal.append, entries)


def _shorten(column: InstrumentedAttribute[Any], length: int) -> ColumnElement[str]:
    """Return the column as text of at most `length` characters: a table made by hand may hold longer ones."""
    return func.substr(cast(column, Text), 1, length)


async def record_refusal(session: AsyncSession, model_id: int | None, error: UnderstudyError, *, actor: str) -> None:
    """Append the refused request and its reason. Use a new transaction: the refused one is rolled back."""
    await record(
        session,
        HistoryEvent.REFUSED,
        model_id,
        actor=actor,
        code=error.code,
        detail=error.detail,
        remedy=error.remedy,
    )


async def record_failed_load(
    session: AsyncSession, model_id: int, generation: int, error: UnderstudyError, *, actor: str
) -> None:
    """Append that a server could not load the model of a generation, unless one did for the same reason.

    Else a thousand servers write a thousand equal entries. The servers' reports say which of them failed.
    """
    same = (
        select(History.history_id)
        .where(History.generation == generation, History.event == HistoryEvent.REFUSED, History.model_id == model_id)
        .where(History.code == error.code, History.detail == error.detail)
        .limit(1)
    )
    if await session.scalar(same) is not None:
        return
    # Servers fail at the same moment. The next one reads again after this transaction.
    await session.execute(select(HistoryHead.head_id).with_for_update())
    if await session.scalar(same) is None:
        await record(
            session,
            HistoryEvent.REFUSED,
            model_id,
            actor=actor,
            generation=generation,
            code=error.code,
            detail=error.detail,
            remedy=error.remedy,
        )


async def read_page(
    session: AsyncSession,
    *,
    model_id: int | None = None,
    events: Sequence[str] | None = None,
    until: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> HistoryPage:
    """Return a page of entries, the newest first; with `until`, none that is later.

    Raises RequestInvalid for a cursor of another list.
    """
    query = select(History).order_by(History.history_id.desc()).limit(limit + 1)
    if model_id is not None:
        query = query.where(History.model_id == model_id)
    if events is not None:
        query = query.where(History.event.in_(events))
    if until is not None:
        query = query.where(History.at <= until)
    if cursor is not None:
        query = query.where(History.history_id < page_cursor.decode(cursor, _ORDER, largest_id=_LARGEST_ID)[1])
    found = [HistoryEntry.model_validate(row) for row in await session.scalars(query)]
    entries = found[:limit]
    more = len(found) > limit
    return HistoryPage(
        entries=entries, next_cursor=page_cursor.encode(_ORDER, None, entries[-1].history_id) if more else None
    )


async def find_live_at(session: AsyncSession, at: datetime) -> LiveModelAt:
    """Return the model that was live at a moment, which is in UTC."""
    switches = select(History).where(
        History.event.in_((*_WENT_LIVE, HistoryEvent.DEACTIVATED)), History.generation.is_not(None)
    )
    last = await session.scalar(switches.where(History.at <= at).order_by(History.history_id.desc()).limit(1))
    if last is None:
        return LiveModelAt(at=at, model_id=None)
    following = switches.where(History.generation > last.generation).order_by(History.generation).limit(1)
    after = await session.scalar(following)
    until = None if after is None else after.at
    # A switch writes one entry for the model that went and one for the model that came, in either order.
    went_live = switches.where(History.generation == last.generation, History.event.in_(_WENT_LIVE))
    entry = await session.scalar(went_live.order_by(History.history_id.desc()).limit(1))
    if entry is None:
        return LiveModelAt(
            at=at,
            model_id=None,
            generation=last.generation,
            since=last.at,
            until=until,
            actor=last.actor,
            principal=_to_principal(last),
        )
    variant = entry.form or FLOAT32
    return LiveModelAt(
        at=at,
        model_id=entry.model_id,
        model_name=entry.model_name,
        version=entry.version,
        digest=entry.digest,
        precision=_find_precision(variant),
        form=variant,
        generation=entry.generation,
        since=entry.at,
        until=until,
        actor=entry.actor,
        principal=_to_principal(entry),
    )


def _to_principal(entry: History) -> HistoryPrincipal | None:
    return None if entry.principal is None else HistoryPrincipal.model_validate(entry.principal)


def _find_precision(variant: str) -> Precision | None:
    """Return the precision of a variant; None for a text that somebody put in its place."""
    try:
        return Precision.of(variant)
    except ValueError:
        return None


async def find_newest_generation(session: AsyncSession) -> int:
    """Return the highest generation in the history, or 0."""
    return await session.scalar(select(func.max(History.generation))) or 0
