"""Plain numbers, as Prometheus counts them."""

from concurrent.futures import ThreadPoolExecutor

from app.serving.metrics import Distribution, Metrics


def test_a_bucket_holds_everything_up_to_its_bound() -> None:
    distribution = Distribution((1.0, 2.0))
    for value in (1.0, 1.5, 3.0):
        distribution.observe(value)
    assert distribution.seen() == ([(1.0, 1), (2.0, 2), (float("inf"), 3)], 5.5)


def test_batches_of_several_threads_are_all_counted() -> None:
    metrics = Metrics()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(metrics.batch, [3] * 10_000))
    pairs, total = metrics.batches.seen()
    assert (pairs[-1][1], total) == (10_000, 30_000)
