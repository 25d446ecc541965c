"""One request and its answer, outside any measurement."""

import httpx

from benchmarks.load import Body
from benchmarks.server import Server, ServerError

LENGTH_HEADER = "Inference-Header-Content-Length"


def exchange(server: Server, path: str, body: Body) -> bytes:
    """The body of a 200. Raises ServerError for any other answer, and for none within a minute."""
    headers = {"content-type": body.content_type}
    if body.header_length is not None:
        headers[LENGTH_HEADER] = str(body.header_length)
    try:
        answer = httpx.post(server.url + path, content=body.content, headers=headers, timeout=60)
    except httpx.HTTPError as error:
        raise ServerError(f"does not answer: {error!r}; {server.tail()}") from error
    if answer.status_code != httpx.codes.OK:
        raise ServerError(f"answers {answer.status_code}: {answer.text[:300]}; {server.tail()}")
    return answer.content
