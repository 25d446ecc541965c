"""The load generator: wrk, one thread, as many connections as asked."""

import json
import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("post.lua")


class LoadError(Exception):
    """wrk is missing, or did not do its work."""


@dataclass(frozen=True)
class Body:
    """Holds the body of a request. `header_length`: bytes of JSON before the tensors of a binary inference request."""

    content: bytes
    content_type: str
    header_length: int | None = None


@dataclass(frozen=True)
class Load:
    """Holds the measurements of wrk; latencies in milliseconds. `cpu` is wrk's own use in cores."""

    requests: int
    seconds: float
    failures: int
    timeouts: int
    refused: int
    p50: float
    p90: float
    p99: float
    longest: float
    cpu: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    @property
    def problem(self) -> str | None:
        """Why the figures must not be taken, if so."""
        if not self.requests:
            return "no answer at all"
        lost = self.failures + self.timeouts + self.refused
        return f"{lost} of {self.requests} requests failed" if lost else None


def find_wrk() -> str:
    """Raises LoadError where there is none."""
    found = shutil.which("wrk")
    if found is None:
        raise LoadError("wrk is not installed (Debian, Ubuntu: apt-get install wrk).")
    return found


def fire(
    url: str,
    body: Body,
    scratch: Path,
    *,
    connections: int,
    seconds: float,
    rate: float | None = None,
    trace: Path | None = None,
) -> Load:
    """Post `body` for whole `seconds`; with `rate` at that many requests a second, evenly spaced.

    `trace` begins the names of the files into which every request is written, one a connection, each with a thread of
    its own. Raises LoadError when wrk is missing or gives no summary. No other child may end meanwhile.
    """
    threads = connections if trace else 1
    posted = scratch / "body"
    posted.write_bytes(body.content)
    given = {
        "BENCH_BODY": posted,
        "BENCH_TYPE": body.content_type,
        "BENCH_LENGTHS": body.header_length,
        "BENCH_RATE": rate and rate / threads,
        "BENCH_TRACE": trace,
    }
    environment = os.environ | {name: str(value) for name, value in given.items() if value is not None}
    flags = [f"-t{threads}", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout=60s", f"-s{SCRIPT}", url]
    before = _cpu_of_children()
    done = subprocess.run([find_wrk(), *flags], env=environment, capture_output=True, text=True, check=False)
    return parse(done.stdout, done.stderr, _cpu_of_children() - before)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def parse(said: str, complaint: str, cpu_seconds: float) -> Load:
    """The summary that post.lua prints as the last line. Raises LoadError where there is none."""
    last = said.strip().rpartition("\n")[2]
    try:
        document = json.loads(last)
    except json.JSONDecodeError as error:
        raise LoadError(f"wrk gave no summary: {(complaint or said).strip()}") from error
    return Load(**document, cpu=cpu_seconds / document["seconds"])
