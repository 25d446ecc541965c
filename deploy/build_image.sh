#!/usr/bin/env bash
# The steps of deploy/Dockerfile that need Python. They run in the checkout's folder, and without an engine too:
#
#   deploy/build_image.sh packages LOCK PREFIX     an environment with exactly the packages of the lock file
#   deploy/build_image.sh understudy PREFIX        the wheel of this checkout into it, with the page that is built
#                                                  already; then tests are removed, and the demo is run once
#
# PYTHON names the interpreter.
set -euo pipefail
step=$1
python=${PYTHON:-python}

packages() {
  local lock=$1 prefix=$2
  "$python" -m venv --without-pip "$prefix"
  "$python" -m pip --python "$prefix/bin/python" install --no-cache-dir --disable-pip-version-check --no-deps \
    --no-compile --only-binary :all: --require-hashes -r "$lock"
}

understudy() {
  local prefix=$1 site home
  [ -f backend/understudy/page/index.html ] || { echo "the page is not built: python scripts/build_page.py" >&2; exit 1; }
  UNDERSTUDY_WHEEL_WITHOUT_PAGE=1 "$python" -m pip --python "$prefix/bin/python" install --no-cache-dir \
    --disable-pip-version-check --no-deps --no-compile --no-index --no-build-isolation .
  site=$("$prefix/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  trim "$site"
  # A read-only container cannot keep byte code. Of the large packages only what the demo imports gets some: all of it
  # would take 50 MB.
  "$prefix/bin/python" -m compileall -q -x '/(numpy|onnx|onnxruntime|scipy|tensorflow|keras|tf_keras|tf2onnx)/' "$site"
  home=$(mktemp -d)
  env -u PYTHONDONTWRITEBYTECODE UNDERSTUDY_HOME="$home" "$prefix/bin/understudy" demo --no-serve
  rm -rf "$home"
}

# What no server uses takes a fifth of the environment: tests with their data, debug symbols, a second copy of ONNX
# Runtime for C programs (the Python module contains its own), and what built the wheel. The libraries in *.libs stay as
# they are: their wheels were patched in a way that `strip` may break.
trim() {
  local site=$1 package
  for package in numpy onnx onnxruntime scipy; do
    find "$site/$package" -type d -name tests -prune -exec rm -rf {} +
  done
  rm -rf "$site/onnx/backend/test"
  rm -f "$site"/onnxruntime/capi/libonnxruntime.so.*
  for package in av cryptography greenlet httptools scipy sqlalchemy uvloop; do
    find "$site/$package" -type f -name '*.so' -exec strip --strip-unneeded {} +
  done
  "$python" -m pip --python "$prefix/bin/python" uninstall --quiet --yes --disable-pip-version-check \
    hatchling editables tomlkit trove-classifiers
  "$prefix/bin/python" -c 'import av, cryptography.fernet, greenlet, httptools, onnxruntime, scipy.fft, scipy.signal, sqlalchemy, uvloop'
}

shift
"$step" "$@"
