"""The replicas get the settings and credentials of the command that deploys them, and nothing else of it."""

from pathlib import Path

import pytest

from understudy.errors import Misconfigured
from understudy.ray_serve.variables import ReplicaVariables, collect_variables, list_secrets
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


def test_paths_are_those_of_the_folder_where_the_command_runs(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(tls_cert=Path("cert.pem"), tls_key=Path("key.pem"), backbone=Path("yamnet.onnx"))
    values = collect_variables(settings, environment | {"UNDERSTUDY_TLS_CERT": "cert.pem"}, 1, secrets=False)
    assert values["UNDERSTUDY_TLS_CERT"] == str(tmp_path / "cert.pem")
    assert values["UNDERSTUDY_TLS_KEY"] == str(tmp_path / "key.pem")
    assert values["UNDERSTUDY_BACKBONE"] == str(tmp_path / "yamnet.onnx")


def test_settings_of_the_node_itself_do_not_count() -> None:
    node = {"DATABASE_URL": "postgresql://elsewhere", "understudy_store": "s3://elsewhere/x", "PATH": "/usr/bin"}
    ReplicaVariables({"UNDERSTUDY_HOME": "/home"}, "1.0").apply(node)
    assert node == {"PATH": "/usr/bin", "UNDERSTUDY_HOME": "/home"}


def test_secrets_of_the_node_count_where_the_command_sends_none() -> None:
    node = {"UNDERSTUDY_DATABASE_URL": "postgresql://db.example/x", "UNDERSTUDY_STORE": "s3://elsewhere/x"}
    ReplicaVariables({}, "1.0", secrets_on_nodes=("database_url",)).apply(node)
    assert node == {"UNDERSTUDY_DATABASE_URL": "postgresql://db.example/x"}


@pytest.mark.parametrize("value", [None, " "])
def test_a_node_without_a_secret_that_was_not_sent_is_refused(environment: dict[str, str], value: str | None) -> None:
    names = list_secrets(Settings())
    assert names == ("database_url", "jwt_secret")
    node = {"UNDERSTUDY_JWT_SECRET": _SECRET} | ({} if value is None else {"DATABASE_URL": value})
    with pytest.raises(Misconfigured, match="DATABASE_URL is not set on this node"):
        ReplicaVariables({}, "1.0", secrets_on_nodes=names).apply(node)
