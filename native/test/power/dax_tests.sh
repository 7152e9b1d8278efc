#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# dax_tests.sh BUILD SEED short|full - in the guest: the tests of the C core, and those of the Java library if it is built, with
# their pools on DAX. A closing line for each begins with "dax: ".
set -euo pipefail
build=$1 seed=$2 length=$3
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
export TERM=dumb
# One compiler, not tiers: the emulated CPU is slow; and JVMs have crashed there, before they had loaded any library of JNova's,
# where HotSpot patches the entry of a method that moves from tier to tier while another thread calls it.
export JDK_JAVA_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

mount --bind /pmem /dev/shm # where tests make their pools

# is_dax: a pool there says so itself, or the program fails.
is_dax() {
  : >/tmp/journal
  "$build/power-writer" -s "$seed" -n 100 /tmp/journal /dev/shm/pool | grep '^J ' >/tmp/journal.1
  "$build/power-writer" /tmp/journal.1 /dev/shm/pool >/dev/null
  rm /dev/shm/pool
}

c_tests() {
  local options=()
  if [[ $length == short ]]; then # NOVA_SEED: one run where there would be many
    options=(-E '^test_fsck$') # damages every bit of a pool, a hundred seconds here, on DAX or not
    export NOVA_SEED=$seed
  fi
  ctest --test-dir "$build" -L 'unit|model' "${options[@]}" --parallel 2 --output-on-failure | tee /tmp/ctest.log
  printf 'dax: C: %s\n' "$(grep 'tests passed' /tmp/ctest.log)"
}

java_tests() {
  local tests='*Test,!NativeLibraryTest' # that one knows no pools, and starts JVMs without the options above
  if [[ $length == short ]]; then tests='NovaFileTest,NovaStoreTest,FullPoolTest,FragmentedTest,FileModelTest'; fi
  # infoTellsFacts expects emulated persistent memory.
  if ! (cd "$root" && mvn -B -ntp -o surefire:test -pl java/jnova -am -Dtest="$tests,!NovaStoreTest#infoTellsFacts" \
    -Dsurefire.failIfNoSpecifiedTests=false -Djnova.test.durability=PMEM) >/tmp/java.log 2>&1; then
    grep -v '^NOTE: ' /tmp/java.log
    return 1
  fi
  printf 'dax: Java: %s\n' "$(grep -o 'Tests run: [1-9][0-9]*, Failures.*' /tmp/java.log | tail -n 1)" # none: fails
}

is_dax
c_tests
if [[ -d $root/java/jnova/target/test-classes ]]; then java_tests; else echo "dax: Java: not built, not tested"; fi
