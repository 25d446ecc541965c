"""Plans the size of each family."""

import random
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """The size of one run. Each family works in a folder of its own below `folder`."""

    folder: Path
    short: bool = False
    minutes: float = 10.0
    """Longest time of one family; the soak takes all of it."""
    seed: int = 1

    def choose(self, short: int, full: int) -> int:
        """Return the count of this run."""
        return short if self.short else full

    def make_random(self, family: str) -> random.Random:
        """Return the family's source of random choices, which depends on the seed alone."""
        return random.Random(f"{self.seed} {family}")  # noqa: S311  # no secret

    def make_home(self, name: str, *, share_compiled: bool = True) -> Path:
        """Create and return an empty home folder; with `share_compiled` the same model compiles once for all homes."""
        home = self.folder / name
        (home / "models").mkdir(parents=True)
        if share_compiled:
            shared = self.folder / "compiled"
            shared.mkdir(exist_ok=True)
            (home / "var").mkdir()
            (home / "var" / "compiled").symlink_to(shared, target_is_directory=True)
        return home

    def start_timer(self, short_seconds: float) -> "Timer":
        """Return a timer that runs for the time of one family: at most `short_seconds` in the short form."""
        seconds = 60 * self.minutes
        return Timer(time.monotonic() + (min(short_seconds, seconds) if self.short else seconds))


@dataclass(frozen=True)
class Timer:
    ends: float

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.ends
