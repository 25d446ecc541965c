"""The codes of findings are a contract with clients."""

from understudy.schemas.inference.finding import MOST_FINDINGS, Finding, FindingCode, describe_damage, limit_findings


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


def test_many_findings_of_one_kind_are_counted_and_not_listed() -> None:
    gaps = [Finding(code=FindingCode.GAP, detail=f"Gap {number}.", start=number, bytes=2) for number in range(50)]
    other = Finding(code=FindingCode.TRUNCATED, detail="It ends.")
    *listed, rest, last = limit_findings([*gaps, other])
    assert (listed, last) == (gaps[:MOST_FINDINGS], other)
    assert rest.detail == "30 more findings of the kind gap are not listed."
    assert (rest.start, rest.bytes) == (MOST_FINDINGS, 60)
