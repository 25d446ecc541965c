"""Checks, makes and stores the signatures of registered models."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from understudy.compiler.model_source import compute_folder_digest
from understudy.errors import (
    FileMissing,
    NotSigned,
    RequestInvalid,
    SignatureInvalid,
    StorageUnavailable,
    Unavailable,
    UnderstudyError,
)
from understudy.files.file_ownership import create_owned
from understudy.files.regular_file import open_regular
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import policies
from understudy.registry.files import model_signature
from understudy.registry.files.model_signature import MOST_BYTES, SIGNATURE_SUFFIX, PublicKey, Signed
from understudy.registry.models import example_rows, file_records
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.registry import Registry
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.examples import ExampleSet
from understudy.schemas.registry.signature import ModelSignature, SignatureState, Signer
from understudy.serving.compilation.file_sharing import FileSharing

SPEC, EXAMPLES = "spec.json", "examples.json"
# Time in seconds between two looks for signatures that the shared store does not have yet.
SHARE_SECONDS = 30.0


@dataclass(frozen=True)
class _Checked:
    """The signer of a model, and the digests of the spec and the examples that the signature covers."""

    signer: Signer
    documents: Mapping[str, str]


@dataclass(frozen=True)
class _Content:
    """The content that a signature has to cover: each name with its SHA-256, and the documents that no file holds."""

    name: str
    resources: dict[str, str]
    documents: dict[str, bytes]


class ModelSignatures:
    """Signatures lie beside the model file, as `NAME.onnx.sig`, and in the shared store where there is one.

    In the store a signature is named by what it covers and by its key, so that a server without the model's file can
    compute the name, and a signature by another key, or over other content, is another object.
    """

    def __init__(self, database: Database, registry: Registry, sharing: FileSharing) -> None:
        self._database = database
        self._registry = registry
        self._sharing = sharing
        self._shared: dict[int, object] = {}

    async def require(self, model: RegisteredFile, *, with_examples: bool) -> Signer | None:
        """Return the signer of a model, or None where no policy asks for one. Raises NotSigned.

        Examples are looked at before a model goes live, and not when a server loads it again: they change no answer.
        """
        async with self._database.read(Use.MANAGE if with_examples else Use.OWN) as session:
            signers = (await policies.read(session)).signers
        if not signers:
            return None
        return await self.find_signer(model, signers, with_examples=with_examples)

    async def find_signer(
        self, model: RegisteredFile, signers: tuple[Signer, ...], *, with_examples: bool = True
    ) -> Signer:
        """Return which of the signers signed the model as it is now, by the signature beside its file or the store's.

        Raises NotSigned, and StoreUnavailable where the signature beside the file does not count and the store does not
        answer.
        """
        try:
            return await self._find_local(model, signers, with_examples=with_examples)
        except NotSigned:
            shared = await self._find_shared(model, signers, with_examples=with_examples)
            if shared is None:
                raise
            return shared

    async def share(self, model: RegisteredFile, signers: tuple[Signer, ...]) -> None:
        """Put the signature beside the model's file into the shared store. Raises NotSigned and StoreUnavailable.

        Nothing is done without a store, and where there is no signature beside the file.
        """
        bundle = await asyncio.to_thread(self._read_bundle, model.facts.path) if self._sharing.is_enabled else None
        if bundle is None:
            return
        checked = await self._check(bundle, model, signers, with_examples=False)
        for name in _name_shared(model, checked.documents, checked.signer):
            await self._sharing.publish_signature(name, bundle)

    async def watch(self) -> None:
        """Put signatures that count into the shared store soon after they were made, until cancelled.

        Raises StoreUnavailable and DatabaseUnavailable; the caller starts this again.
        """
        while True:
            await self.share_new()
            await asyncio.sleep(SHARE_SECONDS)

    async def share_new(self) -> None:
        """Put the signatures into the shared store that this process has not looked at since they were changed."""
        async with self._database.read() as session:
            signers = (await policies.read(session)).signers
            models = await file_records.list_compiled(session) if signers else []
        for model in models:
            state = signers, model.spec, await asyncio.to_thread(self._find_time, model.facts.path)
            if state == self._shared.get(model.model_id):
                continue
            with suppress(NotSigned):
                await self.share(model, signers)
            self._shared[model.model_id] = state

    async def _find_local(self, model: RegisteredFile, signers: tuple[Signer, ...], *, with_examples: bool) -> Signer:
        bundle = await asyncio.to_thread(self._read_bundle, model.facts.path)
        if bundle is None:
            raise NotSigned(f"There is no signature {model.facts.path}{SIGNATURE_SUFFIX}.")
        return (await self._check(bundle, model, signers, with_examples=with_examples)).signer

    async def _check(
        self, bundle: bytes, model: RegisteredFile, signers: tuple[Signer, ...], *, with_examples: bool
    ) -> _Checked:
        """Raises NotSigned unless one of the signers signed the model as it is now."""
        content = await self._read_content(model, with_examples=with_examples)
        try:
            signed = await asyncio.to_thread(_verify, bundle, signers)
        except SignatureInvalid as error:
            raise NotSigned(f"{model.facts.path}{SIGNATURE_SUFFIX}: {error.detail}") from error
        _refuse_difference(model, content, signed, with_examples=with_examples)
        documents = {name: signed.resources[name] for name in (SPEC, EXAMPLES) if name in signed.resources}
        return _Checked(next(each for each in signers if each.public_key == signed.key.pem), documents)

    async def _find_shared(
        self, model: RegisteredFile, signers: tuple[Signer, ...], *, with_examples: bool
    ) -> Signer | None:
        """Return which of the signers made a signature in the store that covers the model as it is now, or None."""
        if not self._sharing.is_enabled:
            return None
        documents = (await self._read_content(model, with_examples=with_examples)).documents
        digests = {name: sha256(text).hexdigest() for name, text in documents.items()}
        for signer in signers:
            whole, loading = _name_shared(model, digests, signer)
            for again in (False, True):  # this machine's copy may have been changed
                bundle = await self._sharing.fetch_signature(whole if with_examples else loading, again=again)
                if bundle is None:
                    break
                with suppress(NotSigned):  # the store does not decide what counts
                    return (await self._check(bundle, model, (signer,), with_examples=with_examples)).signer
        return None

    async def describe(self, model_id: int) -> ModelSignature:
        """Return whether a model is signed by a key that counts, and why not. Raises ModelNotFound."""
        model = (await self._registry.read_spec_now(model_id)).model
        content = await self._read_content(model, with_examples=True)
        async with self._database.read(Use.MANAGE) as session:
            signers = (await policies.read(session)).signers
        state, signer = SignatureState.VALID, None
        present = await asyncio.to_thread(self._read_bundle, model.facts.path) is not None
        try:
            signer = (await self.find_signer(model, signers)).name
            detail = f"Signed by {signer}."
        except NotSigned as error:
            state = SignatureState.INVALID if present else SignatureState.ABSENT
            detail = error.detail
            if not signers and present:
                detail = "It is signed, and no key counts here: `understudy policy set --signer NAME=public.pem`."
        except Unavailable as error:
            state = SignatureState.INVALID if present else SignatureState.ABSENT
            detail = f"The signature beside the file does not count or is missing. {error.detail}"
        return ModelSignature(
            model_id=model_id,
            state=state,
            signer=signer,
            detail=detail,
            file_path=f"{model.facts.path}{SIGNATURE_SUFFIX}",
            resources=content.resources,
        )

    async def sign(self, model_id: int, private_key: bytes) -> ModelSignature:
        """Sign the model as it would go live now, beside its file."""
        model = (await self._registry.read_spec_now(model_id)).model
        content = await self._read_content(model, with_examples=True)
        bundle = await asyncio.to_thread(model_signature.sign, content.name, content.resources, private_key)
        await asyncio.to_thread(self._write_bundle, model.facts.path, bundle)
        return await self.describe(model_id)

    async def store(self, model_id: int, bundle: bytes) -> ModelSignature:
        """Store a signature that was made elsewhere. Raises SignatureInvalid for what is none."""
        if len(bundle) > MOST_BYTES:
            raise SignatureInvalid(f"A signature has at most {MOST_BYTES} bytes.")
        model = await self._registry.ensure_file_record(model_id)
        model_signature.check_form(bundle)
        await asyncio.to_thread(self._write_bundle, model.facts.path, bundle)
        return await self.describe(model_id)

    async def prepare(self, model_id: int, folder: Path) -> list[str]:
        """Write what has to be signed into a new folder, for a machine that has the key. Raises RequestInvalid."""
        model = (await self._registry.read_spec_now(model_id)).model
        content = await self._read_content(model, with_examples=True)
        source = self._registry.files.resolve(model.facts.path)

        def write() -> None:
            try:
                folder.mkdir(parents=True)
                if source.is_dir():
                    shutil.copytree(source, folder / source.name)
                else:
                    shutil.copyfile(source, folder / source.name)
                for name, document in content.documents.items():
                    (folder / name).write_bytes(document)
            except FileExistsError:
                raise RequestInvalid(f"{folder} is there already.", remedy="Name a new folder.") from None
            except OSError as error:
                raise StorageUnavailable(f"{folder} cannot be written: {error.strerror}.") from error

        await asyncio.to_thread(write)
        return sorted(content.resources)

    async def _read_content(self, model: RegisteredFile, *, with_examples: bool) -> _Content:
        documents = {} if model.spec is None else {SPEC: to_document(model.spec)}
        if with_examples:
            async with self._database.read(Use.MANAGE) as session:
                examples = await example_rows.find(session, model.facts.digest)
            if examples is not None:
                documents[EXAMPLES] = to_document(examples)
        name = model.facts.path.rpartition("/")[2]
        files = await asyncio.to_thread(self._list_files, model, name)
        return _Content(name, files | {each: sha256(text).hexdigest() for each, text in documents.items()}, documents)

    def _list_files(self, model: RegisteredFile, name: str) -> dict[str, str]:
        """Return the SHA-256 of the model file, or of each file of a SavedModel folder."""
        place = self._registry.files.resolve(model.facts.path)
        if not place.is_dir():
            return {name: model.facts.digest}
        found = sorted(each for each in place.rglob("*") if each.is_file())
        return {f"{name}/{each.relative_to(place).as_posix()}": sha256(each.read_bytes()).hexdigest() for each in found}

    def _find_time(self, path: str) -> tuple[int, int] | None:
        try:
            facts = self._registry.files.resolve(f"{path}{SIGNATURE_SUFFIX}").stat()
        except (OSError, UnderstudyError):
            return None
        return facts.st_mtime_ns, facts.st_size

    def _read_bundle(self, path: str) -> bytes | None:
        place = self._registry.files.resolve(f"{path}{SIGNATURE_SUFFIX}")
        try:
            with open_regular(place) as file:
                return file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotSigned(f"{path}{SIGNATURE_SUFFIX} cannot be read: {error.strerror}.") from error

    def _write_bundle(self, path: str, bundle: bytes) -> None:
        place = self._registry.files.resolve(f"{path}{SIGNATURE_SUFFIX}")
        part = place.with_name(f".new-{place.name}")
        self._refuse_other_file(path)
        try:
            part.unlink(missing_ok=True)
            with create_owned(part) as file:
                file.write(bundle)
                file.flush()
                os.fsync(file.fileno())
            part.replace(place)
        except FileNotFoundError as error:
            raise FileMissing(f"The folder of {path} is missing.") from error
        except OSError as error:
            raise StorageUnavailable(f"{path}{SIGNATURE_SUFFIX} cannot be written: {error.strerror}.") from error

    def _refuse_other_file(self, path: str) -> None:
        """Raises RequestInvalid where something else than a signature lies at its place, such as a model."""
        try:
            present = self._read_bundle(path)
            if present:
                model_signature.check_form(present)
        except (NotSigned, SignatureInvalid) as error:
            raise RequestInvalid(
                f"{path}{SIGNATURE_SUFFIX} is there already, and it is no signature.", remedy="Move that file away."
            ) from error


def _verify(bundle: bytes, signers: tuple[Signer, ...]) -> Signed:
    return model_signature.verify(bundle, [PublicKey(each.name, each.public_key) for each in signers])


def _refuse_difference(model: RegisteredFile, content: _Content, signed: Signed, *, with_examples: bool) -> None:
    """Raises NotSigned where the signature covers something else than the model as it is.

    The digest that was registered decides about the files of a folder: it is what the compiled model was made from.
    """
    covered = {name: digest for name, digest in signed.resources.items() if with_examples or name != EXAMPLES}
    folder = {name: digest for name, digest in covered.items() if name.startswith(f"{content.name}/")}
    if folder and compute_folder_digest(_strip(folder, content.name)) == model.facts.digest:
        if covered == folder | {name: sha256(text).hexdigest() for name, text in content.documents.items()}:
            return
    elif covered == content.resources and content.name in covered:
        return
    names = sorted({*covered, *content.resources})
    changed = [name for name in names if covered.get(name) != content.resources.get(name)] or [content.name]
    raise NotSigned(
        f"Model {model.model_id} is not what {signed.key.name} signed: {', '.join(changed)} "
        f"{'was' if len(changed) == 1 else 'were'} changed, added or removed since."
    )


def _strip(folder: Mapping[str, str], name: str) -> Iterator[tuple[str, str]]:
    return ((path.removeprefix(f"{name}/"), digest) for path, digest in folder.items())


def _name_shared(model: RegisteredFile, documents: Mapping[str, str], signer: Signer) -> tuple[str, str]:
    """Return the names in the store for an activation, and for loading the live model, which needs no examples."""
    source = model.facts.path.rpartition("/")[2], model.facts.digest
    without = {name: digest for name, digest in documents.items() if name != EXAMPLES}
    kinds = ("activation", dict(documents)), ("load", without)
    texts = (json.dumps([*source, *kind, signer.public_key], sort_keys=True) for kind in kinds)
    whole, loading = (sha256(text.encode()).hexdigest() for text in texts)
    return whole, loading


def to_document(content: PartialSpec | ExampleSet) -> bytes:
    """Return a spec or examples in a form in which equal ones are equal bytes: PostgreSQL keeps no order of names."""
    document = content.model_dump(mode="json", exclude_none=True)
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
