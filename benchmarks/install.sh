#!/usr/bin/env bash
# install.sh PYTHON NAME: benchmarks/.envs/NAME with exactly what benchmarks/requirements/NAME.lock pins; once a lock.
set -euo pipefail
python=$1 name=$2
cd "$(dirname "$0")"
lock=requirements/$name.lock venv=.envs/$name
stamp=$venv/.$(sha256sum "$lock" | cut -c1-16)
[ -e "$stamp" ] && exit 0
start=$SECONDS
rm -rf "$venv"
"$python" -m venv "$venv"
nice "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
touch "$stamp"
echo "benchmarks/.envs/$name installed in $((SECONDS - start)) s" >&2
