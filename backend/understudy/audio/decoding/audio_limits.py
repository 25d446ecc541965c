"""What is accepted as a recording."""

from dataclasses import dataclass

from understudy.errors import AudioTooLong, AudioUnusable

MAX_CHANNELS = 128
MIN_RATE = 1_000
MAX_RATE = 768_000


@dataclass(frozen=True)
class AudioLimits:
    """`max_seconds`: longest recording that is decoded, in seconds of sound."""

    max_seconds: float

    def check_length(self, seconds: float) -> None:
        """Raises AudioTooLong past the limit."""
        if seconds > self.max_seconds:
            raise AudioTooLong(
                f"The recording is longer than {self.max_seconds:g} s.",
                remedy="Send a shorter stretch, or raise UNDERSTUDY_MAX_AUDIO_SECONDS.",
            )


def check_layout(rate: int, channels: int) -> None:
    """Refuses headers whose figures no recorder writes, before anything is allocated by them (AudioUnusable)."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioUnusable(f"The header says {rate} samples a second; {MIN_RATE} to {MAX_RATE} are accepted.")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioUnusable(f"The header says {channels} channels; 1 to {MAX_CHANNELS} are accepted.")
