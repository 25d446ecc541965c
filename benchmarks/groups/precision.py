"""The int8 twin of a model beside the model itself, in the same server, in turns."""

import json
import subprocess
from collections.abc import Iterator

import httpx

from benchmarks import pressure
from benchmarks.bench import Bench
from benchmarks.clips import ClipFile
from benchmarks.networks import data_folder
from benchmarks.results import Figure, Result
from benchmarks.server import Server, ServerError
from benchmarks.site import LIVE, understudy
from benchmarks.subjects import SUBJECTS, UNDERSTUDY

GROUP = "precision"
TITLE = "int8 beside float32"
ABOUT = """\
The same head and backbone in 8-bit numbers, calibrated on one part of the recordings at hand and judged on the other;
rates are over HTTP."""
FLOAT, INT8 = "float32", "int8"
_CLIPS = ((1, "wav 16 kHz"), (10, "wav 44.1 kHz"))
_CONNECTIONS = 8


def measure(bench: Bench) -> Iterator[Result]:
    """Understudy alone. Raises LoadError without wrk."""
    found = data_folder()
    recordings = found / "esc10" if found else bench.site.folder / "clips"
    model_id = str(bench.site.models[LIVE].model_id)
    order = ("compile", model_id, "--precision", INT8, "--clips", str(recordings))
    try:
        report = understudy(bench.site.home, *order)
    except subprocess.CalledProcessError as error:
        yield Result(GROUP, "compile", UNDERSTUDY, problem=json.loads(error.output)["detail"])
        return
    agreement = report["quantization"]["agreement"]
    judged = {
        "same label": Figure.of("%", 100 * agreement["clip_agreement"]),
        "same label, windows": Figure.of("%", 100 * agreement["window_agreement"]),
        "largest change of a score": Figure.of("", agreement["max_change"]),
    }
    yield Result(GROUP, f"agreement on {agreement['clips']} clips", UNDERSTUDY, judged)
    try:
        with SUBJECTS[UNDERSTUDY].launch(bench.site) as server:
            for seconds, kind in _CLIPS:
                yield _measured(bench, server, bench.site.clip(seconds, kind))
            _activate(server, bench.site.models[LIVE].model_id, FLOAT)
    except (ServerError, httpx.HTTPError) as error:
        yield Result(GROUP, "load", UNDERSTUDY, problem=str(error))


def _measured(bench: Bench, server: Server, clip: ClipFile) -> Result:
    route = SUBJECTS[UNDERSTUDY].hearing
    body = route.wrap(clip.read(), clip.kind.content_type)
    rates: dict[str, list[float]] = {FLOAT: [], INT8: []}
    problems: list[str] = []
    for _ in range(bench.repeats):
        for precision, found in rates.items():
            _activate(server, bench.site.models[LIVE].model_id, precision)
            figures, problem = pressure.press(
                server,
                route.path,
                body,
                bench.work,
                connections=_CONNECTIONS,
                seconds=bench.seconds,
                repeats=1,
            )
            found.append(figures[pressure.RATE].median)
            problems += [problem] if problem else []
    shown = {precision: Figure("1/s", tuple(found)) for precision, found in rates.items()}
    shown["ratio"] = Figure("", tuple(after / before for before, after in zip(*rates.values(), strict=True)))
    return Result(GROUP, clip.name, UNDERSTUDY, shown, pressure.joined(problems), _CONNECTIONS)


def _activate(server: Server, model_id: int, precision: str) -> None:
    answer = httpx.post(f"{server.url}/api/v1/models/{model_id}/activate", params={"precision": precision}, timeout=60)
    answer.raise_for_status()
