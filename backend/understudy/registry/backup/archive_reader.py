"""Reads a backup's archive into a folder, and checks every byte against its manifest."""

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import ValidationError

from understudy.errors import BackupInvalid, Misconfigured
from understudy.files.disk_errors import translate_disk_errors
from understudy.files.regular_file import open_regular
from understudy.migrations.revision import build_unknown_revision, is_newer
from understudy.registry.backup.archive_writer import FILES, MANIFEST, TABLES
from understudy.registry.files.paths import is_normal
from understudy.schemas.registry.backup import Manifest

_BLOCK = 1 << 20
_MOST_ENTRIES = 2_000_000
_MOST_MANIFEST_BYTES = 1 << 30


def extract(archive: Path, folder: Path) -> Manifest:
    """Write the archive's entries below `folder`, which is empty, and return the manifest that they agree with.

    Entries are regular files with the names that this program gives them; nothing is written outside of `folder`.
    Raises BackupInvalid for an archive that is damaged, cut off or no backup, Misconfigured for one of a later version,
    StorageUnavailable, and FileNotFoundError.
    """
    digests: dict[str, tuple[int, str]] = {}
    content: bytes | None = None
    try:
        with open_regular(archive) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for number, entry in enumerate(tar):
                if number > _MOST_ENTRIES or content is not None or not _is_plain(entry) or entry.name in digests:
                    raise BackupInvalid(f"The entry {entry.name[:200]!r} does not belong into a backup.")
                source = cast("BinaryIO", tar.extractfile(entry))
                if entry.name == MANIFEST:
                    content = _read_manifest(source, entry.size)
                else:
                    digests[entry.name] = entry.size, _extract(source, folder, entry.name)
    except (tarfile.TarError, EOFError) as error:
        raise BackupInvalid(f"{archive} cannot be read as a backup: {error}.") from error
    if content is None:
        raise BackupInvalid(f"{archive} has no manifest: it was cut off, or it is no backup.")
    manifest = _parse_manifest(content)
    _compare(manifest, digests)
    return manifest


def read_lines(folder: Path, table: str) -> Iterator[bytes]:
    """Yield the rows of a table that `extract` wrote."""
    with (folder / f"{TABLES}{table}.jsonl").open("rb") as file:
        yield from file


def locate(folder: Path, path: str) -> Path:
    """Return where `extract` wrote the file with the path `path`."""
    return folder / FILES / path


def _extract(source: BinaryIO, folder: Path, name: str) -> str:
    if not _is_ours(name):
        raise BackupInvalid(f"The entry {name[:200]!r} does not belong into a backup.")
    place, digest = folder / name, hashlib.sha256()
    with translate_disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            while block := source.read(_BLOCK):
                digest.update(block)
                file.write(block)
    return digest.hexdigest()


def _is_plain(entry: tarfile.TarInfo) -> bool:
    """True for a regular file; a sparse one of a few bytes would fill the disk with zeros."""
    return entry.isreg() and not entry.issparse()


def _is_ours(name: str) -> bool:
    """True for a table's entry, or a file's with a path that stays inside its folder."""
    folder = next((each for each in (TABLES, FILES) if name.startswith(each)), None)
    return folder is not None and is_normal(name.removeprefix(folder))


def _read_manifest(source: BinaryIO, size: int) -> bytes:
    if size > _MOST_MANIFEST_BYTES:
        raise BackupInvalid(f"The manifest has {size} bytes.")
    return source.read(size)


def _parse_manifest(content: bytes) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        raise BackupInvalid(
            f"The manifest is not valid: {'.'.join(map(str, fault['loc']))}: {fault['msg']}."
        ) from error
    if is_newer(manifest.revision):
        raise _build_newer(manifest)
    return manifest


def _build_newer(manifest: Manifest) -> Misconfigured:
    return build_unknown_revision(manifest.revision, f"the backup was written by Understudy {manifest.understudy}.")


def _compare(manifest: Manifest, found: dict[str, tuple[int, str]]) -> None:
    """Raises BackupInvalid unless exactly what the manifest lists was found, with the digests it lists."""
    sizes: dict[str, int | None] = {f"{TABLES}{each.name}.jsonl": None for each in manifest.tables}
    listed = {f"{TABLES}{each.name}.jsonl": each.sha256 for each in manifest.tables}
    for each in manifest.files:
        sizes[f"{FILES}{each.path}"] = each.bytes
        listed[f"{FILES}{each.path}"] = each.sha256
    if different := sorted(listed.keys() ^ found.keys()):
        raise BackupInvalid(f"The manifest and the archive differ: {different[0][:200]!r} is in one of them only.")
    for name, digest in listed.items():
        size, present = found[name]
        if present != digest or sizes[name] not in (None, size):
            raise BackupInvalid(f"{name} in the backup is damaged: its digest is not the one that the manifest lists.")
