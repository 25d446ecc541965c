"""Findings about a recording that a reader of its answer must know, for programs."""

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
    """Sample rate or number of channels changes; each part was converted by itself."""
    LATE_START = "late_start"
    """The sound begins later than the file; seconds count from the first sample of the sound."""
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
        return self not in (FindingCode.PLACEHOLDER_LENGTH, FindingCode.LATE_START, FindingCode.SAMPLE_RATE_ASSUMED)

    @property
    def remedy(self) -> str:
        """Return what the sender of the recording can do about it; docs/audio.md lists the same sentences."""
        return _REMEDIES[self]


_REMEDIES = {
    FindingCode.TRUNCATED: (
        "Send the whole file again. If it is stored so, find out why the recorder stopped: no power, a full card, a "
        "lost connection."
    ),
    FindingCode.GAP: (
        "Copy or send the file again, in case it was damaged on its way. If the stored file is damaged, nothing brings "
        "the sound back: listen to it from there on, because an event may be missing or cut."
    ),
    FindingCode.LENGTH_MISMATCH: (
        "Have the recorder write the right length into the header: other programs may play only the beginning. Listen "
        "to what lies behind the stated length: it was scored as sound."
    ),
    FindingCode.PLACEHOLDER_LENGTH: (
        "Nothing, if the recording was written to a pipe or as a stream. Otherwise compare the length in the answer "
        "with what you expect."
    ),
    FindingCode.LEADING_DATA: (
        "Remove the bytes before the sound: often they are the head of an HTTP answer or of a form that was stored with"
        " the file. The scores do not depend on them."
    ),
    FindingCode.TRAILING_DATA: (
        "Remove the bytes behind the sound if they are a tag or padding. If they are many, sound may be among them: "
        "compare the length in the answer with what you expect."
    ),
    FindingCode.UNHEARD_STREAM: (
        "Send the other sound by itself, if it matters: `ffmpeg -i FILE -map 0:a:1 second.flac` takes out the second "
        "track. Send recordings that were joined in one file one by one."
    ),
    FindingCode.JOINED: (
        "Send the recordings one by one, if each is to have its own answer: here all times count from the start of the "
        "first."
    ),
    FindingCode.FORMAT_CHANGED: (
        "Set the recorder to one sample rate and one number of channels, or convert the file yourself: `ffmpeg -i FILE "
        "-ar 48000 -ac 1 recording.flac`. The scores hold for all of the sound."
    ),
    FindingCode.LATE_START: (
        "Nothing for the scores. To compare the times with those of the picture or of other tracks, add the length of "
        "the stretch to them. If the sound should begin at once, look for the first part of the recording."
    ),
    FindingCode.STRUCTURE: (
        "Copy or send the file again before you store it: the copy is incomplete. The missing part holds no sound, so "
        "that the scores do not depend on it."
    ),
    FindingCode.CHANNELS_CANCEL: (
        "Check the wiring of the microphones: one is probably the wrong way round. Or choose a channel with "
        "`sound.channels` in the model's spec."
    ),
    FindingCode.WINDOW_NOT_SCORED: (
        "Listen to these seconds: nothing is known about them. If it happens on silence, the model divides by the "
        "level; tell its author."
    ),
    FindingCode.SAMPLE_RATE_ASSUMED: (
        "State `sample_rate` in the model's spec (`understudy update MODEL_ID --spec spec.json`) and activate the model"
        " again: a wrong rate gives wrong scores that look right."
    ),
}

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
    start: float | None = Field(
        default=None,
        description="Second of the recording at which the finding begins; below 0 before its first sample",
    )
    end: float | None = Field(default=None, description="Second of the recording at which the finding ends")
    bytes: int | None = Field(default=None, ge=0, description="Bytes of the file that are missing or were not decoded")


def describe_damage(findings: Iterable[Finding]) -> str | None:
    """Return the sentences of the findings for which a strict request is refused; None without one."""
    return " ".join(finding.detail for finding in findings if finding.code.damages) or None


def list_remedies(findings: Iterable[Finding]) -> str:
    """Return what to do about the findings that `describe_damage` describes, each sentence once."""
    return " ".join(dict.fromkeys(finding.code.remedy for finding in findings if finding.code.damages))


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
