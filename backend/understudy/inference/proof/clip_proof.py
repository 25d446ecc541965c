"""Run one example through a pipeline and compare the answer with the author's."""

from io import BytesIO

from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import UnderstudyError
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.proof.comparison import build_problem, compare_answer
from understudy.schemas.registry.examples import ClipProof, Expectation


def prove_clip(
    pipeline: Pipeline, clip: bytes, expected: Expectation, limits: AudioLimits, *, allowance: float = 0.0
) -> ClipProof:
    """Decode and score the file `clip` as a request does, and compare the scores and the label with `expected`.

    `allowance` is added to the example's tolerance. Never raises an error of the clip or of the model: the proof names
    it as its problem. Blocks the thread.
    """
    tolerance = expected.tolerance + allowance
    try:
        with open_clip(BytesIO(clip), limits) as opened:
            analysis = pipeline.analyze(opened)
    except UnderstudyError as error:
        return build_problem(expected, tolerance, error.detail)
    findings = tuple(finding for finding in analysis.findings if finding.code.damages)
    proof = compare_answer(expected, analysis.label, analysis.scores, tolerance=tolerance)
    return proof.model_copy(update={"findings": findings})
