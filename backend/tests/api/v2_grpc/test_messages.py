"""The messages are what the published protocol says, and what the committed file generates."""

import importlib.util
from pathlib import Path
from typing import Any

import tritonclient.grpc.service_pb2 as published

from understudy.api.v2_grpc import methods
from understudy.api.v2_grpc import open_inference_pb2 as messages

CHECKOUT = Path(__file__).resolve().parents[4]
PACKAGE = Path("understudy", "api", "v2_grpc")


def describe(message: Any) -> dict[str, tuple[Any, ...]]:
    """Return what goes over the wire for each field, and the fields of the messages below."""
    return {
        field.name: (
            field.number,
            field.type,
            field.is_repeated,
            describe(field.message_type) if field.message_type else None,
        )
        for field in message.fields
    }


def test_every_message_is_the_one_that_tritons_client_sends_and_reads() -> None:
    ours = messages.DESCRIPTOR.message_types_by_name
    theirs = published.DESCRIPTOR.message_types_by_name
    health = {"HealthCheckRequest", "HealthCheckResponse"}
    for name in set(ours) - health:
        assert describe(ours[name]) == describe(theirs[name]), name
    assert describe(ours["HealthCheckRequest"]) == {"service": (1, 9, False, None)}  # 9: a string
    assert describe(ours["HealthCheckResponse"]) == {"status": (1, 14, False, None)}  # 14: an enumeration


def test_every_method_takes_the_message_of_its_name() -> None:
    for name, method in methods.METHODS[methods.INFERENCE].items():
        assert method.request.DESCRIPTOR.name == f"{name}Request"


def test_the_committed_files_are_those_that_are_generated(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("generate_grpc", CHECKOUT / "scripts" / "generate_grpc.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.generate(tmp_path)
    for suffix in ("py", "pyi"):
        file = PACKAGE / f"open_inference_pb2.{suffix}"
        assert (tmp_path / file).read_text() == (CHECKOUT / "backend" / file).read_text(), (
            "run: python scripts/generate_grpc.py"
        )
