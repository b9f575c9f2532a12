#!/usr/bin/env bash
# discover_tests.sh EXE: prints the CTest file that has one test for each of EXE's doctest cases.
#
# doctest's own CMake module stumbles over names like "x in [0, 1)"; here a name may hold anything.
# A test that cannot be run here says so and is shown as skipped:
#     MESSAGE("GRADUS_SKIP: digits is not here; ./run data digits"); return;
set -euo pipefail

exe=$1

"$exe" --list-test-cases | grep -Ev '^(\[doctest\] .*|=+)$' | while IFS= read -r name; do
    # In doctest's patterns these end, quote or escape; `?` matches any one character.
    pattern=${name//[,\"\\]/?}
    cat <<CMAKE
add_test([==[$name]==] [==[$exe]==] [==[--test-case=$pattern]==])
set_tests_properties([==[$name]==] PROPERTIES LABELS unit TIMEOUT 300
    SKIP_REGULAR_EXPRESSION GRADUS_SKIP:)
CMAKE
done
