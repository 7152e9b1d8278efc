#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - checks the model of written and mapped files (layering.pml) with spin: the protocol as it is, in whole state
# spaces, and broken ones, each of which must be found broken in the way that the table says.
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'TEXT'
Usage: native/test/model/promela/run.sh [OPTION]...
  --full         also a scenario with more of each (also by NOVA_FULL in the environment)
  --jobs N       how many at once (default: one per CPU)
  --steps NAME   prints the steps by which a check of the table ends as it does, if that is a failure of the protocol
Exit code: 0 all as expected, 1 not, 2 usage.
TEXT
}

# Name, outcome, scenario. Outcomes: ok, a deadlock, an assertion that fails, ends: of all runs; endless: some run does
# not end.
table() {
  cat <<'TABLE'
same               ok          -
same-writes        ok          -DWRITES=2 -DSTORES=2 -DREADS=0 -DTRUNCATES=0
same-stores        ok          -DSTORES=2 -DREADS=0
cross              ok          -DCROSS
cross-writes       ok          -DCROSS -DWRITES=2 -DREADS=0
same-ends          ends        -DPROGRESS -DTRUNCATES=0
same-stores-ends   ends        -DPROGRESS -DSTORES=2 -DREADS=0
cross-ends         ends        -DPROGRESS -DCROSS
io-lock-in-fault   deadlock    -DBROKEN=IO_LOCK_IN_FAULT
io-lock-cross      deadlock    -DBROKEN=IO_LOCK_IN_FAULT -DCROSS -DREADS=0
io-lock-ends       endless     -DBROKEN=IO_LOCK_IN_FAULT -DPROGRESS -DREADS=0 -DTRUNCATES=0
java-handler       deadlock    -DBROKEN=JAVA_HANDLER
log-lock-into-jvm  deadlock    -DBROKEN=LOG_LOCK_INTO_JVM
no-hold            lost_store  -DBROKEN=NO_HOLD
no-remap           stale_page  -DBROKEN=NO_REMAP -DTRUNCATES=0
one-by-one         stale_page  -DBROKEN=ONE_BY_ONE
late-index         old_read    -DBROKEN=LATE_INDEX
late-count         old_read    -DBROKEN=LATE_COUNT
early-free         old_read    -DBROKEN=EARLY_FREE
TABLE
  [[ -z $full ]] || cat <<'TABLE'
same-all           ok          -DWRITES=2 -DSTORES=2 -DTRUNCATES=0 -DMOVES=0
TABLE
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(cd "$here/../../.." && pwd)/target/promela
full=${NOVA_FULL:-}
jobs=$(nproc)
steps=

say() { printf 'model checker: %s\n' "$*"; }

while (($#)); do
  case $1 in
    --jobs | --steps) [[ $# -ge 2 ]] || { usage >&2; exit 2; } ;;&
    --jobs) jobs=$2 && shift 2 ;;
    --steps) steps=$2 && shift 2 ;;
    --full) full=1 && shift ;;
    -h | --help) usage && exit ;;
    *) usage >&2; exit 2 ;;
  esac
done
[[ $jobs =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }

# check NAME OUTCOME FLAG...: has spin write a verifier, compiles it, and leaves what it finds in $work/NAME/out.
# Broken protocols are found out soon: optimising would take longer. MEMLIM is in MB; beyond it no search is complete.
check() {
  local dir=$work/$1 outcome=$2 how=(-O1) run=(-m10000 -w20)
  shift 2
  [[ $1 != - ]] || shift
  case $outcome in
    ends) run+=(-a) ;;
    endless) how=(-O0) run+=(-a) ;;
    ok) how+=(-DSAFETY) ;;
    *) how=(-O0 -DSAFETY) ;;
  esac
  rm -rf "$dir"
  mkdir -p "$dir"
  cd "$dir"
  spin -a "$@" "$here/layering.pml" >spin.log 2>&1 &&
    cc "${how[@]}" -w -DMEMLIM=3000 -o pan pan.c >cc.log 2>&1 &&
    ./pan "${run[@]}" >out 2>&1
}

# outcome_of NAME: of a search; nothing if it was not completed, or ran into a limit.
outcome_of() {
  local out=$work/$1/out
  if [[ ! -s $out ]]; then return; fi
  if grep -q '^pan:1: ' "$out"; then
    sed -n -e 's/^pan:1: invalid end state.*/deadlock/p' -e 's/^pan:1: acceptance cycle.*/endless/p' \
      -e 's/^pan:1: assertion violated \([^ ]*\) .*/\1/p' "$out"
  elif grep -q ' errors: 0$' "$out" && ! grep -Eq 'not completed|max search depth|reached -DMEMLIM' "$out"; then
    if grep -q '^Full statespace search' "$out"; then
      if grep -q 'never claim.*(ends)' "$out"; then echo ends; else echo ok; fi
    fi
  fi
}

states_of() { sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$work/$1/out" | awk '{printf "%.0f", $1}'; }

if [[ -n $steps ]]; then
  read -r name outcome flags < <(table | awk -v name="$steps" '$1 == name') || { usage >&2; exit 2; }
  # shellcheck disable=SC2086
  (check "$name" "$outcome" $flags) || true
  say "$name: $(outcome_of "$name")"
  cd "$work/$name"
  [[ $flags != - ]] || flags=
  # shellcheck disable=SC2086
  [[ ! -s layering.pml.trail ]] || spin -k layering.pml.trail -t -p -g $flags "$here/layering.pml"
  exit
fi

rm -rf "$work"
mkdir -p "$work"
trap 'kill $(jobs -pr) 2>/dev/null || true' EXIT
while read -r name outcome flags; do
  while (($(jobs -pr | wc -l) >= jobs)); do wait -n || true; done
  # shellcheck disable=SC2086
  (check "$name" "$outcome" $flags) &
done < <(table)
wait

states=0 broken=: failed=
while read -r name outcome flags; do
  found=$(outcome_of "$name")
  if [[ $found != "$outcome" ]]; then
    say "FAILED: $name: expected $outcome, found ${found:-no outcome}; logs are in $work/$name"
    tail -n 5 "$work/$name"/{spin.log,cc.log,out} 2>/dev/null || true
    [[ -z $found ]] || say "its steps: ${BASH_SOURCE[0]} --steps $name"
    failed=1
    continue
  fi
  n=$(states_of "$name")
  say "$name: $outcome, $n states"
  if [[ $flags == *-DBROKEN=* ]]; then
    flags=${flags#*-DBROKEN=}
    [[ $broken == *:"${flags%% *}":* ]] || broken+=${flags%% *}:
  elif [[ $outcome == ok ]]; then
    states=$((states + n))
  fi
done < <(table)
[[ -z $failed ]] || exit 1

line="model checker: writes beside mappings and safepoints: $states states, no deadlock, no lost store, no stale page,"
line+=" no old read, all runs end; $(tr -cd : <<<"${broken#:}" | wc -c) broken protocols found broken"
printf '%s\n' "$line"
[[ -z ${NOVA_REPORT:-} ]] || printf '%s\n' "$line" >>"$NOVA_REPORT"
