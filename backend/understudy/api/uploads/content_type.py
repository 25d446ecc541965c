"""Parses media types and the names of files in a form."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from python_multipart.multipart import parse_options_header

# A file's name with its character set: filename*=UTF-8''na%C3%AFve.wav (RFC 5987).
_EXTENDED_NAME = re.compile(r";\s*filename\*\s*=\s*\"?(utf-8|iso-8859-1)'[^']*'([^;\"\s]*)", re.IGNORECASE)


@dataclass(frozen=True)
class ContentType:
    """A media type in lower case, such as `audio/wav`; `name` is empty where the header is missing."""

    name: str
    parameters: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, header: str | bytes | None) -> "ContentType":
        kind, options = parse_options_header(header)
        return cls(
            kind.decode("latin-1").strip().lower(),
            {name.decode("latin-1").lower(): value.decode("latin-1").strip() for name, value in options.items()},
        )

    @property
    def is_audio(self) -> bool:
        return self.name.startswith(("audio/", "video/")) or self.name == "application/ogg"

    @property
    def is_json(self) -> bool:
        return self.name == "application/json" or (self.name.startswith("application/") and self.name.endswith("+json"))


@dataclass(frozen=True)
class Disposition:
    """Name of a part of a form, and the name of its file, None where it has none."""

    name: str
    filename: str | None

    @classmethod
    def parse(cls, header: bytes) -> "Disposition":
        _, options = parse_options_header(header)
        filename = options.get(b"filename")
        found = _EXTENDED_NAME.search(header.decode("latin-1"))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if found is not None:
            return cls(name, unquote_to_bytes(found[2]).decode(found[1], "replace"))
        return cls(name, None if filename is None else filename.decode("utf-8", "replace"))
