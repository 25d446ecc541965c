"""The log of predictions never waits, never fails an answer, and counts what it drops."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import BinaryIO

import pytest

from tests.postgres import ByHand
from understudy.errors import DatabaseUnavailable, RequestInvalid
from understudy.models import utc_now
from understudy.registry.database.database import Database
from understudy.registry.models.prediction_rows import PredictionFilter
from understudy.schemas.inference.prediction import AudioFacts, ModelIdentity, Prediction, Timing
from understudy.serving.telemetry import prediction_log
from understudy.serving.telemetry.counters import Counters
from understudy.serving.telemetry.prediction_log import PredictionLog
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

EVERYTHING = PredictionFilter()


@pytest.fixture
async def database(database_settings: Settings, migrated: None) -> AsyncIterator[Database]:
    async with Database(database_settings) as database:
        yield database


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def kept(database_settings: Settings, database: Database, counters: Counters) -> PredictionLog:
    return PredictionLog(database_settings.model_copy(update={"prediction_log_days": 7}), database, counters)


def make(label: str = "siren", model_id: int = 1) -> Prediction:
    return Prediction(
        label=label,
        score=0.75,
        scores={label: 0.75},
        windows=(),
        events=(),
        audio=AudioFacts(
            duration_seconds=1,
            sample_rate=16_000,
            channels=1,
            codec="pcm",
            level_dbfs=None,
            peak_dbfs=None,
            silent=True,
            clipped=False,
        ),
        model=ModelIdentity(model_id=model_id, model_name="One", version="v1", digest="d" * 64),
        generation=3,
        warnings=(),
        findings=(),
        timing_ms=Timing(queue=0, decode=0, features=0, inference=0),
    )


def record(kept: PredictionLog, clip: bytes = b"clip", label: str = "siren", model_id: int = 1) -> None:
    kept.record(make(label, model_id), lambda: BytesIO(clip), 7, "anna")


async def test_an_entry_names_who_asked_what_was_answered_and_the_recording(
    kept: PredictionLog, counters: Counters
) -> None:
    before = datetime.now(UTC)
    record(kept, b"audio" * 1000)
    assert kept.waiting == 1
    await kept.write()
    [entry] = (await kept.list(EVERYTHING)).predictions
    assert before <= entry.at <= datetime.now(UTC)
    assert entry.model_dump(exclude={"at", "prediction_id"}) == {
        "principal_id": 7,
        "principal_name": "anna",
        "model_id": 1,
        "model_name": "One",
        "version": "v1",
        "digest": "d" * 64,
        "generation": 3,
        "label": "siren",
        "score": 0.75,
        "clip_digest": hashlib.sha256(b"audio" * 1000).hexdigest(),
    }
    assert (kept.waiting, counters.predictions_logged, counters.predictions_not_logged) == (0, 1, 0)


async def test_the_log_is_filtered_and_read_page_by_page(kept: PredictionLog, by_hand: ByHand) -> None:
    for number in range(5):
        record(kept, label="siren" if number % 2 else "rain", model_id=1 + number // 3)
    await kept.write()
    first = await kept.list(EVERYTHING, limit=3)
    rest = await kept.list(EVERYTHING, limit=3, cursor=first.next_cursor)
    found = [each.prediction_id for page in (first, rest) for each in page.predictions]
    assert (found, rest.next_cursor) == (sorted(found, reverse=True), None)
    assert len(found) == 5
    assert {each.label for each in (await kept.list(PredictionFilter(label="rain"))).predictions} == {"rain"}
    assert len((await kept.list(PredictionFilter(model_id=2))).predictions) == 2
    by_hand("UPDATE understudy_predictions SET at = '2026-01-01 00:00:00' WHERE prediction_id < 3")
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    assert len((await kept.list(PredictionFilter(since=moment))).predictions) == 3
    assert len((await kept.list(PredictionFilter(until=moment))).predictions) == 2
    with pytest.raises(RequestInvalid):
        await kept.list(PredictionFilter(since=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))))
    with pytest.raises(RequestInvalid):
        await kept.list(EVERYTHING, cursor="history")


async def test_what_cannot_be_kept_is_dropped_and_counted(
    kept: PredictionLog, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_log, "_MOST_CLIPS", 2)

    def fail() -> BinaryIO:
        raise OSError("too many open files")

    kept.record(make(), fail, None, None)
    closed = BytesIO(b"gone")
    closed.close()
    kept.record(make(), lambda: closed, None, None)
    record(kept)
    record(kept)
    await kept.write()
    assert (counters.predictions_logged, counters.predictions_not_logged) == (1, 3)


async def test_a_burst_is_written_without_a_drop(kept: PredictionLog, counters: Counters) -> None:
    task = asyncio.create_task(kept.watch())
    for number in range(1000):
        record(kept, str(number).encode())
        while len(kept._clips) > 100:  # those are not left waiting for the next second
            await asyncio.sleep(0.001)
    async with asyncio.timeout(20):
        while kept.waiting:
            await asyncio.sleep(0.01)
    task.cancel()
    await kept.write()
    assert (counters.predictions_logged, counters.predictions_not_logged) == (1000, 0)


async def test_while_the_database_does_not_answer_entries_wait_up_to_a_limit(
    kept: PredictionLog, database: Database, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_log, "_MOST_ENTRIES", 2)

    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("The database does not answer.")

    with monkeypatch.context() as outage:
        outage.setattr(database, "write", refuse)
        for _ in range(3):
            record(kept)
            await kept.write()
    assert (kept.waiting, counters.predictions_not_logged) == (2, 1)
    await kept.write()
    assert (kept.waiting, counters.predictions_logged) == (0, 2)


async def test_entries_past_their_days_are_removed(kept: PredictionLog, by_hand: ByHand) -> None:
    record(kept)
    record(kept)
    await kept.write()
    old = utc_now() - timedelta(days=8)
    by_hand(f"UPDATE understudy_predictions SET at = '{old}' WHERE prediction_id = 1")
    kept._cleaned = None
    await kept.write()
    assert [each.prediction_id for each in (await kept.list(EVERYTHING)).predictions] == [2]
