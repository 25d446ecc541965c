"""Write open_inference_pb2.py and .pyi, the messages of gRPC, from open_inference.proto beside them."""

from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

BACKEND = Path(__file__).resolve().parents[1] / "backend"
PROTO = "understudy/api/v2_grpc/open_inference.proto"


def generate(target: Path) -> None:
    """Write both files below `target`, in the folders of their package."""
    well_known = files("grpc_tools").joinpath("_proto")
    arguments = ["protoc", f"-I{BACKEND}", f"-I{well_known}", f"--python_out={target}", f"--pyi_out={target}", PROTO]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc refused the file; it has said why.")


if __name__ == "__main__":
    generate(BACKEND)
