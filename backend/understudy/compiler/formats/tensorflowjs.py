"""Recognizes models of TensorFlow.js, a model.json beside its weights, and names the command that converts them.

They are converted outside: the converter pins old versions of TensorFlow, which cannot be installed beside ours.
"""

import json
from pathlib import Path, PurePosixPath

from understudy.files.regular_file import read_regular

TOPOLOGY_FILE = "model.json"
_LARGEST_TOPOLOGY = 64 << 20  # bytes; weights lie in other files


def find_conversion(path: Path, name: str) -> str | None:
    """Return the command that converts the model at `path`, or None where it is not a model of TensorFlow.js.

    `path` is the folder or its model.json, and `name` is its POSIX path as the user knows it. Never raises for the
    content of a file.
    """
    shown = PurePosixPath(name)
    if path.is_dir():
        path, shown = path / TOPOLOGY_FILE, shown / TOPOLOGY_FILE
    topology = _read_topology(path)
    if topology is None:
        return None
    folder = shown.parent
    target = folder if folder.name else PurePosixPath("converted")
    if _is_graph_model(topology):
        return (
            "pip install tfjs-graph-converter && tfjs_graph_converter --output_format tf_saved_model "
            f"{folder} {target}_saved_model"
        )
    return (
        "pip install tensorflowjs && tensorflowjs_converter --input_format=tfjs_layers_model --output_format=keras "
        f"{shown} {target}.h5"
    )


def _read_topology(path: Path) -> dict[str, object] | None:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_TOPOLOGY:
            return None
        found = json.loads(read_regular(path))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not {"modelTopology", "weightsManifest"} <= found.keys():
        return None
    return found


def _is_graph_model(topology: dict[str, object]) -> bool:
    """Return whether the model is a TensorFlow graph; the others are Keras layers. Older files name no format."""
    inner = topology["modelTopology"]
    return topology.get("format") == "graph-model" or (isinstance(inner, dict) and "node" in inner)
