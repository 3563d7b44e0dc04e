# Sourced by the benchmarks, from the project's folder: builds the driver as users have it, and makes a folder for what they write.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
./setup.sh --build
cmake --preset release >/dev/null
cmake --build --preset release --target stair -- --quiet
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
