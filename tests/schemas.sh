#!/usr/bin/env bash
# The published JSON Schemas (docs/schemas) against an independent validator, Debian's python3-jsonschema: what our reader takes they accept,
# and what it refuses for its keys, types, bounds and kinds they refuse. Exit code 77 where the validator isn't there.
#   tests/schemas.sh [STAIR]     default: build/release/stair
set -euo pipefail
cd "$(dirname "$0")/.."
stair=$(realpath "${1:-build/release/stair}")
validator=
for command in /usr/bin/jsonschema jsonschema; do
  if "$command" --version >/dev/null 2>&1; then validator=$command && break; fi
done
if [ -z "$validator" ]; then
  echo "schemas.sh: skipped: python3-jsonschema isn't installed"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wrong=0
count=0

# SCHEMA FILE good|bad: both the validator and our reader say so. The reader gets data that isn't there: that is no fault of the file's.
expect() {
  local said theirs=good ours=good
  count=$((count + 1))
  "$validator" -i "$2" "docs/schemas/$1.schema.json" >/dev/null 2>&1 || theirs=bad
  if [ "$1" = model ]; then
    "$stair" inspect "$2" >/dev/null 2>&1 || ours=bad
  else
    said=$("$stair" train "$2" --run "$folder/run" 2>&1 >/dev/null || true)
    if [[ $said != *"nosuch"*"can't be opened"* ]]; then ours=bad; fi
  fi
  if [ "$theirs" != "$3" ] || [ "$ours" != "$3" ]; then
    echo "schemas.sh: $(basename "$2"): expected $3, the schema says $theirs, the reader $ours ${said:-}"
    wrong=$((wrong + 1))
  fi
}

layers='{"op": "conv2d", "out_channels": 4, "kernel": 3}, {"op": "relu"}, {"op": "flatten"}, {"op": "linear", "features": 3}'
# MODEL STAGES [MORE KEYS]
experiment() {
  echo "{\"model\": $1, \"stages\": $2 ${3:-},
    \"data\": {\"format\": \"idx\", \"train\": {\"images\": \"nosuch\", \"labels\": \"nosuch\"}, \"test\": {\"images\": \"nosuch\", \"labels\": \"nosuch\"}}}"
}
model() { echo "{\"input\": {\"shape\": [1, 8, 8]}, \"layers\": [$1] ${2:-}}"; }
# good|bad STAGES [MORE KEYS]; good|bad LAYERS [MORE KEYS]
of_experiment() {
  experiment "$(model "$layers")" "$2" "${3:-}" >"$folder/experiment_$count.json"
  expect experiment "$folder/experiment_$count.json" "$1"
}
of_model() {
  model "$2" "${3:-}" >"$folder/model_$count.json"
  expect model "$folder/model_$count.json" "$1"
}
# A stage with this optimizer, and this schedule.
stage() { echo "[{\"kind\": \"float\", \"epochs\": 4, \"optimizer\": $1, \"schedule\": ${2:-{\}}}]"; }

for file in examples/models/*.json; do expect model "$file" good; done
for file in examples/*.json; do
  "$validator" -i "$file" docs/schemas/experiment.schema.json >/dev/null 2>&1 || {
    echo "schemas.sh: $file: refused by the schema"
    wrong=$((wrong + 1))
  }
  count=$((count + 1))
done

of_experiment good "$(stage '{"learning_rate": 0.1}')"
of_experiment good "$(stage '{"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": true}')"
of_experiment good "$(stage '{"kind": "adamw", "learning_rate": 0.1, "beta1": 0.8, "weight_decay": 0.1, "max_norm": 1}')"
of_experiment good "$(stage '{"learning_rate": 0.1}' '{"kind": "cosine", "final": 0.01, "warmup_epochs": 0.5}')"
of_experiment good "$(stage '{"learning_rate": 0.1}' '{"kind": "step", "every_epochs": 1, "gamma": 0.5}')"
of_experiment good "$(stage '{"learning_rate": 0.1}')" ', "loss": {"label_smoothing": 0.1}, "batch": 8, "seed": 3'
of_experiment good "$(stage '{"learning_rate": 0.1}')" ', "loss": {"kind": "squared_hinge"}, "$schema": "experiment.schema.json"'
of_experiment bad "$(stage '{}')"
of_experiment bad "$(stage '{"learning_rate": 0}')"
of_experiment bad "$(stage '{"learning_rate": "fast"}')"
of_experiment bad "$(stage '{"kind": "adm", "learning_rate": 0.1}')"
of_experiment bad "$(stage '{"kind": "adam", "learning_rate": 0.1, "momentum": 0.9}')"
of_experiment bad "$(stage '{"learning_rate": 0.1, "beta1": 0.9}')"
of_experiment bad "$(stage '{"learning_rate": 0.1, "momentum": 1}')"
of_experiment bad "$(stage '{"learning_rate": 0.1}' '{"kind": "cosine", "gamma": 0.5}')"
of_experiment bad "$(stage '{"learning_rate": 0.1}' '{"final": 0.5}')"
of_experiment bad "$(stage '{"learning_rate": 0.1}')" ', "bach": 8'
of_experiment bad "$(stage '{"learning_rate": 0.1}')" ', "batch": 0'
of_experiment bad "$(stage '{"learning_rate": 0.1}')" ', "batch": 2.5'
of_experiment bad "$(stage '{"learning_rate": 0.1}')" ', "plugins": []'
of_experiment bad "$(stage '{"learning_rate": 0.1}')" ', "loss": {"kind": "squared_hinge", "label_smoothing": 0.1}'
of_experiment bad '[]'
of_experiment bad '[{"kind": "calibrate", "epochs": 1}]'
of_experiment bad '[{"kind": "qat", "epochs": 1}]'
of_experiment bad '[{"epochs": 1, "optimizer": {"learning_rate": 0.1}}]'

sgd='"epochs": 4, "optimizer": {"learning_rate": 0.1'
of_experiment good "[{\"kind\": \"float\", $sgd, \"parts\": [{\"match\": [\"*.bias\"], \"weight_decay\": 0}]}, \"freeze\": [\"conv*\"], \"average\": 0.99}]"
of_experiment bad "[{\"kind\": \"float\", $sgd, \"parts\": [{\"weight_decay\": 0}]}}]"
of_experiment bad "[{\"kind\": \"float\", $sgd, \"parts\": [{\"match\": [\"*.bias\"], \"learning_rate_factor\": 0}]}}]"
of_experiment bad "[{\"kind\": \"float\", $sgd}, \"freeze\": []}]"
of_experiment bad "[{\"kind\": \"float\", $sgd}, \"average\": 1}]"

of_model good "$layers"
of_model good "$layers" ', "outputs": ["relu", {"name": "logits", "layer": "linear"}]'
of_model bad "$layers" ', "outputs": ["relu", {"layer": "linear"}]'
of_model bad "$layers" ', "outputs": []'
of_model bad "$layers" ', "output": "linear", "outputs": ["linear"]'
of_model bad "$layers" ', "inputs": [{"name": "y", "shape": [1]}]'
of_model good '{"op": "conv2d", "name": "a", "out_channels": 1, "kernel": 3}, {"op": "conv2d", "out_channels": 1, "kernel": 3, "weights_of": "a"}'
of_model bad '{"op": "relu", "name": "a"}, {"op": "relu", "weights_of": "a"}'
of_model good '{"op": "constant", "name": "a", "shape": [2, 1, 1], "values": [1, -0.5]}, {"op": "add", "inputs": ["a", "x"]}'
echo '{"inputs": [{"name": "a", "shape": [3]}, {"name": "b", "shape": [3]}], "layers": [{"op": "mul", "inputs": ["a", "b"]}]}' >"$folder/two.json"
expect model "$folder/two.json" good
of_model good '{"op": "conv2d", "name": "c", "out_channels": 2, "kernel": [3, 5], "padding": [1, 2], "stride": 2}'
of_model good '{"block": "b", "repeat": 2, "with": {"n": 3}}' ', "blocks": {"b": {"parameters": {"n": null}, "layers": [{"op": "conv2d", "out_channels": "$n", "kernel": 1}]}}'
of_model bad '{"op": "conv2d", "kernel": 3}'
of_model bad '{"op": "conv2d", "out_channels": 2, "kernl": 3, "kernel": 3}'
of_model bad '{"op": "conv3d", "out_channels": 2, "kernel": 3}'
of_model bad '{"op": "dropout", "rate": 1.5}'
of_model bad '{"op": "relu", "block": "b"}'
of_model bad '{"op": "relu", "inputs": "x"}'
of_model bad '{"block": "b", "repeat": 0}' ', "blocks": {"b": {"layers": [{"op": "relu"}]}}'
of_model bad '{"op": "relu"}' ', "outptu": "relu"'

echo "schemas.sh: $count files, $wrong wrong"
[ "$wrong" -eq 0 ]
