"""Lists the parameters of a part of a spec, beside what its preset says."""

from collections.abc import Mapping

from pydantic import BaseModel

from understudy.schemas.front_end.spectrum import Stft
from understudy.schemas.registry.pipeline_step import PipelineFact

_MOST_VALUES = 8
# What null means where it is not "none".
_NULLS = {
    "fmax": "half the sample rate",
    "fmin": "32.7 Hz (C1)",
    "high_hz": "half the sample rate",
    "n_fft": "the next power of two",
    "tuning": "estimated from the clip",
}


def list_facts(part: BaseModel | None, preset: BaseModel | None = None) -> list[PipelineFact]:
    """Return the parameters of `part`, those that its preset's part says otherwise with both values.

    A parameter that is null is left out, unless null stands for a number or the preset has a value there.
    """
    values, said = _flatten(part), None if preset is None else _flatten(preset)
    facts = []
    for name in [*values, *(name for name in said or {} if name not in values)]:
        value, preset_value = values.get(name, "none"), None if said is None else said.get(name, "none")
        changed = preset_value is not None and preset_value != value
        if changed or value != "none":
            facts.append(PipelineFact(name=name, value=value, preset_value=preset_value if changed else None))
    return facts


def drop_unused(facts: list[PipelineFact], unused: tuple[str, ...]) -> list[PipelineFact]:
    """Return the facts without those of an `unused` value, which says that nothing is done; changed ones stay."""
    return [fact for fact in facts if fact.value not in unused or fact.preset_value is not None]


def format_value(value: object) -> str:
    """Return a value of a spec as text."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.10g}"
        case list() | tuple():
            return (
                f"{len(value)} values" if len(value) > _MOST_VALUES else ", ".join(map(format_value, value)) or "none"
            )
    return str(value)


def _flatten(part: BaseModel | None, prefix: str = "") -> dict[str, str]:
    """Return the parameters by their dotted names."""
    found: dict[str, str] = {}
    for name, value in () if part is None else part:
        if isinstance(value, Stft):
            value = value.model_copy(update={"win_length": value.window_samples, "hop_length": value.hop_samples})
        if isinstance(value, BaseModel):
            found |= _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, Mapping):
            found |= {f"{prefix}{name}.{key}": format_value(one) for key, one in value.items()}
        elif value is None and name in _NULLS:
            found[prefix + name] = _NULLS[name]
        elif not _is_kind(prefix, name):
            found[prefix + name] = format_value(value)
    return found


def _is_kind(prefix: str, name: str) -> bool:
    """The kind of a part is the step's title; that of a parameter, such as `compression`, is one of its values."""
    return name == "kind" and not prefix
