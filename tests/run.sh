#!/usr/bin/env bash
# Installs what is missing, builds, tests and checks. Stops at the first step that fails.
#   tests/run.sh           formatting, release build and tests, the same under address and undefined-behaviour sanitizers, clang-tidy, each
#                          file by itself, and the ARM build under emulation
#   tests/run.sh --quick   release build and tests only
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no
case "${1:-}" in
  "") ;;
  --quick) quick=yes ;;
  *)
    echo "tests/run.sh: unknown argument '$1', expected nothing or --quick" >&2
    exit 2
    ;;
esac

cores=$(nproc)
# Test programs write checkpoints by the hundred, each flushed to the disk: in memory, where there is enough of it, nobody waits.
free_kib=$(df --output=avail /dev/shm 2>/dev/null | tail -1 || true)
if [ -w /dev/shm ] && [ "${free_kib:-0}" -gt 2097152 ]; then export TMPDIR=/dev/shm; fi
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi

step() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  "$@"
  echo "== $name: $((SECONDS - start)) s"
}

install_packages() {
  if [ "$quick" = yes ]; then ./setup.sh --build; else ./setup.sh --cross; fi
}

check_format() { git ls-files -z '*.c' '*.cpp' '*.h' | xargs -0 clang-format-14 --dry-run --Werror; }

configure() {
  cmake --preset "$1" >"build/$1.configure.log" 2>&1 || {
    cat "build/$1.configure.log"
    return 1
  }
}

build() {
  configure "$1"
  cmake --build --preset "$1" -- --quiet
}

check_files() {
  configure single
  tests/each_file.sh build/single
}

run_tests() { ctest --test-dir "build/$1" --output-on-failure --no-tests=error --parallel "$cores"; }

# Leaks are looked for where the machine lets the sanitizer stop its own threads (under a debugger and in some containers it may not).
run_sanitized_tests() {
  local leaks=1
  if ASAN_OPTIONS=detect_leaks=1 build/asan/stair --help 2>&1 >/dev/null | grep -q 'LeakSanitizer has encountered a fatal error'; then
    echo "leaks can't be looked for on this machine"
    leaks=0
  fi
  ASAN_OPTIONS="detect_leaks=$leaks:strict_string_checks=1" UBSAN_OPTIONS=print_stacktrace=1 STAIR_SEEDS=3 run_tests asan
}

# Over the units that the sanitizer build compiles: most of the time goes into headers, which the files of a unit share.
run_tidy() {
  grep -o '"file": "[^"]*"' build/asan/compile_commands.json | cut -d'"' -f4 | grep -v -e /tests/ -e 'cmake_pch' | sort -u |
    xargs -P "$cores" -n 1 clang-tidy-14 -p build/asan --quiet 2>&1 | sed '/warnings generated\.$/d;/^Suppressed /d;/^Use -header-filter/d'
}

check_arm() {
  build aarch64
  tests/arm.sh
}

mkdir -p build
step "packages" install_packages
if [ "$quick" = no ]; then step "formatting" check_format; fi
step "release build" build release
step "release tests" run_tests release
if [ "$quick" = no ]; then
  step "sanitizer build" build asan
  step "sanitizer tests" run_sanitized_tests
  step "clang-tidy" run_tidy
  step "files by themselves" check_files
  step "arm" check_arm
fi
echo "all steps passed in $SECONDS s"
