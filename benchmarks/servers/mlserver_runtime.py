"""MLServer: a custom runtime in a pool with one worker a core, over its V2 JSON."""

import json
from typing import Any

from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.servers import work


class Hearing(MLModel):
    """One BYTES input, base64; one output, the answer as a JSON string. `extra` names the model and its generation."""

    async def load(self) -> bool:
        given: dict[str, Any] = self.settings.parameters.extra
        self.hear = work.ear(given["model"])
        self.generation = int(given["generation"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        [recording] = Base64Codec.decode_input(payload.inputs[0])
        answer = json.dumps(self.hear(recording))
        return InferenceResponse(
            model_name=self.name,
            parameters={"generation": self.generation},
            outputs=[StringCodec.encode_output("answer", [answer])],
        )


class Dense(MLModel):
    """Float32 rows of 8 to rows of 4."""

    async def load(self) -> bool:
        self.dense = work.dense()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0])
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("y", self.dense(rows))])
