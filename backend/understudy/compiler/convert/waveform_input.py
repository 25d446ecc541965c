"""Tells whether an input takes sound."""

from understudy.schemas.compiler.report import TensorSignature


def is_waveform(signature: TensorSignature) -> bool:
    """Return whether the tensor is float [T], [N, T] or [N, T, 1] with a T that varies."""
    shape = signature.shape
    if not signature.dtype.startswith("float"):
        return False
    return (len(shape) in (1, 2) and shape[-1] is None) or (len(shape) == 3 and shape[1] is None and shape[2] == 1)
