"""The session of one command: the shared options, from which it loads settings and opens a backend."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from understudy.cli.backends.backend import Backend
from understudy.cli.framework.error_translation import describe_faults
from understudy.cli.framework.output import Output
from understudy.errors import DatabaseMissing, Misconfigured
from understudy.settings import Settings

if TYPE_CHECKING:
    from understudy.access.access import Access

# The key for the server that --url names. It has no option: other users of the machine see the options of a process.
KEY_VARIABLE = "UNDERSTUDY_KEY"


@dataclass(frozen=True)
class Session:
    """One run of one command. `home` and `url` are None where the environment or the defaults decide."""

    output: Output
    actor: str
    home: Path | None = None
    url: str | None = None

    def load_settings(self, **given: object) -> Settings:
        """Load settings from the environment; options that were given win.

        Raises Misconfigured.
        """
        chosen = {name: value for name, value in {"home": self.home, **given}.items() if value is not None}
        try:
            return Settings.model_validate(chosen)
        except ValidationError as error:
            raise Misconfigured(f"{describe_faults(error)}.") from error

    @asynccontextmanager
    async def open_backend(self, *, read_only: bool = False) -> AsyncIterator[Backend]:
        """Open the server that `--url` names, or else the database.

        A command that only reads says `read_only`: no table is made, no row is changed and no file is written.
        """
        if self.url is not None:
            from understudy.cli.backends.remote import open_remote

            async with open_remote(self.url, os.environ.get(KEY_VARIABLE)) as remote:
                yield remote
        else:
            settings = self.load_quiet_settings()
            from understudy.cli.backends.direct import open_direct

            async with open_direct(settings, self.actor, read_only=read_only) as direct:
                yield direct

    @asynccontextmanager
    async def open_access(self) -> AsyncIterator["Access"]:
        """Open the database for a command on people and keys; running servers follow what it commits."""
        settings = self.load_quiet_settings()
        from understudy.container import open_access

        async with open_access(settings) as access:
            yield access

    def load_quiet_settings(self) -> Settings:
        """Load settings and log errors only: the answer of the command says what happened.

        A log level that the environment names is kept.
        """
        from understudy.logs import configure_logs

        settings = self.load_settings()
        if "log_level" not in settings.model_fields_set:
            settings = settings.model_copy(update={"log_level": "error"})
        configure_logs(settings.log_format, settings.log_level)
        return settings


def require_database(settings: Settings) -> None:
    """Raise DatabaseMissing for a home without a database: opening it to write would create the file."""
    if settings.database_url is None and not (settings.var_dir / "understudy.db").exists():
        raise DatabaseMissing(f"There is no database in {settings.var_dir}.")
