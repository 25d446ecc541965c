"""Front ends against what the original libraries computed (scripts/originals records it)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from scripts.originals.cases import CASES, Case
from scripts.originals.compare import measure_errors
from scripts.originals.signals import RATE, build_signals
from understudy.audio.features.front_end import FrontEnd
from understudy.errors import AudioUnusable
from understudy.schemas.front_end.parts import FrontEndPart

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = 1e-4  # of the range of the original's values
SOUNDS = {f"{name}@{RATE}": samples for name, samples in build_signals().items()}
PART: TypeAdapter[FrontEndPart] = TypeAdapter(FrontEndPart)


def read_golden(library: str) -> dict[str, Any]:
    (path,) = GOLDEN.glob(f"{library}-*.npz")
    with np.load(path) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def golden() -> dict[str, dict[str, Any]]:
    return {library: read_golden(library) for library in CASES}


@pytest.mark.parametrize(
    ("library", "case"),
    [pytest.param(library, case, id=f"{library}-{case.name}") for library, cases in CASES.items() for case in cases],
)
def test_features_equal_those_of_the_original(golden: dict[str, dict[str, Any]], library: str, case: Case) -> None:
    errors = measure_errors(case, golden[library], SOUNDS)
    assert "mix@22050" in errors
    assert max(errors.values()) < TOLERANCE, errors


@pytest.mark.parametrize(("case", "sound"), [("mel-htk", "short"), ("mfcc-deltas", "click")])
def test_clips_that_librosa_refuses_are_refused(golden: dict[str, dict[str, Any]], case: str, sound: str) -> None:
    assert f"{case}|{sound}@{RATE}" not in golden["librosa"]
    (found,) = [known for known in CASES["librosa"] if known.name == case]
    with pytest.raises(AudioUnusable, match=r"needs? "):
        FrontEnd([PART.validate_python(found.part)], RATE).compute(SOUNDS[f"{sound}@{RATE}"])
