"""Nodes of a Ray cluster on one machine: each has a network namespace, a shared memory and folders of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

_BRIDGE = "rtrial"
_NETWORK = "10.77.0"
GATEWAY = f"{_NETWORK}.1"
_GCS = 6379
_START_SECONDS = 300.0
# What a node's mount namespace replaces: Ray's session and shared memory, and the home folder.
_MOUNTS = (
    "mount --make-rprivate / && mount -t tmpfs tmpfs /dev/shm && mkdir -p /tmp/ray && mount -t tmpfs tmpfs /tmp/ray"
    ' && mount --bind "$1" "$2" && shift 2 && exec "$@"'
)


@dataclass(frozen=True)
class Node:
    """A node that runs; `process` leads its session."""

    number: int
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> str:
        return get_address(self.number)

    def enter(self, *command: str) -> list[str]:
        """Return the command that runs `command` with the network and the mounts of this node."""
        return ["nsenter", f"--target={self.process.pid}", "--net", "--mount", *command]

    def kill(self) -> None:
        """End everything of the node at once, as a loss of power does."""
        for pid in subprocess.run(
            ["ip", "netns", "pids", _name(self.number)], capture_output=True, text=True, check=True
        ).stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        self.process.wait()


def get_address(number: int) -> str:
    return f"{_NETWORK}.{10 + number}"


def get_cluster_address() -> str:
    return f"{get_address(0)}:{_GCS}"


def make_network(nodes: int) -> ExitStack:
    """Make a bridge and `nodes` network namespaces on it; closing removes them. Raises CalledProcessError."""
    stack = ExitStack()
    stack.callback(_run_quietly, "ip", "link", "del", _BRIDGE)
    _run("ip", "link", "add", _BRIDGE, "type", "bridge")
    _run("ip", "address", "add", f"{GATEWAY}/24", "dev", _BRIDGE)
    _run("ip", "link", "set", _BRIDGE, "up")
    for number in range(nodes):
        name, outside = _name(number), f"{_BRIDGE}{number}"
        stack.callback(_run_quietly, "ip", "netns", "del", name)
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", outside, "master", _BRIDGE, "up")
        _run("ip", "-n", name, "address", "add", f"{get_address(number)}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _run("ip", "-n", name, "link", "set", device, "up")
    return stack


def start_node(number: int, cpus: int, folder: Path, home: Path, environment: dict[str, str]) -> Node:
    """Start a node, number 0 as the head, with a folder below `folder` in the place of `home`. Wait until it runs."""
    own = folder / f"node{number}"
    (own / "models").mkdir(parents=True, exist_ok=True)
    role = [f"--address={get_cluster_address()}"]
    if number == 0:
        role = ["--head", f"--port={_GCS}", "--include-dashboard=false"]
    memory = f"--object-store-memory={100 << 20}"
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", f"--node-ip-address={get_address(number)}"]
    enter = ["ip", "netns", "exec", _name(number), "unshare", "--mount"]
    command = [*enter, "sh", "-c", _MOUNTS, "sh", str(own), str(home)]
    log = (folder / f"node{number}.log").open("wb")
    with log:
        process = subprocess.Popen(
            [*command, *ray, f"--num-cpus={cpus}", memory, *role],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while b"Ray runtime started" not in Path(log.name).read_bytes() or (number == 0 and not _answers()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"node {number} did not start: {Path(log.name).read_text()}")
        time.sleep(0.3)
    return Node(number, process)


def _answers() -> bool:
    with suppress(OSError), socket.create_connection((get_address(0), _GCS), timeout=1):
        return True
    return False


def _name(number: int) -> str:
    return f"rtrial{number}"


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _run_quietly(*command: str) -> None:
    subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
