#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# dax_tests.sh BUILD SEED short|full [HOME...] - in the guest: the tests of the C core and those of the Java library,
# with their pools on DAX; those of mapping also on each JDK that a HOME names. A closing line for each begins with
# "dax: ".
set -euo pipefail
build=$1 seed=$2 length=$3
homes=("${@:4}")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
export TERM=dumb
# One compiler, not tiers: the emulated CPU is slow; and JVMs have crashed there, before they had loaded any library
# of JNova's, where HotSpot patches the entry of a method that moves from tier to tier while another thread calls it.
export JDK_JAVA_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

mount --bind /pmem /dev/shm # where tests make their pools

die() { printf 'dax_tests: %s\n' "$*"; exit 1; }

# check_writer: the program of the power cuts, which fails where pools are not on DAX, passes its own check here; and
# notices a byte that is changed afterwards.
check_writer() {
  local journal=/tmp/journal pool=/dev/shm/pool
  : >$journal.0
  "$build/power-writer" -s "$seed" -n 100 $journal.0 $pool | grep '^J ' >$journal.1
  "$build/power-writer" -x $journal.1 $pool | grep '^spoiled'
  if "$build/power-writer" $journal.1 $pool; then die "power-writer does not notice a changed byte"; fi
  rm $pool
}

c_tests() {
  local options=() count
  if [[ $length == short ]]; then # NOVA_SEED: one run where there would be many; NOVA_SHORT: small files
    # Those damage every bit of a pool, or change a file at random beside stores, or wait for deadlocks: up to a hundred
    # seconds each here, on DAX or not. Without userfaultfd nothing is left of mapping that DAX is a matter of.
    options=(-E '^test_fsck(_repair|_bits)?$|^test_map_(races|budget|protocol)$|no_userfaultfd')
    export NOVA_SEED=$seed NOVA_SHORT=1
  fi
  NOVA_TEST_DURABILITY=PMEM ctest --test-dir "$build" -L 'unit|model|map' "${options[@]}" --no-tests=error --parallel 2 \
    --output-on-failure | tee /tmp/ctest.log
  if grep -F '***Skipped' /tmp/ctest.log; then die "this guest has all that the tests need, but they were skipped"; fi
  count=$(sed -n 's/^100% tests passed, 0 tests failed out of //p' /tmp/ctest.log)
  [[ -n $count ]] || die "no line of ctest's matches the pattern above any more: adapt it"
  printf 'dax: C: %d test programs passed\n' "$count"
}

# run_java TESTS OPTION...: says how many passed.
run_java() {
  local counts
  if ! (cd "$root" && mvn -B -ntp -o surefire:test -pl java/jnova -am -Dtest="$1" \
    -Dsurefire.failIfNoSpecifiedTests=false -Djnova.test.durability=PMEM "${@:2}") >/tmp/java.log 2>&1; then
    grep -v '^NOTE: ' /tmp/java.log
    return 1
  fi
  counts=$(sed -n 's/^.*Tests run: \([1-9][0-9]*\), Failures: 0, Errors: 0, Skipped: \([0-9]*\)$/\1 - \2/p' \
    /tmp/java.log | tail -n 1)
  [[ -n $counts ]] || die "no line of Maven's matches the pattern above any more: adapt it"
  grep 'Tests run: .* Time elapsed' /tmp/java.log
  printf 'dax: Java: %d tests passed\n' $((counts))
}

java_tests() {
  local tests='*Test,!NativeLibraryTest' # which knows no pools, and starts JVMs without the options above
  if [[ $length == short ]]; then
    tests='NovaFileTest,NovaStoreTest,FullPoolTest,FragmentedTest,FileModelTest,MappedRegionTest,ScenariosTest#twoThreads*'
  fi
  run_java "$tests"
}

# mapping_tests HOME: with the segments of JDK 22 and newer, if it is one.
mapping_tests() {
  # Not those of buffers and segments of the JDK: without C2, JDK 25 dies when it forces one on DAX.
  run_java 'MappedRegionTest,SegmentTest' -Djvm="$1/bin/java" -Djnova.test.jdks="$1" \
    -Djnova.test.nativeAccess=--enable-native-access=ALL-UNNAMED | sed "s|^dax: Java:|dax: Java, mapping, $1:|"
}

[[ -d $root/java/jnova/target/test-classes ]] || die "the Java tests are not built: mvn package -DskipTests"
check_writer
c_tests
java_tests
for home in "${homes[@]}"; do mapping_tests "$home"; done
