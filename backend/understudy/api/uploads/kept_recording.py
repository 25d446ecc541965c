"""Keeps the bytes of a recording open after its request has ended."""

import os
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from understudy.api.uploads.raw_samples import find_samples


def keep_open(source: BinaryIO) -> BinaryIO:
    """Return a file with the bytes that were sent, whose closing closes nothing else. Raises OSError and ValueError.

    Copies nothing: the file of a form lives as long as one of its parts is used, and the descriptor of a spooled body
    is duplicated. Nobody else may read `source` any more.
    """
    sent = find_samples(source)
    if isinstance(sent, BytesIO):
        return BytesIO(sent.getvalue())  # shares the memory
    if isinstance(sent, SpooledTemporaryFile):
        sent.flush()
        return os.fdopen(os.dup(sent.fileno()), "rb")
    return sent
