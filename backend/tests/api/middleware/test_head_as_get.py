"""Health checkers ask with HEAD."""

import httpx

ANSWERED = ("/", "/docs", "/health/live", "/health/ready", "/metrics", "/v2/health/ready", "/api/v1/models")
REFUSED = {"/api/v1/predict": 405, "/api/v1/events": 405, "/api/none": 404}


def test_head_has_the_headers_of_get_and_no_body(server: str) -> None:
    with httpx.Client(base_url=f"http://{server}") as client:  # on one connection: a body left over would break it
        for path in ANSWERED:
            head, got = client.head(path), client.get(path)
            assert (head.status_code, head.content) == (200, b""), path
            assert head.headers["content-type"] == got.headers["content-type"]
        for path, status in REFUSED.items():
            assert client.head(path).status_code == status, path
