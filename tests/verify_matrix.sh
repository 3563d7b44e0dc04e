#!/usr/bin/env bash
# Verifies every kind of requantization, bias and batch-norm fold on all 10,000 test images, each backend, 1 and 2 threads: LeNet, and a network
# with a residual addition, a concatenation and a depthwise convolution, trained for an epoch. Stops at the first integer that differs.
# Variants of a backend (int8:avx2) are what `stair verify` takes when it is given none.
#   tests/verify_matrix.sh [FOLDER]     default: runs/verify_matrix
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-runs/verify_matrix}
stair=build/release/stair

for model in lenet mixed; do
  $stair train examples/$model.json --run "$folder/$model" --overwrite --quiet --set recipe=int8 --set 'stages=[{"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.05, "momentum": 0.9}, "schedule": {"kind": "cosine"}}]'
  for requantization in float fixed_point power_of_two; do
    for bias in int32 float32; do
      for fold in scale weight; do
        # Scales times a batch-norm factor are no powers of two: that pair doesn't exist.
        if [ $requantization = power_of_two ] && [ $fold = scale ]; then continue; fi
        recipe="{\"requantization\": \"$requantization\", \"bias\": \"$bias\", \"batch_norm\": {\"fold\": \"$fold\"}}"
        $stair calibrate "$folder/$model" --recipe "$recipe" -o "$folder/case.safetensors" >/dev/null
        $stair export "$folder/case.safetensors" -o "$folder/case.stair" >/dev/null
        printf '%-6s %-13s bias %-8s fold %-7s ' $model $requantization $bias $fold
        $stair verify "$folder/case.safetensors" "$folder/case.stair" --backend int8,openblas,reference >"$folder/case.txt" || { cat "$folder/case.txt"; exit 1; }
        printf '%s; %s\n' "$(tail -n 1 "$folder/case.txt")" "$(sed -n 's/^double-precision floats *//p' "$folder/case.txt")"
      done
    done
  done
done
