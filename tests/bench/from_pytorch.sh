#!/usr/bin/env bash
# The commands of docs/from-pytorch.md: resnet20 is trained in PyTorch, imported, evaluated in float, quantized, trained on and exported as ONNX.
# Ends with 1 where the import classifies another number of test pictures correctly than PyTorch did, and where the exported file differs from
# training, or in ONNX Runtime from `stair run`.
#   tests/bench/from_pytorch.sh [EPOCHS]     of PyTorch's training; default: 1
# Takes Debian's python3-torch, python3-numpy and the data set of setup.sh; node with ONNX Runtime for the last check, as tests/onnx.sh has it.
set -euo pipefail
cd "$(dirname "$0")/../.."
stair=build/release/stair
/usr/bin/python3 -c 'import numpy, torch' 2>/dev/null || {
  echo "skipped: PyTorch isn't there (Debian: python3-torch, python3-numpy)"
  exit 0
}

mkdir -p examples/data
said=$(/usr/bin/python3 examples/pytorch/resnet20.py examples/data/resnet20.onnx "${1:-1}")
echo "PyTorch, float: $said"
"$stair" eval examples/pytorch/qat.json
right=$(awk '{ printf "%.4f", $1 / $3 }' <<<"$said")
found=$("$stair" eval examples/pytorch/qat.json --json | grep -o '"test_accuracy":[0-9.]*' | cut -d: -f2)
awk -v a="$right" -v b="$found" 'BEGIN { exit !(a - b < 1e-6 && b - a < 1e-6) }' || {
  echo "from_pytorch.sh: PyTorch's accuracy is $right, that of the import $found" >&2
  exit 1
}
run=runs/from_pytorch
"$stair" train examples/pytorch/qat.json --run $run --overwrite --quiet
rm -rf $run/onnx && mkdir $run/onnx
"$stair" export $run --to onnx -o $run/onnx/resnet20.qdq.onnx
"$stair" verify $run $run/onnx/resnet20.qdq.onnx --images 100 | tail -n 1
"$stair" export $run -o $run/onnx/resnet20.stair
export NODE_PATH=${NODE_PATH:-$PWD/build/peers/node_modules}
if command -v node >/dev/null && node -e 'require("onnxruntime-node")' 2>/dev/null; then
  node tests/onnx/against_runtime.js "$stair" $run/onnx
else
  echo "not run in ONNX Runtime: node or onnxruntime-node isn't there"
fi
