from tests.cli.conftest import Run
from understudy import __version__
from understudy.main import create_app
from understudy.settings import Settings


def test_the_command_and_the_api_name_the_same_version(run: Run, settings: Settings) -> None:
    assert run("--version").stdout == f"{__version__}\n"
    assert create_app(settings).openapi()["info"]["version"] == __version__
