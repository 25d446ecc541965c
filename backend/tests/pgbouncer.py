"""A real PgBouncer in transaction mode in front of a PostgreSQL server of the tests."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = ("/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer")
_START_SECONDS = 20.0
PORT = 6432

_CONFIGURATION = """\
[databases]
* = host={folder} port=5432 user=postgres
[pgbouncer]
pool_mode = transaction
auth_type = any
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
default_pool_size = {pool}
max_client_conn = {clients}
query_wait_timeout = 10
"""


class PgBouncerMissing(RuntimeError):
    """PgBouncer is not installed."""


@contextmanager
def run_pgbouncer(
    folder: Path, *, user: str | None, pool: int = 20, clients: int = 400
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run PgBouncer beside the socket of the PostgreSQL server in `folder`, as the system's user `user`.

    Each database has `pool` connections of the server, and each transaction takes any of them. At most `clients`
    connect. Raises PgBouncerMissing.
    """
    found = shutil.which("pgbouncer") or next((place for place in _PLACES if Path(place).exists()), None)
    if found is None:
        raise PgBouncerMissing("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder, port=PORT, pool=pool, clients=clients), encoding="utf-8"
    )
    with (folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen([found, str(configuration)], user=user, cwd=folder, stdout=log, stderr=log)
    try:
        _wait(folder / f".s.PGSQL.{PORT}", process, folder / "pgbouncer.log")
        yield process
    finally:
        process.terminate()
        process.wait(timeout=_START_SECONDS)


def _wait(place: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(place)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text())
        time.sleep(0.05)
