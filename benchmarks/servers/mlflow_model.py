"""MLflow: a Python model with a typed input, served by `mlflow models serve` with one worker a core.

`python -m benchmarks.servers.mlflow_model FOLDER` saves the model that is then served.
"""

import base64
import sys
from typing import Any

import mlflow
from mlflow.pyfunc import PythonModel

from benchmarks.servers import work


class Hearing(PythonModel):
    """A list of recordings in base64 to a list of answers."""

    def load_context(self, context: Any) -> None:
        del context
        self.hear = work.ear()

    def predict(self, model_input: list[str]) -> list[dict[str, Any]]:
        return [self.hear(base64.b64decode(recording)) for recording in model_input]


class Dense(PythonModel):
    """Rows of 8 numbers to rows of 4."""

    def load_context(self, context: Any) -> None:
        del context
        self.dense = work.dense()

    def predict(self, model_input: list[list[float]]) -> list[list[float]]:
        answer: list[list[float]] = self.dense(model_input).tolist()
        return answer


if __name__ == "__main__":
    mlflow.pyfunc.save_model(sys.argv[1], python_model=Hearing() if work.task() == "hear" else Dense())
