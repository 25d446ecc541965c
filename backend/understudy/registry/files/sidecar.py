"""Reads the spec file beside a model file: `<file stem>.spec.json`."""

from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from understudy.errors import SpecInvalid
from understudy.registry.database.column_values import has_nul
from understudy.schemas.compiler.spec import PartialSpec
from understudy.text_file import read_text_file


def get_sidecar_path(path: str, *, folder: bool) -> str:
    """Return the path of the sidecar of a model file or SavedModel folder; both paths are POSIX and relative."""
    model = PurePosixPath(path)
    stem = model.name if folder else model.stem
    return str(model.with_name(f"{stem}.spec.json"))


def parse_spec(content: str | bytes, name: str) -> PartialSpec:
    """Parse a spec from JSON text; raises SpecInvalid, which names `name` and the field."""
    try:
        spec = PartialSpec.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        where = f"{name}, field {field}" if field else name
        raise SpecInvalid(f"{where}: {first['msg']}.") from error
    if has_nul(spec.model_dump()):
        raise SpecInvalid(f"{name} contains a NUL character.")
    return spec


def read_spec(path: Path, name: str) -> PartialSpec:
    """Read the spec in a file, which messages call `name`; raises SpecInvalid."""
    return parse_spec(read_text_file(path, name).text, name)
