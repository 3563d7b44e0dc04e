#!/usr/bin/env bash
# The same bits on x86 and ARM: the int8 tests on every variant of the ARM build (preset aarch64), and a network that the x86 driver trains,
# quantizes and exports in each kind of requantization, verified by the ARM driver. Runs under emulation, with and without dot products.
# Needs both builds and what `setup.sh --cross` installs. Stops at the first thing that doesn't hold.
#   tests/arm.sh [FOLDER]     default: build/arm
set -euo pipefail
cd "$(dirname "$0")/.."
stair=build/release/stair
with_dot=max without_dot=cortex-a53  # processors by the emulator's names

arm() {  # PROCESSOR PROGRAM ARGUMENT...
  qemu-aarch64-static -L /usr/aarch64-linux-gnu -cpu "$1" "build/aarch64/$2" "${@:3}"
}

expect() {  # WHAT FOUND EXPECTED
  [ "$2" = "$3" ] && return
  echo "$1: found '$2', expected '$3'" >&2
  return 1
}

mkdir -p "${1:-build/arm}"
folder=$(realpath "${1:-build/arm}")
# The int8 tests run beside the rest, since both take one core each.
STAIR_SEEDS=10 arm $with_dot tests/test_int8 --minimal >"$folder/int8.txt" 2>&1 &
int8_tests=$!
trap wait EXIT  # where something else fails

echo "variants"
bench=(bench examples/models/mlp.json --runs 1 --threads 1 --json)
isa_of() { arm "$1" stair "${bench[@]}" | sed -n 's/^  "isa": "\(.*\)",$/\1/p'; }
expect "variant with dot products" "$(isa_of $with_dot)" neon_dot
expect "variant without dot products" "$(isa_of $without_dot)" neon
expect "dot products forced where there are none" "$(STAIR_ISA=neon_dot arm $without_dot stair "${bench[@]}" 2>&1 || true)" \
  "stair: STAIR_ISA: this machine doesn't run 'neon_dot', expected 'neon' or 'scalar'"

# A few pictures, as IDX files.
count=96
pictures() {  # HEADER KIND BYTES_TO_SKIP BYTES
  printf '%b' "$1"
  head -c "$4" <(zcat "/usr/share/datasets/fashion-mnist/t10k-$2-ubyte.gz" | tail -c "+$(($3 + 1))")
}
pictures "\0\0\x08\x03\0\0\0\x$(printf %x $count)\0\0\0\x1c\0\0\0\x1c" images-idx3 16 $((count * 28 * 28)) >"$folder/images"
pictures "\0\0\x08\x01\0\0\0\x$(printf %x $count)" labels-idx1 8 $count >"$folder/labels"
files="{\"images\": \"$folder/images\", \"labels\": \"$folder/labels\"}"
$stair train examples/mixed.json --run "$folder/run" --overwrite --quiet \
  --set "data={\"format\": \"idx\", \"train\": $files, \"test\": $files}" --set batch=32 --set eval_batch=8 --set recipe=int8 \
  --set 'stages=[{"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.05}}]'
for requantization in float fixed_point power_of_two; do
  case=$folder/$requantization
  $stair calibrate "$folder/run" --batches 3 --recipe "{\"requantization\": \"$requantization\", \"batch_norm\": {\"fold\": \"weight\"}}" \
    -o "$case.safetensors" >/dev/null
  $stair export "$case.safetensors" -o "$case.stair" >/dev/null
  arm $with_dot stair verify "$case.safetensors" "$case.stair" --backend int8:neon_dot,int8:neon,int8:scalar,openblas,reference --images 8 \
    >"$case.txt" || {
    cat "$case.txt"
    exit 1
  }
  printf '%-13s %s\n' $requantization "$(tail -n 1 "$case.txt")"
done

wait $int8_tests || {
  cat "$folder/int8.txt"
  exit 1
}
echo "int8 tests"
