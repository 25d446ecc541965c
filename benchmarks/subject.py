"""One who is measured: how it is prepared and started, and where it listens."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.heads import LABELS
from benchmarks.paths import ENVIRONMENTS
from benchmarks.server import Server, ServerError, free_port
from benchmarks.site import LIVE, Site, environment
from benchmarks.wire import Dense, Hearing

HEAR, DENSE = "hear", "dense"
_PINNED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Launch:
    """Holds the values that a command line may need. `folder` is the subject's own, and empty before it is prepared."""

    site: Site
    task: str
    folder: Path
    port: int
    python: Path


Command = Sequence[str | Path]


@dataclass(frozen=True)
class Subject:
    """`environment` names its folder under .envs; `pinned` keeps its BLAS to one thread a process.

    `prepare` writes what the server reads and returns the command that writes the rest, if one is needed; it runs once
    a task. `dense` are its routes for tensors, by the encoding.
    """

    name: str
    environment: str
    command: Callable[[Launch], Command]
    ready: str
    hearings: Mapping[str, Hearing]
    dense: Mapping[str, Dense] = field(default_factory=dict)
    prepare: Callable[[Launch], Command | None] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    pinned: bool = True

    @property
    def hearing(self) -> Hearing:
        """The route that is measured unless a case says otherwise."""
        return next(iter(self.hearings.values()))

    @property
    def python(self) -> Path:
        return ENVIRONMENTS / self.environment / "bin" / "python"

    def launch(self, site: Site, task: str = HEAR) -> Server:
        """A server that starts when it is entered. Raises ServerError when it cannot be prepared."""
        folder = site.folder / self.name / task
        launch = Launch(site, task, folder, free_port(), self.python)
        variables = self._variables(launch)
        if not folder.exists():
            folder.mkdir(parents=True)
            command = self.prepare(launch) if self.prepare else None
            if command:
                done = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise ServerError(f"could not be prepared: {done.stderr.strip()[-600:]}")
        return Server(
            self.command(launch), variables, port=launch.port, ready_path=self.ready, log=folder / "server.log"
        )

    def _variables(self, launch: Launch) -> dict[str, str]:
        site = launch.site
        pinned = dict.fromkeys(_PINNED, "1") if self.pinned else {}
        return environment(
            PATH=f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            BENCH_TASK=launch.task,
            BENCH_PORT=launch.port,
            BENCH_CORES=os.cpu_count() or 1,
            BENCH_MODEL=site.models[LIVE].compiled,
            BENCH_BACKBONE=site.backbone,
            BENCH_DENSE=site.networks / "tiny.onnx",
            BENCH_LABELS=",".join(LABELS),
            BENCH_KERAS=launch.folder,
            **pinned,
            **self.variables,
        )
