"""Keeps registered paths relative, in POSIX form and inside the home folder."""

import re
import sys
from pathlib import Path, PurePosixPath

from understudy.errors import PathRefused

_LONGEST = 500
_DRIVE = re.compile(r"[A-Za-z]:")
_OWN_FOLDER = "var"
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\x00-\x1f]')
_PORTS = "0123456789\N{SUPERSCRIPT ONE}\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT THREE}"
_DEVICES = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    "CONIN$",
    "CONOUT$",
    *(f"{kind}{each}" for kind in ("COM", "LPT") for each in _PORTS),
}


def is_reserved_on_windows(name: str) -> bool:
    """Return whether a file name means something else on Windows: a device, a stream of a file, or a shorter name."""
    if name != name.rstrip(". ") or _NOT_ON_WINDOWS.search(name):
        return True
    return name.partition(".")[0].rstrip(" ").upper() in _DEVICES


def normalize_path(path: str) -> str:
    """Return the path of a model file with forward slashes and without `.` steps.

    Raises what `normalize_relative` raises, and PathRefused for `var/`, which holds Understudy's own data.
    """
    relative = normalize_relative(path)
    if relative.partition("/")[0].casefold() == _OWN_FOLDER:
        raise PathRefused(f"{path} is inside var/, which holds Understudy's own data.")
    return relative


def normalize_relative(path: str) -> str:
    """Return `path` with forward slashes and without `.` steps.

    Raises PathRefused for an empty or absolute path, a drive letter or network share, a step upwards, a control
    character, text that is not Unicode and more than 500 characters. On Windows, names that mean a device or a stream
    of a file are refused as well.
    """
    posix = path.strip().replace("\\", "/")
    if any(ord(character) < 32 or ord(character) == 127 for character in posix):
        raise PathRefused(f"The path {posix!r} contains a control character.")
    if any("\ud800" <= character <= "\udfff" for character in posix):
        raise PathRefused(f"The path {posix!a} is not valid Unicode.", remedy="Rename the file, then try again.")
    if posix.startswith("//"):
        raise PathRefused(f"{path} is a network path.")
    if posix.startswith("/") or _DRIVE.match(posix):
        raise PathRefused(f"{path} is an absolute path.")
    parts = PurePosixPath(posix).parts
    if ".." in parts:
        raise PathRefused(f"{path} leads out of the backend folder.")
    if not parts:
        raise PathRefused(f"{path!r} names no file.")
    if sys.platform == "win32" and (reserved := next(filter(is_reserved_on_windows, parts), None)) is not None:
        raise PathRefused(f"{path}: {reserved} names no file on Windows.")
    relative = "/".join(parts)
    if len(relative) > _LONGEST:
        raise PathRefused(f"The path has {len(relative)} characters, and the database keeps at most {_LONGEST}.")
    return relative


def is_normal(path: str) -> bool:
    """True for a path that `normalize_relative` takes and leaves as it is."""
    try:
        return normalize_relative(path) == path
    except PathRefused:
        return False


def resolve_inside(home: Path, path: str) -> Path:
    """Return the absolute path with links followed; raises PathRefused when it is outside `home` or inside `var/`."""
    relative = normalize_path(path)
    try:
        root = home.resolve()
        place = (root / relative).resolve()
    except (OSError, RuntimeError) as error:
        raise PathRefused(f"{relative} cannot be followed: {error}.") from error
    if not place.is_relative_to(root):
        raise PathRefused(f"{relative} is a link that leads out of the backend folder.")
    if place.is_relative_to(root / _OWN_FOLDER):
        raise PathRefused(f"{relative} is a link into var/, which holds Understudy's own data.")
    return place
