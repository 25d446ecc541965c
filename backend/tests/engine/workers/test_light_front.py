"""A server with worker processes does not load what decodes recordings, what runs models, and gRPC."""

import subprocess
import sys

HEAVY = {"onnxruntime", "soundfile", "soxr", "av", "scipy", "ai_edge_litert", "grpc"}
SCRIPT = """
import sys
import understudy.main, understudy.engine.workers.worker_engine
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_the_servers_process_loads_no_decoder_no_runtime_and_no_grpc() -> None:
    loaded = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120)
    assert not HEAVY & set(loaded.stdout.split())
