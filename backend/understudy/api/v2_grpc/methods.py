"""The methods of the services `inference.GRPCInferenceService` and `grpc.health.v1.Health`.

They call the same use-cases as the addresses below /v2, which `understudy.api.v2` serves.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from understudy import __version__
from understudy.access.actions import Action
from understudy.api.v2.metadata import describe_model
from understudy.api.v2.off_loop import run_off_loop
from understudy.api.v2.repository import build_index, refuse_load_parameters
from understudy.api.v2_grpc import open_inference_pb2 as messages
from understudy.api.v2_grpc.tensors import decode_request, encode_response
from understudy.container import Services
from understudy.errors import NotFound, RequestInvalid, Unavailable, UnderstudyError

INFERENCE = "inference.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"
# Raw tensors and compression belong to gRPC itself, so `binary_tensor_data` is no extension here.
EXTENSIONS = ("classification", "model_repository")


@dataclass(frozen=True)
class Method:
    """A method: what its caller must be allowed to do, the type of its request, and what it runs."""

    action: Action
    request: Any
    run: Callable[[Services, Any], Awaitable[Any]]


async def _check_live(_: Services, __: messages.ServerLiveRequest) -> messages.ServerLiveResponse:
    return messages.ServerLiveResponse(live=True)


async def _check_ready(services: Services, _: messages.ServerReadyRequest) -> messages.ServerReadyResponse:
    return messages.ServerReadyResponse(ready=_is_ready(services))


async def _check_model_ready(services: Services, request: messages.ModelReadyRequest) -> messages.ModelReadyResponse:
    try:
        await services.model_resolver.require_ready(request.name, request.version or None)
    except Unavailable as error:
        if type(error) is not Unavailable:  # the database does not answer, so nobody knows
            raise
        return messages.ModelReadyResponse(ready=False)
    return messages.ModelReadyResponse(ready=True)


async def _describe_server(_: Services, __: messages.ServerMetadataRequest) -> messages.ServerMetadataResponse:
    return messages.ServerMetadataResponse(name="understudy", version=__version__, extensions=EXTENSIONS)


async def _describe_model(services: Services, request: messages.ModelMetadataRequest) -> messages.ModelMetadataResponse:
    found = await describe_model(services, request.name, request.version or None)
    return messages.ModelMetadataResponse(**found.model_dump(exclude={"parameters"}))


async def _infer(services: Services, request: messages.ModelInferRequest) -> messages.ModelInferResponse:
    decoded = await run_off_loop(request.ByteSize(), lambda: decode_request(request))
    inferred = await services.tensors.infer(request.model_name, request.model_version or None, decoded.inputs)
    size = sum(output.nbytes for output in inferred.outputs.values())
    return await run_off_loop(size, lambda: encode_response(inferred, decoded))


async def _list_models(
    services: Services, request: messages.RepositoryIndexRequest
) -> messages.RepositoryIndexResponse:
    _require_one_repository(request.repository_name)
    entries = await build_index(services, ready=request.ready)
    return messages.RepositoryIndexResponse(models=[entry.model_dump() for entry in entries])


async def _load_model(
    services: Services, request: messages.RepositoryModelLoadRequest
) -> messages.RepositoryModelLoadResponse:
    _require_one_repository(request.repository_name)
    refuse_load_parameters(request.parameters)
    await services.model_resolver.choose(request.model_name, None)
    return messages.RepositoryModelLoadResponse()


async def _unload_model(
    services: Services, request: messages.RepositoryModelUnloadRequest
) -> messages.RepositoryModelUnloadResponse:
    _require_one_repository(request.repository_name)
    await services.model_resolver.unload(request.model_name, None)
    return messages.RepositoryModelUnloadResponse()


async def _check_health(services: Services, request: messages.HealthCheckRequest) -> messages.HealthCheckResponse:
    if request.service not in {"", INFERENCE}:
        raise NotFound(f"There is no service {request.service!r:.100}.", remedy=f"Ask for {INFERENCE}, or for none.")
    status = messages.HealthCheckResponse
    return status(status=status.SERVING if _is_ready(services) else status.NOT_SERVING)


def _is_ready(services: Services) -> bool:
    try:
        services.status_reporter.require_ready()
    except UnderstudyError:
        return False
    return True


def _require_one_repository(name: str) -> None:
    if name:
        raise RequestInvalid(
            f"There is no repository {name!r:.100}: the server has one, without a name.",
            remedy="Leave repository_name empty.",
        )


METHODS: Mapping[str, Mapping[str, Method]] = {
    INFERENCE: {
        "ServerLive": Method(Action.CHECK_HEALTH, messages.ServerLiveRequest, _check_live),
        "ServerReady": Method(Action.CHECK_HEALTH, messages.ServerReadyRequest, _check_ready),
        "ModelReady": Method(Action.VIEW, messages.ModelReadyRequest, _check_model_ready),
        "ServerMetadata": Method(Action.VIEW, messages.ServerMetadataRequest, _describe_server),
        "ModelMetadata": Method(Action.VIEW, messages.ModelMetadataRequest, _describe_model),
        "ModelInfer": Method(Action.INFER, messages.ModelInferRequest, _infer),
        "RepositoryIndex": Method(Action.VIEW, messages.RepositoryIndexRequest, _list_models),
        "RepositoryModelLoad": Method(Action.REHEARSE, messages.RepositoryModelLoadRequest, _load_model),
        "RepositoryModelUnload": Method(Action.REHEARSE, messages.RepositoryModelUnloadRequest, _unload_model),
    },
    HEALTH: {"Check": Method(Action.CHECK_HEALTH, messages.HealthCheckRequest, _check_health)},
}
