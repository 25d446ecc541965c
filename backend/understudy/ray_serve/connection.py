"""Connects to a Ray cluster. Importing this module loads Ray."""

import logging
import os
import socket

import ray
from ray.exceptions import AuthenticationError

from understudy.errors import Misconfigured, Unavailable

_ANSWER_SECONDS = 10.0
_AUTHENTICATION_REMEDY = (
    "A cluster that was started with RAY_AUTH_MODE=token asks for its token: set RAY_AUTH_MODE=token here too, with "
    "the head's token in RAY_AUTH_TOKEN or in ~/.ray/auth_token."
)


def connect(address: str | None) -> None:
    """Connect this process to the cluster at `address`, to that which RAY_ADDRESS names, or to that of this machine.

    Raises Unavailable where no cluster answers or where it asks for another token, and Misconfigured for an address
    that names no cluster.
    """
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    wanted = address or os.environ.get("RAY_ADDRESS") or "auto"
    place = "the address of this machine" if wanted == "auto" else wanted
    if wanted != "auto":
        _require_answer(wanted)
    try:
        ray.init(address=wanted, log_to_driver=False, logging_level=logging.ERROR)
    except AuthenticationError as error:
        raise Unavailable(
            f"The Ray cluster at {place} could not be asked: there is no token.", remedy=_AUTHENTICATION_REMEDY
        ) from error
    except (ConnectionError, ValueError) as error:
        raise Unavailable(
            f"No Ray cluster answers at {place}: {error}",
            remedy="Start one with `ray start --head` and join the other machines with `ray start --address "
            f"HEAD:6379`, or name one: --address HEAD:6379. {_AUTHENTICATION_REMEDY}",
        ) from error


def _require_answer(address: str) -> None:
    """Raise the reason why nothing can listen at `address`: Ray tries that for a quarter of an hour."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise Misconfigured(
            f"{address!r} is no address of a Ray cluster.",
            remedy="Write the host and the port of the head: --address HEAD:6379, or RAY_ADDRESS.",
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise Unavailable(
            f"Nothing answers at {address}: {error}.",
            remedy="Give the address that `ray start --head` printed, and let this machine reach it.",
        ) from error
