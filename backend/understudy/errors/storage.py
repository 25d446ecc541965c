"""Defines the errors of the disk and of the shared store of model files."""

from understudy.errors.base import Unavailable


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = "The disk cannot be used"
    default_remedy = (
        "Free disk space and give the user that runs Understudy write access; `understudy doctor` checks both."
    )


class StoreUnavailable(Unavailable):
    """The object store of UNDERSTUDY_STORE. What was loaded from it goes on being served."""

    code = "store_unavailable"
    title = "The store of model files does not answer"
    default_remedy = "Check UNDERSTUDY_STORE, its endpoint and the network; the server tries again by itself."


class StoreDenied(StoreUnavailable):
    code = "store_denied"
    title = "The store of model files refuses the server"
    default_remedy = (
        "Give the server credentials that may read and write below UNDERSTUDY_STORE, such as AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY; docs/store.md lists the rights."
    )


class StoredFileDamaged(StoreUnavailable):
    code = "stored_file_damaged"
    title = "A file in the store is damaged"
    default_remedy = (
        "Delete the object that is named from the store; a server that has the file itself then stores it again."
    )
