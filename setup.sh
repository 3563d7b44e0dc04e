#!/usr/bin/env bash
# Installs what Staircase needs on Debian 12, as root or with sudo. Does nothing where everything is there.
#   ./setup.sh           all: to build, to run the examples, to test and check
#   ./setup.sh --build   only what building and running the examples takes: in one process, without MPI
#   ./setup.sh --cross   all, and what cross-building for 64-bit ARM takes (cmake/aarch64.cmake)
set -euo pipefail
cd "$(dirname "$0")"

packages=(g++ cmake ninja-build ca-certificates git
  libfmt-dev nlohmann-json3-dev libcli11-dev zlib1g-dev libopenblas-openmp-dev libstb-dev doctest-dev
  dataset-fashion-mnist)
checks=(clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev libomp-14-dev libbenchmark-dev libdnnl-dev libopenmpi-dev openmpi-bin libonnx-testdata)
cross=(g++-aarch64-linux-gnu qemu-user-static)
arm_libraries=(libfmt-dev libfmt9 zlib1g-dev libopenblas-openmp-dev libstb-dev)

arm=no
case "${1:-}" in
  "") packages+=("${checks[@]}") ;;
  --build) ;;
  --cross)
    packages+=("${checks[@]}" "${cross[@]}")
    arm=yes
    ;;
  *)
    echo "setup.sh: unknown argument '$1', expected nothing, --build or --cross" >&2
    exit 2
    ;;
esac

install_packages() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "setup.sh: needs root or sudo to install: $*" >&2
      exit 1
    }
    as_root=(sudo)
  fi
  echo "setup.sh: installing $*"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Unpacks packages for ARM into a folder, by package lists of its own: the machine's packages stay as they are.
unpack_arm_libraries() {
  local to=$1 work file
  shift
  echo "setup.sh: unpacking $* for arm64"
  work=$(mktemp -d)
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/files" "$work/root"
  touch "$work/status"
  local apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$work" -o Dir::State::status="$work/status"
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)")
  "${apt[@]}" update
  (cd "$work/files" && "${apt[@]}" download "$@")
  for file in "$work/files"/*.deb; do dpkg -x "$file" "$work/root"; done
  # The file by which CMake finds OpenBLAS names shared objects at absolute paths; its archive takes GCC's OpenMP library beside it.
  mkdir -p "$work/root/usr/lib/aarch64-linux-gnu/cmake/openblas"
  sed "s|/usr/|$to/usr/|; s|\.so|.a;gomp|" "$work/root/usr/lib/aarch64-linux-gnu/openblas-openmp/cmake/openblas/OpenBLASConfig.cmake" \
    >"$work/root/usr/lib/aarch64-linux-gnu/cmake/openblas/OpenBLASConfig.cmake"
  rm -rf "$to"
  mkdir -p "$(dirname "$to")"
  mv "$work/root" "$to"
  chmod 755 "$to"
  rm -rf "$work"
}

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then install_packages "${missing[@]}"; fi

sysroot=$PWD/build/sysroot-aarch64
if [ $arm = yes ] && [ ! -d "$sysroot/usr/include/stb" ]; then unpack_arm_libraries "$sysroot" "${arm_libraries[@]}"; fi
