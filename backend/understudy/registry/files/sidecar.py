"""Reads the spec file beside a model file: `<file stem>.spec.json`."""

from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import ValidationError

from understudy.audio.features.scaler_file import read_scaler
from understudy.errors import SpecInvalid
from understudy.files.text_file import read_text_file
from understudy.registry.database.column_values import has_nul
from understudy.schemas.compiler.backbone import BackboneSpec
from understudy.schemas.compiler.spec import PartialInputSpec, PartialSpec
from understudy.schemas.front_end.arrangement import FeatureStandardization

AnySpec = TypeVar("AnySpec", bound=PartialInputSpec)


def get_sidecar_path(path: str, *, folder: bool) -> str:
    """Return the path of the sidecar of a model file or SavedModel folder; both paths are POSIX and relative."""
    model = PurePosixPath(path)
    stem = model.name if folder else model.stem
    return str(model.with_name(f"{stem}.spec.json"))


def parse_spec(content: str | bytes, name: str) -> PartialSpec:
    """Parse a spec from JSON text; raises SpecInvalid, which names `name` and the field."""
    return _parse(PartialSpec, content, name)


def _parse(kind: type[AnySpec], content: str | bytes, name: str) -> AnySpec:
    try:
        spec = kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        where = f"{name}, field {field}" if field else name
        raise SpecInvalid(f"{where}: {first['msg']}.") from error
    if has_nul(spec.model_dump()):
        raise SpecInvalid(f"{name} contains a NUL character.")
    return spec


def read_spec(path: Path, name: str) -> PartialSpec:
    """Read the spec in a file, which messages call `name`, and the scaler files beside it; raises SpecInvalid."""
    return fill_scalers(parse_spec(read_text_file(path, name).text, name), path.parent)


def read_backbone_spec(path: Path) -> BackboneSpec:
    """Read the spec of a backbone, and the scaler files beside it; raises SpecInvalid."""
    return fill_scalers(_parse(BackboneSpec, read_text_file(path, path.name).text, path.name), path.parent)


def fill_scalers(spec: AnySpec, folder: Path) -> AnySpec:
    """Return the spec with the numbers of each scaler file that it names, which lies in `folder`.

    The numbers belong to the model from then on: a file that changes later changes nothing. Raises SpecInvalid.
    """
    if spec.arrangement is None:
        return spec
    filled = {}
    for field in ("standardize_before", "standardize"):
        step = getattr(spec.arrangement, field)
        if isinstance(step, FeatureStandardization) and step.file is not None:
            mean, std = read_scaler(_locate_scaler(step.file, folder), step.file)
            filled[field] = FeatureStandardization(kind=step.kind, over=step.over, mean=mean, std=std)
    return spec.model_copy(update={"arrangement": spec.arrangement.model_copy(update=filled)}) if filled else spec


def _locate_scaler(file: str, folder: Path) -> Path:
    place = (folder / file).resolve()
    if PurePosixPath(file.replace("\\", "/")).name != file or place.parent != folder.resolve() or not place.is_file():
        raise SpecInvalid(
            f"The spec names the scaler file {file!r}, which is not a file in the folder of the spec and the model.",
            remedy="Put it there and name it without a folder, or write its numbers into the spec.",
        )
    return place
