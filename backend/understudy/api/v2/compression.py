"""Compresses and decompresses bodies with gzip or deflate (zlib), the encodings of Triton's clients."""

import zlib

from understudy.errors import BodyTooLarge, RequestInvalid

# Bytes; compressing a smaller body costs more time than it saves.
WORTHWHILE = 1024
_WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the plain body; never inflates past `limit` bytes. Raises RequestInvalid and BodyTooLarge."""
    if encoding == "identity":
        return body
    if encoding not in _WINDOW:
        raise RequestInvalid(f"The content encoding is {encoding!r:.40}.", remedy="Send gzip, deflate or none.")
    inflater = zlib.decompressobj(_WINDOW[encoding])
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise RequestInvalid(f"The body is not {encoding}: {error}.") from error
    if len(plain) > limit:
        raise BodyTooLarge(
            f"The body holds more than {limit} bytes.", remedy="Send less, or raise UNDERSTUDY_MAX_TENSOR_BYTES."
        )
    if not inflater.eof:
        raise RequestInvalid(f"The {encoding} body is cut off.")
    return plain


def choose_encoding(header: str, size: int) -> str | None:
    """Return the encoding of an answer of `size` bytes for an Accept-Encoding header, gzip before deflate, or None."""
    if size < WORTHWHILE or not header:
        return None
    offers = {name.strip(): rest.strip() for name, _, rest in (offer.partition(";") for offer in header.split(","))}
    return next((name for name in _WINDOW if name in offers and offers[name] not in {"q=0", "q=0.0"}), None)


def compress(body: bytes, encoding: str) -> bytes:
    """Compress at the fastest level: most tensors hardly shrink."""
    deflater = zlib.compressobj(1, wbits=_WINDOW[encoding])
    return deflater.compress(body) + deflater.flush()
