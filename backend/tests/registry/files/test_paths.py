import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import PathRefused
from understudy.registry.files.paths import is_reserved_on_windows, normalize_path, resolve_inside


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("models/a.keras", "models/a.keras"),
        ("models\\sub\\a.keras", "models/sub/a.keras"),
        ("./models//a.keras", "models/a.keras"),
        (" a.keras ", "a.keras"),
        ("models/saved/", "models/saved"),
        ("models/ä b.keras", "models/ä b.keras"),
        ("variants/a.keras", "variants/a.keras"),
    ],
)
def test_paths_are_stored_relative_and_posix(given: str, stored: str) -> None:
    assert normalize_path(given) == stored


@pytest.mark.parametrize(
    "path",
    [
        *("", " ", ".", "/", "/etc/passwd", "\\etc\\passwd", "//server/share/a", "\\\\server\\share\\a"),
        *("C:\\a.keras", "c:a.keras", "..", "../a", "models/../../a", "models\\..\\..\\a", "models/.."),
        *("a\0b", "a\nb", "a\x7fb", "var/x", "VAR\\x", "./var", "a" * 501, "models/b\udcff.onnx"),
    ],
)
def test_paths_that_leave_the_home_folder_or_cannot_be_stored_are_refused(path: str) -> None:
    with pytest.raises(PathRefused):
        normalize_path(path)


@given(st.text(max_size=60))
def test_every_accepted_path_stays_inside(path: str) -> None:
    home = Path("/srv/home")
    try:
        stored = normalize_path(path)
    except PathRefused:
        return
    assert (home / stored).is_relative_to(home)
    assert ".." not in Path(stored).parts
    assert normalize_path(stored) == stored


def test_links_are_followed_before_they_are_checked(home: Path) -> None:
    (home / "models" / "a.onnx").write_bytes(b"a")
    (home / "models" / "inside.onnx").symlink_to("a.onnx")
    (home / "models" / "outside.onnx").symlink_to("/etc/hostname")
    (home / "models" / "parent").symlink_to(home.parent)
    (home / "models" / "own").symlink_to(home / "var")
    assert resolve_inside(home, "models/inside.onnx") == (home / "models" / "a.onnx").resolve()
    for path in ("models/outside.onnx", "models/parent/x.onnx", "models/own/understudy.db"):
        with pytest.raises(PathRefused):
            resolve_inside(home, path)


def test_a_home_folder_behind_a_link_is_a_home_folder(home: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home)
    assert resolve_inside(tmp_path / "link", "models/a.onnx") == (home / "models" / "a.onnx").resolve()


@pytest.mark.parametrize(
    ("name", "reserved"),
    [
        *(
            (name, True)
            for name in ("CON", "con.onnx", "NUL.tar.gz", "aux .onnx", "COM1.onnx", "lpt\N{SUPERSCRIPT TWO}.x")
        ),
        *(
            (name, True)
            for name in ("x.onnx:y.onnx", "a.onnx.", "a.onnx ", "a?.onnx", "a*", "a|b", 'a"b', "a<b", "conin$")
        ),
        *((name, False) for name in ("a.onnx", "console.onnx", "com10.onnx", "my con.onnx", ".hidden", "ä b.keras")),
    ],
)
def test_names_that_mean_something_else_on_windows_are_known(name: str, reserved: bool) -> None:
    assert is_reserved_on_windows(name) is reserved


def test_they_are_refused_there_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert normalize_path("models/a:b.onnx") == "models/a:b.onnx"
    monkeypatch.setattr(sys, "platform", "win32")
    for path in ("models/a:b.onnx", "CON/a.onnx", "models/nul.onnx"):
        with pytest.raises(PathRefused, match="on Windows"):
            normalize_path(path)
