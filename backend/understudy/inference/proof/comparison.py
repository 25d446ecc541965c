"""Compare a served answer with what an example expects."""

from understudy.schemas.registry.examples import ClipProof, Expectation


def compare_answer(expected: Expectation, label: str, scores: dict[str, float], *, tolerance: float) -> ClipProof:
    """Compare a served label and the served scores of all labels with what is expected."""
    unknown = [name for name in (expected.label, *expected.scores) if name is not None and name not in scores]
    if unknown:
        return build_problem(
            expected, tolerance, f"the model has no label {unknown[0]!r}; its labels are {_list_some(scores)}."
        )
    differences = {name: abs(scores[name] - score) for name, score in expected.scores.items()}
    worst = max(differences, key=differences.__getitem__, default=None)
    label_agrees = expected.label is None or expected.label == label
    return ClipProof(
        file=expected.file,
        agrees=label_agrees and (worst is None or differences[worst] <= tolerance),
        tolerance=tolerance,
        expected_label=expected.label,
        served_label=label,
        max_difference=None if worst is None else differences[worst],
        differs_at=worst,
        expected_score=None if worst is None else expected.scores[worst],
        served_score=scores[label if worst is None else worst],
        problem=None,
    )


def build_problem(expected: Expectation, tolerance: float, problem: str) -> ClipProof:
    """Return the comparison of a clip that got no answer; `problem` says why."""
    return ClipProof(
        file=expected.file,
        agrees=False,
        tolerance=tolerance,
        expected_label=expected.label,
        served_label=None,
        max_difference=None,
        differs_at=None,
        expected_score=None,
        served_score=None,
        problem=problem,
    )


def _list_some(scores: dict[str, float]) -> str:
    names = list(scores)
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
