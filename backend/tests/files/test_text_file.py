import pytest

from understudy.errors import SpecInvalid
from understudy.files.text_file import decode_text

WORDS = "chien\ngrillon d\u2019été\nMüll\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_with_and_without_a_mark_is_read(encoding: str) -> None:
    found = decode_text(WORDS.encode(encoding), "labels.txt")
    assert (found.text, found.note) == (WORDS, None)


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_orders_of_bytes_are_read(mark: bytes) -> None:
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert decode_text(mark + WORDS.encode(encoding), "labels.txt").text == WORDS


def test_windows_1252_is_read_and_named() -> None:
    found = decode_text(WORDS.encode("cp1252"), "labels.txt")
    assert found.text == WORDS
    assert found.note == "labels.txt is not UTF-8 and was read as Windows-1252."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("пищит\nдлинный\n".encode("cp1251"), "neither UTF-8 nor UTF-16 nor Windows-1252"),
        ("κύκλψς\n".encode("cp1253"), "neither UTF-8 nor UTF-16 nor Windows-1252"),
        ("犬\n雨の音\n".encode("shift_jis"), "neither UTF-8 nor UTF-16 nor Windows-1252"),
        ("łódź\nwąż\n".encode("cp1250"), "neither UTF-8 nor UTF-16 nor Windows-1252"),
        ("Müll\nGrün\n".encode()[:-3] + b"\xff\n", "neither UTF-8 nor UTF-16 nor Windows-1252"),
        (b"\x81\x8d\n", "neither UTF-8 nor UTF-16 nor Windows-1252"),
        (WORDS.encode("utf-16-le"), "NUL character"),
        (b"\xff\xfed", "not valid UTF-16-LE"),
        (b"PK\x03\x04\0\0", "NUL character"),
    ],
)
def test_any_other_encoding_is_refused_by_the_name_of_the_file(content: bytes, reason: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        decode_text(content, "labels.txt")
    assert refused.value.detail.startswith("labels.txt ")
    assert reason in refused.value.detail
    assert "UTF-8" in refused.value.remedy
