#!/usr/bin/env bash
# test.sh WAY BUILD COMPILER [FLAGS]: does a project that takes Gradus in this WAY (find_package,
# add_subdirectory, fetch_content) configure, build and run?  BUILD is our own build, from which
# find_package's copy is installed, and COMPILER and FLAGS are what it was built with.
set -euo pipefail

way=$1 build=$2 compiler=$3 flags=${4:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

arguments=(-DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags"
    -DWAY="$way" -DGRADUS_TREE="$tree")
case $way in
find_package)
    cmake --install "$build" --prefix "$work/prefix" >/dev/null
    if grep -rlF -e "$tree" "$work/prefix" --include='*.cmake'; then
        echo "What is installed must not point back into the tree, but these do."
        exit 1
    fi
    arguments+=(-DCMAKE_PREFIX_PATH="$work/prefix")
    ;;
fetch_content)
    # The one place where the serial build is built.
    arguments+=(-DGRADUS_OPENMP=OFF)
    ;;
esac
cmake -S "$here" -B "$work/build" "${arguments[@]}"
cmake --build "$work/build" --parallel "$(nproc)"
"$work/build/consumer"
