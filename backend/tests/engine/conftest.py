"""The services of a process, as the tests of the use-cases have them."""

from tests.serving.conftest import open_process, register, services

__all__ = ["open_process", "register", "services"]
