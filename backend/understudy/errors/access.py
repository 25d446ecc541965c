"""Defines the errors of people, keys, sessions and sign-in."""

from understudy.errors.base import Conflict, Forbidden, Misconfigured, NotFound, Refused, Unavailable, UnderstudyError


class NotSignedIn(UnderstudyError):
    """No credential, or one that does not hold: unknown, wrong, expired, revoked or disabled."""

    status = 401
    code = "not_signed_in"
    title = "Not signed in"
    default_remedy = (
        "Sign in on the page, or send a key: `Authorization: Bearer KEY` (UNDERSTUDY_KEY for the command line). An "
        "admin makes one with `understudy keys create NAME --role viewer`."
    )


class NotAllowed(Forbidden):
    code = "not_allowed"
    title = "Your role does not allow this"
    default_remedy = "Ask an admin for another role: `understudy users role NAME ROLE`. docs/access.md lists the roles."


class NoRole(Forbidden):
    code = "no_role"
    title = "The account has no role here"
    default_remedy = (
        "Ask an admin of the provider for a role. UNDERSTUDY_JWT_ROLE_CLAIM and UNDERSTUDY_JWT_ROLES say which claim "
        "stands for which role."
    )


class UserNotFound(NotFound):
    code = "user_not_found"
    title = "No such user"
    default_remedy = "List the users with `understudy users list`."


class SessionNotFound(NotFound):
    code = "session_not_found"
    title = "No such session"
    default_remedy = "List your sessions again: this one may have ended."


class KeyNotFound(NotFound):
    code = "key_not_found"
    title = "No such key"
    default_remedy = "List the keys with `understudy keys list`."


class AccountTaken(Conflict):
    code = "account_taken"
    title = "A user or a key has this name"
    default_remedy = "Choose another name: the history tells users and keys apart by it."


class LastAdmin(Conflict):
    code = "last_admin"
    title = "The last admin must stay"
    default_remedy = "Make another admin first: `understudy users add NAME --role admin`."


class TooManyAttempts(UnderstudyError):
    status = 429
    code = "too_many_attempts"
    title = "Too many failed attempts to sign in"
    default_remedy = "Wait for the seconds that Retry-After says, then try again."

    def __init__(self, detail: str, *, remedy: str | None = None, retry_after: int = 1) -> None:
        super().__init__(detail, remedy=remedy)
        self.retry_after = retry_after


class LimitReached(UnderstudyError):
    """The caller sent more requests than its limit. Nothing was read or done."""

    status = 429
    code = "limit_reached"
    title = "The caller's limit is reached"
    default_remedy = (
        "Wait for the seconds that Retry-After says, then go on more slowly. An admin can give a key other limits: "
        "`understudy keys limit NAME`."
    )

    def __init__(self, detail: str, *, remedy: str | None = None, retry_after: int = 1) -> None:
        super().__init__(detail, remedy=remedy)
        self.retry_after = retry_after


class AccountRefused(Refused):
    code = "account_refused"
    title = "The user or key cannot be made so"
    default_remedy = "Correct the option and run the command again; docs/access.md describes users and keys."


class PasswordRefused(Refused):
    code = "password_refused"
    title = "The password is not allowed"
    default_remedy = "Choose a password of 12 to 256 characters."


class SignInFailed(Refused):
    code = "sign_in_failed"
    title = "The sign-in at the provider failed"
    default_remedy = "Begin again on the sign-in page. If it stays so, the server's log names the reason."


class IssuerUnavailable(Unavailable):
    code = "issuer_unavailable"
    title = "The keys of the token's issuer cannot be read"
    default_remedy = (
        "Check UNDERSTUDY_JWT_JWKS_URL or UNDERSTUDY_OIDC_ISSUER and that this server can reach it, then try again."
    )


class UnsafeBinding(Misconfigured):
    code = "unsafe_binding"
    title = "The address can be reached from other machines"
    default_remedy = (
        "Make an admin with `understudy users add NAME --role admin` and start again, or serve this machine only with "
        "`understudy serve --host 127.0.0.1`. Where a proxy in front checks who calls, add --allow-unauthenticated."
    )
