"""Keeps registered paths relative, in POSIX form and inside the home folder."""

import re
from pathlib import Path, PurePosixPath

from understudy.errors import PathRefused

_LONGEST = 500
_DRIVE = re.compile(r"[A-Za-z]:")
_OWN_FOLDER = "var"


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
    character and more than 500 characters.
    """
    posix = path.strip().replace("\\", "/")
    if any(ord(character) < 32 or ord(character) == 127 for character in posix):
        raise PathRefused(f"The path {posix!r} contains a control character.")
    if posix.startswith("//"):
        raise PathRefused(f"{path} is a network path.")
    if posix.startswith("/") or _DRIVE.match(posix):
        raise PathRefused(f"{path} is an absolute path.")
    parts = PurePosixPath(posix).parts
    if ".." in parts:
        raise PathRefused(f"{path} leads out of the backend folder.")
    if not parts:
        raise PathRefused(f"{path!r} names no file.")
    relative = "/".join(parts)
    if len(relative) > _LONGEST:
        raise PathRefused(f"The path has {len(relative)} characters, and the database keeps at most {_LONGEST}.")
    return relative


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
