"""Installs the YAMNet backbone from the official release or from a local file or folder."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import onnx
from google.protobuf.message import DecodeError

from understudy.compiler.isolation.process_limits import Limits
from understudy.compiler.model_source import compute_digest, copy_source
from understudy.errors import BackboneMissing, CompilerMissing, DownloadFailed, FileMissing, FormatUnknown
from understudy.settings import Settings
from understudy.yamnet import onnx_network, variables_child
from understudy.yamnet import weights as backbone_weights

Progress = Callable[[str, int, int | None], None]
"""Called with a step (download, read, write), the amount done and the whole amount; None where that is unknown."""

_BLOCK = 1 << 16
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class BackboneInfo:
    """An installed backbone; `digest` is the SHA-256 of the ONNX file, `source_digest` that of the weights' source."""

    path: Path
    digest: str
    source: str
    source_digest: str
    bytes: int


def install_backbone(
    settings: Settings, source: Path | None = None, on_progress: Progress | None = None
) -> BackboneInfo:
    """Write `settings.backbone_path` from `source`: an `.h5` file, an `.npz` file or a SavedModel folder.

    Without a source the official weights are downloaded. The file appears under its name only when it is complete.
    Raises DownloadFailed, FileMissing, FormatUnknown for anything that is not YAMNet, ModelUnsafe, and CompilerMissing
    when a package is not installed; an installed backbone then stays as it was.
    """
    report_progress = on_progress or _ignore_progress
    target = settings.backbone_path
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backbone-", dir=target.parent) as scratch_name:
        scratch = Path(scratch_name)
        named = source.name if source else settings.backbone_url
        if source is None:
            source = scratch / "download"
            _download(settings.backbone_url, source, report_progress)
        elif not source.exists():
            raise FileMissing(f"{source} does not exist.", remedy="Give the path of the weights that you have.")
        report_progress("read", 0, 1)
        if source.is_dir():
            copied = scratch / "saved_model"
            source_digest = copy_source(source, copied, backbone_weights.LARGEST_SOURCE_BYTES)
            weights = _read_saved_model(copied, scratch, settings, named)
        else:
            source_digest = compute_digest(source)
            weights = backbone_weights.read_weights(source)
        report_progress("read", 1, 1)
        model = onnx_network.build_network(weights, source=named, source_digest=source_digest)
        written = scratch / "yamnet.onnx"
        with written.open("wb") as file:
            file.write(model.SerializeToString(deterministic=True))
            file.flush()
            os.fsync(file.fileno())
        written.replace(target)
        report_progress("write", 1, 1)
    return read_installed_backbone(settings)


def read_installed_backbone(settings: Settings) -> BackboneInfo:
    """Return the installed backbone's data; raises BackboneMissing when there is none that Understudy wrote."""
    path = settings.backbone_path
    if not path.is_file():
        raise BackboneMissing(f"There is no backbone at {path}.")
    try:
        properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        return BackboneInfo(
            path, compute_digest(path), properties["source"], properties["source_digest"], path.stat().st_size
        )
    except (DecodeError, KeyError, OSError) as error:
        raise BackboneMissing(f"{path} is not a backbone that Understudy wrote: {error}") from error


def _ignore_progress(step: str, done: int, total: int | None) -> None:
    """Take a progress report that nobody asked for."""


def _download(url: str, target: Path, report_progress: Progress) -> None:
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=30) as answer, target.open("wb") as file:
            answer.raise_for_status()
            total = int(answer.headers.get("content-length", 0)) or None
            done = 0
            report_progress("download", 0, total)
            for block in answer.iter_bytes(_BLOCK):
                done += len(block)
                if done > backbone_weights.LARGEST_SOURCE_BYTES:
                    raise DownloadFailed(
                        f"{url} sends more than {backbone_weights.LARGEST_SOURCE_BYTES} bytes: these are not YAMNet's "
                        "weights."
                    )
                file.write(block)
                report_progress("download", done, total)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadFailed(f"{url}: {str(error) or type(error).__name__}") from error


def _read_saved_model(folder: Path, scratch: Path, settings: Settings, named: str) -> backbone_weights.Weights:
    """Read a SavedModel's checkpoint in a limited child process, from which only plain arrays come back."""
    raw = scratch / "variables.npz"
    limits = Limits(
        memory_bytes=settings.compile_memory_bytes,
        cpu_seconds=settings.compile_cpu_seconds,
        file_bytes=backbone_weights.LARGEST_SOURCE_BYTES,
        scratch=scratch.resolve(),
    )
    arguments = [limits.model_dump_json(), str(os.getpid()), str(folder.resolve()), str(raw.resolve())]
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    environment |= {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment |= dict.fromkeys(("HOME", "KERAS_HOME", "TMPDIR"), str(scratch.resolve()))
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-P", "-m", "understudy.yamnet.variables_child", *arguments],
            env=environment,
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=settings.compile_wall_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FormatUnknown(f"{named} was not read within {settings.compile_wall_seconds:g} s.") from error
    if done.returncode == variables_child.NO_TENSORFLOW:
        raise CompilerMissing("Reading a SavedModel needs TensorFlow.")
    if done.returncode or not raw.is_file():
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise FormatUnknown(
            f"{named} is not a readable SavedModel: {reason}", remedy=backbone_weights.SUPPORTED_SOURCES
        )
    with np.load(raw, allow_pickle=False) as archive:
        variables = {name: archive[name] for name in archive.files}
    return backbone_weights.check_weights(backbone_weights.fold_batch_norm(variables, named), named)
