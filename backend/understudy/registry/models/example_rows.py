"""Stores the examples of model files, and the runs of them."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.compiler.compiled_store import CompiledStore
from understudy.errors import SpecInvalid
from understudy.models import ExamplesRow, FileRecord, ProofRow, utc_now
from understudy.models.base import to_naive_utc
from understudy.registry.models.specs.recorded_spec import read_recorded_spec
from understudy.registry.models.table.rows import Row
from understudy.schemas.registry.examples import ExampleSet, ExamplesProof, ExamplesSummary, summarize_examples


async def find(session: AsyncSession, digest: str) -> ExampleSet | None:
    """Return the examples of the model file with this SHA-256, or None without any."""
    row = await session.get(ExamplesRow, digest)
    return None if row is None else ExampleSet.model_validate(row.examples)


async def find_digest(session: AsyncSession, digest: str) -> str | None:
    """Return the digest of the examples of a model file, or None without any."""
    found: str | None = await session.scalar(select(ExamplesRow.examples_digest).where(ExamplesRow.digest == digest))
    return found


async def save(session: AsyncSession, digest: str, examples: ExampleSet) -> None:
    """Store the examples in place of earlier ones of the same model file."""
    row = ExamplesRow(
        digest=digest,
        examples_digest=examples.digest,
        examples=examples.model_dump(mode="json"),
        added_at=utc_now(),
    )
    await session.merge(row)
    await session.flush()
    await _delete_old_proofs(session)


async def remove(session: AsyncSession, digest: str) -> bool:
    """Remove the examples of a model file; return whether it had any."""
    removed = await session.execute(
        delete(ExamplesRow).where(ExamplesRow.digest == digest).returning(ExamplesRow.digest)
    )
    await _delete_old_proofs(session)
    return removed.scalar_one_or_none() is not None


async def list_digests(session: AsyncSession) -> list[str]:
    """Return the SHA-256 of every model file with examples."""
    return list(await session.scalars(select(ExamplesRow.digest).order_by(ExamplesRow.digest)))


async def list_unregistered(session: AsyncSession) -> list[str]:
    """Return the SHA-256 of every model file with examples that no registered model has."""
    query = select(ExamplesRow.digest).where(ExamplesRow.digest.not_in(select(FileRecord.digest)))
    return list(await session.scalars(query.order_by(ExamplesRow.digest)))


async def find_proof(session: AsyncSession, compiled_key: str, examples_digest: str) -> ExamplesProof | None:
    """Return the latest run of these examples through a compiled model, or None before the first."""
    row = await session.get(ProofRow, (compiled_key, examples_digest), populate_existing=True)
    return None if row is None else ExamplesProof.model_validate(row.proof)


async def save_proof(session: AsyncSession, proof: ExamplesProof) -> None:
    """Store a run in place of an earlier one of the same compiled model and examples."""
    row = ProofRow(
        compiled_key=proof.compiled_key,
        examples_digest=proof.examples_digest,
        proof=proof.model_dump(mode="json"),
        proved_at=to_naive_utc(proof.proved_at),
    )
    await session.merge(row)
    await session.flush()


async def summarize(session: AsyncSession, store: CompiledStore, row: Row) -> ExamplesSummary:
    """Return the examples of a model in short, with the run through the compiled model that it answers with."""
    examples = await find(session, row.record.digest) if row.record else None
    if row.record is None or examples is None:
        return summarize_examples(None, None)
    try:
        key = store.compute_key(row.record.digest, read_recorded_spec(row.model, row.record.spec))
    except SpecInvalid:  # the answer's notes say so
        return summarize_examples(examples, None)
    return summarize_examples(examples, await find_proof(session, key, examples.digest))


async def _delete_old_proofs(session: AsyncSession) -> None:
    """Delete the runs of examples that no model file has any more."""
    await session.execute(delete(ProofRow).where(ProofRow.examples_digest.not_in(select(ExamplesRow.examples_digest))))
