"""Defines every error that a client, a command or a log can show.

UnderstudyError                  500 internal_error
├── NotSignedIn                  401 not_signed_in
├── Forbidden                    403
│   ├── ForeignHost              403 foreign_host
│   ├── ForeignOrigin            403 foreign_origin
│   ├── NotAllowed               403 not_allowed
│   ├── ApprovalRefused          403 approval_refused
│   └── NoRole                   403 no_role
├── NotFound                     404
│   ├── ModelNotFound            404 model_not_found
│   ├── ActiveModelNotFound      404 active_model_not_found
│   ├── OperationNotFound        404 operation_not_found
│   ├── RequestNotFound          404 request_not_found
│   ├── ReportNotFound           404 report_not_found
│   ├── UserNotFound             404 user_not_found
│   ├── SessionNotFound          404 session_not_found
│   └── KeyNotFound              404 key_not_found
├── Conflict                     409
│   ├── NameTaken                409 name_taken
│   ├── FileExists               409 file_exists
│   ├── ModelIsActive            409 model_is_active
│   ├── FileChanged              409 file_changed
│   ├── RowRefused               409 row_refused
│   ├── BackboneInUse            409 backbone_in_use
│   ├── NothingToRollBack        409 nothing_to_roll_back
│   ├── RolloutFailed            409 rollout_failed
│   ├── ApprovalNeeded           409 approval_needed
│   ├── RequestClosed            409 request_closed
│   ├── RequestStale             409 request_stale
│   ├── Frozen                   409 frozen
│   ├── NothingToConfirm         409 nothing_to_confirm
│   ├── PolicyRefused            409 policy_refused
│   ├── AccountTaken             409 account_taken
│   └── LastAdmin                409 last_admin
├── TooLarge                     413
│   ├── BodyTooLarge             413 body_too_large
│   ├── AudioTooLong             413 audio_too_long
│   └── HeadersTooLarge          431 headers_too_large
├── MalformedRequest             400 malformed_request
├── RequestTimeout               408 request_timeout
├── TooManyAttempts              429 too_many_attempts
├── LimitReached                 429 limit_reached
├── NotAudio                     415 not_audio
├── Refused                      422
│   ├── RequestInvalid           422 request_invalid
│   ├── NameRefused              422 name_refused
│   ├── AccountRefused           422 account_refused
│   ├── PasswordRefused          422 password_refused
│   ├── SignInFailed             422 sign_in_failed
│   ├── PathRefused              422 path_refused
│   ├── FileMissing              422 file_missing
│   ├── SpecInvalid              422 spec_invalid
│   ├── AudioUnusable            422 audio_unusable
│   ├── TrainingDataInvalid      422 training_data_invalid
│   ├── ExamplesInvalid          422 examples_invalid
│   ├── BackupInvalid            422 backup_invalid
│   ├── SignatureInvalid         422 signature_invalid
│   └── CannotServe              422 cannot_serve
│       ├── FormatUnknown        422 format_unknown
│       ├── ModelUnsafe          422 model_unsafe
│       ├── CompileFailed        422 compile_failed
│       ├── ParityFailed         422 parity_failed
│       ├── WarmUpFailed         422 warm_up_failed
│       ├── ProbeFailed          422 probe_failed
│       ├── ExamplesMissed       422 examples_missed
│       ├── NotSigned            422 not_signed
│       ├── NotForAudio          422 not_for_audio
│       └── TakesTensors         422 takes_tensors
├── WorkerDied                   500 worker_died
├── Unavailable                  503
│   ├── Overloaded               503 overloaded
│   ├── TooManyConnections       503 too_many_connections
│   ├── ServerStopping           503 server_stopping
│   ├── ModelSetAside            503 model_set_aside
│   ├── NoActiveModel            503 no_active_model
│   ├── ModelNotLoaded           503 model_not_loaded
│   ├── BackgroundTaskDown       503 background_task_down
│   ├── BackboneMissing          503 backbone_missing
│   ├── DownloadFailed           503 download_failed
│   ├── CompilerMissing          503 compiler_missing
│   ├── RuntimeMissing           503 runtime_missing
│   ├── IssuerUnavailable        503 issuer_unavailable
│   ├── StorageUnavailable       503 storage_unavailable
│   ├── CompilationEnded         503 compilation_ended
│   ├── StoreUnavailable         503 store_unavailable
│   │   ├── StoreDenied          503 store_denied
│   │   └── StoredFileDamaged    503 stored_file_damaged
│   ├── RegistryOutdated         503 registry_outdated
│   └── DatabaseUnavailable      503 database_unavailable
│       ├── DatabaseBusy         503 database_busy
│       ├── DatabaseReplaced     503 database_replaced
│       ├── OutcomeUnknown       503 outcome_unknown
│       ├── DatabaseDenied       503 database_denied
│       └── DatabaseNotReady     503 database_not_ready
│           └── DatabaseMissing  503 database_missing
├── ClientGone                   499 client_gone
└── Misconfigured                500 misconfigured
    ├── TableRefused             503 table_refused
    ├── SeveralActive            409 several_active
    └── UnsafeBinding            500 unsafe_binding

The API answers each error as one RFC 9457 problem document. The command line prints `detail` and `remedy`.
"""

from typing import ClassVar

FIND_SPEC = "understudy spec find FILE --examples examples.csv"  # what remedies name where a spec is missing


class UnderstudyError(Exception):
    """Base class of all errors of Understudy.

    `detail` says what happened to this request. `remedy` says what to do now; without one, the class's
    `default_remedy` is used. `status` is the HTTP status, and `code` is stable: clients may depend on it.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    default_remedy: ClassVar[str] = (
        "Find the lines of this request in the server's log, by the answer's X-Request-ID, and report them."
    )

    def __init__(self, detail: str, *, remedy: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy or self.default_remedy

    def problem(self) -> dict[str, object]:
        """Return the RFC 9457 problem document of this error as plain JSON values."""
        return {
            "type": f"urn:understudy:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "remedy": self.remedy,
        }


class NotSignedIn(UnderstudyError):
    """No credential, or one that does not hold: unknown, wrong, expired, revoked or disabled."""

    status = 401
    code = "not_signed_in"
    title = "Not signed in"
    default_remedy = (
        "Sign in on the page, or send a key: `Authorization: Bearer KEY` (UNDERSTUDY_KEY for the command line). An "
        "admin makes one with `understudy keys create NAME --role viewer`."
    )


class Forbidden(UnderstudyError):
    status = 403
    code = "forbidden"
    title = "Not allowed"
    default_remedy = "Use the server's own page or the command line."


class ForeignHost(Forbidden):
    code = "foreign_host"
    title = "The host name is not allowed"
    default_remedy = "Use the server's IP address or localhost, or add the host name to UNDERSTUDY_ALLOWED_HOSTS."


class ForeignOrigin(Forbidden):
    code = "foreign_origin"
    title = "The request comes from a page of another site"


class NotAllowed(Forbidden):
    code = "not_allowed"
    title = "Your role does not allow this"
    default_remedy = "Ask an admin for another role: `understudy users role NAME ROLE`. docs/access.md lists the roles."


class ApprovalRefused(Forbidden):
    """The caller may activate models, and is not the second person that this activation needs."""

    code = "approval_refused"
    title = "This caller cannot give the second word"
    default_remedy = "Ask another person who may activate models: the page shows the request, and `understudy policy`."


class NoRole(Forbidden):
    code = "no_role"
    title = "The account has no role here"
    default_remedy = (
        "Ask an admin of the provider for a role. UNDERSTUDY_JWT_ROLE_CLAIM and UNDERSTUDY_JWT_ROLES say which claim "
        "stands for which role."
    )


class NotFound(UnderstudyError):
    status = 404
    code = "not_found"
    title = "Not found"
    default_remedy = "Check the address in the API's documentation at /docs."


class ModelNotFound(NotFound):
    code = "model_not_found"
    title = "No such model"
    default_remedy = "List the registered models with GET /api/v1/models or `understudy list`."


class ActiveModelNotFound(NotFound):
    """The registry's answer; a prediction without an active model raises NoActiveModel."""

    code = "active_model_not_found"
    title = "No registered model is active"
    default_remedy = "Activate a model: `understudy activate MODEL_ID`, or POST /api/v1/models/{model_id}/activate."


class OperationNotFound(NotFound):
    code = "operation_not_found"
    title = "No such operation"
    default_remedy = "Start the activation again; the answer names a new operation."


class RequestNotFound(NotFound):
    code = "request_not_found"
    title = "No such activation request"
    default_remedy = "List the pending requests: `understudy policy show`, or GET /api/v1/policies."


class ReportNotFound(NotFound):
    code = "report_not_found"
    title = "Not compiled yet"
    default_remedy = "Compile the model with `understudy compile MODEL_ID`, or activate it, then ask again."


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


class Conflict(UnderstudyError):
    status = 409
    code = "conflict"
    title = "Conflict with the current state"
    default_remedy = "Read the current state, then try again."


class NameTaken(Conflict):
    code = "name_taken"
    title = "The name is taken"
    default_remedy = "Choose another name, or update the model that has this name."


class FileExists(Conflict):
    code = "file_exists"
    title = "A file with this name already exists"
    default_remedy = "Choose another file name."


class ModelIsActive(Conflict):
    code = "model_is_active"
    title = "The model is live"
    default_remedy = "Activate another model first."


class FileChanged(Conflict):
    code = "file_changed"
    title = "The model file changed after registration"
    default_remedy = "Put the registered file back, or register the new file as a new model."


class RowRefused(Conflict):
    """A constraint, a trigger or the type of a column refused the row. Nothing was stored."""

    code = "row_refused"
    title = "The database refused the row"
    default_remedy = "Send values that the table accepts; `understudy doctor` lists how it differs from the document."


class BackboneInUse(Conflict):
    code = "backbone_in_use"
    title = "Registered models need the backbone"
    default_remedy = "Delete these models first, or give them another spec: `understudy update MODEL_ID --spec FILE`."


class NothingToRollBack(Conflict):
    code = "nothing_to_roll_back"
    title = "There is no earlier model to go back to"
    default_remedy = "Activate a model by its id: `understudy activate MODEL_ID`."


class RolloutFailed(Conflict):
    """More servers than `fail_fleet` permits could not load the model that an activation had committed."""

    code = "rollout_failed"
    title = "Too many servers could not load the model"
    default_remedy = (
        "Read in `understudy status` what each server serves and why its load failed. Mend that, then activate the "
        "model again."
    )


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


class AccountTaken(Conflict):
    code = "account_taken"
    title = "A user or a key has this name"
    default_remedy = "Choose another name: the history tells users and keys apart by it."


class LastAdmin(Conflict):
    code = "last_admin"
    title = "The last admin must stay"
    default_remedy = "Make another admin first: `understudy users add NAME --role admin`."


class TooLarge(UnderstudyError):
    status = 413
    code = "too_large"
    title = "Too large"
    default_remedy = "Send less data, or raise the setting that limits it; docs/settings.md lists every setting."


class BodyTooLarge(TooLarge):
    code = "body_too_large"
    title = "The upload is too large"


class AudioTooLong(TooLarge):
    code = "audio_too_long"
    title = "The recording is too long"


class HeadersTooLarge(TooLarge):
    status = 431
    code = "headers_too_large"
    title = "The head of the request is too large"
    default_remedy = "Send fewer or shorter headers. Cookies of other programs on the same host name are a usual cause."


class MalformedRequest(UnderstudyError):
    status = 400
    code = "malformed_request"
    title = "The request is not HTTP"
    default_remedy = "Send HTTP/1.1, without TLS: the address begins with http://."


class RequestTimeout(UnderstudyError):
    status = 408
    code = "request_timeout"
    title = "The request arrived too slowly"
    default_remedy = "Send the request again, over a faster connection."


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


class NotAudio(UnderstudyError):
    status = 415
    code = "not_audio"
    title = "Not an audio file"
    default_remedy = "Send wav, flac, ogg, opus, mp3, m4a, webm or aiff."


class Refused(UnderstudyError):
    status = 422
    code = "refused"
    title = "Refused"
    default_remedy = "Correct the request and send it again."


class RequestInvalid(Refused):
    code = "request_invalid"
    title = "The request is not valid"


class NameRefused(Refused):
    code = "name_refused"
    title = "The name or version is not allowed"
    default_remedy = "Choose a name of ordinary characters, such as siren/v2."


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


class PathRefused(Refused):
    code = "path_refused"
    title = "The path is not allowed"
    default_remedy = "Give a path relative to the backend folder, such as models/my_model.keras."


class FileMissing(Refused):
    code = "file_missing"
    title = "The model file is missing"
    default_remedy = "Put the file at that path, then try again."


class SpecInvalid(Refused):
    code = "spec_invalid"
    title = "The spec does not fit the model"
    default_remedy = "Correct the sidecar spec file or the options --spec and --labels, then run the command again."


class AudioUnusable(Refused):
    code = "audio_unusable"
    title = "The audio cannot be used"
    default_remedy = "Record or export the clip again and send the new file."


class TrainingDataInvalid(Refused):
    code = "training_data_invalid"
    title = "The recordings cannot be used for training"
    default_remedy = "Arrange the recordings as FOLDER/label/clip, with at least two labels and at least two folds."


class ExamplesInvalid(Refused):
    code = "examples_invalid"
    title = "The examples cannot be used"
    default_remedy = "Correct the examples file; docs/examples.md describes it."


class BackupInvalid(Refused):
    code = "backup_invalid"
    title = "The backup cannot be used"
    default_remedy = "Use another backup. This one is damaged, incomplete or no backup of Understudy."


class SignatureInvalid(Refused):
    code = "signature_invalid"
    title = "The signature does not hold"
    default_remedy = "Sign the model again: `understudy sign MODEL_ID --key FILE`, and send that signature."


class CannotServe(Refused):
    code = "cannot_serve"
    title = "The model cannot be served"
    default_remedy = "Read the compile report with `understudy show MODEL_ID --report`, then export the model again."


class FormatUnknown(CannotServe):
    code = "format_unknown"
    title = "Not a model file"
    default_remedy = "Register a .keras, .h5, .tflite or .onnx file, or a SavedModel folder."


class ModelUnsafe(CannotServe):
    code = "model_unsafe"
    title = "The model file is not safe to load"
    default_remedy = "Replace Lambda layers and custom classes with standard layers, then save the model again."


class CompileFailed(CannotServe):
    code = "compile_failed"
    title = "The model could not be compiled"


class ParityFailed(CannotServe):
    code = "parity_failed"
    title = "The compiled model does not agree with the original"
    default_remedy = "Export the model to ONNX with its own framework, then register that file."


class WarmUpFailed(CannotServe):
    code = "warm_up_failed"
    title = "The model failed its warm-up"
    default_remedy = "Remove the compiled model with `understudy doctor --fix`, then run `understudy compile MODEL_ID`."


class ProbeFailed(CannotServe):
    """The refusal of an activation: the model was run on unusual inputs first, and the live model stayed."""

    code = "probe_failed"
    title = "The model failed on an unusual input before it went live"
    default_remedy = (
        "Run the original model on such an input in its own framework, correct it, and register the new file."
    )


class ExamplesMissed(CannotServe):
    code = "examples_missed"
    title = "The model does not answer as its examples say"
    default_remedy = "See every clip with `understudy examples MODEL_ID`, then correct the spec or the examples."


class NotSigned(CannotServe):
    """The policy lets only signed models go live, and no key that counts signed this one as it is."""

    code = "not_signed"
    title = "The model is not signed by a key that counts"
    default_remedy = (
        "Look at what has to be signed, and let the holder of a key sign it: `understudy sign MODEL_ID --key FILE` "
        "(docs/policies.md)."
    )


class NotForAudio(CannotServe):
    code = "not_for_audio"
    title = "The model does not take audio"
    default_remedy = (
        "Name the features that the model was trained on in its spec (docs/presets.md), or search them by the answers "
        f"of the author's own script: `{FIND_SPEC}` (docs/spec-find.md)."
    )


class TakesTensors(CannotServe):
    """The refusal of an activation; a prediction with a tensor model raises NotForAudio."""

    code = "takes_tensors"
    title = "The model cannot score recordings"
    default_remedy = (
        "Name the features that the model was trained on in its spec, by a `preset` or a `front_end` "
        f"(docs/presets.md): `understudy update MODEL_ID --spec FILE`. To search them: `{FIND_SPEC}`. To serve tensors "
        "only: "
        "`understudy activate MODEL_ID --tensors-only`."
    )


class Unavailable(UnderstudyError):
    status = 503
    code = "unavailable"
    title = "Unavailable"
    default_remedy = "Try again in a few seconds."
    retry_after: int = 1  # seconds


class Overloaded(Unavailable):
    code = "overloaded"
    title = "Too much work is waiting"
    default_remedy = "Send the request again after the seconds that Retry-After says."

    def __init__(self, detail: str, *, remedy: str | None = None, retry_after: int = 1) -> None:
        super().__init__(detail, remedy=remedy)
        self.retry_after = retry_after


class TooManyConnections(Unavailable):
    code = "too_many_connections"
    title = "Too many connections are open"
    default_remedy = "Close connections that are not needed, or raise the server's limit of open files (ulimit -n)."


class ServerStopping(Unavailable):
    code = "server_stopping"
    title = "The server stops"
    default_remedy = "Send the request again when the server runs."


class ModelSetAside(Unavailable):
    code = "model_set_aside"
    title = "The model ended its worker processes"
    default_remedy = "Activate another model, or roll back: `understudy rollback`. Then correct the model."


class NoActiveModel(Unavailable):
    code = "no_active_model"
    title = "No model is live"
    default_remedy = "Activate a model: `understudy activate MODEL_ID`, or POST /api/v1/models/{model_id}/activate."


class ModelNotLoaded(Unavailable):
    code = "model_not_loaded"
    title = "The model that should be live is not loaded"
    default_remedy = (
        "Wait until it is loaded. If it stays so, `understudy status` or GET /api/v1/status names the reason."
    )


class BackgroundTaskDown(Unavailable):
    code = "background_task_down"
    title = "A background task of the server is down"
    default_remedy = (
        "It is started again by itself. If it stays down, restart the server and report the line of its log."
    )


class BackboneMissing(Unavailable):
    code = "backbone_missing"
    title = "The backbone is not installed"
    default_remedy = (
        "Run `understudy backbone install`, or `understudy backbone install --from FILE` if you have the weights."
    )


class DownloadFailed(Unavailable):
    code = "download_failed"
    title = "The download failed"
    default_remedy = (
        "Download yamnet.h5 on another machine, copy it here, then run `understudy backbone install --from FILE`."
    )


class CompilerMissing(Unavailable):
    code = "compiler_missing"
    title = "The compiler's frameworks are not installed"
    default_remedy = "Run `make install` or `pip install '.[compiler]'` in the checkout, or share a compiled store."


class RuntimeMissing(Unavailable):
    code = "runtime_missing"
    title = "The runtime of this model is not installed"
    default_remedy = "Run `pip install '.[litert]'` in the checkout, then activate the model again."


class IssuerUnavailable(Unavailable):
    code = "issuer_unavailable"
    title = "The keys of the token's issuer cannot be read"
    default_remedy = (
        "Check UNDERSTUDY_JWT_JWKS_URL or UNDERSTUDY_OIDC_ISSUER and that this server can reach it, then try again."
    )


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = "The disk cannot be used"
    default_remedy = (
        "Free disk space and give the user that runs Understudy write access; `understudy doctor` checks both."
    )


class CompilationEnded(Unavailable):
    """Says nothing about the model: somebody or the system ended the process that compiled it."""

    code = "compilation_ended"
    title = "The compilation was ended"
    default_remedy = (
        "Try again. Where it happens again, the system may lack memory: free some, or lower "
        "UNDERSTUDY_COMPILE_MEMORY_BYTES below what is free."
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


class RegistryOutdated(Unavailable):
    """The refusal of the readiness probe; predictions go on with the model in memory."""

    code = "registry_outdated"
    title = "The registry was not read for too long"
    default_remedy = (
        "Check that this server reaches the database: `understudy status` names the reason. "
        "UNDERSTUDY_MAX_REGISTRY_AGE_SECONDS says how long it may be."
    )


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    title = "The database does not answer"
    default_remedy = "Check DATABASE_URL and that the database runs. Predictions continue with the model in memory."


class DatabaseBusy(DatabaseUnavailable):
    code = "database_busy"
    title = "The database is in use"
    default_remedy = "Send the request again. If it stays so, find the process that holds a lock of the database."


class DatabaseReplaced(DatabaseUnavailable):
    """The file of an SQLite database is not the one that this process opened, or its log belongs to another file."""

    code = "database_replaced"
    title = "The database file was replaced"
    default_remedy = "Stop the server, put the right file in place, and start the server again."


class OutcomeUnknown(DatabaseUnavailable):
    """The answer to a commit was lost."""

    code = "outcome_unknown"
    title = "The change may have been done"
    default_remedy = "Read the present state, or send the same request again: a change that was done is not done twice."


class DatabaseDenied(DatabaseUnavailable):
    code = "database_denied"
    title = "The database does not allow this"
    default_remedy = "Give the role of DATABASE_URL the rights that it lacks; docs/databases.md lists them."


class DatabaseNotReady(DatabaseUnavailable):
    """The database answers, but its tables are not those of this version. A command that reads does not change them."""

    code = "database_not_ready"
    title = "The database is not migrated"
    default_remedy = "Run `understudy migrate`; `understudy serve` does it as well."


class DatabaseMissing(DatabaseNotReady):
    code = "database_missing"
    title = "There is no database"
    default_remedy = (
        "Name the folder of your installation with --home (UNDERSTUDY_HOME) or the database with DATABASE_URL. "
        "To begin here, run `understudy demo` or `understudy serve`."
    )


class WorkerDied(UnderstudyError):
    """Only the request that the worker process was computing fails; it is not tried again."""

    code = "worker_died"
    title = "The worker process ended while it computed this answer"
    default_remedy = (
        "Send another recording. Where it happens again with this one, the model or the recording ends the process: "
        "see the server's log, and activate another model."
    )


class ClientGone(UnderstudyError):
    """Nobody receives it: the counters of requests show it."""

    status = 499
    code = "client_gone"
    title = "The client closed the connection"
    default_remedy = "Keep the connection open until the answer has arrived."


class Misconfigured(UnderstudyError):
    code = "misconfigured"
    title = "The configuration cannot be used"
    default_remedy = "Correct the setting that the message names; docs/settings.md lists every setting."


class TableRefused(Misconfigured):
    """The table `ml_models` cannot be used as it is. Nothing was changed; the remedy holds the SQL that helps."""

    status = 503
    code = "table_refused"
    title = "The table ml_models cannot be used"
    default_remedy = "Change the table as docs/databases.md shows, then try again."


class SeveralActive(Misconfigured):
    """Several rows of `ml_models` are active. Only a person can say which of them should be live."""

    status = 409
    code = "several_active"
    title = "Several models are active"
    default_remedy = "Choose one: `understudy doctor --fix --keep-active MODEL_ID`."


class UnsafeBinding(Misconfigured):
    code = "unsafe_binding"
    title = "The address can be reached from other machines"
    default_remedy = (
        "Make an admin with `understudy users add NAME --role admin` and start again, or serve this machine only with "
        "`understudy serve --host 127.0.0.1`. Where a proxy in front checks who calls, add --allow-unauthenticated."
    )
