#!/usr/bin/env bash
# Installs a build, builds a plug-in against the installed package, and runs the operator suite and `stair verify` over it.
#   tests/package.sh BUILD EXAMPLE PLUGIN TEST_OPS     CTest calls it: build/release plugin_backend simple build/release/tests/test_ops
# EXAMPLE is a folder of examples/, or "documented": what docs/adding-a-backend.md says to save.
set -euo pipefail
build=$1 example=$2 plugin=$3 test_ops=$4
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  echo "package.sh: $*" >&2
  exit 1
}

prefix=$folder/prefix
cmake --install "$build" --prefix "$prefix" >/dev/null
for file in bin/stair include/stair_plugin.h share/staircase/{model,experiment}.schema.json share/doc/staircase/docs/adding-a-backend.md; do
  [ -f "$prefix/$file" ] || fail "$file isn't installed"
done

block() { sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{/^\`\`\`/d;p}" "$source/docs/adding-a-backend.md"; }
if [ "$example" = documented ]; then
  mkdir "$folder/source"
  block cmake >"$folder/source/CMakeLists.txt"
  block c >"$folder/source/$plugin.c"
else
  cp -r "$source/examples/$example" "$folder/source"
fi

cmake -S "$folder/source" -B "$folder/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >"$folder/log" || fail "$(cat "$folder/log")"
cmake --build "$folder/build" >"$folder/log" || fail "$(cat "$folder/log")"
ctest --test-dir "$folder/build" --output-on-failure
library=$folder/build/$plugin.so

# A small network over 100 pictures of 16x16 bytes that are the digits of 5120 numbers.
pictures() {
  printf '\0\0\10\3\0\0\0\144\0\0\0\20\0\0\0\20'
  seq "$1" "$(($1 + 5119))" | tr -d '\n'
}
labels() {
  printf '\0\0\10\1\0\0\0\144'
  for _ in {1..25}; do printf '\0\1\2\3'; done
}
pictures 10000 >"$folder/train.images"
pictures 47777 >"$folder/test.images"
labels | tee "$folder/train.labels" >"$folder/test.labels"
cat >"$folder/experiment.json" <<JSON
{
  "model": {"input": {"shape": [1, 16, 16]}, "layers": [
    {"op": "conv2d", "out_channels": 16, "kernel": 3, "padding": 1}, {"op": "batch_norm"}, {"op": "relu"}, {"op": "max_pool", "kernel": 2},
    {"op": "conv2d", "out_channels": 16, "kernel": 3, "padding": 1}, {"op": "relu"},
    {"op": "conv2d", "out_channels": 32, "kernel": 3, "padding": 1}, {"op": "relu"}, {"op": "flatten"}, {"op": "linear", "features": 4}]},
  "data": {"format": "idx", "train": {"images": "train.images", "labels": "train.labels"}, "test": {"images": "test.images", "labels": "test.labels"}},
  "batch": 10, "plugins": ["$library"],
  "stages": [{"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.02}}, {"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.01}}]
}
JSON
stair=$prefix/bin/stair
"$stair" backends --plugin "$library" | grep "^$plugin: "
"$stair" train "$folder/experiment.json" --run "$folder/run" --quiet --threads 1
"$stair" train "$folder/experiment.json" --run "$folder/again" --quiet --threads 3
cmp "$folder"/{run,again}/qat.stair || fail "training on the plug-in depends on the number of threads"
grep -q " $plugin " "$folder/run/qat.training.txt" || fail "no node was trained on the plug-in: $(cat "$folder/run/qat.training.txt")"
grep -q " $plugin " "$folder/run/qat.report.txt" || fail "no node is deployed on the plug-in: $(cat "$folder/run/qat.report.txt")"
"$stair" verify "$folder/run" "$folder/run/qat.stair" --plugin "$library" >"$folder/log" || fail "$(cat "$folder/log")"
grep -q "^$plugin, 2 threads" "$folder/log" || fail "verify didn't run on the plug-in: $(cat "$folder/log")"

STAIR_TEST_PLUGIN=$library "$test_ops" --test-case='a plug-in that is under test*,*every backend*,ops with a layout*'
