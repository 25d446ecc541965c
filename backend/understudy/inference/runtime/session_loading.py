"""Loads a compiled model with the runtime that its report names."""

from pathlib import Path

from understudy.inference.runtime.litert_session import LiteRtSession
from understudy.inference.runtime.onnx_session import build_session
from understudy.inference.runtime.session import Session
from understudy.schemas.compiler.runtime import Runtime


def load_session(path: Path, runtime: Runtime) -> Session:
    """Return a session of one thread.

    Raises CannotServe when the runtime cannot load the file, RuntimeMissing when it is not installed, and OSError when
    the file cannot be read.
    """
    if runtime is Runtime.LITERT:
        return LiteRtSession(path.read_bytes())
    return build_session(path)
