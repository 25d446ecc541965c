"""Names the versions of the packages that take part in a compilation."""

import importlib.metadata

_PACKAGES = (
    "ai-edge-litert",
    "keras",
    "numpy",
    "onnx",
    "onnxruntime",
    "tensorflow",
    "tensorflow-cpu",
    "tf-keras",
    "tf2onnx",
)


def list_versions() -> dict[str, str]:
    """Return the versions of those that are installed, by name."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
