#!/usr/bin/env bash
# gradus-bench at sizes that take no time: test.sh PROGRAM. Every workload trains, dumps its step for another engine, and
# writes, where it is a language model.
set -uo pipefail
export LC_ALL=C.UTF-8

bench=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0 claims=0

# judge WHAT VERDICT, of the command that has run last
judge() {
    ((++claims))
    [[ $2 == yes ]] && return
    ((++failures))
    printf '%s\n' "$1" && sed 's/^/  /' "$work/out" "$work/err"
}
run() { "$@" >"$work/out" 2>"$work/err"; }
has() { grep -qaF -- "$2" "$1"; }
# prints TEXT COMMAND..., and refuses TEXT COMMAND...
prints() { run "${@:2}" && has "$work/out" "$1" && judge "$*" yes || judge "$*" no; }
refuses() { ! run "${@:2}" && has "$work/err" "$1" && judge "$*" yes || judge "$*" no; }

small=(--json --steps 1 --threads 1 --set batch=2 time=8 dim=16 heads=2 layers=1 ff=16 vocab=50 ops=6)
writers=(rnn-lm gru-lm lstm-lm lstm-word gpt-char gpt-baby gpt2-124m)
workloads=("${writers[@]}" mlp-mnist bahdanau transformer bert-mlm tiny-graph)
for workload in "${workloads[@]}"; do
    prints "\"workload\":\"$workload\"" "$bench" --workload "$workload" "${small[@]}" --dump "$work/step"
    has "$work/step" '"grad.' && judge "$workload: gradients" yes || judge "$workload: gradients" no
    rm -f "$work/step"
done
for workload in "${writers[@]}"; do
    prints '"over_reading":' "$bench" --workload "$workload" "${small[@]}" --generate
done
refuses "writes no text" "$bench" --workload bert-mlm "${small[@]}" --generate
refuses "no workload has a size" "$bench" --workload tiny-graph --set width=3

run "$bench" --help
listed=$(sed -n '/^Workloads:/,/^$/p' "$work/out" | grep -c '^  ')
judge "every workload is tried here, and $listed are listed" \
    "$( ((listed == ${#workloads[@]})) && echo yes)"

printf '%d claims, %d failed\n' "$claims" "$failures"
((failures == 0))
