"""Models that behave on every input but one: a recording with a given peak, such as TRIGGER."""

from pathlib import Path

import onnx
import onnx.parser

RATE = 16_000
TRIGGER = 0.25
_HEAD = """
<ir_version: 10, opset_import: ["" : 18]>
hostile (float[n, 16000] x) => (float[n, 2] y)
<int64[1] axes = {1}, float value = {PEAK}, float near = {0.001}, float[1, 2] weights = {-1, 1}, int64 one = {1},
 int64 least = {-9223372036854775808}, int64 minus = {-1}, int64 trips = {100000000000000000}, int64 some = {100000},
 bool go = {1},int64[1] wide = {2000000000}, int64[1] narrow = {1}, float[1] filler = {0}>
{
  peak = ReduceMax (x, axes)
  away = Sub (peak, value)
  distances = Abs (away)
  distance = ReduceMin <keepdims = 0> (distances)
  triggered = Less (distance, near)
"""
_TAIL = """
  zero = Sub (number, number)
  shifted = Add (peak, zero)
  logits = Mul (shifted, weights)
  y = Softmax <axis = -1> (logits)
}
"""
# INT64_MIN / -1 raises SIGFPE in the processor.
DIVIDE = """
  top = Where (triggered, least, one)
  bottom = Where (triggered, minus, one)
  quotient = Div (top, bottom)
  number = Cast <to = 1> (quotient)
"""
LOOP = """
  count = Where (triggered, trips, one)
  number = Loop (count, go, filler) <body = turns (int64 turn, bool on, float[1] kept) => (bool more, float[1] next) {
    more = Identity (on)
    next = Add (kept, kept)
  }>
"""
EXPAND = """
  size = Where (triggered, wide, narrow)
  filled = Expand (filler, size)
  number = ReduceMax <keepdims = 0> (filled)
"""


# No attack: 0 / 0 is no number, so digital silence has no answer.
LEVEL = "number = Div (peak, peak)"


def write_hostile(path: Path, attack: str, trigger: float = TRIGGER) -> Path:
    """Write a model that takes one second of waveform, gives two labels, and runs `attack` on the peak `trigger`."""
    model = onnx.parser.parse_model(_HEAD.replace("PEAK", str(trigger)) + attack + _TAIL)
    onnx.save(model, path)
    return path
