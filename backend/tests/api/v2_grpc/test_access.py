"""Keys, roles and limits hold for gRPC as they do for HTTP."""

from collections.abc import Iterator

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from tests.api.v2_grpc.conftest import RunningServer, build_adder, run_server
from understudy.api.v2_grpc import open_inference_pb2 as messages
from understudy.api.v2_grpc.call_guard import find_address
from understudy.api.v2_grpc.methods import HEALTH, INFERENCE
from understudy.schemas.access.account import KeyCreate
from understudy.schemas.access.role import Role
from understudy.settings import Settings

X = np.ones((1, 3), np.float32)


@pytest.fixture(scope="module")
def guarded(grpc_settings: Settings) -> Iterator[tuple[RunningServer, dict[Role, str]]]:
    """A server with an admin and a key for each role, at which operators may send two calls a second."""
    cheap = {"password_memory_kib": 8, "password_passes": 1, "request_limits": {"operator": 2}}
    with run_server(grpc_settings.model_copy(update=cheap)) as running:
        access = running.services.access
        model_id = running.register("adder", build_adder(1))
        running.activate(model_id)

        async def prepare() -> dict[Role, str]:
            await access.people.add("root", Role.ADMIN, "correct horse battery", by="test")
            keys = {}
            for role in (Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.DEVICE):
                source = "gate-3" if role is Role.DEVICE else None
                keys[role] = (await access.keys.create(KeyCreate(name=str(role), role=role, source=source), by="t")).key
            await access.refresh()
            return keys

        yield running, running.call(prepare())


def headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def infer(client: triton.InferenceServerClient, key: str | None) -> triton.InferResult:
    x = triton.InferInput("x", [1, 3], "FP32").set_data_from_numpy(X)
    return client.infer("adder", [x], headers=None if key is None else headers(key))


def test_roles_may_do_what_they_may_over_http(guarded: tuple[RunningServer, dict[Role, str]]) -> None:
    running, keys = guarded
    with running.connect() as client:
        np.testing.assert_array_equal(infer(client, keys[Role.VIEWER]).as_numpy("y"), X + 1)
        with pytest.raises(InferenceServerException, match=r"Your role is device") as refused:
            infer(client, keys[Role.DEVICE])
        assert "PERMISSION_DENIED" in str(refused.value.status())
        with pytest.raises(InferenceServerException, match=r"Your role is viewer"):
            client.load_model("adder", headers=headers(keys[Role.VIEWER]))
        client.load_model("adder", headers=headers(keys[Role.EDITOR]))


def test_who_is_not_signed_in_learns_only_whether_the_server_is_up(
    guarded: tuple[RunningServer, dict[Role, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, _ = guarded
    monkeypatch.setattr("understudy.api.access.failed_keys._SLOW_SECONDS", 0.0)
    with running.connect() as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_server_ready(headers=headers("wrong"))
        for key in (None, "wrong"):
            with pytest.raises(InferenceServerException, match="key") as refused:
                infer(client, key)
            assert "UNAUTHENTICATED" in str(refused.value.status())
        for ask in (client.get_server_metadata, client.get_model_repository_index):
            with pytest.raises(InferenceServerException, match="key"):
                ask()
    assert (
        running.ask(f"/{HEALTH}/Check")
        == messages.HealthCheckResponse(status=messages.HealthCheckResponse.SERVING).SerializeToString()
    )


def test_a_caller_past_its_limit_is_told_when_to_try_again(guarded: tuple[RunningServer, dict[Role, str]]) -> None:
    running, keys = guarded
    metadata = (("authorization", f"Bearer {keys[Role.OPERATOR]}"),)
    for _ in range(2):
        running.ask(f"/{INFERENCE}/ServerMetadata", metadata=metadata)
    with pytest.raises(grpc.RpcError, match="operator may send 2 requests a second") as refused:
        running.ask(f"/{INFERENCE}/ServerMetadata", metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert dict(refused.value.trailing_metadata())["retry-after"] == "1"
    running.ask(f"/{INFERENCE}/ServerLive", metadata=metadata)  # whoever watches the server is not limited
    assert running.services.counters.limited["key"] == 1


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.1.2.3:4711", "10.1.2.3"),
        ("ipv6:%5B2001:db8::1%5D:4711", "2001:db8::1"),
        ("ipv6:[::1]:4711", "::1"),
        ("unix:", "unknown"),
    ],
)
def test_the_address_of_a_client_is_read_from_grpcs_name_of_it(peer: str, address: str) -> None:
    assert find_address(peer) == address
