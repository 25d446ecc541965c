"""Settings with which several nodes would not serve the same are refused or named."""

from pathlib import Path

import pytest

from understudy.errors import Misconfigured
from understudy.ray_serve.cluster_checks import check_cluster, check_settings
from understudy.settings import Settings

_REMOTE = "postgresql://db.example/understudy"


def test_a_registry_in_a_file_serves_one_node_only(settings: Settings) -> None:
    assert check_cluster(settings, 1) == []
    with pytest.raises(Misconfigured, match="2 nodes") as refusal:
        check_cluster(settings, 2)
    assert "DATABASE_URL" in refusal.value.remedy


@pytest.mark.parametrize("url", ["postgresql://localhost/x", "postgresql://postgres@/x?host=/run/postgresql"])
def test_a_database_of_this_machine_is_named(home: Path, url: str) -> None:
    [note] = check_cluster(Settings(home=home, database_url=url, store="s3://bucket/x"), 2)
    assert "DATABASE_URL" in note


def test_a_folder_that_the_nodes_must_share_is_named(home: Path) -> None:
    [note] = check_cluster(Settings(home=home, database_url=_REMOTE), 3)
    assert str(home) in note
    assert "UNDERSTUDY_STORE" in note
    assert check_cluster(Settings(home=home, database_url=_REMOTE, store="s3://bucket/x"), 3) == []


def test_grpc_is_refused(home: Path) -> None:
    with pytest.raises(Misconfigured, match="GRPC"):
        check_settings(Settings(home=home, grpc_port=8001))
