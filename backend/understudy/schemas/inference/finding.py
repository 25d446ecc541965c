"""What was found about a recording that a reader of its answer must know, for programs."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class FindingCode(StrEnum):
    """The kinds of findings. Clients may depend on the codes."""

    TRUNCATED = "truncated"
    """The file ends before its sound does."""
    GAP = "gap"
    """Sound is missing or damaged within the recording; the sound behind follows without a pause."""
    LENGTH_MISMATCH = "length_mismatch"
    """The file holds more sound than its header declares; all of it was scored."""
    PLACEHOLDER_LENGTH = "placeholder_length"
    """The header does not say how long the sound is; it was scored to the end of the file."""
    LEADING_DATA = "leading_data"
    """Bytes before the sound were skipped."""
    TRAILING_DATA = "trailing_data"
    """Bytes behind the sound were not decoded."""
    UNHEARD_STREAM = "unheard_stream"
    """The file holds another sound track or recording, which was not scored."""
    JOINED = "joined"
    """The file holds several recordings in a row, which were scored as one."""
    FORMAT_CHANGED = "format_changed"
    """Sample rate or number of channels changes; the sound was converted to those of the start."""
    STRUCTURE = "structure"
    """The file is cut off in a part that holds no sound, such as an index."""
    CHANNELS_CANCEL = "channels_cancel"
    """The mix of the channels is much quieter than the channels; the loudest channel was scored."""
    WINDOW_NOT_SCORED = "window_not_scored"
    """The model's output for a window is not finite."""
    SAMPLE_RATE_ASSUMED = "sample_rate_assumed"
    """The model's spec does not state the sample rate that the model was trained on."""

    @property
    def damages(self) -> bool:
        """True when the recording is incomplete or in doubt, so that a strict request is refused."""
        return self not in (FindingCode.PLACEHOLDER_LENGTH, FindingCode.SAMPLE_RATE_ASSUMED)


MOST_FINDINGS = 20
"""Findings of one code that an answer lists."""


def _omit_null_defaults(schema: dict[str, Any]) -> None:
    """Describe the shape in messages of streams as FastAPI describes it in answers."""
    for field in schema["properties"].values():
        if field.get("default", ...) is None:
            del field["default"]


class Finding(BaseModel):
    """One finding about a recording or about its answer."""

    model_config = ConfigDict(frozen=True, json_schema_extra=_omit_null_defaults)

    code: FindingCode
    detail: str = Field(description="A sentence for people; it stands in `warnings` too")
    start: float | None = Field(default=None, description="Second of the recording at which the finding begins")
    end: float | None = Field(default=None, description="Second of the recording at which the finding ends")
    bytes: int | None = Field(default=None, ge=0, description="Bytes of the file that are missing or were not decoded")


def describe_damage(findings: Iterable[Finding]) -> str | None:
    """Return the sentences of the findings for which a strict request is refused; None without one."""
    return " ".join(finding.detail for finding in findings if finding.code.damages) or None


def limit_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the first MOST_FINDINGS findings of each code; the last of them says how many more there are."""
    kept: dict[FindingCode, list[Finding]] = {}
    for finding in findings:
        kept.setdefault(finding.code, []).append(finding)
    limited = []
    for code, found in kept.items():
        limited += found[:MOST_FINDINGS]
        if rest := found[MOST_FINDINGS:]:
            detail = f"{len(rest)} more findings of the kind {code} are not listed."
            limited.append(
                Finding(
                    code=code, detail=detail, start=rest[0].start, bytes=sum(each.bytes or 0 for each in rest) or None
                )
            )
    return tuple(limited)
