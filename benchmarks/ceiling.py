"""The in-process ceiling: decoding, features and inference on all cores, and no HTTP.

Measured in children of its own, once as one process with a thread a core and once as a process a core.
`python -m benchmarks.ceiling MODEL BACKBONE CLIP THREADS` is such a child: it prints its answer, and then for each
number of seconds that it reads the clips a second that its threads heard.
"""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Self

from benchmarks.clips import ClipFile
from benchmarks.servers.work import pipeline_of
from benchmarks.site import LIVE, Site, environment
from benchmarks.wire import Answer
from understudy.audio.opening import AudioLimits, open_clip
from understudy.inference.pipeline.pipeline import Pipeline

CORES = os.cpu_count() or 1
_LIMITS = AudioLimits(3600.0)


@dataclass(frozen=True)
class Ceiling:
    """Children that wait to be measured; `answer` is what everybody should give."""

    threaded: "subprocess.Popen[str]"
    processes: tuple["subprocess.Popen[str]", ...]
    answer: Answer

    @classmethod
    @contextmanager
    def start(cls, site: Site, clip: ClipFile) -> Iterator[Self]:
        """Raises ValueError when a child does not answer."""
        with ExitStack() as stack:
            threaded = stack.enter_context(_worker(site, clip, threads=CORES))
            processes = tuple(stack.enter_context(_worker(site, clip, threads=1)) for _ in range(CORES))
            [answer, *_] = [json.loads(_line(each)) for each in (threaded, *processes)]
            yield cls(threaded, processes, Answer(**answer))

    def measure_threads(self, seconds: float) -> float:
        """Clips a second of one process with a thread a core."""
        return _round([self.threaded], seconds)

    def measure_processes(self, seconds: float) -> float:
        """Clips a second of one process a core."""
        return _round(self.processes, seconds)


@contextmanager
def _worker(site: Site, clip: ClipFile, *, threads: int) -> Iterator["subprocess.Popen[str]"]:
    paths = [site.models[LIVE].compiled, site.backbone, clip.path]
    command = [sys.executable, "-m", "benchmarks.ceiling", *map(str, paths), str(threads)]
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as worker:
        yield worker  # leaving closes its standard input, which ends it


def _round(workers: Sequence["subprocess.Popen[str]"], seconds: float) -> float:
    for worker in workers:
        print(seconds, file=worker.stdin)
    return sum(float(_line(worker)) for worker in workers)


def _line(worker: "subprocess.Popen[str]") -> str:
    line = worker.stdout.readline() if worker.stdout else ""
    if not line:
        raise ValueError(f"a process of the ceiling ended with {worker.wait()}")
    return line


def _hear(pipeline: Pipeline, recording: bytes) -> Answer:
    found = pipeline.analyze(open_clip(io.BytesIO(recording), _LIMITS))
    return Answer(found.label, found.score)


def _rate(pipeline: Pipeline, recording: bytes, seconds: float) -> float:
    """Clips a second of one thread, over whole clips."""
    started = time.perf_counter()
    heard = 0
    while (elapsed := time.perf_counter() - started) < seconds:
        _hear(pipeline, recording)
        heard += 1
    return heard / elapsed


def work(model: Path, backbone: Path, clip: Path, threads: int, orders: IO[str]) -> None:
    """The child's life."""
    pipeline, recording = pipeline_of(model, backbone), clip.read_bytes()
    print(json.dumps(asdict(_hear(pipeline, recording))), flush=True)
    with ThreadPoolExecutor(threads) as pool:
        for order in orders:
            rates = [pool.submit(_rate, pipeline, recording, float(order)) for _ in range(threads)]
            print(sum(rate.result() for rate in rates), flush=True)


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), sys.stdin)
