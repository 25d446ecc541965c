"""Holds the key, token or session cookie by which a request says who sends it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Credential:
    """A bearer key or token, or the cookie of a browser's session. The secret is in no `repr`, and so in no log."""

    token: str = field(repr=False)
    is_session: bool = False
