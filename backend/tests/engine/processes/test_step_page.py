"""A page that a worker shares with its server cannot harm the server."""

import os

import pytest

from understudy.engine.processes.step_page import StepPage


def test_a_page_cannot_be_shortened() -> None:
    descriptor = StepPage.create()
    page = StepPage(descriptor)
    with pytest.raises(PermissionError):
        os.ftruncate(descriptor, 0)
    os.close(descriptor)
    assert page.read() is None
    page.close()
