"""Read mutated recordings: none may crash or block the decoders, let memory grow, or give numbers that are not finite.

    PYTHONPATH=backend python -m scripts.recordings.fuzz --count 20000 --seed 1

`fuzz(count, seed)` does the same for a caller. The recordings are read in a child process, which is begun again behind
a recording that ends or blocks it.
"""

import argparse
import json
import math
import os
import random
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from scripts.recordings.damage import make_recordings, make_sound
from scripts.recordings.encoders import encode_with_ffmpeg, encode_with_sndfile
from scripts.recordings.memory import MemoryMeter
from scripts.recordings.reading import Decoded, find_library_words, read_recording

MOST_SECONDS = 5.0
"""Processor time that one recording may cost."""
MOST_GROWTH = 16 << 20
"""Bytes by which the memory in use may grow over all recordings."""
MOST_NEED = 64 << 20
"""Bytes of memory that one recording may need."""

_PATIENCE = 60.0  # seconds on the clock: a busy machine gives the child little processor time
_LARGEST = 1 << 20
_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFF9B)
ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "scripts.recordings.fuzz"]
"""Runs `main` in a process of its own."""


@dataclass
class FuzzReport:
    """Counts the outcomes of the recordings; `faults` is empty where all promises held."""

    count: int
    seed: int
    answered: int = 0
    refused: int = 0
    slowest_seconds: float = 0.0
    growth_bytes: int = 0
    needed_bytes: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, index: int, *, answered: bool, seconds: float, growth: int, needed: int, fault: str | None) -> None:
        """Add what became of one recording.

        `needed` counts the bytes of memory that it needed, and `growth` those by which all so far let the memory grow.
        """
        self.answered += answered
        self.refused += not answered
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        self.growth_bytes = max(self.growth_bytes, growth)
        self.needed_bytes = max(self.needed_bytes, needed)
        if fault is not None:
            self.faults.append(f"recording {index}: {fault}")

    def describe(self) -> str:
        """Return the report as text."""
        head = (
            f"{self.count} mutated recordings with the seed {self.seed}: {self.answered} answered, "
            f"{self.refused} refused, {len(self.faults)} faults; slowest {self.slowest_seconds:.2f} s, one needed up "
            f"to {self.needed_bytes / (1 << 20):.1f} MiB, memory grew by {self.growth_bytes / (1 << 20):.1f} MiB."
        )
        return "\n".join([head, *self.faults])


# Also mutated: codecs and containers beside those of the table of faults.
_MORE = (
    ("sndfile", "WAV", "MS_ADPCM"),
    ("sndfile", "WAV", "FLOAT"),
    ("sndfile", "WAV", "GSM610"),
    ("sndfile", "AIFF", "ULAW"),
    ("ffmpeg", "asf", "wmav2"),
    ("ffmpeg", "caf", "alac"),
    ("ffmpeg", "mov", "pcm_s16be"),
    ("ffmpeg", "matroska", "flac"),
    ("ffmpeg", "mp4", "ac3"),
    ("ffmpeg", "ogg", "flac"),
    ("ffmpeg", "mp2", "mp2"),
)


def make_seeds() -> list[bytes]:
    """Return the recordings that are mutated."""
    short = make_sound()[:24_000]
    more = [
        encode_with_sndfile(short, container, codec, 48_000)
        if encoder == "sndfile"
        else encode_with_ffmpeg(short, container, codec, 48_000)
        for encoder, container, codec in _MORE
    ]
    return [*make_recordings().values(), *more]


def mutate(bodies: list[bytes], seed: int, index: int) -> bytes:
    """Return the recording number `index`, which depends on its arguments alone."""
    random_ = random.Random(f"{seed} {index}")  # noqa: S311  # no secret
    body = bytearray(random_.choice(bodies))
    for _ in range(random_.randint(1, 4)):
        _spoil(body, random_, bodies)
    return bytes(body[:_LARGEST])


def _spoil(body: bytearray, random_: random.Random, bodies: list[bytes]) -> None:
    """Change one place, the first kilobyte as often as all others."""
    reach = len(body) if random_.random() < 0.5 else min(len(body), 1024)
    at = random_.randrange(reach + 1)
    length = random_.choice((1, 2, 4, 16, 188, 1000, 5000))
    match random_.randrange(9):
        case 0:
            for _ in range(random_.randint(1, 32)):
                if body:
                    body[random_.randrange(max(1, min(reach, len(body))))] ^= 1 << random_.randrange(8)
        case 1:
            body[at : at + length] = random_.randbytes(length)
        case 2:
            del body[at : at + length]
        case 3:
            body[at:at] = body[at : at + length]
        case 4:
            body[at:at] = random_.choice((bytes(length), random_.randbytes(length)))
        case 5:
            del body[at:]
        case 6:
            other = random_.choice(bodies)
            cut = random_.randrange(len(other))
            body[at:] = other[cut:]
        case 7:
            width = random_.choice((1, 2, 4, 8))
            number = random_.choice(_NUMBERS) & ((1 << 8 * width) - 1)
            body[at : at + width] = number.to_bytes(width, random_.choice(("little", "big")))
        case _:
            body[at:at] = body[at : at + min(length, 188)] * random_.choice((2, 20, 1000))


def fuzz(count: int, seed: int) -> FuzzReport:
    """Read `count` recordings, which depend on `seed`."""
    report = FuzzReport(count, seed)
    first = 0
    while first < count:
        first = _run_child(report, first)
    if report.growth_bytes > MOST_GROWTH:
        report.faults.append(f"memory grew by {report.growth_bytes} bytes")
    return report


def _run_child(report: FuzzReport, first: int) -> int:
    """Read recordings from number `first` on; return the number of the next one to read."""
    command = [*COMMAND, "--child", "--first", str(first), "--count", str(report.count), "--seed", str(report.seed)]
    path = os.pathsep.join([str(ROOT / "backend"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path}
    reading: int | None = None
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        for line in _iter_lines(child.pid, child.stdout):
            if line is None:
                child.kill()
                report.faults.append(f"recording {reading} blocks the decoder")
                return (first if reading is None else reading) + 1
            document = json.loads(line)
            if "reading" in document:
                reading = document["reading"]
            else:
                report.add(**document)
    if reading is None:
        raise RuntimeError(f"the child ended with {child.returncode} before it read a recording: {' '.join(command)}")
    if child.returncode:
        report.faults.append(f"recording {reading} ends the process with {child.returncode}")
        return reading + 1
    return report.count


def _iter_lines(process: int, output: IO[bytes] | None) -> Iterator[bytes | None]:
    """Yield the lines of a child; None once it has worked or waited too long since the last one."""
    if output is None:
        return
    buffered = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        began, used = time.monotonic(), math.inf  # its start is not counted
        while True:
            if selector.select(1.0):
                data = os.read(output.fileno(), 1 << 16)
                if not data:
                    return
                *lines, buffered = (buffered + data).split(b"\n")
                yield from lines
                began, used = time.monotonic(), _measure_processor_time(process)
            elif time.monotonic() - began > _PATIENCE or _measure_processor_time(process) - used > 2 * MOST_SECONDS:
                yield None
                return


def _measure_processor_time(process: int) -> float:
    """Return the processor time of a process in seconds, and 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))


def _read_all(first: int, count: int, seed: int) -> None:
    """Read the recordings in this process, and print a line of JSON before and behind each."""
    bodies = make_seeds()
    for body in bodies:
        _read(body)  # what a library loads for a format stays in memory
    meter = MemoryMeter()
    for index in range(first, count):
        body = mutate(bodies, seed, index)
        _write_line({"reading": index})
        began = time.process_time()
        answered, fault = _read(body)
        seconds = time.process_time() - began
        if seconds > MOST_SECONDS:
            fault = fault or f"it costs {seconds:.1f} s"
        if (needed := meter.measure_need()) > MOST_NEED:
            fault = fault or f"it needs {needed} bytes of memory"
        figures = {"seconds": seconds, "needed": needed, "growth": meter.measure_growth()}
        _write_line({"index": index, "answered": answered, **figures, "fault": fault})


def _write_line(document: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _read(body: bytes) -> tuple[bool, str | None]:
    """Return whether the recording was answered, and what is wrong with that."""
    try:
        decoded = read_recording(body)
    except Exception as error:  # noqa: BLE001  # any of them is what is looked for
        return False, f"{type(error).__name__}: {error}"
    if words := find_library_words(decoded):
        return False, f"words of a library: {', '.join(words)}"
    if not isinstance(decoded, Decoded):
        return False, None
    return True, None if decoded.finite else "numbers that are not finite"


def main() -> int:
    """Run from the command line; the status is 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _read_all(given.first, given.count, given.seed)
        return 0
    report = fuzz(given.count, given.seed)
    sys.stdout.write(report.describe() + "\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
