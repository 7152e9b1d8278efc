#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - power failure on a real DAX file system.
#
# Boots a guest with an emulated NVDIMM (guest.sh) and an ext4 file system on it, mounted for DAX. There the tests
# run, with their pools on DAX (dax_tests.sh); then power-writer writes to a pool and tells the console what it is
# about to do and what is done, until the guest is killed at a random moment. The next boot checks the pool against
# what the console had seen, and writes on.
#
# What this proves: order, recovery, and the DAX path from end to end, on a file system that has to recover as well.
# What it cannot: that nothing is lost with the CPU's caches. The memory module is a file, and keeps every store that
# the emulated CPU executed, flushed or not. Stores that never reached the media are the crash explorer's part
# (test/crash).
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'TEXT'
Usage: native/test/power/run.sh [OPTION]...
  --full        24 cuts, all tests (also by NOVA_FULL in the environment)
  --cuts N      power cuts (default 3)
  --seed S      of the operations and of the moments (also by NOVA_SEED; default: by the clock). A cut's moment depends
                on the machine, too
  --build DIR   the build to test (default native/target/release)
  --jdk HOME    runs the Java tests of mapping on this JDK, too; may be repeated
  --no-tests    cuts only
Exit code: 0 passed, 1 failed, 2 usage.
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
native=$(cd "$here/../.." && pwd)
tools=$native/target/power
work=$tools/run # journals and consoles; stay after a failure
build=$native/target/release
length=${NOVA_FULL:+full}
length=${length:-short}
cuts=
seed=${NOVA_SEED:-$((EPOCHSECONDS * 1000 + RANDOM % 1000))}
tests=1
homes=()
nvdimm_mib=2048
boot_seconds=240 # until the guest's first program runs; 10 to 20 on an idle machine

# shellcheck source-path=SCRIPTDIR
source "$here/guest.sh"

say() { printf 'power: %s\n' "$*"; }

# report WHAT: a closing line, also to the file NOVA_REPORT.
report() { say "$*" | tee -a "${NOVA_REPORT:-/dev/null}"; }

die() { say "$*" >&2; exit 1; }

while (($#)); do
  case $1 in
    --cuts | --seed | --build | --jdk) [[ $# -ge 2 ]] || { usage >&2; exit 2; } ;;&
    --cuts) cuts=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    --build) build=$(cd "$2" && pwd) && shift 2 ;;
    --full) length=full && shift ;;
    --jdk) homes+=("$2") && shift 2 ;;
    --no-tests) tests=0 && shift ;;
    -h | --help) usage && exit ;;
    *) usage >&2; exit 2 ;;
  esac
done
if [[ -z $cuts ]]; then if [[ $length == full ]]; then cuts=24; else cuts=3; fi; fi
[[ $cuts =~ ^[0-9]+$ && $seed =~ ^[0-9]+$ ]] || { usage >&2; exit 2; }
RANDOM=$((seed % 32768))

# ---- the memory module ------------------------------------------------------------------------------

# In memory where there is room for it, else on disk: the file is sparse, but a full file system kills QEMU. It has no
# name, so that nothing is left of it however this script ends.
make_nvdimm() {
  local dir=$work free name
  free=$(df --output=avail -B 1M /dev/shm 2>/dev/null | tail -n 1) || free=0
  if [[ -w /dev/shm ]] && ((free > nvdimm_mib)); then dir=/dev/shm; fi
  name=$(mktemp "$dir/jnova-nvdimm.XXXXXX")
  exec 8<>"$name"
  rm "$name"
  nvdimm=/proc/$$/fd/8
  truncate -s "${nvdimm_mib}M" "$nvdimm"
}

finish() {
  local status=$?
  guest_kill
  if ((status == 1)) && [[ -n ${nvdimm:-} ]]; then
    cp --sparse=always "$nvdimm" "$work/nvdimm"
    say "NOVA_SEED=$seed; consoles, journals and memory module are in $work" >&2
  fi
}

# ---- boots ------------------------------------------------------------------------------------------

boots=0
console=
format=format

# boot SHELL-COMMAND: starts the guest on it.
boot() {
  boots=$((boots + 1))
  console=$work/console.$boots
  printf '%s\n' "$1" >"$work/command.$boots"
  guest_boot "$tools" "$nvdimm" "$console" "$work/command.$boots" "$format"
  guest_expect "$console" '^guest: ready' "$boot_seconds" 0.1 || failed "the guest did not start"
  format=
}

# failed WHAT: shows the end of the console.
failed() {
  guest_kill
  { cat "$console.qemu" && grep -v '^J ' "$console" | tail -n 60; } >&2 || true
  die "boot $boots: $1"
}

# quoted WORD...: for a shell command.
quoted() { printf '%q ' "$@"; }

dax_tests() {
  local start=$SECONDS status=0 limit=1500
  if [[ $length == full ]]; then limit=3600; fi
  boot "exec $(quoted env PATH="$PATH" HOME="$HOME" MAVEN_OPTS="-Duser.home=$HOME" \
    ${JAVA_HOME:+JAVA_HOME="$JAVA_HOME"} bash "$here/dax_tests.sh" "$build" "$seed" "$length" "${homes[@]}")"
  guest_wait "$console" "$limit" || status=$?
  ((status == 0)) || failed "the tests in DAX mode ended with status $status"
  report "in DAX mode, C: $(sed -n 's/^dax: C: //p' "$console"); Java: $(sed -n 's/^dax: Java: //p' "$console")"
  sed -n 's/^dax: \(Java, mapping, .*\)/in DAX mode, \1/p' "$console" | while read -r line; do report "$line"; done
  say "tests in DAX mode took $((SECONDS - start)) s"
}

# ---- cuts -------------------------------------------------------------------------------------------

journal=
pool=

new_pool() {
  journal=$work/journal.$1
  pool=/pmem/pool.$1
  : >"$journal"
}

# What the console has seen, less a line that the cut left half.
keep_journal() { head -n "$(wc -l <"$console")" "$console" | { grep '^J ' || true; } >>"$journal"; }

# pause MILLISECONDS: a random time up to that long.
pause() {
  local ms=$((RANDOM * $1 / 32768))
  sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# cut N: boots, lets the writer check and write, and cuts the power at a random moment of the phase whose turn it is.
cut() {
  local n=$1 phase=writing line='^J round ' longest=5000 before='' acknowledged
  case $((n % 8)) in
    2) phase=recovery line='^J open' longest=150 ;;
    4)
      phase=creation line='^J create$' longest=200
      before="$(quoted "$build/power-writer" "$journal" "$pool") >/dev/null && "
      new_pool "$n"
      ;;
    6) phase=closing line='^J resolved' longest=150 ;; # what the checker does after recovery
  esac
  boot "${before}exec $(quoted "$build/power-writer" -s $((seed + n)) "$journal" "$pool")"
  guest_expect "$console" "$line" "$boot_seconds" || failed "the writer did not get as far as $phase"
  pause "$longest"
  guest_is_running || failed "the writer ended by itself"
  guest_kill
  ! grep -q '^guest: exit' "$console" || failed "the writer ended by itself"
  acknowledged=$(operations)
  keep_journal
  say "cut $n, in $phase, after $(($(operations) - acknowledged)) operations"
}

# operations: acknowledged so far.
operations() { cat "$work"/journal.* | grep -c '^J < ' || true; }

last_check() {
  local status=0
  boot "exec $(quoted "$build/power-writer" "$journal" "$pool")"
  guest_wait "$console" "$boot_seconds" || status=$?
  ((status == 0)) || failed "the pool did not survive the last cut"
}

# ---- the run ----------------------------------------------------------------------------------------

mkdir -p "$tools"
exec 9>"$tools/lock"
flock 9
"$here/prepare.sh" "$tools"
[[ -x $build/power-writer ]] || die "$build/power-writer is not there; build it first, or name another build by --build"
rm -rf "$work"
mkdir -p "$work"
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
make_nvdimm
say "NOVA_SEED=$seed"

if ((tests)); then dax_tests; fi
if ((cuts > 0)); then
  new_pool 0
  for ((n = 1; n <= cuts; n++)); do cut "$n"; done
  last_check
  report "$cuts cuts survived, $(operations) operations acknowledged"
fi
