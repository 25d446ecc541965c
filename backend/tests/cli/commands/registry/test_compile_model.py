"""The int8 variant from the command line, with a running server that follows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run
from tests.convolutional import write_convolutional

Ask = Callable[..., Any]

LOOSE = ("--min-agreement", "0", "--max-change", "1")


def test_an_int8_variant_is_made_here_shown_and_activated_through_the_server(
    server: str, run: Run, ask: Ask, home: Path, clip: Path
) -> None:
    write_convolutional(home / "models" / "net.onnx")
    ask("register", "--name", "Net", "--path", "models/net.onnx", "--activate")
    assert ask("activate", "1", "--precision", "int8", "--url", server, code=3)["code"] == "report_not_found"
    int8 = ("compile", "1", "--precision", "int8", "--clips", str(clip.parent))
    assert ask(*int8, "--max-change", "1e-6", code=5)["code"] == "parity_failed"
    assert "refused" in run("show", "1", "--report").stdout
    assert ask(*int8, *LOOSE)["quantization"]["agreement"]["disjoint"] is False
    assert "may go live" in run("show", "1", "--report").stdout
    assert ask("predict", str(clip), "--url", server)["model"]["precision"] == "float32"
    assert ask("activate", "1", "--precision", "int8", "--url", server)["state"] == "succeeded"
    assert ask("predict", str(clip), "--url", server)["model"]["precision"] == "int8"
    assert ask("status", "--url", server)["desired"]["precision"] == "int8"
    assert ask("history", "--event", "activated")["entries"][0]["form"].startswith("int8-")
    ask(*int8, *LOOSE[:2], "--max-change", "2")
    [unneeded] = ask("doctor", "--fix")["findings"]  # the variant that was refused, not the live one
    assert unneeded["code"] == "compiled_unreferenced"
    ask("rollback", "--url", server)
    assert ask("predict", str(clip), "--url", server)["model"]["precision"] == "float32"
