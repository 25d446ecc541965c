"""Describes the caller of a request, and says what it may do."""

from dataclasses import dataclass

from understudy.access.actions import ALLOWED, PUBLIC, Action, describe_refusal
from understudy.errors import NotAllowed, NotSignedIn
from understudy.models import PrincipalKind
from understudy.schemas.access.role import Role


@dataclass(frozen=True)
class Limits:
    """Limits that a caller has for itself; None: those of its role hold."""

    requests_per_second: float | None = None
    concurrent_requests: int | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Caller:
    """The principal behind a request.

    `kind` is None for a caller who is not signed in and where access is open. `source` is the only source that a device
    may name. `is_open` says that the server has no accounts: everybody may do everything.
    """

    kind: PrincipalKind | None = None
    principal_id: int | None = None
    name: str | None = None
    role: Role | None = None
    source: str | None = None
    by_session: bool = False
    is_open: bool = False
    limits: Limits = NO_LIMITS

    @property
    def is_signed_in(self) -> bool:
        return self.kind is not None

    @property
    def knows_reasons(self) -> bool:
        """Return whether the caller may read the reasons of a state, such as which model failed to load."""
        return self.is_open or self.is_signed_in

    def may(self, action: Action) -> bool:
        return self.is_open or action in PUBLIC or (self.role is not None and self.role in ALLOWED[action])

    def require(self, action: Action) -> None:
        """Raises NotSignedIn and NotAllowed."""
        if self.may(action):
            return
        if not self.is_signed_in:
            raise NotSignedIn("This needs a sign-in or a key.")
        raise NotAllowed(describe_refusal(action, self.role))


STRANGER = Caller()
OPEN = Caller(is_open=True)
