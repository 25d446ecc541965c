"""Fetches a small document of the service that signs tokens."""

from understudy.access_settings import is_loopback

_TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 1 << 20


async def fetch_document(url: str) -> bytes:
    """Return the document at `url`. Raises OSError where it cannot be had. Follows no redirects."""
    import httpx

    address = httpx.URL(url)
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=not is_loopback(address.host)) as client:
            answer = await client.get(address)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise OSError(str(error)) from error
    if len(answer.content) > _MOST_BYTES:
        raise OSError(f"the document has {len(answer.content)} bytes")
    return answer.content
