#!/bin/sh
# cross-aarch64.sh: builds the kernels and the arithmetic above them for arm64 and runs their tests under qemu, so
# that the NEON set is held against the same oracle as the others.  Skipped (77) without the tools.
# shellcheck disable=SC2086 # $flags, $files and what begins with tests/ or src/ are lists of words
set -eu

CROSS_CC=${CROSS_CC-aarch64-linux-gnu-gcc}
QEMU=${QEMU-qemu-aarch64}
src=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}

skip() {
    echo "skipped: $*"
    exit 77
}

command -v "$CROSS_CC" >/dev/null 2>&1 || skip "no $CROSS_CC (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"
command -v "$QEMU" >/dev/null 2>&1 || QEMU=$QEMU-static
command -v "$QEMU" >/dev/null 2>&1 || skip "no qemu-aarch64 (Debian: qemu-user)"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

base='src/base/cgroup.c src/base/error.c src/base/memory.c src/base/plain.c src/base/threads.c'
conv="src/ops/conv.c src/ops/conv_select.c src/ops/conv_io.c src/ops/dispatch.c src/ops/conv_first.c src/ops/gram.c
src/ops/winograd.c src/ops/winograd_tiles.c $base"
net='src/net/choose.c src/net/cpu/cpu.c src/net/cpu/cpu_loss_layers.c src/net/cpu/cpu_weights.c src/net/graph.c
src/net/memory_layout.c src/net/nodes.c src/net/placement.c src/net/row_strips.c src/net/tile_geometry.c
src/net/window.c'
graph="tests/net/chain.c $conv $net src/ops/gram_masked.c src/loss/tv.c src/ops/vector.c"
kernels='tests/simd/check_flat.c tests/simd/check_layers.c tests/simd/check_products.c tests/simd/check_winograd.c'
loss="src/ops/dispatch.c src/ops/inverse.c src/loss/style.c src/loss/wasserstein.c src/ops/vector.c $base"
# one line a test: its name, then the sources that it needs beside the oracle
tests() {
    echo loss/test_loss $loss
    echo loss/test_wasserstein $loss
    echo net/test_graph $graph
    echo net/test_graph_running $graph
    echo net/test_graph_windows $graph
    echo ops/test_conv tests/ops/blocked.c $conv
    echo ops/test_conv_first tests/ops/blocked.c $conv
    echo ops/test_gram tests/ops/blocked.c $conv
    echo ops/test_inverse $loss
    echo ops/test_vector src/ops/dispatch.c src/ops/vector.c $base
    echo simd/test_kernels $kernels src/ops/dispatch.c
}
tests >"$tmp/tests"

flags="-std=c11 -O2 -Wall -Wextra -Wshadow -Werror -D_POSIX_C_SOURCE=200809L -DHAVE_NEON"
echo 'int main(void) { return 0; }' >"$tmp/try.c"
"$CROSS_CC" $flags -static -o "$tmp/try" "$tmp/try.c" 2>"$tmp/why" || skip "$CROSS_CC cannot link: $(cat "$tmp/why")"
"$QEMU" "$tmp/try" || skip "$QEMU cannot run an arm64 program"

# compile SOURCE: to the object file that it prints; once, since several tests share it
compile() {
    object=$tmp/$(echo "$1" | tr / -).o
    case $1 in
    simd/*) of_set='-ffp-contract=fast' ;;
    *) of_set="-ffp-contract=off -I$src/tests/support/minicheck -I$src/include -I$src/src" ;;
    esac
    [ -f "$object" ] || "$CROSS_CC" $flags $of_set -c -o "$object" "$src/$1" || exit 1
    echo "$object"
}

while read -r test sources; do
    name=${test##*/} objects=
    for f in "tests/$test.c" tests/support/oracle.c simd/scalar.c simd/neon.c $sources; do
        objects="$objects $(compile "$f")"
    done
    "$CROSS_CC" -static -o "$tmp/$name" $objects -lm
    "$QEMU" "$tmp/$name" >"$tmp/log" 2>&1 || {
        cat "$tmp/log"
        echo "not ok $name under $QEMU"
        exit 1
    }
    echo "ok $name under $QEMU"
done <"$tmp/tests"
