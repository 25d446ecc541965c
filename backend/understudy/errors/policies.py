"""Defines the errors of the policies of activations and of signatures."""

from understudy.errors.base import Conflict, Forbidden, NotFound, Refused
from understudy.errors.model_files import CannotServe


class ApprovalRefused(Forbidden):
    """The caller may activate models, and is not the second person that this activation needs."""

    code = "approval_refused"
    title = "This caller cannot give the second word"
    default_remedy = "Ask another person who may activate models: the page shows the request, and `understudy policy`."


class RequestNotFound(NotFound):
    code = "request_not_found"
    title = "No such activation request"
    default_remedy = "List the pending requests: `understudy policy show`, or GET /api/v1/policies."


class ApprovalNeeded(Conflict):
    """The policy of four eyes holds: the activation was recorded as a request, and nothing went live."""

    code = "approval_needed"
    title = "The activation waits for a second person"
    default_remedy = (
        "Another person who may activate models approves it: on the page, or `understudy policy approve REQUEST_ID "
        "--url URL` with a key of theirs in UNDERSTUDY_KEY."
    )


class RequestClosed(Conflict):
    code = "request_closed"
    title = "The activation request does not wait any more"
    default_remedy = "Ask again where the model should go live: `understudy activate MODEL_ID`."


class RequestStale(Conflict):
    """The request no longer asks for the same: something was changed since."""

    code = "request_stale"
    title = "Something changed since the activation was asked for"
    default_remedy = "Look at what is live now, and ask again where it is still wanted: `understudy activate MODEL_ID`."


class Frozen(Conflict):
    code = "frozen"
    title = "No model is activated in this span of time"
    default_remedy = (
        "Wait until the freeze ends. In an emergency an admin overrides it with a reason, which the history keeps: "
        '`understudy activate MODEL_ID --override-freeze --reason "WHY"`.'
    )


class NothingToConfirm(Conflict):
    code = "nothing_to_confirm"
    title = "No model waits to be confirmed"
    default_remedy = "Look at what is live, and whether it must be confirmed: `understudy policy show`."


class PolicyRefused(Conflict):
    code = "policy_refused"
    title = "The policy cannot hold"
    default_remedy = "Change the policies: `understudy policy set --help`."


class SignatureInvalid(Refused):
    code = "signature_invalid"
    title = "The signature does not hold"
    default_remedy = "Sign the model again: `understudy sign MODEL_ID --key FILE`, and send that signature."


class NotSigned(CannotServe):
    """The policy lets only signed models go live, and no key that counts signed this one as it is."""

    code = "not_signed"
    title = "The model is not signed by a key that counts"
    default_remedy = (
        "Look at what has to be signed, and let the holder of a key sign it: `understudy sign MODEL_ID --key FILE` "
        "(docs/policies.md)."
    )
