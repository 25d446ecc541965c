"""Score examples with a spec that is tried, without making a pipeline for it."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from understudy.audio.features.arrangement import Arranger
from understudy.audio.features.extraction import pool_parts
from understudy.audio.features.item_shape import require_shape
from understudy.errors import BackboneMissing
from understudy.inference.clip_input.backbone_features import BackboneFeatures
from understudy.inference.clip_input.input_layout import Layout
from understudy.inference.clip_input.model_input import choose_model_input
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.pipeline.network import Network
from understudy.inference.pipeline.scoring import aggregate, find_scored
from understudy.inference.runtime.probe_replay import read_recorded_inputs
from understudy.inference.runtime.session import Session
from understudy.inference.runtime.tensor_graph import Graph
from understudy.inference.spec_search.example_features import ExampleFeatures
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import InputKind, Spec

Array = NDArray[np.float32]
_PATCHES_KEPT = 4096


class ExampleScorer:
    """Computes the scores of examples as the pipeline of a spec does, from features that specs share.

    Whole clips of one shape are scored in one run where the graph allows it. For one thread.
    """

    def __init__(
        self,
        report: CompileReport,
        session: Session,
        probes: Mapping[str, NDArray[Any]],
        backbone: YamnetBackbone | None,
        features: ExampleFeatures,
        max_whole_clip_seconds: float,
    ) -> None:
        self._report = report
        self._session = session
        self._features = features
        self._max_seconds = max_whole_clip_seconds
        self._backbone = None if backbone is None else _RememberingBackbone(backbone)
        graph = Graph(session, read_recorded_inputs(probes))
        [self._tensor] = graph.inputs.values()
        self._joinable = graph.joinable

    def score(self, spec: Spec, clips: Sequence[int]) -> Array:
        """Return the aggregated scores float32 [clips, labels] of the clips with these indices.

        Raises the errors of the clips, of the spec where it does not fit the model, and of the model.
        """
        if spec.input is InputKind.FEATURES and spec.window_seconds is None:
            return self._score_whole_clips(spec, clips)
        return self._score_windows(spec, clips)

    def _score_whole_clips(self, spec: Spec, clips: Sequence[int]) -> Array:
        parts = spec.front_end or ()
        target = None if spec.sample_rate == "file" else spec.sample_rate
        arranger = Arranger(spec.arrangement)
        items = []
        for clip in clips:
            features = self._features.compute(clip, spec.sound, target, parts)
            items.append(arranger.arrange(pool_parts(features, parts, spec.pooling)))
            require_shape(items[-1].shape, self._tensor.shape, self._tensor.name)
        alike = len({item.shape for item in items}) == 1
        sizes = zip(*(item.shape for item in items), strict=True)
        layout = Layout.from_tensor(self._tensor, tuple(own[0] if len(set(own)) == 1 else None for own in sizes))
        network = self._make_network(spec, layout, whole_clips=True)
        if alike and self._joinable:
            scores = network.score(np.stack(items))
        else:
            scores = np.concatenate([network.score(item[None]) for item in items])
        for row in scores:
            find_scored(row[None])
        return scores

    def _score_windows(self, spec: Spec, clips: Sequence[int]) -> Array:
        if spec.input.on_backbone and self._backbone is None:
            raise BackboneMissing(f"The spec takes YAMNet's {spec.input.value}, and no backbone is installed.")
        taken = choose_model_input(spec, self._tensor)
        whole = taken.framing.window_seconds is None
        network = self._make_network(spec, taken.layout, whole_clips=whole)
        encoder = None
        if self._backbone is not None and spec.input.on_backbone:
            encoder = BackboneFeatures(self._backbone, spec, grouped=taken.grouped)
        totals = []
        for clip in clips:
            samples, rate = self._features.read_samples(clip, spec.sound, taken.framing.rate)
            cutter = taken.framing.make_cutter(self._max_seconds, rate)
            items = [item for _, item in [*cutter.push(samples), *cutter.finish()]]
            encoded = items if encoder is None else encoder.encode(items)
            scores = (
                np.concatenate([network.score(item[None]) for item in encoded]) if whole else _score(network, encoded)
            )
            totals.append(aggregate(scores[find_scored(scores)], spec.aggregation, spec.top_k))
        return np.stack(totals)

    def _make_network(self, spec: Spec, layout: Layout, *, whole_clips: bool) -> Network:
        return Network(self._session, layout, spec, self._report.graph_activation, whole_clips=whole_clips)


def _score(network: Network, items: Sequence[Array] | Array) -> Array:
    """Return the scores of the windows of one clip; a shorter window at the end is scored alone."""
    if len({item.shape for item in items}) > 1:
        return np.concatenate([network.score(item[None]) for item in items])
    return network.score(np.stack(list(items)))


class _RememberingBackbone(YamnetBackbone):
    """The backbone, which runs each patch once for all specs that are tried."""

    def __init__(self, inner: YamnetBackbone) -> None:
        self.digest = inner.digest
        self._inner = inner
        self._rows: LRUCache[bytes, tuple[Array, Array]] = LRUCache(_PATCHES_KEPT)

    def run(self, patches: Array) -> tuple[Array, Array]:
        keys = [blake2b(patch.tobytes(), digest_size=16).digest() for patch in patches]
        rows = {key: self._rows[key] for key in keys if key in self._rows}
        if missing := [index for index, key in enumerate(keys) if key not in rows]:
            embeddings, scores = self._inner.run(patches[missing])
            rows |= {keys[index]: (embeddings[row], scores[row]) for row, index in enumerate(missing)}
            self._rows.update(rows)
        return np.stack([rows[key][0] for key in keys]), np.stack([rows[key][1] for key in keys])

    def embed(self, patches: Array) -> Array:
        return self.run(patches)[0]

    def score(self, patches: Array) -> Array:
        return self.run(patches)[1]
