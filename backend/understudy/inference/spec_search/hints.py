"""Say what is likely different where no spec gives the answers of all examples."""

from collections.abc import Iterator

from understudy.inference.spec_search.search import SearchResult
from understudy.schemas.compiler.report import CompileReport
from understudy.yamnet.constants import CLASS_COUNT, EMBEDDING_SIZE

_NEAR = 0.05  # mean difference of scores of features that are right but for a detail
_FAR = 0.2


def list_hints(result: SearchResult, report: CompileReport, *, has_backbone: bool) -> Iterator[str]:
    """Yield sentences about the best spec of a search; nothing where it agrees."""
    if result.best and result.best[0].agrees:
        return
    shape = report.inputs[0].shape if report.inputs else ()
    if not has_backbone and shape and shape[-1] in (EMBEDDING_SIZE, CLASS_COUNT):
        made = "scores" if shape[-1] == CLASS_COUNT else "embeddings"
        yield (
            f"The input has as many values as YAMNet's {made} ({shape[-1]}), and YAMNet is not installed: "
            "understudy backbone install"
        )
    if not result.best:
        return
    best = result.best[0]
    if any(proof.problem for proof in best.proofs):
        yield "Some examples could not be scored at all; their lines above say why."
    if best.difference < _NEAR:
        yield (
            "The features are right but for a detail: the resampler, the version of the library, 16-bit rounding, the "
            "padding or trimming of the ends, or the floor of the decibels."
        )
    elif best.difference < _FAR:
        yield (
            "The kind of features is probably right, and a step differs: the sample rate, n_fft and hop, the mel "
            "scale, the reference of the decibels, or how clips are cut and filled up."
        )
    else:
        yield (
            "Probably a step is missing: a scaler that was fitted in training (write its mean and scale to scaler.json "
            "beside the model), features of another kind or in another order, or another order of the labels."
        )
