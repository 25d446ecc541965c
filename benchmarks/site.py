"""Everything on disk that a run needs: networks, clips, and an Understudy home with the models registered."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.clips import ClipFile, write_clips
from benchmarks.heads import LABELS
from benchmarks.networks import write_networks
from benchmarks.paths import ROOT

_HEAD: dict[str, Any] = {"input": "embedding", "labels": LABELS, "activation": "none"}
_NET = _HEAD | {"input": "log_mel_patch"}
_SPECS = {"head_a": _HEAD, "head_b": _HEAD, "net_a": _NET, "net_b": _NET, "tiny": {"input": "tensor"}}
LIVE = "head_a"


@dataclass(frozen=True)
class Registered:
    """A model of the home: its id, and the folder of its compiled form."""

    model_id: int
    compiled: Path


@dataclass(frozen=True)
class Site:
    """`origin` says whose weights the backbone has; `networks` is the folder that `write_networks` filled."""

    folder: Path
    origin: str
    clips: tuple[ClipFile, ...]
    models: dict[str, Registered]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def networks(self) -> Path:
        return self.folder / "networks"

    @property
    def backbone(self) -> Path:
        return self.home / "models" / "yamnet.onnx"

    def clip(self, seconds: int, kind: str) -> ClipFile:
        return next(clip for clip in self.clips if (clip.seconds, clip.kind.name) == (seconds, kind))


def build_site(folder: Path) -> Site:
    """Write and register everything under `folder`; head_a is live. Raises CalledProcessError when a command fails."""
    networks, home = folder / "networks", folder / "home"
    origin = write_networks(networks)
    (home / "models").mkdir(parents=True)
    shutil.copy(networks / "yamnet.onnx", home / "models")
    models = {}
    for name, spec in _SPECS.items():
        shutil.copy(networks / f"{name}.onnx", home / "models")
        described = home / "spec.json"
        described.write_text(json.dumps(spec))
        given = ("--name", name, "--path", f"models/{name}.onnx", "--spec", str(described))
        model_id = understudy(home, "register", *given)["model_id"]
        key = understudy(home, "compile", str(model_id))["key"]
        models[name] = Registered(model_id, home / "var" / "compiled" / key)
    understudy(home, "activate", str(models[LIVE].model_id))
    return Site(folder, origin, tuple(write_clips(folder / "clips")), models)


def understudy(home: Path, *arguments: str) -> Any:
    """Run a command and return its JSON answer. Raises CalledProcessError, whose output is the problem as JSON."""
    command = [sys.executable, "-m", "understudy.cli", *arguments, "--home", str(home), "--json"]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def environment(**more: str | Path | int) -> dict[str, str]:
    """This process's environment without settings of Understudy, with the checkout importable, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY_", "DATABASE_URL"))}
    kept["PYTHONPATH"] = os.pathsep.join([str(ROOT / "backend"), str(ROOT)])
    return kept | {name: str(value) for name, value in more.items()}
