#!/bin/sh
# old-cpu.sh: the kernel tests on processors that lack what this one has, under qemu: a set that the processor cannot
# run is not chosen, and nothing outside of the sets was compiled for more than the baseline.  Skipped (77) elsewhere.
set -eu

QEMU=${QEMU_X86-qemu-x86_64}

skip() {
    echo "skipped: $*"
    exit 77
}

[ "$(uname -m)" = x86_64 ] || skip "this machine is no x86-64"
command -v "$QEMU" >/dev/null 2>&1 || QEMU=$QEMU-static
command -v "$QEMU" >/dev/null 2>&1 || skip "no qemu-x86_64 (Debian: qemu-user)"
[ -x tests/simd/test_kernels ] || skip "test_kernels was not built: no Check"
! grep -q __asan_init tests/simd/test_kernels || skip "built with sanitizers, whose memory map qemu does not give"
CK_FORK=no
CK_DEFAULT_TIMEOUT=300
export CK_FORK CK_DEFAULT_TIMEOUT

run() { # processor, sets that it lacks...
    cpu=$1
    shift
    log=$("$QEMU" -cpu "$cpu" tests/simd/test_kernels 2>&1) || {
        echo "$log"
        echo "not ok the kernel tests on $cpu"
        exit 1
    }
    for set; do
        echo "$log" | grep -q "kernel set $set: \(this machine cannot run it\|not compiled in\)" || {
            echo "not ok $cpu runs $set"
            exit 1
        }
    done
    echo "ok the kernel tests on $cpu, without $*"
}

run Nehalem avx2 avx512
run Haswell avx512
