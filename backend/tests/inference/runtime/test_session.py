"""A runtime's error becomes one exception, which names the limit on memory in one way."""

import pytest

from understudy.inference.runtime.session import to_run_failed


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Non-zero status code returned while running Concat node. Status Message: std::bad_alloc"),
        RuntimeError("Failed to allocate memory for requested buffer of size 360000000000"),
        MemoryError(),
    ],
    ids=["bad_alloc", "allocation", "MemoryError"],
)
def test_a_run_without_memory_says_so_whatever_the_runtime_calls_it(error: Exception) -> None:
    failed = to_run_failed(error)
    assert str(failed).startswith("it needs more memory than this process may use (")
    assert str(error) in str(failed)


def test_another_failure_keeps_the_runtimes_words() -> None:
    assert str(to_run_failed(ValueError(" the shapes differ\n"))) == "the shapes differ"
    assert str(to_run_failed(RuntimeError())) == "RuntimeError"
