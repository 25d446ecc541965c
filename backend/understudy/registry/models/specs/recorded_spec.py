"""The spec of a registered model: what was given, what the sidecar adds, and the result that is recorded.

Two columns of a file's record hold it. `given_spec` holds the fields that a person gave; a null there says that the
person cleared the field, so that no earlier value of it is kept. `spec` holds the spec that the model answers with: the
given fields, completed from the sidecar. While a model is live, a change writes `given_spec` only, and the next
activation writes `spec`: every process, also one that starts meanwhile, serves the same labels.
"""

from pydantic import ValidationError

from understudy.errors import SpecInvalid
from understudy.models import MlModel
from understudy.schemas.compiler.spec import PartialSpec

_FIELDS = tuple(PartialSpec.model_fields)


def read_recorded_spec(model: MlModel, stored: dict[str, object] | None) -> PartialSpec | None:
    """Parse a recorded spec; raises SpecInvalid when another version or a person wrote one that is not valid here."""
    try:
        return None if stored is None else PartialSpec.model_validate(stored)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SpecInvalid(
            f"The recorded spec of model {model.model_id} ({model.model_name}), field {field}: {first['msg']}.",
            remedy=f"Run `understudy delete {model.model_id}`, then register the file again with a valid spec.",
        ) from error


def to_json(spec: PartialSpec | None) -> dict[str, object] | None:
    """Return the JSON document of a spec, without the fields that have no value; None for an empty spec."""
    return (spec.to_document() or None) if spec is not None else None


def given_to_json(given: PartialSpec | None) -> dict[str, object] | None:
    """Return the JSON document of a given spec, with a null for each field that was cleared; None for an empty one."""
    return (given.to_document(cleared=True) or None) if given is not None else None


def is_recorded(stored: dict[str, object] | None, spec: PartialSpec | None) -> bool:
    """True when a stored document holds the spec; a null in it counts as a field that is left out."""
    try:
        return to_json(PartialSpec.model_validate(stored or {})) == to_json(spec)
    except ValidationError:
        return False


def change_given(given: PartialSpec | None, change: PartialSpec | None) -> PartialSpec:
    """Return `given` with the fields that are present in `change`; null clears a field, and None clears every field."""
    if change is None:
        return PartialSpec.model_validate(dict.fromkeys(_FIELDS))
    before = given.to_document(cleared=True) if given is not None else {}
    return PartialSpec.model_validate(before | change.to_document(cleared=True))


def merge_specs(
    given: PartialSpec | None, sidecar: PartialSpec | None, recorded: PartialSpec | None = None
) -> PartialSpec | None:
    """Return the given spec, with the fields that it leaves open taken from the sidecar; None for an empty spec.

    Where there is no sidecar any more, the recorded fields that were not given came from it, and they are kept: a
    sidecar that was not copied with its model must not cost the model its labels.
    """
    if sidecar is None and recorded is not None:
        spoken_of = given.model_fields_set if given is not None else set()
        kept = {name: value for name, value in recorded.to_document().items() if name not in spoken_of}
        sidecar = PartialSpec.model_validate(kept)
    merged = PartialSpec() if given is None else given
    merged = merged.over(sidecar or PartialSpec())
    return merged if merged.model_fields_set else None


def list_differences(one: PartialSpec | None, other: PartialSpec | None) -> list[str]:
    """Return the names of the fields that differ, in alphabetical order."""
    first, second = (spec or PartialSpec() for spec in (one, other))
    return sorted(name for name in _FIELDS if getattr(first, name) != getattr(second, name))
