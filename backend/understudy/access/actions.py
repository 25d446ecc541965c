"""The table of what each role may do. Every route and WebSocket names its action.

docs/access.md shows this table; a test compares the two.
"""

from enum import StrEnum

from understudy.schemas.access.role import MAY_ACTIVATE, Role


class Action(StrEnum):
    """Names an action that a caller asks for."""

    LOAD_PAGE = "load_page"
    CHECK_HEALTH = "check_health"
    SIGN_IN = "sign_in"
    VIEW = "view"
    READ_METRICS = "read_metrics"
    READ_DOCS = "read_docs"
    PREDICT = "predict"
    INFER = "infer"
    REHEARSE = "rehearse"
    READ_PREDICTIONS = "read_predictions"
    ACTIVATE = "activate"
    EDIT = "edit"
    OWN_ACCOUNT = "own_account"
    MANAGE_ACCESS = "manage_access"
    POLICIES = "policies"


_PEOPLE = (Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.ADMIN)
_EDITORS = (Role.EDITOR, Role.ADMIN)

# A caller who is not signed in may do these only.
PUBLIC = frozenset({Action.LOAD_PAGE, Action.CHECK_HEALTH, Action.SIGN_IN})

ALLOWED: dict[Action, tuple[Role, ...]] = {
    Action.LOAD_PAGE: tuple(Role),
    Action.CHECK_HEALTH: tuple(Role),
    Action.SIGN_IN: tuple(Role),
    Action.VIEW: _PEOPLE,
    Action.READ_METRICS: _PEOPLE,
    Action.READ_DOCS: _PEOPLE,
    Action.PREDICT: (*_PEOPLE, Role.DEVICE),
    Action.INFER: _PEOPLE,
    Action.REHEARSE: MAY_ACTIVATE,
    Action.READ_PREDICTIONS: MAY_ACTIVATE,
    Action.ACTIVATE: MAY_ACTIVATE,
    Action.EDIT: _EDITORS,
    Action.OWN_ACCOUNT: _PEOPLE,
    Action.MANAGE_ACCESS: (Role.ADMIN,),
    Action.POLICIES: (Role.ADMIN,),
}

MEANINGS: dict[Action, str] = {
    Action.LOAD_PAGE: "load the page's own files",
    Action.CHECK_HEALTH: "ask whether the server is up; who is not signed in gets no reason",
    Action.SIGN_IN: "sign in and out, and read one's own role",
    Action.VIEW: "list models, files, history, status, reports and events",
    Action.READ_METRICS: "read `/metrics`",
    Action.READ_DOCS: "read `/docs`, `/redoc` and `/openapi.json`",
    Action.PREDICT: "predict recordings and score a microphone with the live model; a device for its own source only",
    Action.INFER: "run the live model on tensors by `/v2`; another one needs `rehearse`",
    Action.REHEARSE: "predict with a model that is not live (`?model_id=`, `/v2`)",
    Action.READ_PREDICTIONS: "read the log of predictions",
    Action.ACTIVATE: "activate a model and roll back",
    Action.EDIT: "upload, register, update and delete models and their examples",
    Action.OWN_ACCOUNT: "change one's own password, and see and end one's own sessions",
    Action.MANAGE_ACCESS: "manage people and keys",
    Action.POLICIES: "change the policies of activations, and override a freeze",
}


def describe_refusal(action: Action, role: Role | None) -> str:
    """Return as a sentence why `role` may not do `action`."""
    *most, last = ALLOWED[action]
    needed = f"{', '.join(most)} or {last}" if most else last
    has = "You have no role" if role is None else f"Your role is {role}"
    meaning = MEANINGS[action].partition(";")[0].replace("`", "")
    return f"{has}. To {meaning} you need the role {needed}."
