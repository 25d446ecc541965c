"""Reads and changes the policies of a registry, and confirms the live model."""

import structlog

from understudy.errors import NothingToConfirm, NotSigned, PolicyRefused
from understudy.models import HistoryEvent, utc_now
from understudy.registry.access.persons import count_activators
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import activation_requests, confirmations, desired_state, policies
from understudy.registry.deployment.confirmations import Running
from understudy.registry.files import model_signature
from understudy.registry.models.history import model_history
from understudy.registry.models.table import rows
from understudy.registry.registry import Registry
from understudy.schemas.registry.signature import Signer
from understudy.schemas.server.policies import Confirmation, Policies, PoliciesUpdate, PolicyStatus
from understudy.serving.activation.signatures import ModelSignatures

log = structlog.get_logger()


class PolicySettings:
    """The policies, which all servers of a registry share."""

    def __init__(self, database: Database, registry: Registry, signatures: ModelSignatures) -> None:
        self._database = database
        self._registry = registry
        self._signatures = signatures

    async def get_status(self) -> PolicyStatus:
        """Return the policies, the freeze that holds, the model to confirm and the requests that can be approved."""
        async with self._database.read(Use.MANAGE) as session:
            present = await policies.read(session)
            running = await confirmations.read(session)
            seen = await desired_state.poll(session)
            pending = await activation_requests.list_pending(session)
            names = {}
            if running is not None:
                for model_id in (running.model_id, running.deadline.return_model_id):
                    row = await rows.find(session, model_id)
                    names[model_id] = None if row is None else row.model.model_name
        return PolicyStatus(
            policies=present,
            freeze=policies.find_freeze(present),
            confirmation=None if running is None else _to_answer(running, names),
            requests=tuple(
                activation_requests.to_answer(each)
                for each in pending
                if each.generation == seen.generation and not seen.drifted
            ),
        )

    async def update(self, changes: PoliciesUpdate, actor: str) -> Policies:
        """Change the fields that are present.

        Raises PolicyRefused where fewer than two people may activate models, and where no key that would count signed
        the live model: a server that starts would not load it. Raises RequestInvalid for a key that is none.
        """
        if changes.signers:
            await self._refuse_unsigned(changes.signers)
        async with self._database.write() as session:
            await desired_state.lock(session)
            before = await policies.read(session)
            after = before.model_copy(update={name: getattr(changes, name) for name in changes.model_fields_set})
            if after.four_eyes and not before.four_eyes and (count := await count_activators(session)) < 2:
                raise PolicyRefused(
                    f"{count} people may activate models, and this policy needs two.",
                    remedy="Add another one first: `understudy users add NAME --role operator`.",
                )
            if after != before:
                await policies.write(session, after)
                old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
                changed = sorted(name for name in new if new[name] != old[name])
                await model_history.record(
                    session,
                    HistoryEvent.POLICIES_CHANGED,
                    None,
                    actor=actor,
                    before={name: old[name] for name in changed},
                    after={name: new[name] for name in changed},
                    detail=f"Changed: {', '.join(changed)}.",
                )
                log.info("policies changed", actor=actor, changed=changed)
        return after

    async def _refuse_unsigned(self, signers: tuple[Signer, ...]) -> None:
        for each in signers:
            model_signature.load_public(each.public_key)
        async with self._database.read(Use.MANAGE) as session:
            present = await desired_state.read_desired(session)
        if present is None:
            return
        model = await self._registry.ensure_file_record(present.model_id)
        try:
            await self._signatures.find_signer(model, signers, with_examples=False)
            await self._signatures.share(model, signers)
        except NotSigned as error:
            raise PolicyRefused(
                f"The live model would not be loaded again. {error.detail}",
                remedy=f"Sign it first: `understudy sign {present.model_id} --key FILE`.",
            ) from error

    async def confirm(self, generation: int | None, actor: str) -> PolicyStatus:
        """Confirm the live model, so that nobody returns to the one before.

        Raises NothingToConfirm where no model waits for that, or another one than that of `generation`.
        """
        async with self._database.write() as session:
            await desired_state.lock(session)
            running = await confirmations.read(session)
            if running is None:
                raise NothingToConfirm("The live model does not wait to be confirmed.")
            if generation not in (None, running.generation):
                raise NothingToConfirm(
                    f"Generation {generation} is not live: generation {running.generation} is, with model "
                    f"{running.model_id}."
                )
            await confirmations.clear(session, running.generation)
            await model_history.record(
                session, HistoryEvent.CONFIRMED, running.model_id, actor=actor, generation=running.generation
            )
        return await self.get_status()


def _to_answer(running: Running, names: dict[int, str | None]) -> Confirmation:
    deadline = running.deadline
    return Confirmation(
        generation=running.generation,
        model_id=running.model_id,
        model_name=names[running.model_id],
        confirm_by=deadline.confirm_by,
        seconds_left=max(0.0, (deadline.confirm_by - utc_now()).total_seconds()),
        return_model_id=deadline.return_model_id,
        return_model_name=names[deadline.return_model_id],
        return_form=deadline.return_variant,
    )
