"""The codes of findings are a contract with clients."""

import pytest

from scripts.recordings.tables import PAGE
from understudy.schemas.inference.finding import (
    MOST_FINDINGS,
    Finding,
    FindingCode,
    describe_damage,
    limit_findings,
    list_remedies,
)


def test_codes_stay_as_clients_know_them() -> None:
    assert {code.value for code in FindingCode} == {
        "truncated",
        "gap",
        "length_mismatch",
        "placeholder_length",
        "leading_data",
        "trailing_data",
        "unheard_stream",
        "joined",
        "format_changed",
        "late_start",
        "structure",
        "channels_cancel",
        "window_not_scored",
        "sample_rate_assumed",
    }


def test_a_strict_request_is_refused_for_damage_and_not_for_what_may_be_whole() -> None:
    assert describe_damage([Finding(code=FindingCode.PLACEHOLDER_LENGTH, detail="No length.")]) is None
    assert describe_damage([Finding(code=FindingCode.SAMPLE_RATE_ASSUMED, detail="No rate.")]) is None
    damage = [Finding(code=FindingCode.GAP, detail="A gap."), Finding(code=FindingCode.TRUNCATED, detail="It ends.")]
    assert describe_damage(damage) == "A gap. It ends."


@pytest.mark.parametrize("code", FindingCode)
def test_every_code_has_a_remedy_of_its_own_that_the_documentation_names(code: FindingCode) -> None:
    assert f"| {code.remedy} |" in next(
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{code}` |")
    )
    assert [other for other in FindingCode if other.remedy == code.remedy] == [code]
    assert list_remedies([Finding(code=code, detail="It is so.")]) == (code.remedy if code.damages else "")


def test_a_refusal_names_the_remedy_of_each_fault_once_and_none_of_what_is_no_fault() -> None:
    gap, cancel = (Finding(code=code, detail="It is so.") for code in (FindingCode.GAP, FindingCode.CHANNELS_CANCEL))
    assumed = Finding(code=FindingCode.SAMPLE_RATE_ASSUMED, detail="No rate.")
    assert list_remedies([gap, assumed, gap, cancel]) == f"{gap.code.remedy} {cancel.code.remedy}"


def test_many_findings_of_one_kind_are_counted_and_not_listed() -> None:
    gaps = [Finding(code=FindingCode.GAP, detail=f"Gap {number}.", start=number, bytes=2) for number in range(50)]
    other = Finding(code=FindingCode.TRUNCATED, detail="It ends.")
    *listed, rest, last = limit_findings([*gaps, other])
    assert (listed, last) == (gaps[:MOST_FINDINGS], other)
    assert rest.detail == "30 more findings of the kind gap are not listed."
    assert (rest.start, rest.bytes) == (MOST_FINDINGS, 60)
