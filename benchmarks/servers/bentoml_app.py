"""BentoML: one worker a core; the recording is the body itself (a root input)."""

from pathlib import Path
from typing import Annotated, Any

import bentoml
import numpy as np
from numpy.typing import NDArray

from benchmarks.servers import work


@bentoml.service(workers=work.CORES, traffic={"timeout": 60}, metrics={"enabled": False})
class Peer:
    def __init__(self) -> None:
        if work.task() == "hear":
            self.ear = work.ear()
        else:
            self.matrix = work.dense()

    @bentoml.api(route="/hear")
    def hear(self, recording: Annotated[Path, bentoml.validators.ContentType("audio/*")], /) -> dict[str, Any]:
        return self.ear(recording.read_bytes())

    @bentoml.api(route="/dense")
    def dense(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.matrix(inputs)
