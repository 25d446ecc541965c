"""Checks a Keras model's JSON config before Keras builds anything from it."""

import json
from collections.abc import Collection, Iterator
from typing import Any

from understudy.errors import CompileFailed, ModelUnsafe

# Each of these runs code or reads files that the model file brings or names.
_REFUSED_CLASSES = {
    "Lambda": "a Lambda layer, which carries Python code",
    "__lambda__": "marshalled Python code",
    "TFSMLayer": "a TFSMLayer, which loads a SavedModel from elsewhere",
    "TorchModuleWrapper": "a TorchModuleWrapper, which unpickles",
    "JaxLayer": "a JaxLayer, which carries Python code",
    "FlaxLayer": "a FlaxLayer, which carries Python code",
    "__typespec__": "a TensorFlow type by name",
}
_OP_LAYERS = {"TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty", "TensorFlowOpLayer"}
_OP_NAMESPACES = ("math.", "nn.", "signal.", "linalg.", "__operators__.", "keras.backend.", "dtypes.", "image.")
_PLAIN_OPS = {
    *("abs", "add", "argmax", "argmin", "boolean_mask", "broadcast_to", "cast", "clip_by_value", "concat", "cumsum"),
    *("einsum", "exp", "expand_dims", "eye", "fill", "gather", "gather_nd", "identity", "linspace", "logical_and"),
    *("logical_not", "logical_or", "matmul", "maximum", "meshgrid", "minimum", "multiply", "negative", "norm"),
    *("one_hot", "ones", "ones_like", "pad", "pow", "range", "rank", "realdiv", "reduce_max", "reduce_mean"),
    *("reduce_min", "reduce_prod", "reduce_sum", "repeat", "reshape", "reverse", "roll", "round", "shape", "sigmoid"),
    *("sign", "slice", "sort", "split", "sqrt", "square", "squeeze", "stack", "strided_slice", "subtract", "tanh"),
    *("tensordot", "tile", "top_k", "transpose", "truediv", "unstack", "where", "zeros", "zeros_like"),
}
_MODULES = ("keras", "tf_keras", "builtins")
_PLAIN_NAMES = {"function", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__keras_tensor__"}
_FLOAT_BYTES = 4
_STORED_FACTOR = 8  # weights stored in 4 bits
_STORED_SLACK = 1 << 20


def _iterate_objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in `value`; without recursion, because hostile nesting may be deep."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _check_op_layer(class_name: str, config: dict[str, Any]) -> None:
    """Raise ModelUnsafe for an op layer whose function is not on the list.

    Op layers name any function of TensorFlow's public interface, and some of these read and write files.
    """
    name = str(config.get("function") or config.get("method_name") or config.get("attr_name") or "")
    if class_name == "TensorFlowOpLayer" or not (name.startswith(_OP_NAMESPACES) or name in _PLAIN_OPS):
        raise ModelUnsafe(
            f"The config calls the TensorFlow function {name or class_name!r}, which is not known to be harmless.",
            remedy="Replace that operation by a standard layer and save the model again.",
        )


def _check_origin(item: dict[str, Any], class_name: str) -> None:
    """Raise ModelUnsafe for a class that is registered by a user or comes from a module other than Keras."""
    module, registered = item.get("module", "keras"), item.get("registered_name")
    package = str(module).split(".")[0] if module else ""
    custom_name = isinstance(registered, str) and ">" in registered and not registered.startswith("Keras")
    if ">" in class_name or custom_name or package not in _MODULES:
        where = f" of the module {module!r}" if module and package not in _MODULES else ""
        raise ModelUnsafe(f"The config asks for the custom class {registered or class_name!r}{where}.")


def _estimate_declared_bytes(item: dict[str, Any]) -> int:
    """Return a lower bound, in bytes, of the weights that a layer will allocate."""
    config = item.get("config")
    if not isinstance(config, dict):
        return 0
    units = config.get("units") or config.get("filters") or 0
    build = item.get("build_config")
    shape = build.get("input_shape") if isinstance(build, dict) else None
    width = shape[-1] if isinstance(shape, list) and shape and isinstance(shape[-1], int) else 1
    table = [config.get("input_dim"), config.get("output_dim")]
    cells = int(table[0]) * int(table[1]) if all(isinstance(side, int) for side in table) else 0  # type: ignore[arg-type]
    return _FLOAT_BYTES * max(cells, int(units) * width if isinstance(units, int) else 0)


def _parse_config(text: str) -> dict[str, Any]:
    """Return the config without its compile section (optimizer, losses), which is never loaded."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CompileFailed(
            "The model's config is not valid JSON.", remedy="Save the model again; the file is damaged."
        ) from error
    if not isinstance(config, dict):
        raise CompileFailed("The model's config is not a JSON object.", remedy="Save the model again.")
    config.pop("compile_config", None)
    return config


def _check_object(item: dict[str, Any], known_layers: Collection[str] | None) -> int:
    """Raise ModelUnsafe for a hostile class, else return the bytes of weights that the object declares."""
    class_name = item.get("class_name")
    if not isinstance(class_name, str):
        return 0
    if class_name in _REFUSED_CLASSES:
        raise ModelUnsafe(f"The config contains {_REFUSED_CLASSES[class_name]}.")
    inner = item.get("config")
    settings = inner if isinstance(inner, dict) else {}
    if class_name in _OP_LAYERS:
        _check_op_layer(class_name, settings)
        return 0
    if class_name in _PLAIN_NAMES and class_name != "function":
        return 0
    _check_origin(item, class_name)
    if isinstance(settings.get("vocabulary"), str):
        raise ModelUnsafe(f"The layer {class_name} reads its vocabulary from a file that the config names.")
    if "module" not in item and known_layers is not None and "name" in settings and class_name not in known_layers:
        raise ModelUnsafe(f"The config asks for the custom class {class_name!r}.")
    return _estimate_declared_bytes(item)


def scan(text: str, *, stored_bytes: int, max_bytes: int, known_layers: Collection[str] | None = None) -> None:
    """Check a model's config.

    `stored_bytes` is the size of the file's arrays. `known_layers` are the class names of the framework that will load
    the file; they decide for entries without a `module` field, as HDF5 files have them.

    Raises ModelUnsafe for Lambda layers, custom classes, foreign modules, unknown TensorFlow functions, and layers that
    declare many times the weights of the file or more than `max_bytes`; CompileFailed when the config is not a JSON
    object.
    """
    declared = sum(_check_object(item, known_layers) for item in _iterate_objects(_parse_config(text)))
    if declared > _STORED_FACTOR * stored_bytes + _STORED_SLACK:
        raise ModelUnsafe(
            f"The layers declare weights of at least {declared} bytes, but the file holds {stored_bytes}.",
            remedy="Save the whole model again: these weights belong to another architecture.",
        )
    if declared > max_bytes:
        raise ModelUnsafe(
            f"The layers declare weights of at least {declared} bytes; {max_bytes} are allowed.",
            remedy="If the model is meant to be that large, raise UNDERSTUDY_COMPILE_MEMORY_BYTES.",
        )
