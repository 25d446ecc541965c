"""Make a recording of every container and codec with the ffmpeg and sox commands, and compare what both decode of it.

The programs are those of the system, so that they share no code with the libraries that Understudy brings along.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import numpy as np
import soundfile

from scripts.recordings.damage import (
    FAULTS,
    TOLERANCE_DB,
    TOLERANCE_PART,
    TOLERANCE_SECONDS,
    format_table,
    make_recordings,
)
from scripts.recordings.reading import Decoded, find_library_words, read_recording
from understudy.errors import UnderstudyError

PROGRAMS = ("ffmpeg", "sox")
RATE = 44_100
_SECONDS = 1.5
_AT_ONCE = 16  # files that one command decodes


@dataclass(frozen=True)
class Case:
    """A recording that a program makes: its options, the suffix of the file, and what the table calls it.

    The program "copy" is ffmpeg, which puts the sound of the case that the options name into another container;
    "frames" are random bits in whole frames, which every decoder must turn into the same noise.
    """

    name: str
    suffix: str
    options: str
    program: str = "ffmpeg"

    @property
    def decoded_by_sox(self) -> bool:
        """True where sox is compared with; its decoder of AMR is 0.5 dB and more from FFmpeg's."""
        return self.program == "sox" and self.suffix != "amr-nb"


CASES = (
    tuple(
        Case(f"{container}, {codec}", suffix, f"-c:a {codec} {options}")
        for container, suffix, codecs, options in (
            ("wav", "wav", "pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le pcm_f64le pcm_alaw pcm_mulaw", ""),
            ("wav", "wav", "adpcm_ms adpcm_ima_wav mp2 libmp3lame ac3 wmav2", ""),
            ("wav", "wav", "g722 g726", "-ac 1 -ar 8000"),
            ("rf64", "wav", "pcm_s16le", "-rf64 always"),
            ("w64", "w64", "pcm_s16le pcm_f32le libmp3lame", ""),
            ("aiff", "aiff", "pcm_s16be pcm_s24be pcm_s16le", ""),
            ("au", "au", "pcm_s8 pcm_s16be pcm_f32be pcm_alaw pcm_mulaw", ""),
            ("caf", "caf", "pcm_s16le pcm_s24be pcm_f32le pcm_mulaw alac libopus adpcm_ima_qt", ""),
            ("flac", "flac", "flac", "-sample_fmt s16"),
            ("flac, 24 bit", "flac", "flac", "-sample_fmt s32"),
            ("ogg", "ogg", "libvorbis flac libspeex", ""),
            ("opus", "opus", "libopus", ""),
            ("mp3", "mp3", "libmp3lame", "-b:a 128k"),
            ("mp3, variable", "mp3", "libmp3lame", "-q:a 4"),
            ("mp2", "mp2", "mp2", ""),
            ("aac", "aac", "aac", ""),
            ("m4a", "m4a", "aac alac", ""),
            ("mp4", "mp4", "aac ac3 eac3 libopus libmp3lame mp2 flac", "-strict -2"),
            ("mov", "mov", "pcm_s16be pcm_s24le pcm_f32le pcm_mulaw adpcm_ima_qt", ""),
            ("3gp", "3gp", "aac", ""),
            ("mkv", "mkv", "flac libvorbis libopus pcm_s16le pcm_f32le libmp3lame ac3 eac3 alac aac wmav2", ""),
            ("mkv", "mkv", "truehd dca tta", "-strict -2"),
            ("webm", "webm", "libopus libvorbis", ""),
            ("mpegts", "ts", "aac mp2 ac3 libmp3lame", ""),
            ("mpegts, 192 bytes", "mts", "aac ac3", "-f mpegts -mpegts_m2ts_mode 1"),
            ("wma", "wma", "wmav1 wmav2", ""),
            ("ac3", "ac3", "ac3", ""),
            ("wavpack", "wv", "wavpack", ""),
            ("tta", "tta", "tta", ""),
            ("avi", "avi", "libmp3lame pcm_s16le", ""),
            ("flv", "flv", "libmp3lame", ""),
            ("mpg", "mpg", "mp2", ""),
        )
        for codec in codecs.split()
    )
    + tuple(
        Case(f"{name}, by sox", suffix, options, "sox")
        for name, suffix, options in (
            ("wav, gsm", "wav", "-r 8000 -c 1 -e gsm-full-rate"),
            ("wav, ms-adpcm", "wav", "-e ms-adpcm"),
            ("w64", "w64", "-b 24"),
            ("aifc", "aifc", "-b 16"),
            ("caf", "caf", "-b 16"),
            ("flac, 8 bit", "flac", "-b 8"),
            ("ogg", "ogg", ""),
            ("amr", "amr-nb", "-r 8000 -c 1"),
            ("voc", "voc", "-b 16"),
            ("sph", "sph", "-b 16"),
            ("gsm", "gsm", "-r 8000 -c 1"),
            ("ircam", "sf", "-b 16"),
        )
    )
    + (
        Case("amr, wideband", "awb", "", "frames"),  # no program of Debian encodes it
        Case("3gp, amr", "3gp", "amr, by sox", "copy"),
        Case("3gp, amr wideband", "3gp", "amr, wideband", "copy"),
    )
)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one recording: "equal", "refused: " and why, "not made", or a difference, which is a fault."""

    name: str
    text: str

    @property
    def faulty(self) -> bool:
        """True where the answer differs from the program's."""
        return self.text != "equal" and not self.text.startswith(("refused", "not made"))


def find_missing() -> list[str]:
    """Return the programs that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def compare_formats() -> list[Outcome]:
    """Return what becomes of each case."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.wav"
        soundfile.write(source, _make_sound(), RATE, subtype="PCM_24")
        paths = {case: Path(folder) / f"{number}.{case.suffix}" for number, case in enumerate(CASES)}
        _make_files(source, paths)
        made = {case: path for case, path in paths.items() if path.is_file() and path.stat().st_size}
        expected = _decode_files([path for case, path in made.items() if not case.decoded_by_sox])
        expected |= {path: _decode_with_sox(path) for case, path in made.items() if case.decoded_by_sox}
        return [_compare_case(case, made.get(case), expected) for case in CASES]


def compare_damaged(faults: Sequence[str] = tuple(FAULTS)) -> list[Outcome]:
    """Return what becomes of every container with the faults: less sound than ffmpeg decodes needs a finding."""
    with tempfile.TemporaryDirectory() as folder:
        paths: dict[str, Path] = {}
        for name, body in make_recordings().items():
            for fault in faults:
                path = paths[f"{name}, {fault}"] = Path(folder) / f"{len(paths)}.bin"
                path.write_bytes(FAULTS[fault](body))
        expected = _decode_files(list(paths.values()))
        return [_compare_damaged(name, path, expected.get(path)) for name, path in paths.items()]


def check_table(outcomes: list[Outcome], page: str) -> list[str]:
    """Return the names of the cases of which the page says something else; another version may make fewer files."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    said = {row[0]: row[1] for row in rows if len(row) == 2}
    wrong = []
    for outcome in outcomes:
        container, _, codec = outcome.name.partition(", ")
        if outcome.text == "equal":
            right = codec in said.get(container, "").split("; ")
        else:
            right = outcome.text in ("not made", f"refused: {said.get(outcome.name)}")
        if not right:
            wrong.append(outcome.name)
    return wrong


def tabulate_formats(outcomes: list[Outcome]) -> str:
    """Return the table of the cases: the decoded ones by container, and the refused ones with the reason."""
    decoded: dict[str, list[str]] = {}
    refused = []
    for outcome in outcomes:
        container, _, codec = outcome.name.partition(", ")
        if outcome.text == "equal":
            decoded.setdefault(container, []).append(codec)
        elif outcome.text.startswith("refused"):
            refused.append([outcome.name, outcome.text.partition(": ")[2]])
    rows = [[container, "; ".join(codecs)] for container, codecs in decoded.items()]
    return "\n\n".join(
        (format_table(["decoded as ffmpeg or sox does", "codecs"], rows), format_table(["refused", "with"], refused))
    )


def _make_sound() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return two channels whose levels differ, so that a channel that is lost or swapped is noticed."""
    time = np.arange(round(_SECONDS * RATE)) / RATE
    noise = np.random.default_rng(5).normal(0, 0.01, time.size)
    sides = [level * np.sin(2 * np.pi * 440 * time) + noise for level in (0.3, 0.2)]
    return np.stack(sides, axis=1).astype(np.float32)


def _compare_case(case: Case, path: Path | None, expected: Mapping[Path, Decoded | None]) -> Outcome:
    if path is None:
        return Outcome(case.name, "not made")
    decoded = read_recording(path.read_bytes())
    if words := find_library_words(decoded):
        return Outcome(case.name, f"words of a library: {words}")
    if isinstance(decoded, UnderstudyError):
        return Outcome(case.name, f"refused: {re.sub('file of [0-9]+ bytes', 'file', decoded.detail)}")
    if (right := expected.get(path)) is None:
        return Outcome(case.name, f"{case.program} decodes nothing")
    return Outcome(case.name, _describe_difference(decoded, right))


def _compare_damaged(name: str, path: Path, expected: Decoded | None) -> Outcome:
    decoded = read_recording(path.read_bytes())
    if words := find_library_words(decoded):
        return Outcome(name, f"words of a library: {words}")
    seconds = 0.0 if expected is None else expected.seconds
    if isinstance(decoded, UnderstudyError):
        return Outcome(name, f"ffmpeg decodes {seconds:.2f} s" if seconds > TOLERANCE_SECONDS else "refused")
    if seconds - decoded.seconds > _tolerate(seconds) and not decoded.codes:
        return Outcome(name, f"{decoded.seconds:.2f} s of {seconds:.2f} s without a finding")
    return Outcome(name, "equal")


def _describe_difference(decoded: Decoded, expected: Decoded) -> str:
    if (decoded.rate, decoded.channels) != (expected.rate, expected.channels):
        ours, theirs = (f"{each.rate} Hz and {each.channels} channels" for each in (decoded, expected))
        return f"{ours} instead of {theirs}"
    if abs(decoded.seconds - expected.seconds) > _tolerate(expected.seconds):
        return f"{decoded.seconds:.3f} s instead of {expected.seconds:.3f} s"
    if decoded.level is None or expected.level is None or abs(decoded.level - expected.level) > TOLERANCE_DB:
        return f"{decoded.level} dBFS instead of {expected.level} dBFS"
    return f"findings: {', '.join(decoded.codes)}" if decoded.codes else "equal"


def _tolerate(seconds: float) -> float:
    return max(TOLERANCE_SECONDS, TOLERANCE_PART * seconds)


def _make_files(source: Path, paths: Mapping[Case, Path]) -> None:
    """Make the files; one command makes all of ffmpeg's, and where it fails each is made by itself."""
    by_ffmpeg = {case: path for case, path in paths.items() if case.program == "ffmpeg"}
    start = ["ffmpeg", "-v", "error", "-y", "-i", str(source)]
    made = [[*case.options.split(), str(path)] for case, path in by_ffmpeg.items()]
    if not _run([*start, *(word for words in made for word in words)]):
        for words in made:
            _run([*start, *words])
    for case, path in paths.items():
        if case.program == "sox":
            _run(["sox", "-D", str(source), *case.options.split(), str(path)])
        elif case.program == "frames":
            path.write_bytes(_make_wideband_frames())
    by_name = {case.name: path for case, path in paths.items()}
    for case, path in paths.items():
        if case.program == "copy":
            _run(["ffmpeg", "-v", "error", "-y", "-i", str(by_name[case.options]), "-c", "copy", str(path)])


def _make_wideband_frames() -> bytes:
    """Return 1.5 s of AMR-WB at 23.85 kbit/s as a file (RFC 4867 section 5)."""
    random = np.random.default_rng(1)
    return b"#!AMR-WB\n" + b"".join(b"\x44" + random.bytes(60) for _ in range(75))


def _decode_files(paths: Sequence[Path]) -> dict[Path, Decoded | None]:
    """Return what ffmpeg decodes of each file; one command decodes many, and those that it leaves out one each."""
    found: dict[Path, Decoded | None] = {}
    for start in range(0, len(paths), _AT_ONCE):
        part = paths[start : start + _AT_ONCE]
        _run(["ffmpeg", "-v", "error", "-y", *_list_inputs(part)])
        for path in part:
            if (decoded := _measure(path)) is None:
                _run(["ffmpeg", "-v", "error", "-y", *_list_inputs([path])])
                decoded = _measure(path)
            found[path] = decoded
    return found


def _list_inputs(paths: Sequence[Path]) -> list[str]:
    inputs = [word for path in paths for word in ("-i", str(path))]
    for number, path in enumerate(paths):
        inputs += ["-map", f"{number}:a:0", "-c:a", "pcm_f32le", "-f", "wav", str(_place(path))]
    return inputs


def _place(path: Path) -> Path:
    """Return where the samples of a file are written."""
    return path.with_name(f"{path.name}.samples.wav")


def _decode_with_sox(path: Path) -> Decoded | None:
    _run(["sox", str(path), "-e", "floating-point", "-b", "32", str(_place(path))])
    return _measure(path)


def _measure(path: Path) -> Decoded | None:
    """Return what a program wrote of a file; None where it wrote no samples."""
    place = _place(path)
    if not place.is_file() or place.stat().st_size < 100:
        return None
    frames, rate = soundfile.read(place, always_2d=True)
    if not len(frames):
        return None
    level = 10 * np.log10(max(1e-20, float(np.square(frames.mean(axis=1)).mean())))
    return Decoded(len(frames) / rate, rate, frames.shape[1], float(level), (), (), finite=True)


def _run(command: list[str]) -> bool:
    """Run a command, and return whether it succeeded."""
    done = subprocess.run(command, check=False, timeout=120, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
    return done.returncode == 0
