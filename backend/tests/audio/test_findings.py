"""The codes of findings are a contract with clients."""

from understudy.schemas.inference.finding import Finding, FindingCode, describe_damage


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
