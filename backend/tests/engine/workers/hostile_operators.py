"""One model with many attacks: the peak of the recording chooses which of them runs."""

from pathlib import Path

import onnx
import onnx.parser

_HEAD = """
<ir_version: 10, opset_import: ["" : 18]>
hostile (float[n, 16000] x) => (float[n, 2] y)
<int64[1] axes = {1}, float near = {0.001}, float[1, 2] weights = {-1, 1}, float[1] nothing = {0},
 int64 huge = {90000000000}, int64[1] many = {90000000000}, int64[1] first = {1}>
{
  peak = ReduceMax (x, axes)
  total_0 = ReduceMax <keepdims = 0> (nothing)
"""
_TAIL = """
  zero = Sub (total_END, total_END)
  shifted = Add (peak, zero)
  logits = Mul (shifted, weights)
  y = Softmax <axis = -1> (logits)
}
"""
_CHOICE = """
  value_N = Constant <value = float {PEAK}> ()
  away_N = Sub (peak, value_N)
  distances_N = Abs (away_N)
  distance_N = ReduceMin <keepdims = 0> (distances_N)
  chosen_N = Less (distance_N, near)
  unit_N = Cast <to = 7> (chosen_N)
  found_N = If (chosen_N) <
    then_branch = attack_N () => (float r) { BODY },
    else_branch = rest_N () => (float none_N) { none_N = ReduceMax <keepdims = 0> (nothing) }
  >
  total_N = Add (total_BEFORE, found_N)
"""

# Each body gives the scalar `r`. `unit` is an integer 1 that no optimizer can know.
ATTACKS = {
    # numbers that the processor refuses
    "divide by zero": """
      zero = Sub (unit, unit)
      q = Div (unit, zero)
      r = Cast <to = 1> (q)
    """,
    "modulo zero": """
      zero = Sub (unit, unit)
      q = Mod (unit, zero)
      r = Cast <to = 1> (q)
    """,
    # time, before memory: what a run has asked for, ONNX Runtime keeps
    "loop": """
      go = Constant <value = bool {1}> ()
      t = Loop (huge, go, nothing) <body = turns (int64 turn, bool on, float[1] kept) => (bool more, float[1] next) {
        more = Identity (on)
        next = Add (kept, kept)
      }>
      r = ReduceMax <keepdims = 0> (t)
    """,
    "loop in a loop": """
      go = Constant <value = bool {1}> ()
      t = Loop (huge, go, nothing) <body = outer (int64 turn, bool on, float[1] kept) => (bool more, float[1] next) {
        more = Identity (on)
        next = Loop (huge, go, kept) <body = inner (int64 i, bool also, float[1] had) => (bool yes, float[1] has) {
          yes = Identity (also)
          has = Add (had, had)
        }>
      }>
      r = ReduceMax <keepdims = 0> (t)
    """,
    "long operator": """
      side = Constant <value = int64[2] {4000, 4000}> ()
      size = Mul (side, unit)
      a = ConstantOfShape (size)
      b = MatMul (a, a)
      c = MatMul (b, a)
      r = ReduceMax <keepdims = 0> (c)
    """,
    # memory
    "fill": """
      size = Mul (many, unit)
      t = ConstantOfShape (size)
      r = ReduceMax <keepdims = 0> (t)
    """,
    "range": """
      zero = Sub (unit, unit)
      high = Mul (huge, unit)
      t = Range (zero, high, unit)
      m = ReduceMax <keepdims = 0> (t)
      r = Cast <to = 1> (m)
    """,
    "tile": """
      often = Mul (many, unit)
      t = Tile (nothing, often)
      r = ReduceMax <keepdims = 0> (t)
    """,
    "pad": """
      before = Sub (first, first)
      after = Mul (many, unit)
      pads = Concat <axis = 0> (before, after)
      t = Pad (nothing, pads)
      r = ReduceMax <keepdims = 0> (t)
    """,
    "one hot": """
      depth = Mul (huge, unit)
      values = Constant <value = float[2] {0, 1}> ()
      t = OneHot (first, depth, values)
      r = ReduceMax <keepdims = 0> (t)
    """,
    "outer product": """
      side = Constant <value = int64[1] {300000}> ()
      size = Mul (side, unit)
      tall = Concat <axis = 0> (size, first)
      wide = Concat <axis = 0> (first, size)
      a = ConstantOfShape (tall)
      b = ConstantOfShape (wide)
      t = MatMul (a, b)
      r = ReduceMax <keepdims = 0> (t)
    """,
    "growing loop": """
      trips = Constant <value = int64 {64}> ()
      go = Constant <value = bool {1}> ()
      t = Loop (trips, go, nothing) <body = turns (int64 turn, bool on, float[k] kept) => (bool more, float[j] next) {
        more = Identity (on)
        next = Concat <axis = 0> (kept, kept)
      }>
      r = ReduceMax <keepdims = 0> (t)
    """,
    # values
    "index beyond the end": """
      index = Mul (many, unit)
      t = Gather (nothing, index)
      r = ReduceMax <keepdims = 0> (t)
    """,
}
PEAKS = {name: round(0.1 + 0.02 * index, 2) for index, name in enumerate(ATTACKS)}


def write_many_attacks(path: Path) -> Path:
    """Write a model that takes one second of waveform and gives two labels; a peak of PEAKS starts its attack."""
    text = _HEAD
    for number, (name, body) in enumerate(ATTACKS.items(), 1):
        own = body.replace("(unit", f"(unit_{number}").replace(", unit", f", unit_{number}")
        choice = _CHOICE.replace("_N", f"_{number}").replace("_BEFORE", f"_{number - 1}")
        text += choice.replace("PEAK", str(PEAKS[name])).replace("BODY", own)
    onnx.save(onnx.parser.parse_model(text + _TAIL.replace("_END", f"_{len(ATTACKS)}")), path)
    return path
