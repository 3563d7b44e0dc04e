#!/usr/bin/env bash
# LeNet on Fashion-MNIST (60,000 / 10,000 images): float, quantized after training (PTQ), fine-tuned with quantization (QAT), exported and
# verified; in 8 bits, and in so few that PTQ fails. Installs and builds what is missing. Writes runs/quickstart/summary.json.
set -euo pipefail
cd "$(dirname "$0")/.."
start=$SECONDS
./setup.sh --build
cmake --preset release >/dev/null
cmake --build --preset release --target stair -- --quiet
echo "installed and built in $((SECONDS - start)) s"
build/release/stair compare examples/lenet.json examples/lenet_low_bit.json --run runs/quickstart --overwrite
echo "$((SECONDS - start)) s in all"
