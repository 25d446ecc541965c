from benchmarks import plots
from benchmarks.pressure import RATE
from benchmarks.results import Figure, Result


def rate(subject: str, connections: int | None, *values: float, case: str = "1 s wav") -> Result:
    return Result("predict", case, subject, {RATE: Figure("1/s", values)}, connections=connections)


CEILING = rate("ceiling", None, 200)


def test_shares_are_of_the_ceiling_and_best_first() -> None:
    results = [rate("mlflow", 32, 20, 30), rate("understudy", 8, 1), rate("understudy", 32, 180), CEILING]
    [panel] = plots.shares(results, {"1 s wav": CEILING.figures[RATE]}).values()
    assert dict(panel) == {"understudy": Figure.of("%", 90), "mlflow": Figure.of("%", 10, 15)}
    assert list(panel) == ["understudy", "mlflow"]


def test_a_clip_that_no_peer_was_sent_has_no_panel() -> None:
    results = [rate("understudy", 32, 180), rate("understudy (form)", 32, 170), CEILING]
    assert plots.shares(results, {"1 s wav": CEILING.figures[RATE]}) == {}


def test_rates_are_drawn_a_panel_a_case() -> None:
    results = [rate("understudy", 32, 9, case="JSON"), rate("understudy", 8, 5, case="JSON"), rate("ray", 32, 1)]
    assert plots.rates(results) == {
        "JSON": {"understudy": Figure.of("1/s", 9)},
        "1 s wav": {"ray": Figure.of("1/s", 1)},
    }


def test_named_figures_carry_their_unit() -> None:
    result = Result("start", "start", "understudy", {"ready": Figure.of("s", 0.5)})
    assert plots.named([result], "ready", "memory") == {"ready, s": {"understudy": Figure.of("s", 0.5)}}
