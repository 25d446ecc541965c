"""Says why a deployment takes long. Importing this module loads Ray."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ray import serve

_LOOK_SECONDS = 2.0


@contextmanager
def tell_progress(name: str, note: Callable[[str], None]) -> Iterator[None]:
    """Give `note` what Ray says of the application `name` while the block waits for it, each sentence once.

    Ray waits for ever where no node has room for a replica: the cluster may grow.
    """
    ended = threading.Event()
    watching = threading.Thread(target=_watch, args=(name, note, ended), daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()


def _watch(name: str, note: Callable[[str], None], ended: threading.Event) -> None:
    told = {""}
    while not ended.wait(_LOOK_SECONDS):
        with suppress(Exception):  # the block itself says what is wrong
            application = serve.status().applications[name]
            for deployment in application.deployments.values():
                first_line = deployment.message.partition("\n")[0].removesuffix(" Error:")
                if first_line not in told:
                    told.add(first_line)
                    note(first_line)
