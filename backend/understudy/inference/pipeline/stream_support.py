"""Says whether a model can score a stream with the scores that a file gives, and if not, which field prevents it."""

from dataclasses import dataclass

from understudy.schemas.front_end.sound import Gain, Resampler, Sound

_WHOLE_SIGNAL = {
    Resampler.KAISER_BEST_RESAMPY_2: "adds up rounding errors over the whole recording",
    Resampler.KAISER_FAST_RESAMPY_2: "adds up rounding errors over the whole recording",
    Resampler.FOURIER: "transforms the whole recording at once",
    Resampler.FOURIER_LIBROSA: "transforms the whole recording at once",
    Resampler.LINEAR_ENDS: "needs the recording's length",
}


@dataclass(frozen=True)
class StreamObstacle:
    """The field of a spec that prevents scores equal to a file's, the reason as a sentence, and what to do."""

    field: str
    reason: str
    remedy: str


def find_stream_obstacle(sound: Sound, window_seconds: float | None, *, resampled: bool) -> StreamObstacle | None:
    """Return the first obstacle in the order of the steps; None for a model that can score a stream.

    `window_seconds` is the window that spec and graph agreed on. `resampled` is False for a stream at the model's own
    sample rate, which no resampler changes.
    """
    if window_seconds is None:
        return StreamObstacle(
            "window_seconds",
            "The model takes a whole clip at once (the spec's `window_seconds` is null), and a stream has no end.",
            "Send recordings to /api/v1/predict, or add `window_seconds` to the model's spec if it was trained on "
            "windows.",
        )
    if found := _find_in_sound(sound, resampled=resampled):
        field, reason = found
        return StreamObstacle(
            f"sound.{field}",
            f"The spec's `sound.{field}` {reason}. A stream has no whole recording, and may go on with another model.",
            f"Send recordings to /api/v1/predict, or leave `sound.{field}` out of the model's spec if it was trained "
            "without."
            if field != "resampler"
            else "Send the stream at the model's own sample rate, or recordings to /api/v1/predict.",
        )
    return None


def _find_in_sound(sound: Sound, *, resampled: bool) -> tuple[str, str] | None:
    if sound.offset:
        return "offset", f"leaves out the first {sound.offset:g} s of the recording"
    if sound.duration is not None:
        return "duration", f"keeps {sound.duration:g} s of the whole recording"
    if resampled and (why := _WHOLE_SIGNAL.get(sound.resampler)):
        return "resampler", f"is `{sound.resampler}`: it {why}"
    if sound.trim is not None:
        return "trim", "measures its loudness against the loudest frame of the whole recording"
    if sound.gain is not Gain.NONE:
        return "gain", f"is `{sound.gain}`: it brings the level of the whole recording to {sound.gain_level:g}"
    if sound.length is not None:
        return "length", "pads or cuts the whole recording"
    return None
