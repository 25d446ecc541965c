r"""Mends `.keras` archives that Keras wrote on Windows with backslashes in names (keras-team/keras#18528).

Such an archive keeps its weights in groups named `layers\conv2d`, and every reader looks for the group `conv2d` in the
group `layers`. Tools that pack archives on Windows name entries in the same way.
"""

import zipfile
from pathlib import Path
from typing import Any

import h5py

from understudy.errors import CompileFailed

_REMEDY = "Load the model where it was saved, with Keras 3.0 or newer, and save it again as .keras."


def mend_archive(path: Path, weights: Path) -> str | None:
    r"""Replace backslashes by slashes in the names of `path` and of the archive's unpacked `weights`, in place.

    `path` and `weights` must be copies that belong to the compiler. Returns a note for the reader, or None when nothing
    had to be changed and the files are untouched. Raises CompileFailed when two names would become one.
    """
    with zipfile.ZipFile(path) as archive:
        entries = [name for name in archive.namelist() if "\\" in name]
    with h5py.File(weights, "r+") as file:
        groups = _mend_group(file, set())
    if not entries and not groups:
        return None
    _rewrite(path, weights)
    example = min(groups or entries)
    return (
        f"The archive was written on Windows: {len(entries) + len(groups)} of its names hold backslashes "
        f"({example}). They were read as slashes; the file itself is unchanged."
    )


def _mend_group(group: Any, seen: set[Any]) -> list[str]:
    """Mend all names below `group` and return the old ones; a group that is linked twice is visited once."""
    mended = []
    for name in sorted(group):
        item = group[name]
        info = h5py.h5o.get_info(item.id)
        if isinstance(item, h5py.Group) and (info.fileno, info.addr) not in seen:
            seen.add((info.fileno, info.addr))
            mended += _mend_group(item, seen)
        if "\\" not in name:
            continue
        target = name.replace("\\", "/")
        if any(part in ("", ".") for part in target.split("/")):
            raise CompileFailed(f"The weights have a group named {name!r}, which is no path.", remedy=_REMEDY)
        if target in group:
            raise CompileFailed(f"The weights hold both {name!r} and {target!r}.", remedy=_REMEDY)
        group.move(name, target)
        mended.append(name)
    return mended


def _rewrite(path: Path, weights: Path) -> None:
    """Write the archive again with slashes in its entries' names and with the mended `weights`."""
    mended = path.with_name("mended.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(mended, "w") as target:
        taken = set()
        for entry in source.infolist():
            name = entry.filename.replace("\\", "/")
            if name in taken:
                raise CompileFailed(f"The archive holds {name!r} twice, with a slash and a backslash.", remedy=_REMEDY)
            taken.add(name)
            if name != weights.name and not entry.is_dir():
                target.writestr(name, source.read(entry))
        target.write(weights, weights.name)
    mended.replace(path)
