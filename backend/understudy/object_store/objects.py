"""Reads and writes objects of S3, Google Cloud Storage, Azure or a folder."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from understudy.errors import Misconfigured, StoreDenied, StoreUnavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_SCHEMES = ("s3://", "gs://", "az://", "file:///")
# Parts of the names of environment variables that say at which service a bucket is.
_SERVICE_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_")
_SERVICE_WORDS = ("ENDPOINT", "ACCOUNT_NAME", "BASE_URL")
CONNECT = timedelta(seconds=5)
REQUEST = timedelta(seconds=60)
RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
QUICK = timedelta(seconds=2)

_DURATION = re.compile(r" in \d[\d.]*(ns|µs|ms|s)\b")
_MOST_CHARACTERS = 500


class Objects:
    """The objects below one address. Each is written once and never changed. All methods block: call them in a thread.

    Endpoint, region and credentials come from the environment, by the names that the providers' own tools use, such as
    AWS_ENDPOINT_URL and AWS_ACCESS_KEY_ID. `digest` names the store: a SHA-256 over address and endpoint.
    """

    def __init__(self, address: str) -> None:
        """Raises Misconfigured for an address that no store has, and where obstore is not installed."""
        self.address = address
        self.digest = _compute_digest(address)
        self._store = _open(address)

    def read(self, key: str) -> bytes | None:
        """Return the object's bytes, or None where there is none. Raises StoreUnavailable and StoreDenied."""
        from obstore.exceptions import NotFoundError

        with _translate(self.address):
            try:
                return bytes(self._store.get(key).bytes())
            except (NotFoundError, FileNotFoundError):
                return None

    def exists(self, key: str, *, quick: bool = False) -> bool:
        """Return whether there is an object. Raises StoreUnavailable and StoreDenied.

        With `quick`, that is raised after two seconds without an answer: for callers that can do without one.
        """
        from obstore.exceptions import NotFoundError

        with _translate(self.address):
            try:
                (_open(self.address, quick=True) if quick else self._store).head(key)
            except (NotFoundError, FileNotFoundError):
                return False
            return True

    def create(self, key: str, content: bytes) -> None:
        """Write an object; one that is there stays as it is. Raises StoreUnavailable and StoreDenied."""
        from obstore.exceptions import AlreadyExistsError

        with _translate(self.address):
            try:
                self._store.put(key, content, mode="create", use_multipart=False)
            except (AlreadyExistsError, FileExistsError):
                return


def _compute_digest(address: str) -> str:
    """Return a SHA-256 over all that says which store this is: buckets of two services may have the same name."""
    service = sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith(_SERVICE_PREFIXES) and any(word in name for word in _SERVICE_WORDS)
    )
    return hashlib.sha256("\n".join([address.rstrip("/"), *service]).encode()).hexdigest()


def _open(address: str, *, quick: bool = False) -> "ObjectStore":
    if not address.startswith(_SCHEMES):
        raise Misconfigured(
            "UNDERSTUDY_STORE is no address of an object store.",
            remedy="Write s3://BUCKET/FOLDER, gs://BUCKET/FOLDER, az://CONTAINER/FOLDER or file:///FOLDER.",
        )
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError:
        raise Misconfigured(
            "UNDERSTUDY_STORE is set, and the package obstore is not installed.",
            remedy="Run `pip install '.[store]'` in the checkout.",
        ) from None
    options: dict[str, Any] = {}
    if not address.startswith("file:"):
        options = {
            # Stores inside a company's network, and those of tests, need not have TLS.
            "client_options": {
                "allow_http": True,
                "connect_timeout": QUICK if quick else CONNECT,
                "timeout": QUICK if quick else REQUEST,
            },
            "retry_config": {"max_retries": 0} if quick else RETRIES,
        }
    else:
        options = {"mkdir": True}
    try:
        return from_url(address, **options)
    except (BaseError, ValueError, OSError) as error:
        raise Misconfigured(f"UNDERSTUDY_STORE cannot be used: {_shorten(error)}", remedy="Correct it.") from None


@contextmanager
def _translate(address: str) -> Iterator[None]:
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise StoreDenied(f"The store {address} refuses this: {_shorten(error)}") from None
    except (BaseError, OSError) as error:
        raise StoreUnavailable(f"The store {address} does not answer: {_shorten(error)}") from None


def _shorten(error: Exception) -> str:
    """Return the first line: the rest holds the library's own state, such as signed addresses.

    The times that requests took are left out: servers that fail for the same reason must say the same.
    """
    return _DURATION.sub("", str(error).partition("\n")[0])[:_MOST_CHARACTERS]
