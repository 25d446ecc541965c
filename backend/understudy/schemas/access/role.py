"""The roles of people, keys and identities."""

from enum import StrEnum


class Role(StrEnum):
    """`access/actions.py` says what each role may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"
    ADMIN = "admin"
    DEVICE = "device"


# The roles that may make a model live.
MAY_ACTIVATE = (Role.OPERATOR, Role.EDITOR, Role.ADMIN)
