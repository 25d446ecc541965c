"""Runs the trial, as root, with a Python that has Ray: `.venv-ray/bin/python -m scripts.ray_trial`."""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from benchmarks.heads import LABELS
from benchmarks.networks import write_networks
from scripts.ray_trial import phases
from scripts.ray_trial.load import Load, Recording
from scripts.ray_trial.nodes import GATEWAY, Node, get_address, get_cluster_address, make_network, start_node
from scripts.ray_trial.phases import Trial
from tests.faults import TcpProxy
from tests.postgres import create_database, get_database_name, run_postgres
from tests.serve_process import build_environment

_ROOT = Path(__file__).resolve().parents[2]
_RECORDINGS = _ROOT.parent / "shared" / "data" / "esc10"
_SPEC = {"input": "embedding", "labels": LABELS, "activation": "none"}
_PHASES = ("swap", "scale", "database", "node")


class Installation:
    """A home with two heads on YAMNet, fitted to real recordings, and the commands on it."""

    def __init__(self, folder: Path, networks: Path, environment: dict[str, str]) -> None:
        self.home = folder / "home"
        self.environment = environment
        self.models: dict[str, int] = {}
        self._networks = networks

    def register(self) -> None:
        """Register, compile and activate both heads; the last one stays live."""
        for name in ("head_a", "head_b"):
            shutil.copy(self._networks / f"{name}.onnx", self.home / "models")
            spec = self.home / "spec.json"
            spec.write_text(json.dumps(_SPEC))
            given = ("--name", name, "--path", f"models/{name}.onnx", "--spec", str(spec), "--activate")
            self.models[name] = self.run("register", *given)["model_id"]

    def run(self, *arguments: str, node: Node | None = None) -> Any:
        """Run `understudy ARGUMENTS` here or on a node, and return its document. Raises CalledProcessError."""
        command = [sys.executable, "-m", "understudy.cli", *arguments, "--json"]
        command = command if node is None else node.enter(*command)
        done = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stdout}")
        return json.loads(done.stdout)


def list_recordings(url: str, models: Sequence[int], count: int) -> list[Recording]:
    """Return real recordings with what each model answers alone."""
    recordings = []
    files = sorted(_RECORDINGS.glob("*/*.ogg"))
    for file in files[:: max(1, len(files) // count)][:count]:
        content, expected = file.read_bytes(), {}
        for model_id in models:
            answer = httpx.post(
                f"{url}/api/v1/predict",
                params={"model_id": model_id},
                content=content,
                headers={"content-type": "audio/ogg"},
                timeout=120,
            )
            scores = answer.raise_for_status().json()["scores"]
            expected[model_id] = scores[min(scores)]
        recordings.append(Recording(content, expected))
    return recordings


async def run_phases(trial: Trial, chosen: Sequence[str], swaps: int, lost: Node) -> None:
    if "swap" in chosen:
        await phases.swap(trial, swaps)
    if "database" in chosen:
        await phases.lose_database(trial)
    if "scale" in chosen:
        await phases.scale(trial)
    if "node" in chosen:
        await asyncio.to_thread(trial.deploy, "--replicas", "4")
        await trial.wait_for_replicas(4)
        await phases.lose_node(trial, lost)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=Path, help="folder that benchmarks.networks.write_networks has filled")
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--phases", nargs="+", choices=_PHASES, default=_PHASES)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ray-trial-", ignore_cleanup_errors=True)))
        networks = given.networks or folder / "networks"
        if given.networks is None:
            write_networks(networks)
        server = stack.enter_context(run_postgres())
        stack.enter_context(make_network(2))
        database = stack.enter_context(TcpProxy(str(server.socket), GATEWAY))
        name = get_database_name(stack.enter_context(create_database(server)))
        (folder / "home" / "models").mkdir(parents=True)
        environment = build_environment(folder / "home") | {
            "DATABASE_URL": f"postgresql://postgres@{GATEWAY}:{database.port}/{name}",
            "UNDERSTUDY_STORE": f"file://{folder / 'store'}",
            "UNDERSTUDY_BACKBONE": str(networks / "yamnet.onnx"),
            "RAY_AUTH_MODE": "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_SERVE_PROXY_PREFER_LOCAL_NODE_ROUTING": "0",
        }
        installation = Installation(folder, networks, environment | {"RAY_ADDRESS": get_cluster_address()})
        installation.register()
        of_nodes = {key: value for key, value in environment.items() if not key.startswith(("UNDERSTUDY", "DATABASE"))}
        nodes = []
        for number in range(2):
            nodes.append(start_node(number, 4, folder, installation.home, of_nodes))
            stack.callback(nodes[-1].kill)

        def deploy(*options: str) -> None:
            installation.run(
                *("deploy", "ray", "--host", "0.0.0.0", "--allow-unauthenticated", *options),  # noqa: S104
                node=nodes[0],
            )

        deploy("--replicas", "4")
        urls = [f"http://{get_address(number)}:8000" for number in range(2)]
        models = (installation.models["head_b"], installation.models["head_a"])
        load = Load(urls[:1], list_recordings(urls[0], models, 10))
        trial = Trial(urls[0], load, models, deploy, database)
        asyncio.run(run_phases(trial, given.phases, given.swaps, nodes[1]))


if __name__ == "__main__":
    main()
