"""The rule for names and versions."""

import pytest

from understudy.errors import NameRefused
from understudy.models.naming import find_fault, refuse_name, refuse_version

REFUSED = {
    "newline": ("a\nb", "control character (U+000A)"),
    "tab": ("a\tb", "control character (U+0009)"),
    "escape": ("\x1b[2Ja", "control character (U+001B)"),
    "next line": ("a\x85b", "control character (U+0085)"),
    "line separator": ("a\u2028b", "line separator (U+2028)"),
    "right-to-left override": ("siren\u202exnno", "direction of the text (U+202E)"),
    "isolate": ("a\u2066b", "direction of the text (U+2066)"),
    "zero-width space": ("sir\u200ben", "invisible character (U+200B)"),
    "byte order mark": ("\ufeffsiren", "invisible character (U+FEFF)"),
    "surrogate": ("a\udc80", "surrogate pair (U+DC80)"),
    "space before": (" siren", "space"),
    "space after": ("siren\u3000", "space"),
    "slash before": ("/siren", "slash"),
    "slash after": ("siren/", "slash"),
    "two slashes": ("siren//v2", "slash"),
    "slash alone": ("/", "slash"),
    "dot": (".", "part '.'"),
    "parent": ("siren/../v2", "part '.' or '..'"),
    "versions": ("siren/versions/v2", "part 'versions'"),
    "versions at the end": ("siren/versions", "part 'versions'"),
    "versions at the start": ("versions/siren", "part 'versions'"),
    "ready": ("siren/ready", "'/ready'"),
}


@pytest.mark.parametrize(("text", "rule"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_the_rule_and_a_remedy(text: str, rule: str) -> None:
    for refuse in (refuse_name, refuse_version):
        with pytest.raises(NameRefused) as refused:
            refuse(text)
        assert rule in refused.value.detail
        assert ascii(text)[1:-1] in refused.value.detail or text.isprintable()
        assert refused.value.remedy


@pytest.mark.parametrize(
    "text",
    ["ready", "versions", "infer", "a/ready/b", "a/versions2/b", "a/infer", ".keras", "a..b", "क्\u200dष", "a b"],
)
def test_words_of_addresses_and_joiners_of_scripts_are_allowed_where_nothing_else_can_be_meant(text: str) -> None:
    assert find_fault(text) is None


def test_a_row_may_have_no_version() -> None:
    refuse_version(None)
    refuse_version("")
