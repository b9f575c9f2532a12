#!/usr/bin/env bash
# Does a lesson's check judge rightly?
#
#   judge_check.sh solution EXE          every test case passes
#   judge_check.sh stub EXE              every test case fails, each run alone
#   judge_check.sh mutant EXE PATCH      a test case of the task named in PATCH fails
#
# EXE is check.cpp built on the solution, the untouched exercise.h or a mutant of the solution.
# PATCH says before its first hunk, on a line of its own: "# caught by: task 2".
# A test case is named "task 2 (3 points): what it claims".
set -euo pipefail

verdict=$1 exe=$2 patch=${3:-}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# doctest prints rules and [doctest] lines around the names.
test_cases() { "$exe" --list-test-cases | grep '^task ' || true; }

# Runs the cases whose names match a pattern. A comma would end doctest's pattern, a backslash
# escapes: `?` matches both.
run_cases() { "$exe" --no-colors --test-case="${1//[,\\]/?}" 2>&1; }

mapfile -t cases < <(test_cases)
((${#cases[@]})) || fail "$exe has no test case named \"task N (P points): ...\""

case $verdict in
solution)
    strangers=$("$exe" --list-test-cases | grep -Ev '^(task [0-9]+ \([0-9]+ points?\): |\[doctest\]|===)' || true)
    [[ -z $strangers ]] || fail "not named \"task N (P points): ...\":" "$strangers"
    run_cases '*' || fail "the solution fails its own check"
    ;;
stub)
    passed=()
    for name in "${cases[@]}"; do
        ! run_cases "$name" >/dev/null || passed+=("  $name")
    done
    ((${#passed[@]} == 0)) || fail \
        "These test cases pass on exercise.h as it is here:" "${passed[@]}" \
        "This test expects the untouched exercise.h, whose stubs throw: a case that a stub passes" \
        "proves nothing. If you solved the exercise, this failure is your success; the file as" \
        "published comes back with: git stash push -- lessons/*/exercise.h"
    ;;
mutant)
    task=$(sed -n '/^@@/q; s/^# caught by: *\(task [0-9]*\) *$/\1/p' "$patch")
    [[ -n $task ]] || fail "$patch: expected a line \"# caught by: task N\" before the first hunk"
    printf '%s\n' "${cases[@]}" | grep -q "^$task " || fail "no test case is named \"$task (...\""
    ! run_cases "$task (*" || fail "$task lets the mutant $(basename "$patch") through"
    ;;
*)
    fail "unknown verdict '$verdict': expected solution, stub or mutant"
    ;;
esac
