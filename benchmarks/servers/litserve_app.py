"""LitServe: one inference worker a core, as many API servers, ZeroMQ between them."""

import base64
from typing import Any

import litserve

from benchmarks.servers import work


class Hearing(litserve.LitAPI):
    """Takes {"audio": base64}."""

    def setup(self, device: str) -> None:
        del device
        self.hear = work.ear()

    def decode_request(self, request: dict[str, Any]) -> bytes:
        return base64.b64decode(request["audio"])

    def predict(self, recording: bytes) -> dict[str, Any]:
        return self.hear(recording)

    def encode_response(self, answer: dict[str, Any]) -> dict[str, Any]:
        return answer


class Dense(litserve.LitAPI):
    """Takes {"inputs": rows}."""

    def setup(self, device: str) -> None:
        del device
        self.dense = work.dense()

    def decode_request(self, request: dict[str, Any]) -> Any:
        return request["inputs"]

    def predict(self, rows: Any) -> Any:
        return self.dense(rows)

    def encode_response(self, answer: Any) -> dict[str, Any]:
        return {"outputs": answer.tolist()}


def main() -> None:
    api = Hearing() if work.task() == "hear" else Dense()
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=work.CORES, fast_queue=True)
    server.run(host="127.0.0.1", port=work.port(), log_level="warning", generate_client_file=False, access_log=False)


if __name__ == "__main__":
    main()
