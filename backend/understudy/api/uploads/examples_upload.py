"""Receives the examples of a model: a form of clips and a CSV or JSON file, or one JSON document."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.routing import Match
from starlette.types import Scope

from understudy.api.uploads.base64_json import MAX_DOCUMENT_BYTES, decode_base64, receive_json
from understudy.api.uploads.content_type import ContentType
from understudy.api.uploads.multipart import receive_form
from understudy.api.uploads.recording_fields import parse_body
from understudy.errors import ExamplesInvalid, RequestInvalid
from understudy.registry.files.example_clips import NewExample
from understudy.registry.files.examples_csv import match_uploads, normalize_clip_name, parse_csv
from understudy.schemas.inference.recording import RecordingFields
from understudy.schemas.registry.examples import MOST_EXAMPLES, ExamplesIn, Expectation
from understudy.schemas.registry.model import ModelCreate
from understudy.serving.prediction.batch_predictor import NamedClip
from understudy.settings import Settings

MODEL_FIELD = "model"
_MANIFEST_SUFFIXES = (".csv", ".json")
_SLACK_BYTES = 8 << 20  # the CSV and the headers of the parts
_MANIFEST_BYTES = 4 << 20
_REMEDY = "Send the clips and one .csv or .json file that says what is expected; docs/examples.md describes both."

FORM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["examples", "clips"],
    "properties": {
        "examples": {
            "type": "string",
            "format": "binary",
            "description": "examples.csv, or the same as JSON; the file's name ends in .csv or .json",
        },
        "clips": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "maxItems": MOST_EXAMPLES,
            "description": "The recordings under the names that the CSV gives them; their parts may have any name",
        },
    },
}


@dataclass(frozen=True)
class Registration:
    """A model to register, and its examples."""

    model: ModelCreate
    examples: list[NewExample]


class FormRoute(APIRoute):
    """Takes only requests with a form; others go on to the next route with the same path and method."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        header = dict(scope["headers"]).get(b"content-type") if scope["type"] == "http" else None
        if ContentType.parse(header).name != "multipart/form-data":
            return Match.NONE, {}
        return super().matches(scope)


class _Manifest(BaseModel, extra="forbid"):
    """The JSON file of a form."""

    examples: tuple[Expectation, ...]


async def receive_examples(request: Request, settings: Settings) -> list[NewExample]:
    """Receive a form or a JSON document.

    Raises BodyTooLarge, RequestInvalid and RequestValidationError for another body, ExamplesInvalid for what it says,
    and StorageUnavailable where a long body cannot be spooled.
    """
    content_type = ContentType.parse(request.headers.get("content-type"))
    if not content_type.is_json:
        return (await _receive_form(request, settings))[0]
    remedy = f"Send a form of files; JSON may have {MAX_DOCUMENT_BYTES} bytes."
    body = await receive_json(request, min(MAX_DOCUMENT_BYTES, 2 * settings.max_examples_bytes), remedy)
    return await asyncio.to_thread(_decode_document, body)


async def receive_registration(request: Request, settings: Settings) -> Registration:
    """Receive a form with the JSON document of a model in the field `model`, and its examples.

    Raises what `receive_examples` raises, and RequestInvalid and RequestValidationError for the model.
    """
    examples, texts = await _receive_form(request, settings)
    if MODEL_FIELD not in texts:
        raise RequestInvalid(
            f"The form has no field {MODEL_FIELD}.",
            remedy=f"Send the model as JSON in it: curl -F '{MODEL_FIELD}={{\"model_name\": …}}' -F …",
        )
    return Registration(parse_body(ModelCreate, texts[MODEL_FIELD]), examples)


async def _receive_form(request: Request, settings: Settings) -> tuple[list[NewExample], dict[str, str]]:
    limit = settings.max_examples_bytes + _SLACK_BYTES
    form = await receive_form(request, limit, RecordingFields(), MOST_EXAMPLES + 1, (MODEL_FIELD,))
    return await asyncio.to_thread(_match, form.files), form.texts


def _match(files: Sequence[NamedClip]) -> list[NewExample]:
    manifests = [each for each in files if PurePosixPath(each.name).suffix.lower() in _MANIFEST_SUFFIXES]
    if len(manifests) != 1:
        raise ExamplesInvalid(
            f"The form holds {len(manifests)} files that end in .csv or .json, and exactly one is expected.",
            remedy=_REMEDY,
        )
    manifest = manifests[0]
    clips: dict[str, NamedClip] = {}
    for each in files:
        if each is not manifest and clips.setdefault(each.name, each) is not each:
            raise ExamplesInvalid(f"The form holds two files called {each.name}.", remedy=_REMEDY)
    content = manifest.source.read(_MANIFEST_BYTES + 1)
    if len(content) > _MANIFEST_BYTES:
        raise ExamplesInvalid(f"{manifest.name} has more than {_MANIFEST_BYTES} bytes.")
    is_csv = manifest.name.lower().endswith(".csv")
    expected = parse_csv(content, manifest.name) if is_csv else _parse_json(content, manifest.name)
    return [NewExample(each, clips[name].source) for each, name in match_uploads(expected, clips, manifest.name)]


def _parse_json(content: bytes, name: str) -> list[Expectation]:
    try:
        json.loads(content)
    except ValueError as error:
        raise ExamplesInvalid(f"{name} is not JSON: {error}.", remedy=_REMEDY) from error
    return [_normalize(each) for each in parse_body(_Manifest, content).examples]


def _decode_document(body: bytes) -> list[NewExample]:
    document = parse_body(ExamplesIn, body)
    return [
        NewExample(
            _normalize(Expectation(**each.model_dump(exclude={"audio"}))),
            BytesIO(decode_base64(each.audio, f"body.examples.{index}.audio")),
        )
        for index, each in enumerate(document.examples)
    ]


def _normalize(expected: Expectation) -> Expectation:
    return expected.model_copy(update={"file": normalize_clip_name(expected.file)})
