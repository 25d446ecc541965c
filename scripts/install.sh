#!/usr/bin/env bash
# install.sh PYTHON VENV LOCK: an environment with exactly what requirements/LOCK.lock pins, and this checkout.
set -euo pipefail
python=$1 venv=$2 lock=$3
cd "$(dirname "$0")/.."
start=$SECONDS
"$python" - <<'PY' || exit 1
import platform, sys
if not (3, 11) <= sys.version_info < (3, 14):
    sys.exit(f"Understudy needs Python 3.11, 3.12 or 3.13, and this is {platform.python_version()}: TensorFlow and h5py have no wheels for it. Name another one: make PYTHON=python3.12")
if sys.maxsize < 2**32 or platform.machine().lower() not in {"x86_64", "amd64", "arm64", "aarch64"}:
    sys.exit(f"Understudy needs a 64-bit x86 or ARM processor, and this is {platform.machine()}: ONNX Runtime has no wheels for it.")
PY
[ -x "$venv/bin/python" ] || { echo "creating $venv"; "$python" -m venv "$venv"; }
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps)
echo "installing requirements/$lock.lock (about 2 GB with the compiler's frameworks; once)"
# uv installs the same wheels by the same hashes several times as fast. Where it cannot be had, or cannot reach the
# package index that pip is configured for, pip installs them.
uv() { [ -x "$venv/bin/uv" ] || "${pip[@]}" --require-hashes -r requirements/installer.lock; "$venv/bin/uv" "$@"; }
uv pip install --quiet --python "$venv/bin/python" --no-deps --require-hashes --compile-bytecode \
  -r "requirements/$lock.lock" 2>/dev/null || "${pip[@]}" --require-hashes -r "requirements/$lock.lock"
"${pip[@]}" --no-build-isolation --editable .
echo "installed in $((SECONDS - start)) s"
