"""The numbers of a standardization are read from JSON and npz files, and never from a pickle."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.audio.features import scaler_file
from understudy.audio.features.scaler_file import read_scaler
from understudy.errors import SpecInvalid

ONE = {"mean": [1.0, 2.0], "std": [3.0, 4.0]}


@pytest.mark.parametrize(
    "content",
    [
        ONE,
        {"mean_": [[1.0, 2.0]], "scale_": [[3.0, 4.0]], "n_features_in_": 2},
        {"mean": [[1.0], [2.0]], "var_": [9.0, 16.0], "feature_names": ["a", "b"]},
    ],
)
@pytest.mark.parametrize("form", ["json", "npz"])
def test_numbers_are_read_under_their_usual_names(tmp_path: Path, form: str, content: dict[str, Any]) -> None:
    path = tmp_path / f"scaler.{form}"
    if form == "json":
        path.write_text(json.dumps(content))
    else:
        np.savez(path, **content)
    assert read_scaler(path, path.name) == ((1.0, 2.0), (3.0, 4.0))


def test_variance_of_a_constant_feature_gives_one(tmp_path: Path) -> None:
    path = tmp_path / "scaler.json"
    path.write_text(json.dumps({"mean": [1, 2], "var_": [0, 4]}))
    assert read_scaler(path, path.name) == ((1.0, 2.0), (1.0, 2.0))


def _pack(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return buffer.getvalue()


def _pack_objects() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, mean=np.array([print, None], object), std=np.ones(2))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(ONE), "A pickle"),
        (_pack_objects(), "no npz file of numbers"),
        (_pack(mean=b"no array"), "no npz file of numbers|no list of numbers"),
        (b"PK\x05\x06" + bytes(18), "holds nothing"),
        (b"[1, 2]", "no JSON object"),
        (b"[" * 100_000, "neither JSON nor npz"),
        (b'{"mean": [1, 2]}', "holds mean; it needs mean and std"),
        (b'{"mean": ["a"], "std": [1]}', "mean in the scaler file .* is no list of numbers"),
        (b'{"mean": [[1, 2], [3, 4]], "std": [1]}', "shape 2 x 2"),
        (b'{"mean": [1, 2], "std": [1]}', "2 means and 1 standard deviations"),
        (b'{"mean": [], "std": []}', "0 means"),
        (b'{"mean": [NaN], "std": [1]}', "infinite or not numbers"),
        (b'{"mean": [1, 2], "std": [1, 0]}', "standard deviation 0 for feature 1"),
    ],
)
def test_file_without_usable_numbers_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "scaler.file"
    path.write_bytes(content)
    with pytest.raises(SpecInvalid, match=message):
        read_scaler(path, path.name)


def test_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaler_file, "MAX_BYTES", 5_000)
    path = tmp_path / "scaler.npz"
    np.savez_compressed(path, mean=np.zeros(1000), std=np.ones(1000))
    with pytest.raises(SpecInvalid, match="unpacks to"):
        read_scaler(path, path.name)
    path.write_bytes(bytes(6_000))
    with pytest.raises(SpecInvalid, match="6000 bytes"):
        read_scaler(path, path.name)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match=r"scaler\.json, which can't be read"):
        read_scaler(tmp_path / "scaler.json", "scaler.json")
