"""Run a backbone that a person has installed under a name."""

from math import inf
from pathlib import Path
from threading import Lock
from typing import Self

import numpy as np

from understudy.backbones.store import PROBES_FILE, read_backbone, verify_backbone
from understudy.errors import BackboneMissing, CannotServe, SpecInvalid
from understudy.inference.clip_input.backbone import Array
from understudy.inference.clip_input.framing import Framing, choose_sample_framing
from understudy.inference.clip_input.model_input import choose_input
from understudy.inference.runtime.probe_replay import load_probes, replay
from understudy.inference.runtime.session import RunFailed, Session
from understudy.inference.runtime.session_loading import load_session
from understudy.inference.runtime.tensor_signature import GraphTensor
from understudy.schemas.compiler.backbone import BackboneManifest
from understudy.schemas.compiler.spec import InputKind, InputSpec, Spec


class InstalledFrontEnd:
    """Cuts and computes the items as the backbone's own spec says."""

    def __init__(self, spec: InputSpec, tensor: GraphTensor) -> None:
        """`tensor` is the graph's input. Raises SpecInvalid when the graph does not take what the spec makes."""
        taken = choose_input(spec, tensor)
        self.layout = taken.layout
        self._spec = spec
        self._framing = taken.framing
        self._extract = taken.extract

    def choose_framing(self, spec: Spec, *, grouped: bool) -> Framing:
        if spec.sample_rate != self._spec.sample_rate:
            raise SpecInvalid(f"The backbone takes sound at {self._spec.sample_rate} Hz, not at {spec.sample_rate} Hz.")
        if grouped:
            return choose_sample_framing(spec, None, self.cut)
        if self._spec.window_seconds not in (None, spec.window_seconds):
            raise SpecInvalid(
                f"The backbone takes windows of {self._spec.window_seconds:g} s, and the spec says "
                f"{'the whole clip' if spec.window_seconds is None else f'{spec.window_seconds:g} s'}.",
                remedy="Leave `window_seconds` out of the spec, or pool the embeddings over time.",
            )
        return choose_sample_framing(spec, None, self._extract)

    def cut(self, samples: Array, rate: int) -> Array:
        cutter = self._framing.make_cutter(inf, rate)
        return np.stack([item for _, item in [*cutter.push(samples), *cutter.finish()]])


class InstalledBackbone:
    """Implements `Backbone` with a compiled graph, one output of which is the embedding."""

    def __init__(self, manifest: BackboneManifest, session: Session, folder: Path) -> None:
        """Raises SpecInvalid when the spec does not fit the graph."""
        [tensor] = session.inputs
        self.name = manifest.name
        self.digest = manifest.digest
        self.spec = manifest.spec
        self.front_end = InstalledFrontEnd(manifest.spec, tensor)
        self._manifest = manifest
        self._session = session
        self._folder = folder
        self._warm = False
        self._warming = Lock()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a backbone from its folder. Raises BackboneMissing when a file is missing or is not the recorded one."""
        manifest = read_backbone(folder)
        if manifest is None or not verify_backbone(folder, manifest):
            raise BackboneMissing(
                f"The backbone in {folder} is missing or damaged.",
                remedy="Install its file again: understudy backbone install NAME FILE.onnx --spec SPEC.json",
            )
        try:
            session = load_session(folder / manifest.report.runtime.file_name, manifest.report.runtime)
        except (OSError, CannotServe) as error:
            raise BackboneMissing(f"The backbone {manifest.name!r} in {folder} cannot be loaded: {error}") from error
        return cls(manifest, session, folder)

    def compute(self, kind: InputKind, items: Array) -> Array:
        if kind is not InputKind.EMBEDDING:
            raise ValueError(f"the backbone {self.name!r} has no {kind.value}")
        size = self.front_end.layout.batch or (len(items) if self._manifest.joinable else 1)
        return np.concatenate([self._embed(items[at : at + size]) for at in range(0, len(items), size)])

    def stop_runs(self) -> None:
        self._session.stop_runs()

    def warm_up(self) -> None:
        with self._warming:
            if not self._warm:
                replay(self._session, load_probes(self._folder / PROBES_FILE), self._manifest.report.tolerance)
            self._warm = True

    def _embed(self, items: Array) -> Array:
        layout, manifest = self.front_end.layout, self._manifest
        try:
            [raw] = self._session.run([manifest.output], {layout.tensor.name: layout.arrange(items)}, keep_memory=False)
        except RunFailed as error:
            raise CannotServe(f"The backbone {self.name!r} failed: {error}") from error
        filled = layout.batch or len(items)
        if raw.size != filled * manifest.width:
            raise CannotServe(
                f"The backbone {self.name!r} answered {list(raw.shape)} for {filled} inputs, and its embeddings have "
                f"{manifest.width} values."
            )
        rows = np.asarray(raw, np.float32).reshape(filled, manifest.width)[: len(items)]
        # NaN as a whole where a value is not finite: what a model makes of it counts as not scored.
        return np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, np.float32(np.nan))
