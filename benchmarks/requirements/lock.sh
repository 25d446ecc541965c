#!/usr/bin/env bash
# Renew the lock of every environment: each wheel by hash, no registry named. With names, only those.
set -euo pipefail
cd "$(dirname "$0")"
lock() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate "$@"
}
# What decodes and infers is the same build everywhere: the one that Understudy's own lock pins.
shared=$(mktemp)
trap 'rm -f "$shared"' EXIT
grep -E "^($(paste -sd '|' hearing.in))==" ../../requirements/run.lock | sed 's/ *\\$//' > "$shared"

for name in ${@:-bench litserve bentoml mlserver ray mlflow fastapi keras}; do
  case $name in
    bench) lock ../../pyproject.toml bench.in -c ../../requirements/run.lock -o bench.lock ;;
    keras) lock keras.in --override ../../requirements/overrides.txt -o keras.lock ;;
    mlflow) lock mlflow.in hearing.in -c <(grep -v ^cachetools== "$shared") -o mlflow.lock ;; # it needs an older one
    *) lock "$name.in" hearing.in -c "$shared" -o "$name.lock" ;;
  esac
  echo "$name.lock: $(grep -c '==' "$name.lock") packages"
done
