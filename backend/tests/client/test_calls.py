"""The client's calls, held to the OpenAPI document that the server exports."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from understudy.client import calls
from understudy.client.calls import Call
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.recording import RecordingFields, SampleFormat
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery
from understudy.schemas.server.policies import PoliciesUpdate
from understudy.schemas.server.rollout import RolloutOptions

DOCUMENT = json.loads((Path(__file__).resolve().parents[2] / "openapi.json").read_text(encoding="utf-8"))
# Streams have clients of their own, a clip is downloaded from its url, and two methods may do the same.
NOT_CALLED = {
    ("GET", "events"),
    ("GET", "demo-clips/{name}"),
    ("PUT", "models/{model_id}"),
    ("POST", "models/{model_id}/examples"),
    # Sessions and passwords are for browsers; `understudy users` and `understudy keys` manage people and keys.
    *((method, "session") for method in ("GET", "POST", "DELETE")),
    *((method, "users") for method in ("GET", "POST")),
    *((method, "users/{principal_id}") for method in ("PATCH", "DELETE")),
    *((method, "keys") for method in ("GET", "POST")),
    *((method, "keys/{name}") for method in ("PATCH", "DELETE")),
    ("GET", "session/oidc"),
    ("GET", "session/oidc/callback"),
    ("DELETE", "users/{principal_id}/sessions"),
    ("GET", "account/sessions"),
    ("DELETE", "account/sessions/{session_id}"),
    ("PUT", "account/password"),
}
SIGNATURE = Path(__file__).parents[1] / "serving" / "policies" / "signed_by_model_signing" / "model.sig"
DETAILS = RecordingFields(
    source="attic", recorded_at=datetime(2026, 5, 1, tzinfo=UTC), format=SampleFormat.S16LE, rate=16_000, channels=2
)


def _write_examples() -> Path:
    """Write an examples.csv and its clip, which the call reads when it is built."""
    folder = Path(tempfile.mkdtemp())
    (folder / "clip.wav").write_bytes(b"RIFF")
    (folder / "examples.csv").write_text("file,label\nclip.wav,a\n")
    return folder / "examples.csv"


CALLS: list[Call[Any]] = [
    calls.list_models(ModelQuery(q="x", type="yamnet", sort="-accuracy", cursor="c")),
    calls.get_model(1),
    calls.get_active_model(),
    calls.register_model(ModelCreate(model_name="a", file_path="models/a.onnx")),
    calls.update_model(1, ModelUpdate(version=None)),
    calls.delete_model(1),
    calls.list_unregistered_files(),
    calls.upload_model_file(Path("a.onnx"), None),
    calls.get_model_examples(1),
    calls.set_model_examples(1, _write_examples()),
    calls.remove_model_examples(1),
    calls.activate_model(1, Precision.INT8, wait=False, tensors_only=True, reason="x"),
    calls.compile_model(1),
    calls.activate_model(
        1,
        Precision.FLOAT32,
        wait=True,
        tensors_only=False,
        reason=None,
        rollout=RolloutOptions(timeout_seconds=5, fail_fleet=0.5),
    ),
    calls.roll_back(wait=True, reason="x"),
    calls.roll_back(wait=True, reason=None, rollout=RolloutOptions()),
    calls.roll_back(wait=True, reason="x", override_freeze=True),
    calls.get_rollback_target(),
    calls.get_policies(),
    calls.get_model_signature(1),
    calls.set_model_signature(1, SIGNATURE),
    calls.update_policies(PoliciesUpdate(four_eyes=True, confirm_minutes=None)),
    calls.approve_activation(1, wait=False, reason="x", override_freeze=True),
    calls.decline_activation(1, "x"),
    calls.confirm_model(2),
    calls.list_model_types(),
    calls.get_operation("x"),
    calls.list_predictions(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), 1, "a", 10, "c"),
    calls.get_history(1, "activated", datetime(2026, 5, 1, tzinfo=UTC), 10, "c"),
    calls.get_model_history(1, 10, "c"),
    calls.get_model_report(1),
    calls.get_status(),
    calls.list_replicas(),
    calls.get_health(require_model=True),
    calls.get_recent_statistics(5.0, buckets=False),
    calls.list_demo_clips(),
    calls.predict(b"", 1, DETAILS),
    calls.predict_batch([("a", b"")], 1, DETAILS),
]


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path.removeprefix("/api/v1/")): operation
        for path, methods in DOCUMENT["paths"].items()
        if path.startswith("/api/v1/")
        for method, operation in methods.items()
    }


def test_every_operation_of_the_document_has_a_call_and_no_call_is_unknown() -> None:
    assert {(call.method, call.template) for call in CALLS} | NOT_CALLED == set(operations())


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.template}")
def test_a_call_sends_and_reads_what_the_document_says(call: Call[Any]) -> None:
    operation = operations()[call.method, call.template]
    parameters = {each["name"]: each["in"] for each in operation.get("parameters", [])}
    assert {name: parameters.get(name) for name in call.values} == dict.fromkeys(call.values, "path")
    assert {name: parameters.get(name) for name in call.query} == dict.fromkeys(call.query, "query")
    assert set(call.params) == {name for name, place in parameters.items() if place == "query"}
    bodies = set(operation.get("requestBody", {}).get("content", {}))
    sent = {
        "multipart/form-data": bool(call.recordings),
        "application/json": call.json is not None,
        "application/octet-stream": call.content is not None,
    }
    used = [kind for kind, is_used in sent.items() if is_used]
    # One kind of body that the document names: a prediction and a registration take others as well.
    assert len(used) == bool(bodies)
    assert bodies.issuperset(used)
    answers = next(answer for status, answer in operation["responses"].items() if status.startswith("20"))
    # A prediction is answered as lines too, where a caller asks for them; the client does not.
    kinds = answers["content"]
    [schema] = [kinds["application/json"]["schema"]] if len(kinds) > 1 else [each["schema"] for each in kinds.values()]
    assert schema["$ref"].rpartition("/")[2] == call.answer.__name__
