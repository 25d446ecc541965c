"""The files of deploy/ before a real server: nginx and Caddy with TLS, WebSocket, event stream and a large upload."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner
from websockets.sync.client import connect

from tests.certificates import write_certificate
from tests.docs.test_proxy import NGINX, find_free_port, wait_for
from tests.serve_process import run_serve
from understudy.cli.tree import tree

CHECKOUT = Path(__file__).resolve().parents[3]
NAME = "audio.example"
CADDY = shutil.which("caddy")
NO_NGINX = "no nginx (Debian: apt-get install nginx-light)"
NO_CADDY = "no caddy (Debian: apt-get install caddy)"
RunProxy = Callable[[int, tuple[Path, Path], Path], AbstractContextManager[int]]
PASSWORD = "correct horse battery"  # noqa: S105
CHEAP = {"UNDERSTUDY_PASSWORD_MEMORY_KIB": "8", "UNDERSTUDY_PASSWORD_PASSES": "1"}

_MAIN = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {block}
}}
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for the name, and its key."""
    return write_certificate(tmp_path_factory.mktemp("certificate"), NAME)


@pytest.fixture
def key(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The key of an editor; there is an admin too."""
    for name, value in CHEAP.items():
        monkeypatch.setenv(name, value)
    add = ["users", "add", "root", "--role", "admin", "--password-stdin", "--home", str(home)]
    assert CliRunner().invoke(tree, add, input=f"{PASSWORD}\n").exit_code == 0
    made = CliRunner().invoke(tree, ["keys", "create", "editor", "--role", "editor", "--json", "--home", str(home)])
    return str(json.loads(made.stdout)["key"])


def change_file(name: str, *changes: tuple[str, str]) -> str:
    """Return a file of deploy/ with each first text replaced by the second."""
    block = (CHECKOUT / "deploy" / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in block
        block = block.replace(old, new)
    return block


@contextmanager
def run_nginx(upstream_port: int, certificate: tuple[Path, Path], folder: Path) -> Iterator[int]:
    """Run nginx with deploy/nginx.conf on free ports and yield the port of TLS."""
    port, plain_port = find_free_port(), find_free_port()
    block = change_file(
        "nginx.conf",
        ("127.0.0.1:8000", f"127.0.0.1:{upstream_port}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("listen 80", f"listen 127.0.0.1:{plain_port}"),
        ("/etc/ssl/audio.example/fullchain.pem", str(certificate[0])),
        ("/etc/ssl/audio.example/privkey.pem", str(certificate[1])),
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(_MAIN.format(folder=folder, block=block), encoding="utf-8")
    with subprocess.Popen([str(NGINX), "-c", str(configuration), "-p", str(folder)]) as nginx:
        try:
            wait_for(port)
            yield port
        finally:
            nginx.terminate()


@contextmanager
def run_caddy(upstream_port: int, certificate: tuple[Path, Path], folder: Path) -> Iterator[int]:
    """Run Caddy with deploy/Caddyfile on a free port and yield the port. It asks nobody for a certificate."""
    port = find_free_port()
    block = change_file(
        "Caddyfile",
        ("127.0.0.1:8000", f"127.0.0.1:{upstream_port}"),
        ("audio.example {", f"https://audio.example:{port} {{\n\ttls {certificate[0]} {certificate[1]}"),
    )
    configuration = folder / "Caddyfile"
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    configuration.write_text(options + block, encoding="utf-8")
    environment = os.environ | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(configuration)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as caddy:
        try:
            wait_for(port)
            yield port
        finally:
            caddy.terminate()


def read_settings(file: str) -> dict[str, str]:
    """Return the settings that the comments of a file of deploy/ name."""
    text = (CHECKOUT / "deploy" / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^#\s+(UNDERSTUDY_\w+)=(\S+)$", text, re.MULTILINE))


def trust(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate[0]))


PROXIES = [
    pytest.param("nginx.conf", run_nginx, marks=pytest.mark.skipif(NGINX is None, reason=NO_NGINX), id="nginx"),
    pytest.param("Caddyfile", run_caddy, marks=pytest.mark.skipif(CADDY is None, reason=NO_CADDY), id="caddy"),
]


@pytest.mark.parametrize(("file", "run_proxy"), PROXIES)
def test_everything_goes_through_a_proxy(
    file: str, run_proxy: RunProxy, home: Path, tmp_path: Path, certificate: tuple[Path, Path], key: str
) -> None:
    bearer = {"authorization": f"Bearer {key}", "host": NAME}
    variables = read_settings(file) | CHEAP | {"UNDERSTUDY_WORKERS": "0"}
    with (
        run_serve(home, **variables) as url,
        run_proxy(int(url.rpartition(":")[2]), certificate, tmp_path) as port,
        httpx.Client(
            base_url=f"https://localhost:{port}", headers=bearer, verify=trust(certificate), timeout=60, trust_env=False
        ) as client,
    ):
        answer = client.get("/api/v1/models")
        assert (answer.status_code, answer.headers["strict-transport-security"]) == (200, "max-age=31536000")
        with client.stream("GET", "/api/v1/events") as events:
            assert next(events.iter_lines()).startswith("event: hello")
        with (
            socket.create_connection(("127.0.0.1", port)) as raw,
            connect(
                f"wss://{NAME}/api/v1/stream",
                sock=raw,
                ssl=trust(certificate),
                additional_headers={"authorization": bearer["authorization"]},
            ) as opened,
        ):
            opened.send('{"sample_rate": 16000, "encoding": "pcm16"}')
            assert json.loads(opened.recv(timeout=30))["problem"]["code"] == "no_active_model"
        piece = bytes(1 << 20)
        sent = client.post("/api/v1/models/upload", params={"filename": "big.onnx"}, content=(piece for _ in range(64)))
        assert (sent.status_code, (home / "models" / "big.onnx").stat().st_size) == (201, 64 << 20)
        assert ask_for_room(port, certificate, key, 2 << 30).startswith(b"HTTP/1.1 100")
        if run_proxy is run_nginx:  # Caddy counts while it reads, and the server refuses the length before
            assert ask_for_room(port, certificate, key, (2 << 30) + 1).startswith(b"HTTP/1.1 413")
        signed_in = client.post(
            "/api/v1/session",
            json={"name": "root", "password": PASSWORD},
            headers={"authorization": "", "origin": f"https://{NAME}"},
        )
        assert "; Secure" in signed_in.headers["set-cookie"]


def ask_for_room(port: int, certificate: tuple[Path, Path], key: str, size: int) -> bytes:
    """Announce a body of `size` bytes and return the first line of the answer: 100 where it may be sent."""
    head = (
        f"POST /api/v1/models/upload?filename=x.onnx HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Length: {size}\r\nExpect: 100-continue\r\n\r\n"
    )
    with (
        socket.create_connection(("127.0.0.1", port)) as raw,
        trust(certificate).wrap_socket(raw, server_hostname=NAME) as connection,
    ):
        connection.sendall(head.encode())
        return connection.recv(100)


def test_the_server_speaks_tls_itself(home: Path, certificate: tuple[Path, Path], key: str) -> None:
    variables = {"UNDERSTUDY_TLS_CERT": str(certificate[0]), "UNDERSTUDY_TLS_KEY": str(certificate[1])}
    bearer = {"authorization": f"Bearer {key}"}
    with run_serve(home, UNDERSTUDY_WORKERS="0", **variables) as url:
        assert url.startswith("https://")
        address = url.replace("127.0.0.1", "localhost")
        with httpx.Client(base_url=address, headers=bearer, verify=trust(certificate), trust_env=False) as client:
            answer = client.get("/api/v1/models")
            assert (answer.status_code, answer.headers["strict-transport-security"]) == (200, "max-age=31536000")
        websocket = f"{address.replace('https', 'wss')}/api/v1/stream"
        with connect(websocket, ssl=trust(certificate), additional_headers=bearer) as opened:
            opened.send("[" * (2 << 20))
            assert json.loads(opened.recv(timeout=30))["problem"]["code"] == "body_too_large"


@pytest.mark.skipif(CADDY is None, reason=NO_CADDY)
def test_caddy_accepts_its_file() -> None:
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(CHECKOUT / "deploy" / "Caddyfile")]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60).returncode == 0


def test_both_files_name_settings_with_which_the_server_asks_for_accounts() -> None:
    for file in ("nginx.conf", "Caddyfile"):
        assert read_settings(file) == {
            "UNDERSTUDY_ALLOWED_HOSTS": NAME,
            "UNDERSTUDY_TRUSTED_PROXIES": "127.0.0.1",
        }
