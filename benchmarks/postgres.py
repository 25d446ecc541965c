"""A PostgreSQL for one measurement, from the distribution's server binaries, at its default settings."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = ("usr/lib/postgresql/*/bin", "usr/local/bin", "usr/local/pgsql/bin", "opt/homebrew/opt/postgresql*/bin")
_PATIENCE = 30.0


def binaries() -> Path | None:
    """The folder of a server that is installed here."""
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += [folder for place in _PLACES for folder in sorted(Path("/").glob(place), reverse=True)]
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


@contextmanager
def postgres(folder: Path, **settings: str) -> Iterator[str]:
    """The address of an empty database on a running server, whose `folder` is the binaries'.

    `settings` are those of PostgreSQL that differ from its defaults.

    Raises CalledProcessError or TimeoutError where it does not start.
    """
    # PostgreSQL refuses to run as root, and a socket's name must be short.
    user = next((entry.pw_name for entry in pwd.getpwall() if entry.pw_name == "postgres"), "nobody")
    as_user = user if os.geteuid() == 0 else None
    place = Path(tempfile.mkdtemp(prefix="understudy-pg-"))
    try:
        if as_user:
            shutil.chown(place, as_user)
        made: list[str | Path] = [folder / "initdb", "--pgdata", place / "data", "--username=postgres"]
        made += ["--auth=trust", "--encoding=UTF8"]
        subprocess.run(made, user=as_user, cwd=place, check=True, stdout=subprocess.DEVNULL)
        order: list[str | Path] = [folder / "postgres", "-D", place / "data", "--listen_addresses="]
        order += [f"--unix_socket_directories={place}", *(f"--{name}={value}" for name, value in settings.items())]
        with (place / "log").open("wb") as log:
            server = subprocess.Popen(order, user=as_user, cwd=place, stdout=log, stderr=log)
        try:
            address = f"postgresql://postgres@/postgres?host={place}"
            _wait(address)
            yield address
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=_PATIENCE)
    finally:
        shutil.rmtree(place)


def _wait(address: str) -> None:
    import psycopg

    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL does not start") from error
            time.sleep(0.05)
        else:
            return
