"""Defines the errors of model files, their specs and their backbones: what cannot be compiled or served."""

from understudy.errors.base import Conflict, Refused, Unavailable

FIND_SPEC = "understudy spec find FILE --examples examples.csv"  # what remedies name where a spec is missing


class FileChanged(Conflict):
    code = "file_changed"
    title = "The model file changed after registration"
    default_remedy = "Put the registered file back, or register the new file as a new model."


class BackboneInUse(Conflict):
    code = "backbone_in_use"
    title = "Registered models need the backbone"
    default_remedy = "Delete these models first, or give them another spec: `understudy update MODEL_ID --spec FILE`."


class FileMissing(Refused):
    code = "file_missing"
    title = "The model file is missing"
    default_remedy = "Put the file at that path, then try again."


class SpecInvalid(Refused):
    code = "spec_invalid"
    title = "The spec does not fit the model"
    default_remedy = "Correct the sidecar spec file or the options --spec and --labels, then run the command again."


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


class CompilationEnded(Unavailable):
    """Says nothing about the model: somebody or the system ended the process that compiled it."""

    code = "compilation_ended"
    title = "The compilation was ended"
    default_remedy = (
        "Try again. Where it happens again, the system may lack memory: free some, or lower "
        "UNDERSTUDY_COMPILE_MEMORY_BYTES below what is free."
    )
