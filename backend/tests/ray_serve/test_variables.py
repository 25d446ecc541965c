"""The replicas get the settings and credentials of the command that deploys them, and nothing else of it."""

from pathlib import Path

import pytest

from understudy.ray_serve.variables import ReplicaVariables, collect_variables
from understudy.settings import Settings

_SECRET = "s3cret" * 8


@pytest.fixture
def environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a command that has every kind of secret; the settings are loaded from it."""
    given = {
        "DATABASE_URL": f"postgresql://understudy:{_SECRET}@db.example/understudy",
        "UNDERSTUDY_JWT_SECRET": _SECRET,
        "UNDERSTUDY_JWT_ISSUER": "https://issuer.example",
        "UNDERSTUDY_STORE": "s3://bucket/folder",
        "UNDERSTUDY_POLL_SECONDS": "0.2",
        "UNDERSTUDY_KEY": "the key of the person who deploys",
        "UNDERSTUDY_URL": "http://127.0.0.1:8000",
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "GOOGLE_SERVICE_ACCOUNT": _SECRET,
        "PGPASSWORD": _SECRET,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example",
        "PATH": "/usr/bin",
        "UNDERSTUDY_HOME": str(home),
    }
    monkeypatch.delenv("UNDERSTUDY_WORKERS", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def test_settings_and_the_secrets_that_they_need_are_sent(environment: dict[str, str]) -> None:
    values = collect_variables(Settings(), environment, 2, secrets=True)
    assert values == {
        "DATABASE_URL": environment["DATABASE_URL"],
        "UNDERSTUDY_JWT_SECRET": _SECRET,
        "UNDERSTUDY_JWT_ISSUER": "https://issuer.example",
        "UNDERSTUDY_STORE": "s3://bucket/folder",
        "UNDERSTUDY_POLL_SECONDS": "0.2",
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "PGPASSWORD": _SECRET,
        "UNDERSTUDY_HOME": environment["UNDERSTUDY_HOME"],
        "UNDERSTUDY_HOST": "127.0.0.1",
        "UNDERSTUDY_WORKERS": "2",
    }


def test_no_secret_is_sent_where_the_nodes_have_them(environment: dict[str, str]) -> None:
    values = collect_variables(Settings(), environment, 1, secrets=False)
    assert _SECRET not in str(values)
    assert values["UNDERSTUDY_STORE"] == "s3://bucket/folder"


def test_the_representation_shows_no_value(environment: dict[str, str]) -> None:
    variables = ReplicaVariables(collect_variables(Settings(), environment, 1, secrets=True), "1.0")
    assert _SECRET not in repr(variables)


def test_the_number_of_workers_and_the_address_of_the_options_win(environment: dict[str, str]) -> None:
    settings = Settings(host="0.0.0.0", allow_unauthenticated=True, traces=True)  # noqa: S104
    values = collect_variables(settings, environment | {"UNDERSTUDY_WORKERS": "3"}, 1, secrets=False)
    assert values["UNDERSTUDY_WORKERS"] == "3"
    assert values["UNDERSTUDY_HOST"] == "0.0.0.0"  # noqa: S104
    assert values["UNDERSTUDY_ALLOW_UNAUTHENTICATED"] == "true"
    assert values["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector.example"
