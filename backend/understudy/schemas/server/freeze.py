"""Spans of time in which no activation is done."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_CLOCK = re.compile(r"(?:(?P<day>mon|tue|wed|thu|fri|sat|sun) )?(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)")
_FORMS = "Write 22:00, fri 16:00 or 2026-12-20 00:00"


@dataclass(frozen=True)
class WallClock:
    """A time as a clock on the wall shows it: `minutes` since the beginning of each day, each week, or as a date.

    `period` is the length of that day or week in minutes, or None for a date.
    """

    minutes: float
    period: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for a text that is neither a time, a weekday with a time, nor a date with a time."""
        if found := _CLOCK.fullmatch(text.strip().lower()):
            minutes = 60 * int(found["hour"]) + int(found["minute"])
            if found["day"] is None:
                return cls(minutes, _DAY_MINUTES)
            return cls(minutes + WEEKDAYS.index(found["day"]) * _DAY_MINUTES, 7 * _DAY_MINUTES)
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise ValueError(f"{text!r} is no time. {_FORMS}.") from None
        if moment.tzinfo is not None:
            raise ValueError(f"{text!r} names a zone. Name it in time_zone.")
        return cls(_count_minutes(moment), None)

    def read(self, local: datetime) -> float:
        """Return the minutes of a local time, counted as those of this time."""
        if self.period is None:
            return _count_minutes(local)
        of_day = 60 * local.hour + local.minute + local.second / 60
        return of_day if self.period == _DAY_MINUTES else of_day + local.weekday() * _DAY_MINUTES


class FreezeWindow(BaseModel):
    """A span in which no activation is done: each day, each week, or once."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    begins: str = Field(max_length=30, description="`22:00`, `fri 16:00` or `2026-12-20 00:00`", examples=["fri 16:00"])
    ends: str = Field(max_length=30, description="In the same form as `begins`; not included", examples=["mon 08:00"])
    time_zone: str = Field(
        max_length=60, description="A name such as Europe/Berlin, or UTC", examples=["Europe/Berlin"]
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        begins, ends = WallClock.parse(self.begins), WallClock.parse(self.ends)
        if begins.period != ends.period:
            raise ValueError(f"begins and ends have different forms. {_FORMS} for both")
        if begins == ends or (begins.period is None and ends.minutes < begins.minutes):
            raise ValueError(f"{self.ends!r} is not after {self.begins!r}")
        find_zone(self.time_zone)
        return self

    def __str__(self) -> str:
        return f"{self.begins} - {self.ends} {self.time_zone}"

    def covers(self, moment: datetime) -> bool:
        """Return whether `moment`, which has a zone, lies in the span, by the clock on the wall of its time zone.

        Raises ValueError where this machine does not know the zone.
        """
        begins, ends = WallClock.parse(self.begins), WallClock.parse(self.ends)
        now = begins.read(moment.astimezone(find_zone(self.time_zone)).replace(tzinfo=None))
        if begins.minutes < ends.minutes:
            return begins.minutes <= now < ends.minutes
        return now >= begins.minutes or now < ends.minutes


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone. Raises ValueError for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone that this machine knows. Write Europe/Berlin, or UTC.") from None


def _count_minutes(moment: datetime) -> float:
    return (moment - datetime(1970, 1, 1)) / timedelta(minutes=1)  # noqa: DTZ001  # a clock on the wall has no zone
