"""Checks, makes and stores the signatures of registered models."""

import asyncio
import json
import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from understudy.errors import FileMissing, NotSigned, RequestInvalid, SignatureInvalid, StorageUnavailable
from understudy.file_ownership import create_owned
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.registry.deployment import policies
from understudy.registry.files import model_signature
from understudy.registry.files.model_signature import MOST_BYTES, PublicKey, Signed
from understudy.registry.models import example_rows
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.registry import Registry
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.signature import ModelSignature, SignatureState, Signer

SPEC, EXAMPLES = "spec.json", "examples.json"
_SUFFIX = ".sig"


@dataclass(frozen=True)
class _Content:
    """What a signature has to cover: each name with its SHA-256, and the documents that are in no file as such."""

    name: str
    resources: dict[str, str]
    documents: dict[str, bytes]


class ModelSignatures:
    """Signatures lie beside the model file, as `NAME.onnx.sig`."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

    async def require(self, model: RegisteredFile, *, with_examples: bool) -> Signer | None:
        """Return the signer of a model, or None where no policy asks for one. Raises NotSigned.

        Examples are looked at before a model goes live, and not when a server loads it again: they change no answer.
        """
        async with self._database.read(Use.OWN) as session:
            signers = (await policies.read(session)).signers
        if not signers:
            return None
        return await self.find_signer(model, signers, with_examples=with_examples)

    async def find_signer(
        self, model: RegisteredFile, signers: tuple[Signer, ...], *, with_examples: bool = True
    ) -> Signer:
        """Return which of the signers signed the model as it is now. Raises NotSigned."""
        content = await self._read_content(model, with_examples=with_examples)
        bundle = await asyncio.to_thread(self._read_bundle, model.facts.path)
        if bundle is None:
            raise NotSigned(f"There is no signature {model.facts.path}{_SUFFIX}.")
        try:
            signed = await asyncio.to_thread(_verify, bundle, signers)
        except SignatureInvalid as error:
            raise NotSigned(f"{model.facts.path}{_SUFFIX}: {error.detail}") from error
        _refuse_difference(model, content, signed, with_examples=with_examples)
        return next(each for each in signers if each.public_key == signed.key.pem)

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
        return ModelSignature(
            model_id=model_id,
            state=state,
            signer=signer,
            detail=detail,
            file_path=f"{model.facts.path}{_SUFFIX}",
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
        documents = {} if model.spec is None else {SPEC: _to_document(model.spec)}
        if with_examples:
            async with self._database.read(Use.OWN) as session:
                examples = await example_rows.find(session, model.facts.digest)
            if examples is not None:
                documents[EXAMPLES] = examples.model_dump_json().encode()
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

    def _read_bundle(self, path: str) -> bytes | None:
        place = self._registry.files.resolve(f"{path}{_SUFFIX}")
        try:
            with place.open("rb") as file:
                return file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotSigned(f"{path}{_SUFFIX} cannot be read: {error.strerror}.") from error

    def _write_bundle(self, path: str, bundle: bytes) -> None:
        place = self._registry.files.resolve(f"{path}{_SUFFIX}")
        part = place.with_name(f".new-{place.name}")
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
            raise StorageUnavailable(f"{path}{_SUFFIX} cannot be written: {error.strerror}.") from error


def _verify(bundle: bytes, signers: tuple[Signer, ...]) -> Signed:
    return model_signature.verify(bundle, [PublicKey(each.name, each.public_key) for each in signers])


def _refuse_difference(model: RegisteredFile, content: _Content, signed: Signed, *, with_examples: bool) -> None:
    """Raises NotSigned where the signature covers something else than the model as it is."""
    covered = {name: digest for name, digest in signed.resources.items() if with_examples or name != EXAMPLES}
    if covered == content.resources:
        return
    names = sorted({*covered, *content.resources})
    changed = [name for name in names if covered.get(name) != content.resources.get(name)]
    raise NotSigned(
        f"Model {model.model_id} is not what {signed.key.name} signed: {', '.join(changed)} "
        f"{'was' if len(changed) == 1 else 'were'} changed, added or removed since."
    )


def _to_document(spec: PartialSpec) -> bytes:
    """Return the spec that the model answers with, in a form in which equal specs are equal bytes."""
    document = spec.model_dump(mode="json", exclude_none=True)
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
