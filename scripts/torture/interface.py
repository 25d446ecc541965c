"""Schemathesis makes requests from openapi.json, also in sequences, and compares the answers with the document.

First while the server is open, then as each role and as a caller without a key.
"""

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
from understudy.schemas.access.role import Role

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
_SHORT_SECONDS = 6
_ENDLESS = "/api/v1/events"  # an answer without an end
# The first account closes a server that was open: with these nothing else would be tried.
_ACCOUNTS = "^/api/v1/(users|keys)"
_CHEAP_PASSWORDS = {"UNDERSTUDY_PASSWORD_MEMORY_KIB": "8", "UNDERSTUDY_PASSWORD_PASSES": "1"}


def run(plan: Plan) -> FamilyReport:
    """Each generated request is an attempt."""
    report = FamilyReport("interface", "requests")
    home = plan.make_home("interface")
    write_models(home)
    with run_server(home, **_CHEAP_PASSWORDS) as server:
        asyncio.run(_set_up(server, report))
        _run_schemathesis(plan, server, report, "open", _choose_seconds(plan, 0.5), "--exclude-path-regex", _ACCOUNTS)
        keys = asyncio.run(_make_keys(server, report))
        for role, key in {"nobody": None, **keys}.items():
            header = () if key is None else ("--header", f"Authorization: Bearer {key}")
            _run_schemathesis(plan, server, report, role, _choose_seconds(plan, 0.5 / (len(keys) + 1)), *header)
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


async def _make_keys(server: Server, report: FamilyReport) -> dict[str, str]:
    """Close the server by its first key, that of an admin; return the key of each role, the admin's last."""
    keys: dict[str, str] = {}
    async with Client(server.url, report) as client:
        headers: dict[str, str] = {}
        for role in (Role.ADMIN, *(each for each in Role if each is not Role.ADMIN)):
            body = {"name": f"key of {role}", "role": role, **({"source": "gate"} if role is Role.DEVICE else {})}
            answer = await client.send("POST", "/api/v1/keys", json=body, headers=headers)
            keys[role] = answer.raise_for_status().json()["key"]
            headers = {"authorization": f"Bearer {keys[Role.ADMIN]}"}
        keys[Role.ADMIN] = keys.pop(Role.ADMIN)  # last: what an admin does ends the rights of others
        answer = await client.send("GET", "/api/v1/models")
        report.check(answer.status_code == 401, f"a caller without a key was answered {answer.status_code}")
    return keys


def _choose_seconds(plan: Plan, share: float) -> int:
    """Return the time of one run, which is a share of the family's."""
    return _SHORT_SECONDS if plan.short else max(15, round(share * 60 * plan.minutes))


def _run_schemathesis(
    plan: Plan, server: Server, report: FamilyReport, caller: str, seconds: int, *options: str
) -> None:
    folder = plan.folder / f"schemathesis {caller}"
    folder.mkdir()
    (folder / "schemathesis.toml").write_text(_CONFIGURATION)
    phases = ("fuzzing", "--max-examples", "1") if plan.short else ("coverage,fuzzing,stateful",)
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file", str(folder / "schemathesis.toml")),
            *("run", str(_DOCUMENT), "--url", server.url, "--exclude-path", _ENDLESS, "--seed", str(plan.seed)),
            *("--max-time", str(seconds), "--checks", _CHECKS, "--phases", *phases),
            *("--continue-on-failure", "--no-shrink", "--no-color", "--request-timeout", "60"),
            *("--report", "json", "--report-json-path", str(folder / "report.json"), *options),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds + 300,
    )
    try:
        document = json.loads((folder / "report.json").read_text())
    except (OSError, ValueError):
        report.check(
            False, f"{caller}: schemathesis ended with {done.returncode} and no report: {done.stderr[-300:]!r}"
        )
        return
    report.attempts += document["test_cases"]["generated"]
    for sentence in _describe_faults(document):
        report.violated += 1
        report.violations.append(f"{caller}: {sentence}")
    operations = document["operations"]
    report.check(operations["tested"] > 0, f"{caller}: schemathesis made no request")
    report.notes.append(f"{caller}: {operations['tested']} of {operations['total']} operations were tested.")


def _describe_faults(document: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each failure of the report."""
    for kind in ("failures", "errors"):
        for fault in document[kind]:
            yield json.dumps(fault)[:600]
