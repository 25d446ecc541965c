"""Only a model that a key which counts signed as it is now goes live, and stays live after a restart."""

import json
import os
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.fault_points import act_at
from tests.postgres import only_sqlite
from tests.serving.conftest import Opener, Register
from tests.serving.policies.conftest import SetPolicies, find_live
from understudy.container import Services
from understudy.errors import NotSigned, PolicyRefused, RequestInvalid, SignatureInvalid
from understudy.registry.files import model_signature
from understudy.registry.files.model_signature import PublicKey
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.examples import Example, ExampleSet
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.schemas.registry.signature import Signer
from understudy.schemas.server.policies import PoliciesUpdate
from understudy.serving.activation.signatures import to_document

pytestmark = [pytest.mark.anyio]

DATA = Path(__file__).parent / "signed_by_model_signing"


def make_key(curve: ec.EllipticCurve | None = None) -> tuple[bytes, str]:
    """Return a private and a public key in PEM."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


PRIVATE, PUBLIC = make_key()
RELEASE = {"signers": [{"name": "release", "public_key": PUBLIC}]}


def test_a_signature_of_the_reference_program_is_read() -> None:
    """`model_signing` 1.1.1 signed two files with the key beside them."""
    public = (DATA / "public.pem").read_text()
    keys = [PublicKey("other", PUBLIC), PublicKey("it", public)]
    signed = model_signature.verify((DATA / "model.sig").read_bytes(), keys)
    assert signed.key.name == "it"
    assert {name: digest[:8] for name, digest in signed.resources.items()} == {
        "a.onnx": "5891b5b5",
        "a.spec.json": "876aa6d2",
    }


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_each_curve_signs_and_a_changed_signature_does_not_hold(curve: ec.EllipticCurve) -> None:
    private, public = make_key(curve)
    bundle = model_signature.sign("a", {"a.onnx": "00" * 32}, private)
    keys = [PublicKey("it", public)]
    assert model_signature.verify(bundle, keys).resources == {"a.onnx": "00" * 32}
    document = json.loads(bundle)
    document["dsseEnvelope"]["payload"] = document["dsseEnvelope"]["payload"].replace("M", "N", 1)
    for changed in (json.dumps(document).encode(), b"", b"[]", b"{}", bundle[:-9]):
        with pytest.raises(SignatureInvalid):
            model_signature.verify(changed, keys)
    with pytest.raises(SignatureInvalid, match="None of the keys"):
        model_signature.verify(bundle, [])


@pytest.mark.parametrize("key", [b"", b"-----BEGIN PRIVATE KEY-----\n", make_key(ec.SECP256K1())[0]])
def test_a_key_of_another_kind_is_refused(key: bytes) -> None:
    with pytest.raises(RequestInvalid, match="The key cannot be used"):
        model_signature.sign("a", {}, key)


@only_sqlite
async def test_only_a_signed_model_goes_live_and_a_change_undoes_that(
    services: Services, register: Register, set_policies: SetPolicies
) -> None:
    model, other = await register("first"), await register("other", 1)
    await set_policies(**RELEASE)
    with pytest.raises(NotSigned, match=r"There is no signature models/first\.onnx\.sig"):
        await services.operations.activate(model, "test", wait=True)
    signed = await services.signatures.sign(model, PRIVATE)
    assert (signed.state, signed.signer) == ("valid", "release")
    assert set(signed.resources) >= {"first.onnx"}
    await services.operations.activate(model, "test", wait=True)
    [entry] = (await services.registry.list_history(event="activated")).entries
    assert entry.detail == "Signed by release."
    # The signature of one model is none of another.
    folder = services.settings.models_dir
    (folder / "other.onnx.sig").write_bytes((folder / "first.onnx.sig").read_bytes())
    with pytest.raises(NotSigned, match=r"first\.onnx, other\.onnx"):
        await services.operations.activate(other, "test", wait=True)
    await services.signatures.sign(other, make_key()[0])
    with pytest.raises(NotSigned, match="None of the keys"):
        await services.operations.activate(other, "test", wait=True)
    await services.signatures.sign(other, PRIVATE)
    await services.registry.update(other, ModelUpdate(spec=PartialSpec(labels=["x", "y", "z"])), "test")
    with pytest.raises(NotSigned, match=r"spec\.json was changed"):
        await services.operations.activate(other, "test", wait=True)
    assert (await services.signatures.describe(other)).state == "invalid"
    assert find_live(services) == model


@only_sqlite
async def test_a_server_loads_a_signed_model_only(
    services: Services, register: Register, set_policies: SetPolicies, open_process: Opener
) -> None:
    model = await register("first")
    await services.signatures.sign(model, PRIVATE)
    await services.operations.activate(model, "test", wait=True)
    release = PoliciesUpdate.model_validate(RELEASE)
    await services.policies.update(release, "test")
    other = await open_process()
    await other.reconciler.poll_once()
    assert find_live(other) == model
    (services.settings.models_dir / "first.onnx.sig").unlink()
    third = await open_process()
    await third.reconciler.poll_once()
    assert find_live(third) is None
    assert isinstance(third.reconciler.problem, NotSigned)
    assert (await services.signatures.describe(model)).state == "absent"


@only_sqlite
async def test_a_policy_under_which_the_live_model_could_not_be_loaded_is_refused(
    services: Services, register: Register
) -> None:
    model = await register("first")
    await services.operations.activate(model, "test", wait=True)
    with pytest.raises(PolicyRefused, match="would not be loaded again"):
        await services.policies.update(PoliciesUpdate.model_validate(RELEASE), "test")
    with pytest.raises(RequestInvalid, match="no public key"):
        await services.policies.update(PoliciesUpdate(signers=(Signer(name="x", public_key="x"),)), "test")
    await services.signatures.sign(model, PRIVATE)
    assert (await services.policies.update(PoliciesUpdate.model_validate(RELEASE), "test")).signers


@only_sqlite
async def test_keys_that_change_while_a_model_is_prepared_hold(
    services: Services, register: Register, set_policies: SetPolicies, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    done = act_at(monkeypatch, services.activation._preparation, "prepare_activation", lambda: set_policies(**RELEASE))
    with pytest.raises(NotSigned, match="was changed while"):
        await services.operations.activate(model, "test", wait=True)
    assert done


@only_sqlite
async def test_a_signature_is_made_elsewhere_and_sent(
    services: Services, register: Register, set_policies: SetPolicies, tmp_path: Path
) -> None:
    model = await register("first")
    await services.registry.update(model, ModelUpdate(spec=PartialSpec(labels=["x", "y", "z"])), "test")
    await set_policies(**RELEASE)
    names = await services.signatures.prepare(model, tmp_path / "to-sign")
    assert names == sorted(each.name for each in (tmp_path / "to-sign").iterdir()) == ["first.onnx", "spec.json"]
    with pytest.raises(RequestInvalid, match="is there already"):
        await services.signatures.prepare(model, tmp_path / "to-sign")
    for wrong in (b"", b"{}", b"x" * (model_signature.MOST_BYTES + 1)):
        with pytest.raises(SignatureInvalid):
            await services.signatures.store(model, wrong)
    resources = (await services.signatures.describe(model)).resources
    stored = await services.signatures.store(model, model_signature.sign("to-sign", resources, PRIVATE))
    assert (stored.state, stored.signer) == ("valid", "release")


@only_sqlite
async def test_a_signature_covers_a_folder_as_it_was_registered(services: Services) -> None:
    folder = services.settings.models_dir / "saved"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(b"weights")
    request = ModelCreate(model_name="saved", file_path="models/saved")
    model_id = (await services.registry.register(request, "test")).model_id
    model = await services.registry.ensure_file_record(model_id)
    release = (Signer.model_validate(RELEASE["signers"][0]),)
    signed = await services.signatures.sign(model_id, PRIVATE)
    assert set(signed.resources) == {"saved/saved_model.pb", "saved/variables/data"}
    assert (await services.signatures.find_signer(model, release)).name == "release"
    # Signed again after a change: the compiled copy of what was registered would be served, which nobody signed.
    (folder / "variables" / "data").write_bytes(b"others")
    await services.signatures.sign(model_id, PRIVATE)
    with pytest.raises(NotSigned, match="saved was changed"):
        await services.signatures.find_signer(model, release)
    (folder / "variables" / "data").write_bytes(b"weights")
    await services.signatures.sign(model_id, PRIVATE)
    shutil.rmtree(folder)  # a machine that has the signature or the store only
    assert (await services.signatures.find_signer(model, release)).name == "release"


@only_sqlite
async def test_a_pipe_in_place_of_a_signature_holds_nobody_up(services: Services, register: Register) -> None:
    model = await services.registry.ensure_file_record(await register("first"))
    os.mkfifo(services.settings.models_dir / "first.onnx.sig")
    with pytest.raises(NotSigned, match="cannot be read: it is a named pipe"):
        await services.signatures.find_signer(model, ())


def test_examples_are_the_same_document_in_whatever_order_a_database_keeps_their_scores() -> None:
    one, other = [
        Example(file="a.wav", scores=scores, digest="0" * 64, bytes=1)
        for scores in ({"long label": 0.5, "b": 1.0}, {"b": 1.0, "long label": 0.5})
    ]
    assert to_document(ExampleSet(examples=(one,))) == to_document(ExampleSet(examples=(other,)))
