"""Hostile model files are uploaded, registered, compiled and activated: a typed refusal, or a model that works."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from scripts.torture.model_files import ModelFile, build_model_files
from scripts.torture.plan import Plan
from scripts.torture.report import FamilyReport
from scripts.torture.server import PATIENCE, Client, Server, find_misattribution, run_server, write_models

_LIMITS = {
    "UNDERSTUDY_COMPILE_WALL_SECONDS": "30",
    "UNDERSTUDY_COMPILE_CPU_SECONDS": "30",
    "UNDERSTUDY_COMPILE_QUICK_SECONDS": "10",
    "UNDERSTUDY_COMPILE_PARITY_SECONDS": "20",
    "UNDERSTUDY_STEP_SECONDS": "3",
    "UNDERSTUDY_WORKER_MEMORY_BYTES": str(1 << 30),
}
_LONGEST_PREDICTION = 10.0
"""Seconds in which predictions of a good model are answered meanwhile, on a busy machine too."""


def run(plan: Plan) -> FamilyReport:
    """Each file is an attempt, and each prediction of a good model meanwhile."""
    report = FamilyReport("hostile model files", "files and predictions")
    home = plan.make_home("hostile")
    write_models(home)
    with run_server(home, **_LIMITS) as server:
        asyncio.run(_torture(plan, server, report))
    return report


async def _torture(plan: Plan, server: Server, report: FamilyReport) -> None:
    outcomes: Counter[str] = Counter()
    async with Client(server.url, report, timeout=3 * PATIENCE) as client:
        labels = await client.set_up()
        good = min(labels)
        # Compiled and loaded before its time is measured.
        (await client.predict(model_id=max(labels))).raise_for_status()
        timer = plan.start_timer(6)
        for number, file in enumerate(build_model_files(plan.choose(5, 150), plan.make_random("hostile"))):
            report.measure(size=len(file.body))
            async with _predict_meanwhile(client, report, labels, file.name):
                outcome, wrong = await _try_file(client, f"hostile-{number}.{file.ending}", file)
                if outcome == "live":
                    wrong = wrong or _judge_prediction(await client.predict())
                    (await client.activate(good)).raise_for_status()
            outcomes[outcome] += 1
            report.check(wrong is None, f"{file.name}: {wrong}")
            if timer.is_over:
                break
        report.check(await client.await_ready(), "the server is not ready at the end")
    tracebacks = server.find_tracebacks()
    report.check(not tracebacks, f"the server logged a traceback: {tracebacks[:1]}")
    report.notes.append(f"{sum(outcomes.values())} files: {', '.join(f'{n} {word}' for word, n in outcomes.items())}.")


async def _try_file(client: Client, name: str, file: ModelFile) -> tuple[str, str | None]:
    """Return where the file was refused, or `live`, and what was wrong."""
    uploaded = await client.upload(name, file.body)
    if not uploaded.is_success:
        return _classify(uploaded)
    registered = await client.register(name, name)
    if not registered.is_success:
        return _classify(registered)
    return _classify(await client.activate(registered.json()["model_id"]))


def _classify(answer: httpx.Response) -> tuple[str, str | None]:
    """Return the word for an answer, and what is wrong with it: a refusal is the file's fault, so it is 4xx."""
    if answer.is_success:
        return "live", None
    code = answer.json().get("code", "none")
    if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR or code in ("backbone_missing", "model_set_aside"):
        return code, None
    return code, f"{answer.request.url.path} answered {answer.status_code} {answer.text[:300]}"


def _judge_prediction(answer: httpx.Response) -> str | None:
    """Return what is wrong with a prediction of a file that went live: its scores must be finite."""
    if not answer.is_success:
        return None  # a typed error: the client has checked it
    scores = [score for window in answer.json()["windows"] for score in (window["scores"] or {}).values()]
    if not all(math.isfinite(score) for score in scores):
        return f"scores that are not finite: {scores[:5]}"
    return None


@asynccontextmanager
async def _predict_meanwhile(
    client: Client, report: FamilyReport, labels: Mapping[int, str], name: str
) -> AsyncIterator[None]:
    """Predict with a good model that is not live until the block ends; `name` is that of the hostile file."""
    stopping = asyncio.Event()

    async def predict() -> None:
        while not stopping.is_set():
            began = time.monotonic()
            answer = await client.predict(model_id=max(labels))
            held, sentence = _judge_other(answer, labels, time.monotonic() - began)
            report.check(held, f"{name}: {sentence}")
            await asyncio.sleep(0.1)

    task = asyncio.create_task(predict())
    try:
        yield
    finally:
        stopping.set()
        await task


def _judge_other(answer: httpx.Response, labels: Mapping[int, str], seconds: float) -> tuple[bool, str]:
    if not answer.is_success:
        return False, f"meanwhile a prediction of a good model answered {answer.status_code} {answer.text[:200]}"
    if (wrong := find_misattribution(answer.json(), labels)) is not None:
        return False, f"meanwhile {wrong}"
    held = seconds <= _LONGEST_PREDICTION
    return held, f"meanwhile a prediction of a good model took {seconds:.1f} s"
