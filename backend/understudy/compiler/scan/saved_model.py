"""Checks a SavedModel's graph as data before TensorFlow runs any of it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from understudy.errors import CompileFailed, ModelUnsafe
from understudy.files.regular_file import read_regular

_TAG = "serve"
# The standard saver uses these; a node that a signature can reach may not.
_SAVER_OPS = {"Save", "SaveSlices", "SaveV2", "Restore", "RestoreSlice", "RestoreV2", "MergeV2Checkpoints"}
_REFUSED_OPS = {
    *("PyFunc", "PyFuncStateless", "EagerPyFunc"),
    *("ReadFile", "WriteFile", "MatchingFiles", "FileSystemSetConfiguration", "PrintV2"),
    *("InitializeTableFromTextFile", "InitializeTableFromTextFileV2", "GenerateVocabRemapping", "LoadAndRemapMatrix"),
    *("ReaderRead", "ReaderReadV2", "ReaderReadUpTo", "ReaderReadUpToV2", "ImmutableConst", "RemoteCall", "RpcCall"),
}
_REFUSED_STARTS = ("DataService", "Debug", "WholeFileReader", "TextLine", "TFRecord", "FixedLengthRecord")
_REFUSED_PARTS = ("Dataset", "SummaryWriter", "SummaryFile", "SummaryDb", "Lmdb", "WriteSummary", "Rpc", "Xla")


def read_meta_graph(folder: Path) -> Any:
    """Return the MetaGraphDef tagged for serving; raises CompileFailed when saved_model.pb is damaged or lacks it."""
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString(read_regular(folder / "saved_model.pb"))
    except DecodeError as error:
        raise CompileFailed(
            "saved_model.pb cannot be read: it is truncated or damaged.",
            remedy="Copy the whole SavedModel folder again.",
        ) from error
    for meta in model.meta_graphs:
        if _TAG in meta.meta_info_def.tags:
            return meta
    found = ", ".join("+".join(meta.meta_info_def.tags) or "(no tag)" for meta in model.meta_graphs) or "none"
    raise CompileFailed(
        f"The SavedModel has no graph tagged {_TAG!r} (it has: {found}).",
        remedy="Save it with tf.saved_model.save, which tags it for serving.",
    )


def _is_refused(op: str) -> bool:
    return op in _REFUSED_OPS or op.startswith(_REFUSED_STARTS) or any(part in op for part in _REFUSED_PARTS)


def _list_called_functions(node: Any) -> Iterator[str]:
    """Yield the names of the functions that a node calls."""
    for attribute in node.attr.values():
        if attribute.HasField("func"):
            yield attribute.func.name
        yield from (function.name for function in attribute.list.func)


def _find_reachable_nodes(meta: Any) -> Iterable[Any]:
    """Return every node that a signature can reach, also inside functions; the saver's nodes are not among them."""
    nodes = {node.name: node for node in meta.graph_def.node}
    functions = {function.signature.name: function.node_def for function in meta.graph_def.library.function}
    waiting = [info.name for signature in meta.signature_def.values() for info in signature.outputs.values()]
    seen: dict[str, Any] = {}
    bodies: set[str] = set()
    while waiting:
        name = waiting.pop().removeprefix("^").split(":")[0]
        if name in seen or name not in nodes:
            continue
        seen[name] = nodes[name]
        waiting.extend(nodes[name].input)
    calls = [called for node in seen.values() for called in _list_called_functions(node)]
    found = list(seen.values())
    while calls:
        name = calls.pop()
        if name in bodies or name not in functions:
            continue
        bodies.add(name)
        found.extend(functions[name])
        calls.extend(called for node in functions[name] for called in _list_called_functions(node))
    return found


def scan(folder: Path) -> None:
    """Raise ModelUnsafe, with their names, for operators that touch files, the network or Python."""
    meta = read_meta_graph(folder)
    everywhere = [*meta.graph_def.node, *(n for f in meta.graph_def.library.function for n in f.node_def)]
    found = {node.op for node in everywhere if _is_refused(node.op)}
    found |= {node.op for node in _find_reachable_nodes(meta) if node.op in _SAVER_OPS}
    if found:
        raise ModelUnsafe(
            f"The SavedModel's graph contains operators that reach outside the model: {', '.join(sorted(found))}.",
            remedy="Remove the Python, file and dataset operations from the exported function and save it again.",
        )
