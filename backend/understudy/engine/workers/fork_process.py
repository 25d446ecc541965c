"""The process of the fork server, which a command that will serve starts while it loads its own libraries."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

from understudy.engine.wire.channel import create_pair

# Numerical libraries start a thread for each core when they are loaded, and only a process of one thread may fork.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class ForkProcess:
    """A process that loads its libraries and then waits for its configuration. It ends when its channel is closed."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: socket.socket) -> None:
        """`end` is this side's end of its channel."""
        self.process = process
        self.end = end
        self._taken = False

    @classmethod
    def start(cls, backbone: Path | None = None) -> Self:
        """Start the process on the thread that will run the server, with which it ends.

        It loads the backbone before it is configured, where one is named. Raises OSError.
        """
        own, other = create_pair()
        try:
            with other:
                module = "understudy.engine.processes.fork_server"
                named = [] if backbone is None else [str(backbone)]
                process = subprocess.Popen(  # noqa: S603  # this interpreter and a module of ours
                    [sys.executable, "-m", module, str(other.fileno()), *named],
                    pass_fds=[other.fileno()],
                    stdin=subprocess.DEVNULL,
                    env=os.environ | _ONE_THREAD,
                    start_new_session=True,
                )
        except BaseException:
            own.close()
            raise
        return cls(process, own)

    def take(self) -> bool:
        """Return whether the caller may use it from now on: nobody has taken it, and it still runs."""
        if self._taken or self.process.poll() is not None:
            return False
        self._taken = True
        return True

    def discard(self) -> None:
        """End it, unless somebody has taken it."""
        if not self._taken:
            self._taken = True
            self.end.close()
            self.process.kill()
            self.process.wait()
