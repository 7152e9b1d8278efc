#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# dax_tests.sh BUILD: in the guest, the tests of the C core with their pools on DAX.
set -euo pipefail
build=${1:?build directory}
export NOVA_SEED=7
mount --bind /pmem /dev/shm # where tests make their pools
ctest --test-dir "$build" -L 'unit|model' -E '^test_fsck$' --parallel 2 --output-on-failure
