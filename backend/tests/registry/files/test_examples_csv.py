"""examples.csv: what it may say, in which encodings and with which delimiters, and what is refused with its line."""

from pathlib import Path

import pytest

from understudy.errors import ExamplesInvalid
from understudy.registry.files.examples_csv import match_uploads, parse_csv, read_folder
from understudy.schemas.registry.examples import Expectation

ROWS = [
    Expectation(file="a.wav", label="siren", scores={"siren": 0.93, "noise": 0.07}),
    Expectation(file="sub/b.wav", label="noise"),
]
TEXT = "file,label,score,noise\na.wav,siren,0.93,0.07\nsub/b.wav,noise,,\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        b"\xff\xfe" + TEXT.encode("utf-16-le"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace(",", ";").replace("0.", "0,").encode(),
        TEXT.replace(",", "\t").encode(),
        b'"file","label","siren","score:noise"\n"a.wav","siren","0.93","7e-2"\n\n"./sub\\b.wav"," noise ",,\n,,,\n',
    ],
    ids=["plain", "mark", "utf-16", "windows lines", "semicolons", "tabs", "quoted"],
)
def test_the_same_examples_in_every_accepted_form(content: bytes) -> None:
    assert parse_csv(content, "examples.csv") == ROWS


def test_a_label_with_the_name_of_a_column_has_a_prefix_and_a_tolerance_belongs_to_its_clip() -> None:
    found = parse_csv(b"file,score:score,score:file,tolerance\na.wav,0.5,0.25,0.2\nb.wav,0.5,,\n", "examples.csv")
    assert [each.scores for each in found] == [{"score": 0.5, "file": 0.25}, {"score": 0.5}]
    assert [each.tolerance for each in found] == [0.2, 0.01]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "does not name the column file"),
        ("file,label\n", "There are no examples"),
        ("clip,label\na.wav,x\n", "does not name the column file"),
        ("sep=;\nfile;label\na.wav;x\n", "does not name the column file"),
        ("file\na.wav\n", "does not name the column file"),
        ("file,tolerance\na.wav,0.1\n", "neither a column label nor a column of a label's scores"),
        ("file,score\na.wav,0.1\n", "neither a column label"),
        ("file,score,x\na.wav,0.1,0.1\n", "a column score and no column label"),
        ("file,label,,x\na.wav,x,,1\n", "Column 3 of examples.csv has no name"),
        ("file,x,x\na.wav,1,1\n", "column x twice"),
        ("file,label\na.wav,x\n\na.wav,y\n", "The clip a.wav occurs twice"),
        ("file,label\na.wav,x,y\n", "line 2 has more cells"),
        ("file,label\n,x\n", "line 2 names no file"),
        ("file,label,x\na.wav,,\n", "neither a label nor a score"),
        ("file,label,score\na.wav,,0.5\n", "line 2 has a score and no label"),
        ("file,label,score,x\na.wav,x,0.5,0.6\n", "gives x two scores: 0.5 and 0.6"),
        ("file,x\na.wav,0.5\nb.wav,high\n", "line 3, x: 'high' is not a number"),
        ("file,x\na.wav,nan\n", "'nan' is not a number"),
        ('file,x\na.wav,"0,5"\n', "'0,5' is not a number"),
        ("file,x,tolerance\na.wav,0.5,-1\n", "line 2: tolerance"),
        ('file,label\na.wav,"x\n', "is not a CSV file"),
        ("file,label\n../a.wav,x\n", "is not a path inside the folder"),
        ("file,label\n/etc/passwd,x\n", "is not a path inside the folder"),
        ("file,label\nC:\\a.wav,x\n", "is not a path inside the folder"),
        ("file,label\nsub\\..\\..\\a.wav,x\n", "is not a path inside the folder"),
        ("file,label\n" + "".join(f"{number}.wav,x\n" for number in range(201)), "There are 201 examples"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(text: str, detail: str) -> None:
    with pytest.raises(ExamplesInvalid) as refused:
        parse_csv(text.encode(), "examples.csv")
    assert detail in refused.value.detail
    assert refused.value.remedy


@pytest.mark.parametrize("content", [TEXT.replace("siren", "Sirène").encode("cp1252"), b"file,label\0\n"])
def test_an_encoding_that_would_have_to_be_guessed_is_refused(content: bytes) -> None:
    with pytest.raises(ExamplesInvalid, match=r"UTF-8|NUL"):
        parse_csv(content, "examples.csv")


def test_clips_are_found_beside_the_file_and_never_outside_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    (folder / "sub").mkdir(parents=True)
    for place in ("clips/a.wav", "clips/sub/b.wav", "secret.wav"):
        (tmp_path / place).write_bytes(b"RIFF")
    (folder / "examples.csv").write_text(TEXT)
    assert [each.path.relative_to(folder).as_posix() for each in read_folder(folder / "examples.csv")] == [
        "a.wav",
        "sub/b.wav",
    ]
    (folder / "a.wav").unlink()
    with pytest.raises(ExamplesInvalid, match=r"no clip a\.wav"):
        read_folder(folder / "examples.csv")
    (folder / "a.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(ExamplesInvalid, match="leads out of the folder"):
        read_folder(folder / "examples.csv")


@pytest.mark.parametrize(
    ("csv_name", "names"),
    [
        ("examples.csv", ["a.wav", "sub/b.wav"]),
        ("dropped/examples.csv", ["dropped/a.wav", "dropped\\sub\\b.wav"]),
        ("examples.csv", ["a.wav", "b.wav"]),
    ],
)
def test_uploads_are_found_by_path_and_without_folders_by_name(csv_name: str, names: list[str]) -> None:
    assert [name for _, name in match_uploads(ROWS, dict.fromkeys(names), csv_name)] == names


def test_an_upload_that_is_missing_or_ambiguous_is_named() -> None:
    with pytest.raises(ExamplesInvalid, match=r"sub/b\.wav was not sent"):
        list(match_uploads(ROWS, {"a.wav": None}, "examples.csv"))
    with pytest.raises(ExamplesInvalid, match=r"can be x/b\.wav or y/b\.wav"):
        list(match_uploads(ROWS, dict.fromkeys(["a.wav", "x/b.wav", "y/b.wav"]), "examples.csv"))
