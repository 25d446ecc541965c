"""The command that signs a model."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.options import ModelId
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import build_fact_table, to_text
from understudy.errors import RequestInvalid

group = typer.Typer()


@command(group, "sign", example="understudy sign 2 --key release.pem")
async def sign(
    session: Session,
    model_id: ModelId,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            exists=True,
            dir_okay=False,
            show_default=False,
            help="Private key in PEM: P-256, P-384 or P-521, without a password.",
        ),
    ] = None,
    prepare: Annotated[
        Path | None,
        typer.Option(
            "--prepare",
            show_default=False,
            help="Sign nothing: write what has to be signed into this new folder, for the machine that has the key.",
        ),
    ] = None,
) -> None:
    """Sign a model: its file, its spec and its examples, in the format of OpenSSF model signing, beside the file."""
    if (key is None) == (prepare is None):
        raise typer.BadParameter("Give --key or --prepare.")
    settings = session.load_quiet_settings()
    from understudy.container import open_services

    async with open_services(settings, session.actor) as services:
        if prepare is not None:
            names = await services.signatures.prepare(model_id, prepare)
            hint = f"Sign it there: model_signing sign key {prepare.name} --private_key KEY --signature model.sig"
            answer: dict[str, object] = {"folder": str(prepare), "files": names}
            session.output.print_answer(answer, to_text(f"{len(names)} names in {prepare}."), to_text(hint, "dim"))
            return
        signature = await services.signatures.sign(model_id, read_key(key))
    facts = [("signature", to_text(signature.file_path)), ("state", to_text(signature.state))]
    session.output.print_answer(signature, build_fact_table([*facts, ("", to_text(signature.detail))]))


def read_key(path: Path | None) -> bytes:
    """Return the content of a key's file. Raises RequestInvalid."""
    try:
        return b"" if path is None else path.read_bytes()
    except OSError as error:
        raise RequestInvalid(f"{path} cannot be read: {error.strerror}.") from error
