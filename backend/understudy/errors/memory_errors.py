"""Recognizes in a library's message that a process met its limit on memory."""

_WORDS = (
    *("out of memory", "oom when allocating", "bad_alloc", "bad allocation", "failed to allocate memory"),
    *("cannot allocate memory", "failed to map segment", "resource temporarily unavailable"),
)


def mentions_memory(text: str) -> bool:
    """Return whether a library's message says that it met the limit on memory."""
    lowered = text.lower()
    return any(words in lowered for words in _WORDS)
