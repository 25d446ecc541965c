"""Schemathesis makes requests from openapi.json, also in sequences, and compares the answers with the document."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.torture.plan import Plan
from scripts.torture.report import FamilyReport
from scripts.torture.server import Client, Server, run_server, write_models

_DOCUMENT = Path(__file__).resolve().parents[2] / "backend" / "openapi.json"
# 503 is an answer of this server where nothing is live or what it needs is missing; 500 never is.
_CONFIGURATION = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503"]
[dictionaries]
ids = { values = [1, 2, 3] }
names = { values = ["a", "b", "c"] }
files = { values = ["models/a.onnx", "models/b.onnx", "models/c.onnx"] }
[parameters]
"path.model_id" = { dictionary = "ids", probability = 0.6 }
"query.model_id" = { dictionary = "ids", probability = 0.6 }
"path.name" = { dictionary = "names", probability = 0.6 }
"body.file_path" = { dictionary = "files", probability = 0.6 }
"""
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,use_after_free"
)
_ENDLESS = "/api/v1/events"  # an answer without an end


def run(plan: Plan) -> FamilyReport:
    """Each generated request is an attempt."""
    report = FamilyReport("interface", "requests")
    home = plan.make_home("interface")
    write_models(home)
    with run_server(home) as server:
        asyncio.run(_set_up(server, report))
        _run_schemathesis(plan, server, report)
        asyncio.run(_examine(server, report))
        tracebacks = server.find_tracebacks()
        report.check(not tracebacks, f"the server logged a traceback: {tracebacks[:1]}")
    return report


async def _set_up(server: Server, report: FamilyReport) -> None:
    async with Client(server.url, report) as client:
        await client.set_up()


async def _examine(server: Server, report: FamilyReport) -> None:
    async with Client(server.url, report) as client:
        report.check(await client.await_ready(), "the server is not ready at the end")


def _run_schemathesis(plan: Plan, server: Server, report: FamilyReport) -> None:
    folder = plan.folder / "schemathesis"
    folder.mkdir()
    (folder / "schemathesis.toml").write_text(_CONFIGURATION)
    seconds = 12 if plan.short else max(1, round(60 * plan.minutes))
    phases = ("fuzzing", "--max-examples", "2") if plan.short else ("coverage,fuzzing,stateful",)
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("st"), "--config-file", folder / "schemathesis.toml"),
            *("run", _DOCUMENT, "--url", server.url, "--exclude-path", _ENDLESS, "--seed", str(plan.seed)),
            *("--max-time", str(seconds), "--checks", _CHECKS, "--phases", *phases),
            *("--continue-on-failure", "--no-shrink", "--no-color", "--request-timeout", "60"),
            *("--report", "json", "--report-json-path", folder / "report.json"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds + 300,
    )
    try:
        document = json.loads((folder / "report.json").read_text())
    except (OSError, ValueError):
        report.check(False, f"schemathesis ended with {done.returncode} and no report: {done.stderr[-300:]!r}")
        return
    report.attempts += document["test_cases"]["generated"]
    for sentence in _describe_faults(document):
        report.violated += 1
        report.violations.append(sentence)
    operations = document["operations"]
    report.check(operations["tested"] > 0, "schemathesis made no request")
    report.notes.append(f"{operations['tested']} of {operations['total']} operations were tested.")


def _describe_faults(document: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each failure of the report."""
    for kind in ("failures", "errors"):
        for fault in document[kind]:
            yield json.dumps(fault)[:600]
