"""Loads files of Keras 2 (`.keras` archives and HDF5), which Keras 3 reads only in part."""

from pathlib import Path

import tf_keras

from understudy.compiler.formats.keras.keras_model import KerasModel
from understudy.compiler.formats.loaded_model import take_first_line
from understudy.errors import CompileFailed


def list_layer_names() -> set[str]:
    """Return the names of the classes that a config may use as layers."""
    return {name for name in dir(tf_keras.layers) if name[0].isupper()} | {"Functional", "Sequential", "Model"}


def load(path: Path, written_by: str | None) -> KerasModel:
    """Load a file that was scanned before; raises CompileFailed when tf_keras cannot.

    tf_keras runs the code of a Lambda layer in HDF5 even in safe mode, so only the scan protects against it.
    """
    try:
        model = tf_keras.models.load_model(path, custom_objects=None, compile=False, safe_mode=True)
    except (TypeError, ValueError, KeyError, AttributeError, OSError, IndexError) as error:
        raise CompileFailed(
            f"Keras 2 (tf_keras {tf_keras.__version__}) cannot load the file: {take_first_line(error)}",
            remedy="Load it in the environment that wrote it and save it again as .keras.",
        ) from error
    return KerasModel(model, framework=f"tf_keras {tf_keras.__version__}", written_by=written_by)
