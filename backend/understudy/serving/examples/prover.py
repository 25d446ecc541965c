"""Runs the examples of a model through the pipeline that serves it, and records how far the answers agree."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO

import structlog

from understudy import __version__
from understudy.compiler.compiled_store import CompiledModel
from understudy.engine.engine import Engine, EngineModel, Priority
from understudy.errors import FIND_SPEC, ExamplesMissed, UnderstudyError
from understudy.inference.proof.comparison import build_problem, compare_answer
from understudy.registry.database.database import Database
from understudy.registry.files.example_clips import ExampleClips
from understudy.registry.models import example_rows
from understudy.registry.models.file_records import RegisteredFile
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import InputKind
from understudy.schemas.registry.examples import NOT_PROVED, ClipProof, ExampleSet, ExamplesProof, Expectation
from understudy.serving.prediction.backbone_holder import BackboneHolder

log = structlog.get_logger()

_DISTRIBUTIONS = {Runtime.ONNX: "onnxruntime", Runtime.LITERT: "ai-edge-litert"}
_MOST_NAMED = 3


@dataclass(frozen=True)
class Proved:
    """The outcome for a model that may go live.

    `examples_digest` is None without examples; `notes` say then as sentences that its features are not proved.
    """

    examples_digest: str | None
    notes: tuple[str, ...]


class Prover:
    """Runs examples. A run with this program, of the same compiled model, backbone and examples, is not repeated."""

    def __init__(self, database: Database, backbones: BackboneHolder, engine: Engine, clips: ExampleClips) -> None:
        self._database = database
        self._backbones = backbones
        self._engine = engine
        self._clips = clips

    async def require(self, model: RegisteredFile, engine_model: EngineModel) -> Proved:
        """Run the examples of a loaded model. Raises ExamplesMissed where it does not answer as they say."""
        examples = await self._find_examples(model)
        if examples is None:
            takes_audio = engine_model.spec.input is not InputKind.TENSOR
            return Proved(None, (describe_unproved(model.model_id),) if takes_audio else ())
        proof = await self._find_proof(engine_model.report, engine_model.backbone_digest, examples)
        if proof is None:
            proof = await self._run(model, engine_model, examples)
        if not proof.passed:
            raise build_missed(model.model_id, proof)
        return Proved(examples.digest, ())

    async def prove_compiled(self, model: RegisteredFile, compiled: CompiledModel) -> ExamplesProof | None:
        """Load a compiled model, run its examples and return the comparison; None without examples.

        Where the model cannot be loaded yet, such as without the backbone, the examples stay to be run: returns None.
        """
        examples = await self._find_examples(model)
        if examples is None:
            return None
        try:
            backbone = await self._backbones.get_for(compiled.report)
            digest = backbone.digest if backbone else None
            if (proof := await self._find_proof(compiled.report, digest, examples)) is not None:
                return proof
            engine_model = await self._engine.load(compiled.folder, backbone)
            return await self._run(model, engine_model, examples)
        except UnderstudyError as error:
            log.warning(
                "examples not run",
                model_id=model.model_id,
                code=error.code,
                detail=error.detail,
                remedy=error.remedy,
            )
            return None

    async def _find_examples(self, model: RegisteredFile) -> ExampleSet | None:
        async with self._database.read() as session:
            return await example_rows.find(session, model.facts.digest)

    async def _find_proof(
        self, report: CompileReport, backbone_digest: str | None, examples: ExampleSet
    ) -> ExamplesProof | None:
        async with self._database.read() as session:
            proof = await example_rows.find_proof(session, report.key, examples.digest)
        if (
            proof is None
            or proof.program != describe_program(report.runtime)
            or proof.backbone_digest != backbone_digest
        ):
            return None
        return proof

    async def _run(self, model: RegisteredFile, engine_model: EngineModel, examples: ExampleSet) -> ExamplesProof:
        """Run every example and store the comparison.

        Raises ExamplesMissed, without storing anything, where a clip is not on this machine.
        """
        report, started = engine_model.report, time.perf_counter()
        allowance = report.quantization.gate.max_change if report.quantization else 0.0
        clips: list[ClipProof] = []
        for example in examples.examples:
            content = await asyncio.to_thread(self._clips.read, model.facts.digest, example)
            if content is None:
                raise _build_absent(model.model_id, example.file)
            clips.append(await self._prove_clip(engine_model, content, example, allowance))
        proof = ExamplesProof(
            compiled_key=report.key,
            examples_digest=examples.digest,
            precision=report.quantization.precision if report.quantization else Precision.FLOAT32,
            backbone_digest=engine_model.backbone_digest,
            program=describe_program(report.runtime),
            allowance=allowance,
            clips=tuple(clips),
            seconds=time.perf_counter() - started,
        )
        async with self._database.write() as session:
            if await example_rows.find_digest(session, model.facts.digest) == examples.digest:
                await example_rows.save_proof(session, proof)
        _log_proof(model, proof)
        return proof

    async def _prove_clip(
        self, engine_model: EngineModel, clip: bytes, expected: Expectation, allowance: float
    ) -> ClipProof:
        """Score the file `clip` as a request does, and compare scores and label; an error becomes its problem."""
        tolerance = expected.tolerance + allowance
        try:
            analysis = (await self._engine.score_clip(engine_model, BytesIO(clip), Priority.REHEARSAL)).analysis
        except UnderstudyError as error:
            return build_problem(expected, tolerance, error.detail)
        return compare_answer(expected, analysis.label, analysis.scores, tolerance=tolerance)


def describe_program(runtime: Runtime) -> str:
    """Return the versions on which an answer depends: those of Understudy and of the library that runs the model."""
    distribution = _DISTRIBUTIONS[runtime]
    return f"understudy {__version__}, {distribution} {version(distribution)}"


def describe_unproved(model_id: int) -> str:
    """Return the sentence about a model without examples."""
    return (
        f"{NOT_PROVED.capitalize()}: nothing shows that recordings reach the model as they did in training. Give "
        f"clips with the answers of the author's own script: understudy update {model_id} --examples examples.csv"
    )


def build_missed(model_id: int, proof: ExamplesProof) -> ExamplesMissed:
    """Return the error that names the clips which a model answers differently."""
    missed = proof.missed
    more = f" {len(missed) - _MOST_NAMED} more clips differ." if len(missed) > _MOST_NAMED else ""
    return ExamplesMissed(
        f"{proof.agreed} of {len(proof.clips)} examples agree. {_join(missed[:_MOST_NAMED])}{more}",
        remedy=f"See every clip: understudy examples {model_id}. Where recordings do not reach the model as in "
        f"training, correct the spec: understudy update {model_id} --spec FILE, or search it: {FIND_SPEC}. Where the "
        f"examples are wrong, give others: understudy update {model_id} --examples FILE",
    )


def _join(clips: Sequence[ClipProof]) -> str:
    return " ".join(clip.describe() for clip in clips)


def _build_absent(model_id: int, file: str) -> ExamplesMissed:
    return ExamplesMissed(
        f"The examples cannot be run: the clip {file} is missing or damaged in var/examples of this machine.",
        remedy=f"Share var/examples between the machines, or give the examples again: understudy update {model_id} "
        "--examples FILE",
    )


def _log_proof(model: RegisteredFile, proof: ExamplesProof) -> None:
    report = log.info if proof.passed else log.warning
    report(
        "examples agree" if proof.passed else "examples missed",
        model_id=model.model_id,
        model_name=model.model_name,
        precision=proof.precision,
        detail=proof.summarize(),
        seconds=round(proof.seconds, 2),
    )
