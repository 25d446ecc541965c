"""The command that serves the API in this process."""

import socket
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.options import AllowUnauthenticated
from understudy.cli.framework.session import Session
from understudy.cli.garbage_collection import pause_garbage_collection
from understudy.errors import Misconfigured
from understudy.settings import Settings

if TYPE_CHECKING:
    from understudy.engine.workers.fork_process import ForkProcess

group = typer.Typer()


@command(group, "serve", example="understudy serve --port 8080")
def serve(
    session: Session,
    host: Annotated[
        str | None, typer.Option("--host", show_default=False, help="Address to bind (UNDERSTUDY_HOST; 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=0, max=65535, show_default=False, help="Port (UNDERSTUDY_PORT; 8000); 0 chooses a free one."
        ),
    ] = None,
    allow_unauthenticated: AllowUnauthenticated = False,
    tls_cert: Annotated[
        Path | None,
        typer.Option("--tls-cert", show_default=False, help="Certificate and its chain (UNDERSTUDY_TLS_CERT): https."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", show_default=False, help="The certificate's key (UNDERSTUDY_TLS_KEY).")
    ] = None,
) -> None:
    """Serve the API and its documentation until interrupted.

    With --json the address is printed on one line, {"url": …}, when the server answers; with UNDERSTUDY_GRPC_PORT that
    of gRPC too, {"url": …, "grpc": …}.
    """
    settings = session.load_settings(
        host=host,
        port=port,
        allow_unauthenticated=allow_unauthenticated or None,
        tls_cert=tls_cert,
        tls_key=tls_key,
    )
    run_server(session, settings)


def run_server(session: Session, settings: Settings) -> None:
    """Bind the address, start the application, print the address, and serve until interrupted.

    Raises Misconfigured when the address cannot be bound, and the error that stops the start of the application.
    """
    _check_certificate(settings)
    with ExitStack() as starting, _bind(settings.host, settings.port) as listener:
        starting.enter_context(pause_garbage_collection())
        fork_process = _start_fork_process(settings, starting)
        from understudy.cli.server import AnnouncingServer

        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        scheme = "http" if settings.tls_cert is None else "https"
        url = f"{scheme}://{host}:{listener.getsockname()[1]}"

        def announce(grpc_port: int | None) -> None:
            starting.close()
            grpc = {} if grpc_port is None else {"grpc": f"{host}:{grpc_port}"}
            with suppress(OSError, ValueError):  # the server runs, whoever reads its output
                session.output.print_line({"url": url, **grpc})
            beside = "".join(f" gRPC on {address}," for address in grpc.values())
            session.output.print_note(f"Serving on {url},{beside} documentation at {url}/docs; Ctrl-C stops.")

        with suppress(KeyboardInterrupt):
            AnnouncingServer(settings, announce, fork_process=fork_process).serve_on(listener)


def _start_fork_process(settings: Settings, starting: ExitStack) -> "ForkProcess | None":
    """Let the process that forks the workers load its libraries while this one loads its own."""
    if not settings.workers or sys.platform != "linux":
        return None
    from understudy.engine.workers.fork_process import ForkProcess

    try:
        fork_process = ForkProcess.start(settings.backbone_path if settings.backbone_path.is_file() else None)
    except OSError:  # the start of the workers tries it again, and says what is wrong
        return None
    starting.callback(fork_process.discard)
    return fork_process


def _check_certificate(settings: Settings) -> None:
    """Raises Misconfigured for a certificate or key that cannot be used."""
    if settings.tls_cert is None:
        return
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
    except OSError as error:  # ssl.SSLError too
        raise Misconfigured(
            f"The certificate {settings.tls_cert} with the key {settings.tls_key} cannot be used: {error}.",
            remedy="Give PEM files that belong together and that the server's user may read: UNDERSTUDY_TLS_CERT with "
            "the whole chain, UNDERSTUDY_TLS_KEY without a passphrase.",
        ) from error


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if hasattr(socket, "SO_REUSEPORT"):  # on Windows SO_REUSEADDR would share a port that another process has
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Misconfigured(
            f"{host}:{port} cannot be bound: {error.strerror}.",
            remedy="Stop the process that uses the port, or choose another port: --port 8001 (make demo PORT=8001).",
        ) from error
    return listener
