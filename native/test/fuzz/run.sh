#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - the fuzzer of corrupt pool images (fuzz_image.c), built with clang and run for a while.
#
# Starts from the committed inputs, on every CPU, each process with a seed of its own and all with one corpus, a copy
# under native/target/fuzz. An input that shows a bug belongs into corpus/, minimised (--minimise), with the fix.
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'TEXT'
Usage: native/test/fuzz/run.sh [OPTION]...
  --full            15 minutes (also by NOVA_FULL in the environment)
  --seconds N       how long (default 60)
  --jobs N          processes (default: one per CPU)
  --seed S          of the mutations (also by NOVA_SEED; default: by the clock). Processes also learn from each other,
                    so that a seed gives the same run with --jobs 1 only
  --minimise FILE   makes an input that fails as small as it can be while it fails
Exit code: 0 nothing found, 1 a finding (its input is kept, and the command to run it again printed), 2 usage.
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
native=$(cd "$here/../.." && pwd)
build=$native/target/fuzz
run=$build/run
fuzzer=$build/test/fuzz/fuzz_image
seconds=${NOVA_FULL:+900}
seconds=${seconds:-60}
jobs=$(nproc)
seed=${NOVA_SEED:-$((EPOCHSECONDS * 1000 + RANDOM % 1000))}
minimise=
# -max_len: byte 0, byte 1 and 16 records (fuzz.h).
limits=(-timeout=10 -rss_limit_mb=1024 -max_len=226)
# What a template needs once stays small; freed memory is kept from reuse for a while, not for 256 MB as by default.
export ASAN_OPTIONS=quarantine_size_mb=32:detect_leaks=1

say() { printf 'fuzz: %s\n' "$*"; }

while (($#)); do
  case $1 in
    --seconds | --jobs | --seed | --minimise) [[ $# -ge 2 ]] || { usage >&2; exit 2; } ;;&
    --seconds) seconds=$2 && shift 2 ;;
    --jobs) jobs=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    --minimise) minimise=$(realpath "$2") && shift 2 ;;
    --full) seconds=900 && shift ;;
    -h | --help) usage && exit ;;
    *) usage >&2; exit 2 ;;
  esac
done
[[ $seconds =~ ^[1-9][0-9]*$ && $jobs =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || { usage >&2; exit 2; }

cmake -S "$native" -B "$build" -DCMAKE_BUILD_TYPE=Fuzz -DCMAKE_C_COMPILER=clang >/dev/null
cmake --build "$build" --target fuzz_image --parallel "$(nproc)" >"$build/build.log" 2>&1 || {
  cat "$build/build.log" >&2
  exit 1
}
if [[ -n $minimise ]]; then
  exec "$fuzzer" "${limits[@]}" -minimize_crash=1 -runs=20000 -exact_artifact_path="$minimise.min" "$minimise"
fi

rm -rf "$run"
mkdir -p "$run/corpus" "$run/found"
find "$here/corpus" -type f -exec cp -t "$run/corpus" {} +

stop=$run/stop # libFuzzer ends when it is there
trap ': >"$stop"' EXIT
pids=()
say "NOVA_SEED=$seed, $jobs processes, $seconds s"
for ((i = 0; i < jobs; i++)); do
  # libFuzzer takes seeds of 32 bits, and 0 for none. The first finding ends all processes.
  {
    "$fuzzer" "${limits[@]}" -seed=$(((seed + i * 7919) % 4294967295 + 1)) -max_total_time="$seconds" -reload=5 \
      -use_value_profile=$((i % 2)) -print_final_stats=1 -artifact_prefix="$run/found/" -stop_file="$stop" \
      "$run/corpus" >"$run/log-$i.txt" 2>&1 </dev/null || { : >"$stop" && exit 1; }
  } &
  pids+=($!)
done
failed=
for pid in "${pids[@]}"; do
  wait "$pid" || failed=1
done
if [[ -n $failed ]]; then
  grep -hE -A 25 '^unsound:|ERROR: |runtime error:' "$run"/log-*.txt | head -n 60 || true
  say "FAILED; logs and inputs are in $run"
  for input in "$run"/found/*; do
    [[ ! -e $input ]] || say "again: ASAN_OPTIONS=$ASAN_OPTIONS $fuzzer ${limits[*]} $input"
  done
  exit 1
fi

executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$run"/log-*.txt | awk '{n += $1} END {print n + 0}')
points=$(sed -n 's/^#[0-9].* cov: \([0-9]*\) .*/\1/p' "$run"/log-*.txt | sort -n | tail -n 1)
if ((executions == 0)) || [[ -z $points ]]; then
  say "FAILED: no executions counted"
  exit 1
fi
line="fuzz: $executions executions of mutated pool images ($points coverage points), no crash, no hang,"
line+=" no unsound answer"
printf '%s\n' "$line"
[[ -z ${NOVA_REPORT:-} ]] || printf '%s\n' "$line" >>"$NOVA_REPORT"
