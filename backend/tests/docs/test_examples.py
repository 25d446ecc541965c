"""The scripts of examples.md write a file that is accepted, with stand-ins for the authors' libraries."""

import re
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

import numpy as np
import pytest

from understudy.registry.files.examples_csv import read_folder
from understudy.schemas.registry.examples import Expectation

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "examples.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
SCORES = np.array([[0.25, 0.75]], np.float32)


def build_libraries() -> dict[str, ModuleType]:
    """Return modules whose loaders and features are arrays and whose models answer SCORES."""
    librosa, keras, torch, torchaudio = MagicMock(), MagicMock(), MagicMock(), MagicMock()
    librosa.load.return_value = torchaudio.load.return_value = np.zeros((1, 22_050), np.float32), 22_050
    librosa.feature.mfcc.return_value = np.zeros((40, 44), np.float32)
    torchaudio.transforms.MelSpectrogram.return_value.return_value = np.zeros((64, 80), np.float32)
    keras.models.load_model.return_value.predict.return_value = torch.softmax.return_value = SCORES
    return {"librosa": librosa, "keras": keras, "torch": torch, "torchaudio": torchaudio}


@pytest.mark.parametrize("script", SCRIPTS, ids=["keras", "torch"])
def test_a_documented_script_writes_examples_that_are_accepted(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clips").mkdir()
    for name in ("one.wav", "two, or three.wav"):
        (tmp_path / "clips" / name).write_bytes(b"RIFF")
    for name, module in build_libraries().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(tmp_path)
    exec(compile(script, "examples.md", "exec"), {})  # noqa: S102  # our own page
    assert [each.expected for each in read_folder(tmp_path / "examples.csv")] == [
        Expectation(file=f"clips/{name}", label="siren", scores={"noise": 0.25, "siren": 0.75})
        for name in ("one.wav", "two, or three.wav")
    ]


def test_the_documented_table_is_accepted(tmp_path: Path) -> None:
    [table, _] = re.findall(r"^```text\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "sub").mkdir()
    for name in ("street.wav", "sub/rain.flac", "examples.csv"):
        (tmp_path / name).write_text(table)
    assert [each.expected.label for each in read_folder(tmp_path / "examples.csv")] == ["siren", "noise"]
