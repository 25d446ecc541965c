"""Run YAMNet, the built-in backbone that all models on its embeddings or scores share."""

import hashlib
import os
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.patches import PatchStream
from understudy.errors import BackboneMissing, CannotServe, WarmUpFailed
from understudy.files.regular_file import open_regular
from understudy.inference.clip_input.framing import (
    Framing,
    choose_patch_framing,
    choose_sample_framing,
    require_yamnet_rate,
)
from understudy.inference.runtime.onnx_session import build_session
from understudy.inference.runtime.session import RunFailed, Session
from understudy.schemas.compiler.spec import InputKind, Spec
from understudy.yamnet.constants import CLASS_COUNT, EMBEDDING_SIZE, PATCH_FRAMES, PATCH_SHAPE

_OUTPUTS = {"embeddings": EMBEDDING_SIZE, "scores": CLASS_COUNT}


class YamnetFrontEnd:
    """Cuts samples at 16 kHz into log-mel patches float32 [96, 64], as YAMNet's own front end does."""

    def choose_framing(self, spec: Spec, *, grouped: bool) -> Framing:
        require_yamnet_rate(spec)
        return choose_sample_framing(spec, None, self.cut) if grouped else choose_patch_framing(spec, PATCH_FRAMES)

    def cut(self, samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:  # noqa: ARG002  # always 16 kHz
        stream = PatchStream()
        return np.stack([patch for _, patch in [*stream.push(samples), *stream.finish()]])


class YamnetBackbone:
    """Turns log-mel patches into embeddings and scores; several threads may use it at once.

    `digest` is the SHA-256 of the backbone's file.
    """

    front_end = YamnetFrontEnd()
    _warm = False

    def __init__(self, session: Session, digest: str) -> None:
        self._session = session
        self.digest = digest

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load the backbone from an ONNX file.

        Raises BackboneMissing when the file is missing, is not the backbone, or is replaced while it is read.
        """
        try:
            with open_regular(path) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                session = build_session(path)  # a session on the file's bytes would keep a copy of them
                replaced = not os.path.samestat(os.fstat(file.fileno()), path.stat())
        except OSError as error:
            raise BackboneMissing(f"There is no YAMNet backbone at {path}: {error.strerror}.") from error
        except CannotServe as error:
            raise BackboneMissing(f"The file at {path} is not a YAMNet backbone: {error.detail}") from error
        if replaced:
            raise BackboneMissing(f"The YAMNet backbone at {path} was replaced while it was read.", remedy="Try again.")
        found = {tensor.name: tensor.shape for tensor in session.inputs}
        made = {tensor.name: tensor.shape[-1] if tensor.shape else None for tensor in session.outputs}
        if list(found) != ["patches"] or len(found["patches"]) != 3 or made != _OUTPUTS:
            raise BackboneMissing(
                f"The file at {path} is not a YAMNet backbone: its inputs are {sorted(found)} and its outputs {made}."
            )
        return cls(session, digest)

    def run(self, patches: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return embeddings float32 [n, 1024] and scores float32 [n, 521] of `patches` float32 [n, 96, 64].

        Each score is independent of the others (sigmoid). Raises CannotServe when the graph fails.
        """
        embeddings, scores = self._run(["embeddings", "scores"], patches)
        return embeddings, scores

    def embed(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return only the embeddings float32 [n, 1024]; raises CannotServe when the graph fails."""
        return self._run(["embeddings"], patches)[0]

    def score(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return only the scores float32 [n, 521]; raises CannotServe when the graph fails."""
        return self._run(["scores"], patches)[0]

    def compute(self, kind: InputKind, items: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.embed(items) if kind is InputKind.EMBEDDING else self.score(items)

    def stop_runs(self) -> None:
        self._session.stop_runs()

    def warm_up(self) -> None:
        if self._warm:
            return
        if not all(np.isfinite(output).all() for output in self.run(np.zeros((1, *PATCH_SHAPE), np.float32))):
            raise WarmUpFailed("The YAMNet backbone's output holds values that are infinite or not numbers (NaN).")
        self._warm = True

    def _run(self, names: list[str], patches: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        try:
            return tuple(self._session.run(names, {"patches": patches}))
        except RunFailed as error:
            raise CannotServe(f"The YAMNet backbone failed: {error}") from error
