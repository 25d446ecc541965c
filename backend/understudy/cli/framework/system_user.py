"""Names the user of this machine who runs a command, for the history."""

import os

from understudy.schemas.access.actor import SYSTEM_USER, ActingPrincipal, Actor


def build_actor(source: str) -> Actor:
    """Return the source with the user that the system knows; the environment could name anybody."""
    try:
        import pwd  # Windows has none

        name = pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return Actor(source)
    return Actor(source, ActingPrincipal(None, name, SYSTEM_USER))
