"""Encodes answers of the Open Inference Protocol."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from understudy.api.v2.datatypes import NAMES
from understudy.api.v2.request_decoder import DecodedRequest, WantedOutput
from understudy.errors import RequestInvalid
from understudy.schemas.compiler.spec import Spec
from understudy.schemas.inference.open_inference import Datatype
from understudy.serving.prediction.tensor_inference import InferenceResult

Array = NDArray[Any]


def encode_response(inferred: InferenceResult, request: DecodedRequest) -> tuple[bytes, int | None]:
    """Return the body, and the length of its JSON where binary data follow it.

    A value that is not finite is null in JSON, which cannot express it. Raises RequestInvalid for an
    output that the model does not have.
    """
    identity = inferred.model.identity
    blobs: list[bytes] = []
    document: dict[str, object] = {
        "model_name": identity.model_name,
        "model_version": identity.version or "",
        "parameters": build_parameters(inferred),
        "outputs": [_encode_tensor(wanted, output, blobs) for wanted, output in select_outputs(inferred, request)],
    }
    if request.id is not None:
        document["id"] = request.id
    head = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return (b"".join((head, *blobs)), len(head)) if blobs else (head, None)


def build_parameters(inferred: InferenceResult) -> dict[str, str | int]:
    """Return the parameters of an answer: they name the model that computed it."""
    identity = inferred.model.identity
    parameters: dict[str, str | int] = {"model_id": identity.model_id, "digest": identity.digest}
    if inferred.generation is not None:
        parameters["generation"] = inferred.generation
    return parameters


def select_outputs(inferred: InferenceResult, request: DecodedRequest) -> list[tuple[WantedOutput, Array]]:
    """Return the outputs that the client wants, in its order. Raises RequestInvalid for one that the model lacks."""
    wanted = request.outputs or tuple(WantedOutput(name, request.binary, 0) for name in inferred.outputs)
    return [(each, _select_output(inferred, each)) for each in wanted]


def name_datatype(output: Array) -> str:
    """Return the protocol's name of an output's datatype; words are BYTES."""
    return Datatype.BYTES if output.dtype.hasobject else NAMES[output.dtype]


def _select_output(inferred: InferenceResult, wanted: WantedOutput) -> Array:
    output = inferred.outputs.get(wanted.name)
    if output is None:
        raise RequestInvalid(f"The model gives {sorted(inferred.outputs)}, but the request asks for {wanted.name!r}.")
    return _pick_best_classes(output, wanted, inferred.model.engine_model.spec) if wanted.classes else output


def _encode_tensor(wanted: WantedOutput, output: Array, blobs: list[bytes]) -> dict[str, object]:
    tensor: dict[str, object] = {
        "name": wanted.name,
        "datatype": name_datatype(output),
        "shape": output.shape,
    }
    if wanted.binary:
        blob = pack_tensor(output)
        blobs.append(blob)
        tensor["parameters"] = {"binary_data_size": len(blob)}
    else:
        flat = np.ascontiguousarray(output).reshape(-1)
        tensor["data"] = flat.tolist() if output.dtype.hasobject else flat
    return tensor


def pack_tensor(output: Array) -> bytes:
    """Return an output in binary form, little-endian.

    An element of BYTES is its length in four bytes and that many bytes of UTF-8.
    """
    if not output.dtype.hasobject:
        return output.tobytes()
    encoded = [word.encode() for word in output.reshape(-1).tolist()]
    return b"".join(part for word in encoded for part in (len(word).to_bytes(4, "little"), word))


def _pick_best_classes(output: Array, wanted: WantedOutput, spec: Spec) -> Array:
    """Return "value:index:label" of the best classes along the last axis: Triton's classification extension."""
    if not output.ndim:
        raise RequestInvalid(f"The output {wanted.name} is one number and has no classes.")
    rows = output.reshape(-1, output.shape[-1]) if output.size else np.empty((0, output.shape[-1]))
    order = np.argsort(-rows.astype(np.float64), axis=1, kind="stable")[:, : wanted.classes]
    labels = [f":{label}" for label in spec.labels] if spec.labels_named else []
    named = labels if len(labels) == rows.shape[1] else [""] * rows.shape[1]
    words = [
        f"{value:f}:{index}{named[index]}"
        for row, best in zip(rows, order, strict=True)
        for value, index in zip(row[best].tolist(), best.tolist(), strict=True)
    ]
    return np.array(words, dtype=object).reshape(*output.shape[:-1], order.shape[1])
