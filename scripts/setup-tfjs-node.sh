#!/usr/bin/env bash
# Builds the native backend of the tfjs engine (@tensorflow/tfjs-node) in ./node_modules from npm and PyPI alone, for machines where its own
# download fails: the package from npm, TensorFlow's C library from the wheel on PyPI, the binding between them with the local compiler.
#
# Run in the project's root after `npm ci`. Needs Linux on x86-64, node, npm, python3 with pip, g++, and 1 GB of disk while it works.
# WHEELS=DIR keeps the wheel (about 200 MB) there for the next time. package.json and the lock file stay as they are; `npm ci` undoes it all.
set -euo pipefail

tfjs_version=4.22.0      # the version of @tensorflow/tfjs in package.json
tensorflow_version=2.15.1 # the C API is stable; this wheel is the smallest that was tried
package=node_modules/@tensorflow/tfjs-node

fail() {
  echo "setup-tfjs-node: $1" >&2
  exit 2
}

works() {
  TF_CPP_MIN_LOG_LEVEL=2 node --input-type=commonjs --eval '
    const util = require("node:util")
    // Gone since Node 23, still called by tfjs-node.
    util.isNullOrUndefined ??= (value) => value == null
    util.isArray ??= Array.isArray
    const tf = require("@tensorflow/tfjs-node")
    const product = tf.matMul([[1, 2], [3, 4]], [[0, 1], [1, 0]]).dataSync().join()
    if (tf.getBackend() !== "tensorflow" || product !== "2,1,4,3") throw new Error(`${tf.getBackend()} says ${product}`)
    console.log(`tfjs-node ${tf.version["tfjs-node"]} works on Node ${process.version}`)'
}

[ -f package.json ] && [ -d node_modules ] || fail 'run it in the project root, after npm ci'
[ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || fail "it knows Linux on x86-64 only, and this is $(uname -s) on $(uname -m)"
for tool in node npm python3 g++; do
  command -v "$tool" > /dev/null || fail "$tool is missing; install it first"
done
if works 2> /dev/null; then exit 0; fi

# 1. The package without its install script, which would download the library from elsewhere and be removed again when that fails.
npm install --no-save --no-audit --no-fund --ignore-scripts "@tensorflow/tfjs-node@$tfjs_version" node-api-headers

# 2. The C library: it sits in the wheel's libtensorflow_cc and libtensorflow_framework, next to the headers.
wheels=${WHEELS:-$(mktemp -d)}
[ -n "${WHEELS:-}" ] || trap 'rm -rf "$wheels"' EXIT
mkdir -p "$wheels"
wheel=$(find "$wheels" -name "tensorflow_cpu-$tensorflow_version-cp311-*.whl" | head -n 1)
if [ -z "$wheel" ]; then
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --implementation cp --python-version 3.11 \
    --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --dest "$wheels" "tensorflow-cpu==$tensorflow_version"
  wheel=$(find "$wheels" -name "tensorflow_cpu-$tensorflow_version-cp311-*.whl" | head -n 1)
fi
python3 - "$wheel" "$package/deps" << 'PYTHON'
import pathlib, shutil, sys, zipfile

wheel, target = sys.argv[1], pathlib.Path(sys.argv[2])
libraries = {'tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'}
include = 'tensorflow/include/'
headers = tuple(include + folder for folder in ('tensorflow/c/', 'tensorflow/core/platform/', 'tensorflow/tsl/', 'tsl/', 'xla/tsl/'))
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name in libraries:
            path = target / 'lib' / pathlib.PurePosixPath(name).name
        elif name.startswith(headers) and not name.endswith('/'):
            path = target / 'include' / name.removeprefix(include)
        else:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, path.open('wb') as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
PYTHON
ln -sf libtensorflow_cc.so.2 "$package/deps/lib/libtensorflow.so"
ln -sf libtensorflow_framework.so.2 "$package/deps/lib/libtensorflow_framework.so"

# 3. The binding, two source files against Node-API, whose binary interface does not change from one Node to the next.
mkdir -p "$package/lib/napi-v8"
g++ -std=c++17 -O2 -fPIC -shared -DNAPI_VERSION=8 -DBUILDING_NODE_EXTENSION -DNODE_GYP_MODULE_NAME=tfjs_binding \
  -Inode_modules/node-api-headers/include "-I$package/deps/include" "$package/binding/tfjs_backend.cc" "$package/binding/tfjs_binding.cc" \
  "-L$package/deps/lib" -ltensorflow -ltensorflow_framework '-Wl,-rpath,$ORIGIN/../../deps/lib' -o "$package/lib/napi-v8/tfjs_binding.node"

works
