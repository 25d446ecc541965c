"""Decodes inference requests of the Open Inference Protocol's messages, and encodes their answers."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from understudy.api.v2.request_decoder import (
    DecodedRequest,
    WantedOutput,
    build_array,
    check_shape,
    find_dtype,
    read_binary,
)
from understudy.api.v2.response_encoder import build_parameters, name_datatype, pack_tensor, select_outputs
from understudy.api.v2_grpc.open_inference_pb2 import InferParameter, ModelInferRequest, ModelInferResponse
from understudy.errors import RequestInvalid
from understudy.schemas.inference.open_inference import Datatype
from understudy.serving.prediction.tensor_inference import InferenceResult

Array = NDArray[Any]

# FP16 has no field: its values come raw.
CONTENTS: Mapping[str, str] = {
    Datatype.BOOL: "bool_contents",
    Datatype.INT8: "int_contents",
    Datatype.INT16: "int_contents",
    Datatype.INT32: "int_contents",
    Datatype.INT64: "int64_contents",
    Datatype.UINT8: "uint_contents",
    Datatype.UINT16: "uint_contents",
    Datatype.UINT32: "uint_contents",
    Datatype.UINT64: "uint64_contents",
    Datatype.FP32: "fp32_contents",
    Datatype.FP64: "fp64_contents",
    Datatype.BYTES: "bytes_contents",
}


def decode_request(request: ModelInferRequest) -> DecodedRequest:
    """Return the inputs as arrays, and which outputs the client wants, raw where the inputs are.

    Raises RequestInvalid.
    """
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise RequestInvalid(
            f"raw_input_contents holds {len(raw)} tensors, and the request has {len(request.inputs)} inputs."
        )
    inputs: dict[str, Array] = {}
    for index, tensor in enumerate(request.inputs):
        if tensor.name in inputs:
            raise RequestInvalid(f"The input {tensor.name!r} is given twice.")
        inputs[tensor.name] = _read_tensor(tensor, raw[index] if raw else None)
    return DecodedRequest(
        id=request.id or None,
        inputs=inputs,
        outputs=tuple(
            WantedOutput(output.name, bool(raw), _read_classes(output.name, output.parameters))
            for output in request.outputs
        ),
        binary=bool(raw),
    )


def encode_response(inferred: InferenceResult, request: DecodedRequest) -> ModelInferResponse:
    """Return the answer: raw where the request is or an output is FP16, else in the fields of the datatypes.

    Raises RequestInvalid for an output that the model does not have.
    """
    identity = inferred.model.identity
    answer = ModelInferResponse(
        model_name=identity.model_name, model_version=identity.version or "", id=request.id or ""
    )
    for name, value in build_parameters(inferred).items():
        answer.parameters[name].CopyFrom(
            InferParameter(string_param=value) if isinstance(value, str) else InferParameter(int64_param=value)
        )
    outputs = [(wanted.name, name_datatype(output), output) for wanted, output in select_outputs(inferred, request)]
    raw = request.binary or any(datatype not in CONTENTS for _, datatype, _ in outputs)
    for name, datatype, output in outputs:
        tensor = answer.outputs.add(name=name, datatype=datatype, shape=output.shape)
        if raw:
            answer.raw_output_contents.append(pack_tensor(output))
        else:
            values = output.reshape(-1).tolist()
            if datatype == Datatype.BYTES:
                values = [word.encode() for word in values]
            getattr(tensor.contents, CONTENTS[datatype]).extend(values)
    return answer


def _read_tensor(tensor: ModelInferRequest.InferInputTensor, raw: bytes | None) -> Array:
    dtype = find_dtype(tensor.name, tensor.datatype)
    shape = list(tensor.shape)
    check_shape(tensor.name, shape)
    given = [field.name for field, _ in tensor.contents.ListFields()]
    if raw is not None:
        if given:
            raise RequestInvalid(f"The data of {tensor.name} come twice: in contents and in raw_input_contents.")
        return read_binary(tensor.name, raw, 0, len(raw), dtype, shape)
    if "shared_memory_region" in tensor.parameters:
        raise RequestInvalid(
            f"The data of {tensor.name} lie in shared memory, which is not offered.",
            remedy="Send them in raw_input_contents.",
        )
    field = CONTENTS.get(tensor.datatype)
    if field is None:
        raise RequestInvalid(f"{tensor.datatype} has no contents.", remedy="Send the data in raw_input_contents.")
    if given not in ([], [field]):
        raise RequestInvalid(f"The data of {tensor.name} are in {', '.join(given)}; {tensor.datatype} is in {field}.")
    return build_array(tensor.name, list(getattr(tensor.contents, field)), dtype, shape)


def _read_classes(name: str, parameters: Mapping[str, InferParameter]) -> int:
    if "classification" not in parameters:
        return 0
    found = parameters["classification"]
    kind = found.WhichOneof("parameter_choice")
    classes = getattr(found, kind) if kind in {"int64_param", "uint64_param"} else -1
    if not classes >= 0:
        raise RequestInvalid(f"The classification of {name} is not a number of classes.")
    return int(classes)
