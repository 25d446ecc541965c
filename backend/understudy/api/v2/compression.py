"""Bodies compressed with gzip or deflate (zlib), as Triton's clients offer."""

import zlib

from understudy.errors import BodyTooLarge, RequestInvalid

# Below it the time costs more than the bytes.
WORTHWHILE = 1024
_WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """The body of a Content-Encoding; never inflates past `limit` bytes. Raises RequestInvalid and BodyTooLarge."""
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


def accepted(header: str, size: int) -> str | None:
    """The encoding for an answer of `size` bytes under an Accept-Encoding, gzip before deflate; None for none."""
    if size < WORTHWHILE or not header:
        return None
    offers = {name.strip(): rest.strip() for name, _, rest in (offer.partition(";") for offer in header.split(","))}
    return next((name for name in _WINDOW if name in offers and offers[name] not in {"q=0", "q=0.0"}), None)


def compressed(body: bytes, encoding: str) -> bytes:
    """At the fastest level: most tensors hardly shrink."""
    deflater = zlib.compressobj(1, wbits=_WINDOW[encoding])
    return deflater.compress(body) + deflater.flush()
