"""Limits on the length, sample rate and channels of a recording."""

from dataclasses import dataclass

from understudy.errors import AudioTooLong, AudioUnusable

MAX_CHANNELS = 128
MIN_RATE = 1_000
MAX_RATE = 768_000
ABSURD_PEAK = 100.0
"""+40 dBFS. Above it a float file holds damaged values, or integers that were not divided by their full scale."""


@dataclass(frozen=True)
class AudioLimits:
    """Limits that a setting decides. `max_seconds` is the length of the longest accepted recording, in seconds."""

    max_seconds: float

    def check_length(self, seconds: float) -> None:
        """Raise AudioTooLong when `seconds` is more than the limit; the limit itself is accepted."""
        if seconds > self.max_seconds:
            raise AudioTooLong(
                f"The recording is longer than {self.max_seconds:g} s.",
                remedy="Send a shorter recording, or raise UNDERSTUDY_MAX_AUDIO_SECONDS on the server.",
            )


def check_layout(rate: int, channels: int) -> None:
    """Raise AudioUnusable when the sample rate in Hz or the channel count lies outside of what is accepted.

    Decoders call this before they allocate memory by the header's figures, because a damaged header can ask for any
    amount.
    """
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioUnusable(f"The header says {rate} samples a second; {MIN_RATE} to {MAX_RATE} are accepted.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioUnusable(f"The header says {channels} channels; 1 to {MAX_CHANNELS} are accepted.")
