#!/usr/bin/env bash
# Installs what Staircase needs on Debian 12, as root or with sudo. Does nothing where everything is there.
#   ./setup.sh           all: to build, to run the examples, to test and check
#   ./setup.sh --build   only what building and running the examples takes
set -euo pipefail

packages=(g++ cmake ninja-build ca-certificates git
  libfmt-dev nlohmann-json3-dev libcli11-dev libvalijson-dev libstb-dev zlib1g-dev libopenblas-openmp-dev doctest-dev
  dataset-fashion-mnist)
checks=(clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev libomp-14-dev libbenchmark-dev libdnnl-dev)

case "${1:-}" in
  "") packages+=("${checks[@]}") ;;
  --build) ;;
  *)
    echo "setup.sh: unknown argument '$1', expected nothing or --build" >&2
    exit 2
    ;;
esac

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "setup.sh: needs root or sudo to install: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
echo "setup.sh: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
