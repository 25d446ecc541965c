"""Shows a compile report."""

from collections.abc import Sequence

from rich.console import RenderableType

from understudy.cli.views.cells import build_fact_table, format_bytes, to_text
from understudy.schemas.compiler.quantization import Quantization
from understudy.schemas.compiler.report import CompileReport, TensorSignature
from understudy.schemas.registry.signature import ModelSignature


def _format_tensors(signatures: Sequence[TensorSignature]) -> str:
    return "; ".join(
        f"{each.name} {each.dtype} [{', '.join('?' if width is None else str(width) for width in each.shape)}]"
        for each in signatures
    )


def format_report(report: CompileReport, signature: ModelSignature | None = None) -> RenderableType:
    """Return all facts of a compile report, with who signed the model and those of the int8 variant if it has one."""
    spec = report.spec
    window = (
        "whole clip" if spec.window_seconds is None else f"{spec.window_seconds:g} s every {spec.hop_seconds or 0:g} s"
    )
    names_known = "" if spec.labels_named else " (names unknown)"
    shown_labels = ", ".join(spec.labels[:12]) + ", …" * (len(spec.labels) > 12)
    source = f"{report.format}, {format_bytes(report.source_bytes)}, written by {report.written_by or 'unknown'}"
    peak = format_bytes(report.peak_memory_bytes)
    variant = report.quantization
    return build_fact_table(
        [
            ("format", to_text(source)),
            ("loaded with", to_text(report.framework)),
            ("inputs", to_text(_format_tensors(report.inputs))),
            ("outputs", to_text(_format_tensors(report.outputs))),
            ("takes", to_text(f"{spec.input}, {spec.sample_rate} Hz, {window}")),
            ("labels", to_text(f"{len(spec.labels)}{names_known}: {shown_labels}")),
            ("scores", to_text(f"{spec.activation} over logits, {spec.aggregation} over windows")),
            ("parity", f"largest difference {report.max_abs_error:.2g}, over {len(report.parity)} probes"),
            ("compiled", f"{format_bytes(report.onnx_bytes)} in {report.seconds:.1f} s, peak memory {peak}"),
            ("runs on", to_text(report.runtime)),
            ("isolation", to_text(", ".join(report.isolation))),
            ("key", to_text(report.key)),
            *([("signature", to_text(signature.detail))] if signature else []),
            *(("note", to_text(note)) for note in report.notes),
            *(_list_variant_facts(variant) if variant is not None else ()),
        ]
    )


def _list_variant_facts(variant: Quantization) -> list[tuple[str, RenderableType]]:
    agreement, calibration = variant.agreement, variant.calibration
    same_clips = "" if agreement.disjoint else ", on the clips of the calibration: too few to measure on others"
    clips = f"{agreement.clip_agreement:.2%} of {agreement.clips} clips"
    windows = f"{agreement.window_agreement:.2%} of {agreement.windows} windows"
    kept = ", ".join(f"{layer.name} ({layer.reason})" for layer in variant.kept_in_float)
    worst = sorted(agreement.labels.items(), key=lambda each: each[1].agreed / each[1].total)[:3]
    labels = ", ".join(f"{label} {count.agreed}/{count.total}" for label, count in worst)
    verdict = to_text("may go live", "green") if variant.passed else to_text(f"refused: {variant.reason}", "red")
    material = f"{calibration.clips} clips, {calibration.windows} windows, {calibration.seconds:.0f} s"
    rows: list[tuple[str, RenderableType]] = [
        ("int8 variant", verdict),
        ("calibrated on", to_text(f"{material}: {calibration.source}")),
        ("same label", f"{clips}, {windows}{same_clips}; counted on {agreement.counted_on}"),
        ("by label", to_text(f"lowest: {labels}")),
        ("score change", f"largest {agreement.max_change:.3f}, mean {agreement.mean_change:.4f}, of a clip's scores"),
        ("throughput", f"{agreement.throughput_ratio:.2f} x that of float32; {format_bytes(variant.int8_bytes)}"),
        ("in float32", to_text(f"{len(variant.kept_in_float)} of {variant.layers} layers: {kept}")),
    ]
    if agreement.accuracy is not None:
        accuracy = ", ".join(f"{precision} {share:.2%}" for precision, share in agreement.accuracy.items())
        rows.append(("accuracy", f"{accuracy} on the labels of the clips' folders"))
    return rows
