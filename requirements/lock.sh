#!/usr/bin/env bash
# Renew both lock files: every wheel by hash, no registry named.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() {
  uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate --override requirements/overrides.txt "$@"
}
lock --extra build --extra compiler --extra postgres --extra dev -o requirements/dev.lock
lock --extra build --extra compiler --extra postgres -c requirements/dev.lock -o requirements/run.lock
