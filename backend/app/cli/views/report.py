"""How a model file became what is served."""

from collections.abc import Sequence

from rich.console import RenderableType

from app.cli.views.cells import facts, size, text
from app.schemas.report import CompileReport, TensorSignature


def _tensors(signatures: Sequence[TensorSignature]) -> str:
    return "; ".join(
        f"{each.name} {each.dtype} [{', '.join('?' if width is None else str(width) for width in each.shape)}]"
        for each in signatures
    )


def report(shown: CompileReport) -> RenderableType:
    spec = shown.spec
    window = (
        "whole clip" if spec.window_seconds is None else f"{spec.window_seconds:g} s every {spec.hop_seconds or 0:g} s"
    )
    named = "" if spec.labels_named else " (no names known)"
    return facts(
        [
            ("format", text(f"{shown.format}, {size(shown.source_bytes)}, written by {shown.written_by or 'unknown'}")),
            ("loaded with", text(shown.framework)),
            ("inputs", text(_tensors(shown.inputs))),
            ("outputs", text(_tensors(shown.outputs))),
            ("takes", text(f"{spec.input}, {spec.sample_rate} Hz, {window}")),
            (
                "labels",
                text(f"{len(spec.labels)}{named}: {', '.join(spec.labels[:12])}{', …' * (len(spec.labels) > 12)}"),
            ),
            ("scores", text(f"{spec.activation} over logits, {spec.aggregation} over windows")),
            ("parity", f"{shown.max_abs_error:.2g} at most, over {len(shown.parity)} probes"),
            ("compiled", f"{size(shown.onnx_bytes)} in {shown.seconds:.1f} s, {size(shown.peak_memory_bytes)} at peak"),
            ("isolation", text(", ".join(shown.isolation))),
            ("key", text(shown.key)),
        ]
    )
