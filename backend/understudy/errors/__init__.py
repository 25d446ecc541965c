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

from understudy.errors.access import (
    AccountRefused,
    AccountTaken,
    IssuerUnavailable,
    KeyNotFound,
    LastAdmin,
    LimitReached,
    NoRole,
    NotAllowed,
    NotSignedIn,
    PasswordRefused,
    SessionNotFound,
    SignInFailed,
    TooManyAttempts,
    UnsafeBinding,
    UserNotFound,
)
from understudy.errors.audio import AudioTooLong, AudioUnusable, NotAudio, TrainingDataInvalid
from understudy.errors.base import (
    Conflict,
    Forbidden,
    Misconfigured,
    NotFound,
    Refused,
    TooLarge,
    Unavailable,
    UnderstudyError,
)
from understudy.errors.database import (
    DatabaseBusy,
    DatabaseDenied,
    DatabaseMissing,
    DatabaseNotReady,
    DatabaseReplaced,
    DatabaseUnavailable,
    OutcomeUnknown,
    SeveralActive,
    TableRefused,
)
from understudy.errors.model_files import (
    FIND_SPEC,
    BackboneInUse,
    BackboneMissing,
    CannotServe,
    CompilationEnded,
    CompileFailed,
    CompilerMissing,
    DownloadFailed,
    ExamplesMissed,
    FileChanged,
    FileMissing,
    FormatUnknown,
    ModelUnsafe,
    NotForAudio,
    ParityFailed,
    ProbeFailed,
    RuntimeMissing,
    SpecInvalid,
    TakesTensors,
    WarmUpFailed,
)
from understudy.errors.policies import (
    ApprovalNeeded,
    ApprovalRefused,
    Frozen,
    NothingToConfirm,
    NotSigned,
    PolicyRefused,
    RequestClosed,
    RequestNotFound,
    RequestStale,
    SignatureInvalid,
)
from understudy.errors.registry import (
    ActiveModelNotFound,
    BackupInvalid,
    ExamplesInvalid,
    FileExists,
    ModelIsActive,
    ModelNotFound,
    NameRefused,
    NameTaken,
    PathRefused,
    ReportNotFound,
    RowRefused,
)
from understudy.errors.requests import (
    BodyTooLarge,
    ClientGone,
    ForeignHost,
    ForeignOrigin,
    HeadersTooLarge,
    MalformedRequest,
    RequestInvalid,
    RequestTimeout,
    TooManyConnections,
)
from understudy.errors.serving import (
    BackgroundTaskDown,
    ModelNotLoaded,
    ModelSetAside,
    NoActiveModel,
    NothingToRollBack,
    OperationNotFound,
    Overloaded,
    RegistryOutdated,
    RolloutFailed,
    ServerStopping,
    WorkerDied,
)
from understudy.errors.storage import StorageUnavailable, StoreDenied, StoredFileDamaged, StoreUnavailable

__all__ = [
    "FIND_SPEC",
    "AccountRefused",
    "AccountTaken",
    "ActiveModelNotFound",
    "ApprovalNeeded",
    "ApprovalRefused",
    "AudioTooLong",
    "AudioUnusable",
    "BackboneInUse",
    "BackboneMissing",
    "BackgroundTaskDown",
    "BackupInvalid",
    "BodyTooLarge",
    "CannotServe",
    "ClientGone",
    "CompilationEnded",
    "CompileFailed",
    "CompilerMissing",
    "Conflict",
    "DatabaseBusy",
    "DatabaseDenied",
    "DatabaseMissing",
    "DatabaseNotReady",
    "DatabaseReplaced",
    "DatabaseUnavailable",
    "DownloadFailed",
    "ExamplesInvalid",
    "ExamplesMissed",
    "FileChanged",
    "FileExists",
    "FileMissing",
    "Forbidden",
    "ForeignHost",
    "ForeignOrigin",
    "FormatUnknown",
    "Frozen",
    "HeadersTooLarge",
    "IssuerUnavailable",
    "KeyNotFound",
    "LastAdmin",
    "LimitReached",
    "MalformedRequest",
    "Misconfigured",
    "ModelIsActive",
    "ModelNotFound",
    "ModelNotLoaded",
    "ModelSetAside",
    "ModelUnsafe",
    "NameRefused",
    "NameTaken",
    "NoActiveModel",
    "NoRole",
    "NotAllowed",
    "NotAudio",
    "NotForAudio",
    "NotFound",
    "NotSigned",
    "NotSignedIn",
    "NothingToConfirm",
    "NothingToRollBack",
    "OperationNotFound",
    "OutcomeUnknown",
    "Overloaded",
    "ParityFailed",
    "PasswordRefused",
    "PathRefused",
    "PolicyRefused",
    "ProbeFailed",
    "Refused",
    "RegistryOutdated",
    "ReportNotFound",
    "RequestClosed",
    "RequestInvalid",
    "RequestNotFound",
    "RequestStale",
    "RequestTimeout",
    "RolloutFailed",
    "RowRefused",
    "RuntimeMissing",
    "ServerStopping",
    "SessionNotFound",
    "SeveralActive",
    "SignInFailed",
    "SignatureInvalid",
    "SpecInvalid",
    "StorageUnavailable",
    "StoreDenied",
    "StoreUnavailable",
    "StoredFileDamaged",
    "TableRefused",
    "TakesTensors",
    "TooLarge",
    "TooManyAttempts",
    "TooManyConnections",
    "TrainingDataInvalid",
    "Unavailable",
    "UnderstudyError",
    "UnsafeBinding",
    "UserNotFound",
    "WarmUpFailed",
    "WorkerDied",
]
