import numpy as np

from understudy.training.evaluation import evaluate


def test_rows_are_truth_columns_answers_and_folds_are_counted_apart() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    answers = np.array([0, 0, 1, 1, 0, 2])
    counted = evaluate(["a", "b", "c"], truth, answers, ["1", "1", "2", "1", "2", "2"])
    assert counted.confusion == ((2, 1, 0), (1, 1, 0), (0, 0, 1))
    assert counted.accuracy == 4 / 6
    assert counted.recall == {"a": 2 / 3, "b": 1 / 2, "c": 1.0}
    assert counted.fold_accuracy == {"1": 1.0, "2": 1 / 3}
