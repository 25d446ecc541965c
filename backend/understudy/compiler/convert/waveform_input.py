"""Which tensor is sound."""

from understudy.schemas.compiler.report import TensorSignature


def is_waveform(signature: TensorSignature) -> bool:
    """True for [T], [N, T] and [N, T, 1] of floats whose T varies."""
    shape = signature.shape
    if not signature.dtype.startswith("float"):
        return False
    return (len(shape) in (1, 2) and shape[-1] is None) or (len(shape) == 3 and shape[1] is None and shape[2] == 1)
