"""Signs and verifies models in the format of OpenSSF model signing, by elliptic curve keys and without a network.

A signature is a Sigstore bundle with a DSSE envelope around an in-toto statement that names each file with its SHA-256.
`model_signing sign key` and `model_signing verify key` (PyPI `model-signing`, 1.1) write and read the same. That
package needs 90 MB and imports its network clients, so that the server does not use it.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from understudy.errors import RequestInvalid, SignatureInvalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

SIGNATURE_SUFFIX = ".sig"
MOST_BYTES = 4 * 2**20
_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
_CURVES = ("secp256r1", "secp384r1", "secp521r1")

# File names with their SHA-256 in hex.
Resources = Mapping[str, str]


@dataclass(frozen=True)
class PublicKey:
    """A key whose signatures count; `pem` is its PEM text."""

    name: str
    pem: str


@dataclass(frozen=True)
class Signed:
    """The content that a valid signature covers, and the key that made it."""

    key: PublicKey
    resources: Resources


def sign(name: str, resources: Resources, private_key: bytes) -> bytes:
    """Return the signature over the resources of the model `name`. Raises RequestInvalid for a key of another kind."""
    from cryptography.hazmat.primitives.asymmetric import ec

    key = _load_private(private_key)
    payload = json.dumps(_build_statement(name, resources), indent=2).encode()
    signature = key.sign(_encode(payload), ec.ECDSA(_choose_hash(key.public_key())))
    bundle = {
        "mediaType": _BUNDLE,
        "verificationMaterial": {
            "publicKey": {"hint": sha256(_to_pem(key.public_key())).hexdigest()},
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": _PAYLOAD,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    return json.dumps(bundle).encode()


def verify(bundle: bytes, keys: Sequence[PublicKey]) -> Signed:
    """Return what the signature covers. Raises SignatureInvalid where none of the keys made it, or it is no signature.

    What is signed is read after the signature was found to hold.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec

    payload, signature = _open(bundle)
    for each in keys:
        key = load_public(each.pem)
        try:
            key.verify(signature, _encode(payload), ec.ECDSA(_choose_hash(key)))
        except InvalidSignature:
            continue
        return Signed(each, _read_statement(payload))
    raise SignatureInvalid("None of the keys that are permitted made the signature, or it was changed.")


def check_form(bundle: bytes) -> None:
    """Raises SignatureInvalid for what is no signature of a model, whoever made it."""
    _read_statement(_open(bundle)[0])


def load_public(pem: str) -> "ec.EllipticCurvePublicKey":
    """Return a public key. Raises RequestInvalid."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refuse_key(f"It is no public key in PEM: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
        raise _refuse_key("It is no elliptic curve key.")
    return key


def _load_private(pem: bytes) -> "ec.EllipticCurvePrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _refuse_key(f"It is no private key in PEM without a password: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in _CURVES:
        raise _refuse_key("It is no elliptic curve key.")
    return key


def _refuse_key(reason: str) -> RequestInvalid:
    return RequestInvalid(
        f"The key cannot be used. {reason}",
        remedy="Use a key of P-256, P-384 or P-521: `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`, "
        "`openssl ec -in key.pem -pubout -out public.pem`.",
    )


def _choose_hash(key: "ec.EllipticCurvePublicKey") -> "HashAlgorithm":
    from cryptography.hazmat.primitives import hashes

    sizes: dict[int, HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
    return sizes[key.curve.key_size]


def _to_pem(key: "ec.EllipticCurvePublicKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _encode(payload: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding of type and payload."""
    return f"DSSEv1 {len(_PAYLOAD)} {_PAYLOAD} {len(payload)} ".encode() + payload


def _build_statement(name: str, resources: Resources) -> dict[str, object]:
    ordered = sorted(resources.items())
    return {
        "_type": _STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": _compute_root([digest for _, digest in ordered])}}],
        "predicateType": _PREDICATE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "ignore_paths": [".git", ".gitattributes", ".github", ".gitignore"],
                "allow_symlinks": False,
            },
            "resources": [{"name": resource, "digest": digest, "algorithm": "sha256"} for resource, digest in ordered],
        },
    }


def _compute_root(digests: Sequence[str]) -> str:
    return sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


_UNREADABLE = (ValueError, KeyError, TypeError, RecursionError)


def _open(bundle: bytes) -> tuple[bytes, bytes]:
    """Return payload and signature of a bundle."""
    try:
        return _parse_bundle(json.loads(bundle))
    except _UNREADABLE as error:
        raise SignatureInvalid(f"The signature is none that `model_signing sign key` writes: {error}.") from error


def _parse_bundle(document: Any) -> tuple[bytes, bytes]:
    envelope = document["dsseEnvelope"]
    if document["mediaType"] != _BUNDLE or envelope["payloadType"] != _PAYLOAD:
        raise ValueError("another kind of bundle")
    [signature] = envelope["signatures"]
    return base64.b64decode(envelope["payload"], validate=True), base64.b64decode(signature["sig"], validate=True)


def _read_statement(payload: bytes) -> Resources:
    try:
        return _parse_statement(json.loads(payload))
    except _UNREADABLE as error:
        raise SignatureInvalid(f"What the signature covers cannot be read: {error}.") from error


def _parse_statement(statement: Any) -> Resources:
    if (statement["_type"], statement["predicateType"]) != (_STATEMENT, _PREDICATE):
        raise ValueError("another kind of statement")
    [subject] = statement["subject"]
    named = [(each["name"], each["digest"], each["algorithm"]) for each in statement["predicate"]["resources"]]
    resources = {str(name): str(digest) for name, digest, _ in named}
    if len(resources) != len(named) or any(algorithm != "sha256" for *_, algorithm in named):
        raise ValueError("a file is named twice, or not by SHA-256")
    if subject["digest"]["sha256"] != _compute_root([digest for _, digest, _ in named]):
        raise ValueError("the digest over all files is another one")
    return resources
