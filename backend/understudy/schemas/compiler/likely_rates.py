"""Suggest the sample rate of a model from the number of samples that it takes."""

_RATES = (16_000, 48_000, 44_100, 22_050, 32_000, 24_000, 8_000)
_LONGEST_SECONDS = 10
_MOST = 3
# Inputs of well-known models that the rule below misses or ranks wrongly.
_KNOWN = {
    15_600: (16_000,),  # YAMNet in TensorFlow Lite: 0.975 s
    44_032: (44_100,),  # TensorFlow.js speech commands and Teachable Machine: 43 frames of 1024
    144_000: (48_000,),  # BirdNET: 3 s
    160_000: (32_000, 16_000),  # Perch: 5 s; or 10 s
    64_600: (16_000,),  # AASIST and RawNet2: 4.04 s
}


def suggest_rates(samples: int) -> tuple[int, ...]:
    """Return up to three rates in Hz at which a window of `samples` is of usual length, the likeliest first.

    Beside the inputs of well-known models these are the rates that make it a whole number of seconds up to 10 or half a
    second; shorter ones are likelier.
    """
    if samples in _KNOWN:
        return _KNOWN[samples]
    found = [rate for rate in _RATES if _is_usual(samples, rate)]
    return tuple(sorted(found, key=lambda rate: samples / rate)[:_MOST])


def _is_usual(samples: int, rate: int) -> bool:
    return 2 * samples == rate or (samples % rate == 0 and samples // rate <= _LONGEST_SECONDS)
