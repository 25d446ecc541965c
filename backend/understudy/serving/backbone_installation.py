"""Installs embedding models of a person as backbones, lists and removes them, on this machine and without a server."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from understudy.backbones.store import BackboneStore, compute_backbone_digest
from understudy.compiler.backbone_resolution import choose_embedding, resolve_backbone
from understudy.compiler.compiled_store import REPORT_FILE, CompiledModel, CompiledStore
from understudy.compiler.compiler import Compiler
from understudy.compiler.model_source import compute_digest
from understudy.errors import BackboneInUse, BackboneMissing, Conflict, DatabaseNotReady, NameRefused, UnderstudyError
from understudy.inference.clip_input.installed_backbone import InstalledBackbone
from understudy.inference.runtime.session_loading import load_session
from understudy.models.naming import refuse_name
from understudy.registry.database.database import Database
from understudy.registry.models.backbone_users import Users, list_users
from understudy.schemas.compiler.backbone import BackboneManifest, BackboneSpec
from understudy.schemas.compiler.spec import InputKind, PartialSpec
from understudy.settings import Settings
from understudy.yamnet.constants import NAME as YAMNET

_TRIAL_SECONDS = 2.0
_TOLERANCE = 1e-4  # between an item's embedding alone and beside another one, relative to the largest value
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Installation:
    """The installed backbone, and earlier ones of its name that stay because registered models need them."""

    backbone: BackboneManifest
    kept: tuple[BackboneManifest, ...]


async def install(
    settings: Settings, name: str, path: Path, given: BackboneSpec, on_step: Callable[[str], None]
) -> Installation:
    """Check the model file at `path` as a registered model is checked, and install it as the backbone `name`.

    Another file under the name stays where registered models need it, and they keep it: a model that is registered from
    now on gets the new one. Raises NameRefused, Conflict for a file that is installed under another name, SpecInvalid
    where the spec does not fit the graph, what compiling and warming up raise, and DatabaseUnavailable.
    """
    _refuse_backbone_name(name)
    users = await _list_users(settings)
    digest = await asyncio.to_thread(compute_digest, path)
    store = BackboneStore(settings.named_backbones_dir)
    scratch = await asyncio.to_thread(store.make_scratch)
    try:
        compiler = Compiler(settings, CompiledStore(scratch))
        as_tensors = PartialSpec(input=InputKind.TENSOR)
        await compiler.forget_refusal(digest, as_tensors)
        compiled = await compiler.compile(path, digest, as_tensors, on_step)
        on_step("try")
        backbone = await asyncio.to_thread(_describe, name, given, compiled)
        if (same := store.find_digest(backbone.digest)) is not None and same.name != name:
            raise Conflict(
                f"This backbone is installed already, as {same.name!r}.",
                remedy=f"Use that name, or remove it first: understudy backbone remove {same.name}",
            )
        (compiled.folder / REPORT_FILE).unlink()
        await asyncio.to_thread(store.add, compiled.folder, backbone)
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    earlier = [each for each in store.list_all() if each.name == name and each.digest != backbone.digest]
    for each in earlier:
        if each.digest not in users:
            with suppress(OSError):  # the new one is installed; `understudy backbone list` shows what stayed
                await asyncio.to_thread(store.remove, each.digest)
    return Installation(backbone, tuple(each for each in earlier if each.digest in users))


async def remove(settings: Settings, name: str) -> Sequence[BackboneManifest]:
    """Remove the backbone `name` with earlier ones of the name, and return them.

    Raises BackboneMissing, and BackboneInUse while registered models need one of them.
    """
    if name == YAMNET:
        raise NameRefused(
            "YAMNet is the built-in backbone, and this command removes only those that were installed under a name.",
            remedy=f"Remove its file, {settings.backbone_path}, where no model needs it.",
        )
    found = [backbone for backbone, _ in await list_installed(settings) if backbone.name == name]
    if not found:
        raise BackboneMissing(
            f"There is no backbone {name!r}.", remedy="`understudy backbone list` lists what is installed."
        )
    users = await _list_users(settings)
    if models := [model for backbone in found for model in users.get(backbone.digest, ())]:
        raise BackboneInUse(f"The backbone {name!r} is needed by {', '.join(models)}.")
    for backbone in found:
        await asyncio.to_thread(BackboneStore(settings.named_backbones_dir).remove, backbone.digest)
    return found


async def list_installed(settings: Settings) -> Sequence[tuple[BackboneManifest, Sequence[str]]]:
    """Return the installed backbones, each with the registered models that need it."""
    found = await asyncio.to_thread(BackboneStore(settings.named_backbones_dir).list_all)
    users = await _list_users(settings) if found else {}
    return [(backbone, users.get(backbone.digest, ())) for backbone in found]


async def _list_users(settings: Settings) -> Users:
    try:
        async with Database(settings, read_only=True) as database:
            await database.require_tables()
            async with database.read() as session:
                return await list_users(session)
    except DatabaseNotReady:  # nothing has been registered yet
        return {}


def _refuse_backbone_name(name: str) -> None:
    refuse_name(name)
    if not name or len(name) > _LONGEST_NAME:
        raise NameRefused(f"A backbone's name has 1 to {_LONGEST_NAME} characters.", remedy="Choose another name.")
    if name.casefold() == YAMNET:
        raise NameRefused(
            f"The name {name!r} is that of the built-in backbone.",
            remedy="Choose another name. To install YAMNet itself: understudy backbone install",
        )


def _describe(name: str, given: BackboneSpec, compiled: CompiledModel) -> BackboneManifest:
    """Return the manifest of a compiled graph, after embeddings of noise were computed with it.

    Raises SpecInvalid, WarmUpFailed and CannotServe.
    """
    report = compiled.report
    output, width = choose_embedding(given, report.outputs)
    draft = BackboneManifest(
        name=name,
        digest="",
        spec=resolve_backbone(given, report.inputs),
        output=output,
        width=width,
        joinable=True,
        report=report,
        installed_at=datetime.now(UTC),
    )
    backbone = InstalledBackbone(
        draft, load_session(compiled.folder / report.runtime.file_name, report.runtime), compiled.folder
    )
    backbone.warm_up()
    return draft.model_copy(
        update={"joinable": _is_joinable(backbone), "digest": compute_backbone_digest(draft.model_dump(mode="json"))}
    )


def _is_joinable(backbone: InstalledBackbone) -> bool:
    """Compute embeddings of two windows of noise; return whether each is the same beside the other as it is alone.

    It is not where a graph normalizes or quantizes over its batch. Raises CannotServe when the graph fails.
    """
    generator = np.random.default_rng(0)
    rate = backbone.spec.sample_rate
    rate = 44_100 if rate == "file" else rate
    seconds = backbone.spec.window_seconds or _TRIAL_SECONDS
    items = [
        backbone.front_end.cut((loudness * generator.standard_normal(round(seconds * rate))).astype(np.float32), rate)[
            :1
        ]
        for loudness in (0.3, 0.01)
    ]
    alone = np.concatenate([backbone.compute(InputKind.EMBEDDING, item) for item in items])
    try:
        together = backbone.compute(InputKind.EMBEDDING, np.concatenate(items))
    except UnderstudyError:
        return False
    return bool(np.abs(together - alone).max() <= _TOLERANCE * max(1.0, float(np.abs(alone).max())))
