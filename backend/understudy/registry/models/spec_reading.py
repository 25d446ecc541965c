"""Reads the spec that a model would go live with now, and compares it with the recorded one."""

from dataclasses import dataclass, replace

from understudy.errors import PathRefused, SpecInvalid
from understudy.models import CompileState
from understudy.registry.files.model_files import ModelFiles
from understudy.registry.files.sidecar import get_sidecar_path
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.specs.recorded_spec import list_differences, merge_specs
from understudy.schemas.compiler.spec import PartialSpec


@dataclass(frozen=True)
class SpecReading:
    """A model with the spec that its next activation compiles it with.

    `notes` say as sentences where the sidecar is no longer what was recorded, and `pending` that the spec is another
    one than the recorded one.
    """

    model: RegisteredFile
    pending: bool
    notes: tuple[str, ...]


def read_spec_now(files: ModelFiles, recorded: RegisteredFile) -> SpecReading:
    """Read the sidecar again and merge it with the given spec. A sidecar that cannot be used changes nothing.

    Blocks on the disk.
    """
    path = recorded.facts.path
    try:
        beside = get_sidecar_path(path, folder=files.resolve(path).is_dir())
        sidecar = files.read_sidecar_now(path, recorded.spec)
    except (SpecInvalid, PathRefused) as error:
        spec = merge_specs(recorded.given, None, recorded.spec)
        return _build(recorded, spec, (f"{error.detail} The spec that was recorded before is used.",))
    spec = merge_specs(recorded.given, sidecar, recorded.spec)
    return _build(recorded, spec, tuple(_compare(beside, recorded, sidecar)))


def _build(recorded: RegisteredFile, spec: PartialSpec | None, notes: tuple[str, ...]) -> SpecReading:
    pending = bool(list_differences(spec, recorded.spec))
    state = CompileState.NOT_COMPILED if pending else recorded.compile_state
    return SpecReading(replace(recorded, spec=spec, compile_state=state), pending, notes)


def _compare(beside: str, recorded: RegisteredFile, sidecar: PartialSpec | None) -> list[str]:
    given, spec = recorded.given or PartialSpec(), recorded.spec or PartialSpec()
    named = {name for name, value in given if value is not None}
    if sidecar is None:
        kept = [name for name, value in spec if value is not None and name not in given.model_fields_set]
        gone = f"{beside} does not exist any more; its {_join(kept)} are kept as they were recorded."
        return [gone] if kept else []
    notes = []
    changed = [name for name in list_differences(sidecar, recorded.spec) if name not in named]
    if changed:
        notes.append(f"{beside} is no longer what was recorded; it changes: {_join(changed)}.")
    overruled = [name for name in sorted(named) if getattr(sidecar, name) not in (None, getattr(given, name))]
    if overruled:
        notes.append(f"{beside} says another {_join(overruled)} than what was given; what was given is used.")
    return notes


def _join(names: list[str]) -> str:
    return ", ".join(names)
