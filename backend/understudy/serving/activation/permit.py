"""The last look at the policies, in the transaction that makes a model live."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import ApprovalNeeded, Frozen, NotSigned, RequestClosed, RequestStale
from understudy.models import FLOAT32, HistoryEvent, utc_now
from understudy.registry.deployment import activation_requests, confirmations, desired_state, policies
from understudy.registry.deployment.confirmations import Deadline
from understudy.registry.models.file_records import RegisteredFile
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.registry.signature import Signer
from understudy.schemas.server.policies import Policies


@dataclass(frozen=True)
class Approval:
    """A request that a second person approved: `generation` was present and `target` was wanted when it was made."""

    request_id: int
    asked_by: str
    generation: int
    target: str


@dataclass(frozen=True)
class Permit:
    """Names the policies that an activation passes by: a second person's word, a freeze for `override_reason`, or all.

    `is_return` is a return to safety, which no policy holds back.
    """

    approval: Approval | None = None
    override_reason: str | None = None
    is_return: bool = False


ASKED = Permit()
RETURN = Permit(is_return=True)


@dataclass(frozen=True)
class Admission:
    """The deadline that begins with the switch, and what the history says beside the reason."""

    deadline: Deadline | None = None
    notes: tuple[str, ...] = ()

    def describe(self, reason: str | None) -> str | None:
        return " ".join([*self.notes, *([reason] if reason else [])]) or None


def compute_target(model: RegisteredFile, examples_digest: str | None, variant: str) -> str:
    """Return the SHA-256 over what would go live: the file, the spec, the examples and the variant."""
    if variant == Precision.INT8:
        variant = model.int8_variant or variant
    spec = None if model.spec is None else model.spec.model_dump(mode="json", exclude_none=True)
    facts = [model.model_id, model.facts.digest, spec, examples_digest, variant]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


async def admit(
    session: AsyncSession,
    permit: Permit,
    model_id: int,
    variant: str,
    target: str,
    event: HistoryEvent,
    signer: Signer | None = None,
) -> Admission:
    """Check the policies under the lock of all switches; an approved request is done with this transaction.

    Raises Frozen, ApprovalNeeded, RequestStale, RequestClosed, NotSigned and PolicyRefused.
    """
    if permit.is_return:
        return Admission()
    await desired_state.lock(session)
    present = await policies.read(session)
    notes: list[str] = []
    if present.signers and signer not in present.signers:
        raise NotSigned(f"Which keys count was changed while model {model_id} was prepared.", remedy="Try again.")
    if signer is not None:
        notes.append(f"Signed by {signer.name}.")
    if permit.approval is not None:
        await _use(session, permit.approval, target)
        notes.append(f"Asked for by {permit.approval.asked_by} (request {permit.approval.request_id}).")
    elif present.four_eyes:
        raise ApprovalNeeded(
            "An activation needs a second person's word since a moment ago, and nobody was asked.",
            remedy=f"Ask for it: `understudy activate {model_id}`.",
        )
    if (freeze := policies.find_freeze(present)) is not None:
        if permit.override_reason is None:
            raise Frozen(f"No model is activated from {freeze.begins} to {freeze.ends} ({freeze.time_zone}).")
        notes.append(f"The freeze {freeze} was overridden: {permit.override_reason}.")
    return Admission(await _plan_deadline(session, present, model_id, variant, event), tuple(notes))


async def _use(session: AsyncSession, approval: Approval, target: str) -> None:
    seen = await desired_state.poll(session)
    if seen.generation != approval.generation or seen.drifted:
        raise RequestStale(f"Another model went live since request {approval.request_id} was made.")
    if target != approval.target:
        raise RequestStale(
            f"The file, spec or examples of the model were changed since request {approval.request_id} was made."
        )
    if not await activation_requests.finish(session, approval.request_id, done=True):
        raise RequestClosed(f"The request {approval.request_id} was done or has failed already.")


async def _plan_deadline(
    session: AsyncSession, present: Policies, model_id: int, variant: str, event: HistoryEvent
) -> Deadline | None:
    """Return by when the model must be confirmed; a model that nobody confirmed is not what is returned to.

    None where there is no other model to return to, and for a rollback, which is a return itself, unless nobody
    confirmed the model when it was live.
    """
    if present.confirm_minutes is None:
        return None
    if event is HistoryEvent.ROLLED_BACK and not await confirmations.was_left_unconfirmed(session, model_id):
        return None
    running = await confirmations.read(session)
    if running is not None:
        before = running.deadline.return_model_id, running.deadline.return_variant
    else:
        seen = await desired_state.poll(session)
        if seen.active_model_id is None:
            return None
        before = seen.active_model_id, FLOAT32 if seen.drifted else seen.variant
    if before == (model_id, variant):
        return None
    return Deadline(utc_now() + timedelta(minutes=present.confirm_minutes), *before)
