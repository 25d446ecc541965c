"""Write open_inference_pb2.py and .pyi, the messages of gRPC, from open_inference.proto beside them."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[1] / "backend"
PROTO = "understudy/api/v2_grpc/open_inference.proto"


def generate(target: Path) -> None:
    """Write both files below `target`, in the folders of their package."""
    well_known = files("grpc_tools").joinpath("_proto")
    # In a process of its own: the compiler's library crashes beside another copy of protobuf.
    protoc = [sys.executable, "-m", "grpc_tools.protoc"]
    options = [f"-I{BACKEND}", f"-I{well_known}", f"--python_out={target}", f"--pyi_out={target}"]
    if subprocess.run([*protoc, *options, PROTO]).returncode != 0:
        raise SystemExit("protoc refused the file; it has said why.")


if __name__ == "__main__":
    generate(BACKEND)
