#!/usr/bin/env bash
# install.sh PYTHON VENV LOCK: an environment with exactly what requirements/LOCK.lock pins, and this checkout.
set -euo pipefail
python=$1 venv=$2 lock=$3
cd "$(dirname "$0")/.."
start=$SECONDS
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Understudy needs Python 3.11, 3.12 or 3.13; $python is $("$python" --version). Name one: make PYTHON=python3.12" >&2; exit 1; }
[ -x "$venv/bin/python" ] || { echo "creating $venv"; "$python" -m venv "$venv"; }
echo "installing requirements/$lock.lock (about 2 GB with the compiler's frameworks; once)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "requirements/$lock.lock"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
echo "installed in $((SECONDS - start)) s"
