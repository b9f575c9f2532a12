#!/usr/bin/env bash
# test.sh BUILD COMPILER [FLAGS]: is what the README shows true?  Every fenced block is run:
#
#   ```cpp    a whole program: built against the installed package, then run; it must end with 0.
#             The ```text block that follows it, if one does, is what it prints.
#   ```cmake  how a project of one's own uses Gradus. With project(...) it is a whole CMakeLists.txt,
#             without, it speaks of a target `app`. Its main.cpp is the first ```cpp block.
#   ```sh     commands for the root of the tree, one a line; each must succeed. They are run as a
#             test can: lessons with --quick --data generated, benchmarks with few steps. `git clone`,
#             `cd`, apt and `./run tests` are left out: whoever runs this has done them.
#   ```console  the same, of the lines that begin with "$ ".
#
# Other fences (```text alone, ```json ...) are for looking at.
set -euo pipefail

build=$1 compiler=$2 flags=${3:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[[ -e $tree/README.md ]] || { echo "skipped: there is no README.md yet"; exit 77; }

unset GRADUS_CMAKE_ARGS  # what is built stays as it was configured
configure=(cmake -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags"
    -DCMAKE_PREFIX_PATH="$work/prefix" -DFETCHCONTENT_SOURCE_DIR_GRADUS="$tree")

# $work/blocks/01.cpp, 02.sh ...: the blocks in their order.
mkdir "$work/blocks"
awk -v folder="$work/blocks" '
    /^```/ && file { close(file); file = ""; next }
    /^```/ {
        language = substr($1, 4)
        typed = language == "console" ? "^[$] " : "^"
        sub(/^console$/, "sh", language)
        file = sprintf("%s/%02d.%s", folder, ++count, language ? language : "text")
        printf "" > file
        next
    }
    file && $0 ~ typed { sub(typed, ""); print > file }
' "$tree/README.md"

build_programs() {
    local project=$work/programs block
    mkdir "$project"
    {
        printf 'cmake_minimum_required(VERSION 3.22)\nproject(readme CXX)\nfind_package(gradus REQUIRED)\n'
        for block in "$work"/blocks/*.cpp; do
            printf 'add_executable(%s "%s")\n' "$(basename "$block" .cpp)" "$block"
            printf 'target_link_libraries(%s gradus::gradus)\n' "$(basename "$block" .cpp)"
        done
    } >"$project/CMakeLists.txt"
    "${configure[@]}" -S "$project" -B "$project/build"
    cmake --build "$project/build"
}

run_program() {
    local name=$1 shown
    "$work/programs/build/$name" | tee "$work/printed"
    shown=$(printf '%s/blocks/%02d.text' "$work" $((10#$name + 1)))
    [[ ! -e $shown ]] || diff --ignore-all-space "$shown" "$work/printed" || {
        echo "README.md prints the left lines (<), its program the right ones (>)."
        return 1
    }
}

build_project() {
    local block=$1 project=$work/project
    rm -rf "$project" && mkdir "$project"
    cp "$(compgen -G "$work/blocks/*.cpp" | head -n 1)" "$project/main.cpp"
    {
        grep -q '^project(' "$block" ||
            printf 'cmake_minimum_required(VERSION 3.22)\nproject(readme CXX)\nadd_executable(app main.cpp)\n'
        cat "$block"
    } >"$project/CMakeLists.txt"
    "${configure[@]}" -S "$project" -B "$project/build"
    cmake --build "$project/build" --parallel "$(nproc)"
}

run_command() {
    local command=${1%% #*} status=0
    case $command in
    "" | \#* | git\ clone* | cd\ * | *apt-get* | *apt\ * | ./run\ tests*) return ;;
    ./run\ lesson*) command+=" --quick --data generated" ;;
    ./run\ bench*--compare*)
        /usr/bin/env python3 -c 'import torch' 2>/dev/null || { echo "no PyTorch: $command"; return; }
        command+=" --steps 2"
        ;;
    ./run\ bench*) command+=" --steps 2 --warmup 1" ;;
    cmake\ *) command=${command// build/ \"$build\"} ;;
    esac
    echo "\$ $command"
    (cd "$tree" && export HOME=$work GRADUS_BUILD=$build && eval "$command") || status=$?
    case $command in
    ./run\ check*) ((status <= 1)) ;;  # the stubs fail, a solved exercise passes
    ./run\ data*) ((status == 0 || status == 3)) ;;  # 3: no network
    *) ((status == 0)) ;;
    esac || { echo "ended with status $status: $command"; return 1; }
}

cmake --install "$build" --prefix "$work/prefix" >/dev/null
! compgen -G "$work/blocks/*.cpp" >/dev/null || build_programs
for block in "$work"/blocks/*; do
    name=$(basename "$block")
    case $name in
    *.cpp) run_program "${name%.cpp}" ;;
    *.cmake) build_project "$block" ;;
    *.sh) while IFS= read -r line <&3; do run_command "$line"; done 3<"$block" ;;
    esac
done
