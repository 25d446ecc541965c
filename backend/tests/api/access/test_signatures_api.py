"""Signatures over HTTP: who may set one, and what is refused."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.api.access.conftest import GuardedServer, bearer
from tests.api.access.test_policies_api import Ask, open_client
from tests.types import ModelFactory
from understudy.registry.files import model_signature
from understudy.schemas.access.role import Role

pytestmark = pytest.mark.anyio

_KEY = ec.generate_private_key(ec.SECP256R1())
_PRIVATE = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
_PUBLIC = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass
class SignedServer:
    """A server with one model that nobody signed, under the policy that a key signs what goes live."""

    ask: Ask
    keys: dict[Role, dict[str, str]]
    path: str
    activation: str

    async def get_resources(self) -> dict[str, str]:
        _, answer = await self.ask(self.keys[Role.VIEWER], "GET", self.path)
        resources: dict[str, str] = answer["resources"]
        return resources

    async def put(self, role: Role, body: Any) -> tuple[int, dict[str, Any]]:
        return await self.ask(self.keys[role], "PUT", self.path, json=body)


@pytest.fixture
async def server(guarded: GuardedServer, make_model: ModelFactory) -> AsyncIterator[SignedServer]:
    make_model(guarded.services.settings.models_dir / "first.onnx")
    keys = {role: bearer(await guarded.make_key(role)) for role in Role}
    async with open_client(guarded) as ask:
        model = {"model_name": "first", "file_path": "models/first.onnx"}
        model_id = (await ask(keys[Role.EDITOR], "POST", "models", json=model))[1]["model_id"]
        signers = {"signers": [{"name": "release", "public_key": _PUBLIC}]}
        assert (await ask(keys[Role.EDITOR], "PATCH", "policies", json=signers))[0] == 403
        assert (await ask(keys[Role.ADMIN], "PATCH", "policies", json=signers))[0] == 200
        yield SignedServer(ask, keys, f"models/{model_id}/signature", f"models/{model_id}/activate")


def _sign(resources: dict[str, str]) -> dict[str, Any]:
    bundle: dict[str, Any] = json.loads(model_signature.sign("first.onnx", resources, _PRIVATE))
    return bundle


async def test_an_editor_sets_a_signature_and_everybody_who_may_look_sees_it(server: SignedServer) -> None:
    operator = server.keys[Role.OPERATOR]
    status, refused = await server.ask(operator, "POST", server.activation)
    assert (status, refused["code"]) == (422, "not_signed")
    bundle = _sign(await server.get_resources())
    for role in (Role.VIEWER, Role.OPERATOR, Role.DEVICE):
        assert (await server.put(role, bundle))[0] == 403
    status, signature = await server.put(Role.EDITOR, bundle)
    assert (status, signature["state"], signature["signer"]) == (200, "valid", "release")
    assert (await server.ask(server.keys[Role.VIEWER], "GET", server.path))[1] == signature
    assert (await server.ask(server.keys[Role.DEVICE], "GET", server.path))[0] == 403
    assert (await server.ask(operator, "POST", server.activation))[0] == 200


async def test_a_signature_for_another_file_is_stored_and_does_not_count(server: SignedServer) -> None:
    resources = await server.get_resources()
    others: tuple[dict[str, str], ...] = (
        {"first.onnx": "0" * 64},
        {**resources, "more.onnx": "0" * 64},
        {"first.onnx/x": resources["first.onnx"]},
        {"other.onnx": resources["first.onnx"]},
        {},
    )
    for other in others:
        status, signature = await server.put(Role.EDITOR, _sign(other))
        assert (status, signature["state"], signature["signer"]) == (200, "invalid", None)
        status, refused = await server.ask(server.keys[Role.ADMIN], "POST", server.activation)
        assert (status, refused["code"]) == (422, "not_signed")


async def test_what_is_no_signature_is_refused_and_the_one_before_stays(server: SignedServer) -> None:
    bundle = _sign(await server.get_resources())
    assert (await server.put(Role.EDITOR, bundle))[0] == 200
    envelope = bundle["dsseEnvelope"]
    signature = envelope["signatures"][0]
    for wrong in (
        {},
        {"mediaType": bundle["mediaType"]},
        {**bundle, "mediaType": "application/json"},
        {**bundle, "dsseEnvelope": {}},
        {**bundle, "dsseEnvelope": {**envelope, "payload": "%"}},
        {**bundle, "dsseEnvelope": {**envelope, "payload": "e30="}},
        {**bundle, "dsseEnvelope": {**envelope, "payload": "W10="}},
        {**bundle, "dsseEnvelope": {**envelope, "payloadType": "text/plain"}},
        {**bundle, "dsseEnvelope": {**envelope, "signatures": []}},
        {**bundle, "dsseEnvelope": {**envelope, "signatures": [signature, signature]}},
        {**bundle, "dsseEnvelope": {**envelope, "signatures": [{"sig": 1}]}},
    ):
        assert (await server.put(Role.EDITOR, wrong))[0] == 422, wrong
    assert (await server.ask(server.keys[Role.VIEWER], "GET", server.path))[1]["state"] == "valid"


async def test_a_signature_that_is_huge_or_nested_deeply_is_refused(server: SignedServer) -> None:
    bundle = _sign(await server.get_resources())
    status, refused = await server.put(Role.EDITOR, {**bundle, "more": "x" * 2**20})
    assert (status, refused["code"]) == (413, "body_too_large")
    headers = {**server.keys[Role.EDITOR], "content-type": "application/json"}
    for depth in (200, 400_000):
        deep = json.dumps(bundle)[:-1] + ', "more": ' + "[" * depth + "]" * depth + "}"
        status, _ = await server.ask(headers, "PUT", server.path, content=deep.encode())
        assert status == 422 if depth > 1000 else status == 200, depth
    assert (await server.ask(headers, "PUT", server.path, content=json.dumps(bundle)[:-1].encode()))[0] == 422
    assert (await server.ask(server.keys[Role.VIEWER], "GET", server.path))[1]["state"] == "valid"


async def test_a_signature_does_not_replace_a_file_that_is_none(server: SignedServer, guarded: GuardedServer) -> None:
    other = guarded.services.settings.models_dir / "first.onnx.sig"
    other.write_bytes(b"the model of somebody else")
    status, refused = await server.put(Role.EDITOR, _sign(await server.get_resources()))
    assert (status, refused["code"]) == (422, "request_invalid")
    assert other.read_bytes() == b"the model of somebody else"


async def test_a_signature_of_a_model_that_is_not_there(server: SignedServer) -> None:
    bundle = _sign({"first.onnx": "0" * 64})
    for method, options in (("GET", {}), ("PUT", {"json": bundle})):
        status, refused = await server.ask(server.keys[Role.EDITOR], method, "models/999/signature", **options)
        assert (status, refused["code"]) == (404, "model_not_found")
