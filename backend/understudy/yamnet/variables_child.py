"""Reads the variables of a SavedModel folder in a process of its own.

Run as `python -m understudy.yamnet.variables_child LIMITS_JSON PARENT_PID FOLDER TARGET.npz`. It reads the checkpoint
as plain tensors and loads no graph, so no code of the file can run.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.compiler.isolation.process_limits import Limits, apply

NO_TENSORFLOW = 3
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def read_variables(folder: Path) -> dict[str, NDArray[Any]]:
    """Return every floating-point variable by its layer's name, such as `layer1/conv/bn/beta`.

    An object-based checkpoint names its tensors by attribute paths; its object graph holds the variables' names. Raises
    ImportError when TensorFlow is not installed.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    names = {key: key.removesuffix(_SUFFIX) for key in reader.get_variable_to_shape_map()}
    if names.pop(_OBJECT_GRAPH, None):
        for node in TrackableObjectGraph.FromString(reader.get_tensor(_OBJECT_GRAPH)).nodes:
            names |= {entry.checkpoint_key: entry.full_name for entry in node.attributes if entry.full_name}
    read = {name: reader.get_tensor(key) for key, name in names.items() if key in reader.get_variable_to_shape_map()}
    return {name: values for name, values in read.items() if getattr(values, "dtype", np.dtype(object)).kind == "f"}


def main() -> int:
    """Write the variables to an npz file and return the exit code: NO_TENSORFLOW when TensorFlow is not installed."""
    limits, parent, source, target = sys.argv[1:]
    apply(Limits.model_validate_json(limits), int(parent))
    try:
        found = read_variables(Path(source))
    except ImportError:
        return NO_TENSORFLOW
    np.savez(target, allow_pickle=False, **found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
