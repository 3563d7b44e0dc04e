#!/usr/bin/env bash
# What is exported as ONNX, in ONNX Runtime itself: the networks of examples/models and random networks under random recipes (tests/same)
# are trained a little and exported in both styles; on random inputs all outputs have to be those of `stair run`, byte by byte. So have those
# of four times as many random quantized files, as quantizers of others make them, once they are imported: but for files of which `stair import` says
# that runtimes may compute other bits.
#   tests/onnx.sh STAIR SAME [CASES [FIRST]]   default: 20 random networks, from number 0 on, behind the examples
# Takes node and ONNX Runtime (below NODE_PATH, or fetched once into build/peers where npm is there); skipped with code 77 where they aren't,
# which STAIR_REQUIRE_PEERS=1 makes a failure. STAIR_NODE is how ONNX Runtime is run, as another processor, say:
#   STAIR_NODE="qemu-x86_64 -cpu Haswell-noTSX $(realpath "$(command -v node)")"
set -euo pipefail
cd "$(dirname "$0")/.."
stair=$(realpath "$1")
same=$(realpath "$2")
cases=${3:-20}
first=${4:-0}

skip() {
  echo "skipped: $1"
  if [ "${STAIR_REQUIRE_PEERS:-0}" = 1 ]; then exit 1; fi
  exit 77
}
command -v node >/dev/null || skip "node isn't there"
if ! node -e 'require("onnxruntime-node")' 2>/dev/null; then
  export NODE_PATH=$PWD/build/peers/node_modules
  if ! node -e 'require("onnxruntime-node")' 2>/dev/null; then
    command -v npm >/dev/null || skip "neither ONNX Runtime for node nor npm is there"
    mkdir -p build/peers
    npm install --silent --ignore-scripts --prefix build/peers onnxruntime-node@1.30.0 >/dev/null 2>&1 || skip "ONNX Runtime can't be fetched"
  fi
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/exported"
refused=0
inexact=0

# NAME: trains the experiment of $folder/case and exports it.
export_case() {
  local at=$folder/case out=$folder/exported/$1 style code
  local from=$at/run
  if ! "$stair" train "$at/exp.json" --run "$from" --quiet --threads 2 >/dev/null 2>&1; then
    refused=$((refused + 1))
  else
    # What was trained in float alone is quantized behind it.
    if ! "$stair" export "$from" -o "$out.stair" >/dev/null 2>&1; then
      from=$at/calibrated.safetensors
      "$stair" calibrate "$at/run" --recipe "$at/calibrate.json" --batches 1 -o "$from" >/dev/null
      "$stair" export "$from" -o "$out.stair" >/dev/null
    fi
    for style in qdq qlinear; do
      code=0
      "$stair" export "$from" --to onnx --style $style -o "$out.$style.onnx" >/dev/null 2>"$at/said" || code=$?
      if [ $code = 1 ]; then
        inexact=$((inexact + 1))
        head -n 1 "$at/said" | sed "s|^|$1: |"
      elif [ $code != 0 ]; then
        echo "$1: $(cat "$at/said")"
        refused=$((refused + 1))
      fi
    done
  fi
  rm -rf "$at"
}

for file in examples/models/*.json; do
  if grep -q '"inputs": \[{' "$file"; then
    echo "$file: skipped: several inputs"
    continue
  fi
  mkdir "$folder/case"
  "$same" model "$PWD/$file" "$folder/case"
  export_case "$(basename "$file" .json)"
done
for ((i = first; i < first + cases; ++i)); do
  mkdir "$folder/case"
  "$same" draw "$i" "$folder/case"
  export_case "random$i"
done
echo "$cases random networks and $(ls examples/models | wc -l) examples; $refused refused by training or export, $inexact files say that they are inexact"
otherwise=0
for ((i = 4 * first; i < 4 * (first + cases); ++i)); do
  "$same" quantized "$i" "$folder/q.onnx"
  if ! "$stair" import "$folder/q.onnx" -o "$folder/net" >"$folder/said" 2>&1; then
    echo "quantized file $i: $(head -n 1 "$folder/said")"
    refused=$((refused + 1))
  elif grep -q "may compute other bits" "$folder/said"; then
    otherwise=$((otherwise + 1))
  else
    "$stair" export "$folder/net/quantized.safetensors" -o "$folder/exported/quantized$i.stair" >/dev/null
    cp "$folder/q.onnx" "$folder/exported/quantized$i.imported.onnx"
  fi
done
echo "$((4 * cases)) quantized files of others; $otherwise with nodes that ONNX Runtime computes by rules of its own"
${STAIR_NODE:-node} tests/onnx/against_runtime.js "$stair" "$folder/exported"
