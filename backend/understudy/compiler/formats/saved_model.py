"""Loads the `serving_default` signature of SavedModel folders."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnx
import tensorflow as tf
from numpy.typing import NDArray

from understudy.compiler.formats import tensorflow_graph
from understudy.compiler.formats.loaded_model import Tensors, take_first_line
from understudy.compiler.scan.saved_model import read_meta_graph
from understudy.errors import CompileFailed, SpecInvalid
from understudy.files.text_file import read_text_file
from understudy.label_lists import parse_labels
from understudy.schemas.compiler.spec import PartialSpec

_TAG = "serve"
_SIGNATURE = "serving_default"
_SCORE_NAMES = ("scores", "score", "probabilities", "predictions", "prediction", "logits", "output_0", "output")


def _put_scores_first(names: Sequence[str]) -> list[str]:
    """Return the outputs with the one that holds the scores first, since signatures list them in alphabetical order."""
    rank = {name: index for index, name in enumerate(_SCORE_NAMES)}
    return sorted(names, key=lambda name: (rank.get(name.lower(), len(rank)), name))


def _read_labels(folder: Path) -> tuple[str, ...] | None:
    """Return the `display_name` column of a class map among the assets, as in YAMNet's SavedModel; None without one."""
    for path in sorted((folder / "assets").glob("*.csv")):
        try:
            text = read_text_file(path, path.name).text
            names = text.partition("\n")[0].lower().replace(";", ",").split(",")
            words = tuple(word.strip() for word in parse_labels(text, ".csv", path.name))
        except SpecInvalid:  # an asset for another purpose
            continue
        if "display_name" in (name.strip() for name in names) and all(words) and len(set(words)) == len(words):
            return words or None
    return None


class SavedModel:
    """A signature of a loaded SavedModel; implements `LoadedModel`.

    `function` takes the inputs of `specs` by name and returns a dict that has `outputs`. `root` owns the variables of
    `function` and must live as long.
    """

    def __init__(
        self,
        root: Any,
        function: Callable[..., dict[str, Any]],
        specs: dict[str, Any],
        outputs: Sequence[str],
        hints: PartialSpec,
        written_by: str | None,
    ) -> None:
        self._root = root
        self._function = function
        self._outputs = _put_scores_first(outputs)
        self.inputs = tuple(tensorflow_graph.describe_tensor(name, spec) for name, spec in specs.items())
        self.framework = f"tensorflow {tf.__version__}"
        self.written_by = written_by
        self.hints = hints
        self.notes: tuple[str, ...] = ()
        self._types = [spec.dtype for spec in specs.values()]
        self._reference, self.tolerance = tensorflow_graph.trace_reference(self._call, self.inputs)

    def _make_public_name(self, name: str) -> str:
        """Return an output's name in ONNX, where inputs and outputs share one name space."""
        return f"{name}_out" if any(name == signature.name for signature in self.inputs) else name

    def _call(self, *tensors: Any) -> dict[str, Any]:
        typed = [tf.cast(tensor, kind) for tensor, kind in zip(tensors, self._types, strict=True)]
        named = {signature.name: tensor for signature, tensor in zip(self.inputs, typed, strict=True)}
        answer = self._function(**named)
        return {self._make_public_name(name): answer[name] for name in self._outputs}

    def predict(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        return tensorflow_graph.call_function(self._reference, tensors, self.inputs)

    def to_onnx(self) -> onnx.ModelProto:
        return tensorflow_graph.convert(
            self._call, self.inputs, [self._make_public_name(name) for name in self._outputs]
        )


def _load_version_1(folder: Path, signature: Any) -> tuple[Callable[..., dict[str, Any]], dict[str, Any]]:
    """Load a TensorFlow 1 signature with its reference variables frozen, because tracing cannot capture them."""
    v1 = tf.compat.v1
    inputs, outputs = (
        {name: info.name for name, info in side.items()} for side in (signature.inputs, signature.outputs)
    )
    with tf.Graph().as_default(), v1.Session() as session:
        v1.saved_model.load(session, [_TAG], str(folder))
        nodes = [tensor.split(":")[0] for tensor in outputs.values()]
        frozen = v1.graph_util.convert_variables_to_constants(session, session.graph_def, nodes)
    graph = v1.wrap_function(lambda: tf.import_graph_def(frozen, name=""), [])
    feeds = {name: graph.graph.get_tensor_by_name(tensor) for name, tensor in inputs.items()}
    pruned = graph.prune(feeds, {name: graph.graph.get_tensor_by_name(tensor) for name, tensor in outputs.items()})
    # A pruned function takes its feeds by position, in the order in which TensorFlow flattens a dict.
    return lambda **named: pruned(*(named[name] for name in sorted(feeds))), feeds


def load(folder: Path) -> SavedModel:
    """Load a folder that was scanned before, as a TensorFlow function without any Keras class.

    Raises CompileFailed when the signature is missing or TensorFlow cannot load the folder.
    """
    try:
        meta = read_meta_graph(folder)
        if _SIGNATURE not in meta.signature_def:
            named = ", ".join(sorted(name for name in meta.signature_def if not name.startswith("__"))) or "none"
            raise CompileFailed(
                f"The SavedModel has no signature called {_SIGNATURE} (it has: {named}).",
                remedy=f"Save it with tf.saved_model.save(model, folder, signatures={{'{_SIGNATURE}': function}}).",
            )
        signature = meta.signature_def[_SIGNATURE]
        if meta.HasField("object_graph_def"):
            root = tf.saved_model.load(str(folder))
            function = root.signatures[_SIGNATURE]
            specs = dict(function.structured_input_signature[1])
        else:
            root = None
            function, specs = _load_version_1(folder, signature)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, tf.errors.OpError) as error:
        raise CompileFailed(
            f"TensorFlow {tf.__version__} cannot load the SavedModel: {take_first_line(error)}",
            remedy="Check that saved_model.pb and the variables folder are complete.",
        ) from error
    version = meta.meta_info_def.tensorflow_version
    return SavedModel(
        root,
        function,
        specs,
        list(signature.outputs),
        PartialSpec(labels=_read_labels(folder)),
        f"tensorflow {version}" if version else None,
    )
