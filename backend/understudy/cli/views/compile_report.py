"""How a model file became what is served."""

from collections.abc import Sequence

from rich.console import RenderableType

from understudy.cli.views.cells import build_fact_table, format_bytes, to_text
from understudy.schemas.compiler.quantization import Quantization
from understudy.schemas.compiler.report import CompileReport, TensorSignature


def _format_tensors(signatures: Sequence[TensorSignature]) -> str:
    return "; ".join(
        f"{each.name} {each.dtype} [{', '.join('?' if width is None else str(width) for width in each.shape)}]"
        for each in signatures
    )


def format_report(shown: CompileReport) -> RenderableType:
    spec = shown.spec
    window = (
        "whole clip" if spec.window_seconds is None else f"{spec.window_seconds:g} s every {spec.hop_seconds or 0:g} s"
    )
    named = "" if spec.labels_named else " (no names known)"
    twin = shown.quantization
    return build_fact_table(
        [
            (
                "format",
                to_text(
                    f"{shown.format}, {format_bytes(shown.source_bytes)}, written by {shown.written_by or 'unknown'}"
                ),
            ),
            ("loaded with", to_text(shown.framework)),
            ("inputs", to_text(_format_tensors(shown.inputs))),
            ("outputs", to_text(_format_tensors(shown.outputs))),
            ("takes", to_text(f"{spec.input}, {spec.sample_rate} Hz, {window}")),
            (
                "labels",
                to_text(f"{len(spec.labels)}{named}: {', '.join(spec.labels[:12])}{', …' * (len(spec.labels) > 12)}"),
            ),
            ("scores", to_text(f"{spec.activation} over logits, {spec.aggregation} over windows")),
            ("parity", f"{shown.max_abs_error:.2g} at most, over {len(shown.parity)} probes"),
            (
                "compiled",
                f"{format_bytes(shown.onnx_bytes)} in {shown.seconds:.1f} s, {format_bytes(shown.peak_memory_bytes)} at peak",
            ),
            ("isolation", to_text(", ".join(shown.isolation))),
            ("key", to_text(shown.key)),
            *(_format_int8_variant(twin) if twin is not None else ()),
        ]
    )


def _format_int8_variant(twin: Quantization) -> list[tuple[str, RenderableType]]:
    agreed, heard = twin.agreement, twin.calibration
    own = "" if agreed.disjoint else ", the same clips: too few to measure on others"
    clips = f"{agreed.clip_agreement:.2%} of {agreed.clips} clips"
    windows = f"{agreed.window_agreement:.2%} of {agreed.windows} windows"
    kept = ", ".join(f"{layer.name} ({layer.reason})" for layer in twin.kept_in_float)
    worst = sorted(agreed.labels.items(), key=lambda each: each[1].agreed / each[1].total)[:3]
    labels = ", ".join(f"{label} {seen.agreed}/{seen.total}" for label, seen in worst)
    rows: list[tuple[str, RenderableType]] = [
        ("int8 twin", to_text("may go live", "green") if twin.passed else to_text(f"refused: {twin.reason}", "red")),
        (
            "calibrated on",
            to_text(f"{heard.clips} clips, {heard.windows} windows, {heard.seconds:.0f} s: {heard.source}"),
        ),
        ("same label", f"{clips}, {windows}{own}; counted on {agreed.counted_on}"),
        ("by label", to_text(f"lowest: {labels}")),
        ("score change", f"{agreed.max_change:.3f} at most, {agreed.mean_change:.4f} on average, of a clip's scores"),
        ("throughput", f"{agreed.throughput_ratio:.2f} x float32's, side by side; {format_bytes(twin.int8_bytes)}"),
        ("in float32", to_text(f"{len(twin.kept_in_float)} of {twin.layers} layers: {kept}")),
    ]
    if agreed.accuracy is not None:
        told = ", ".join(f"{precision} {share:.2%}" for precision, share in agreed.accuracy.items())
        rows.append(("accuracy", f"{told} on the clips' folders"))
    return rows
