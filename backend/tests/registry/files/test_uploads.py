"""An upload that is cancelled leaves no file behind."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pytest

from understudy.files.file_ownership import create_owned
from understudy.registry.files import uploads
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def test_an_upload_that_is_cancelled_while_its_file_is_made_leaves_none(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    began, cancelled = Event(), Event()

    def create_late(part: Path) -> BinaryIO:
        began.set()
        assert cancelled.wait(30)
        return create_owned(part)

    async def send() -> AsyncIterator[bytes]:
        yield b"content"

    monkeypatch.setattr(uploads, "create_owned", create_late)
    receiving = asyncio.ensure_future(uploads.Uploads(settings).receive("model.onnx", send()))
    await asyncio.to_thread(began.wait, 30)
    receiving.cancel()
    await asyncio.sleep(0)
    cancelled.set()
    with pytest.raises(asyncio.CancelledError):
        await receiving
    assert list(settings.models_dir.iterdir()) == []
