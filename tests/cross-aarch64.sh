#!/bin/sh
# cross-aarch64.sh: builds the kernels and the arithmetic above them for arm64 and runs their tests under qemu, so
# that the NEON set is held against the same oracle as the others.  Skipped (77) without the tools.
# shellcheck disable=SC2086 # $flags and $files are lists of words
set -eu

CROSS_CC=${CROSS_CC-aarch64-linux-gnu-gcc}
QEMU=${QEMU-qemu-aarch64}
src=${SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}

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

conv='src/conv.c src/conv_io.c src/dispatch.c src/first.c src/gram.c src/par.c src/winograd.c'
# one line a test: its name, then the sources that it needs beside the oracle
cat >"$tmp/tests" <<LIST
test_conv tests/blocked.c $conv
test_gram tests/blocked.c $conv
test_graph tests/chain.c $conv src/arena.c src/choose.c src/cpu.c src/cpu_taps.c src/graph.c src/guided.c src/mem.c src/rectangles.c src/status.c src/strips.c src/tv.c src/vector.c
test_kernels src/dispatch.c
test_loss src/dispatch.c src/inverse.c src/loss.c src/mem.c src/par.c src/status.c src/tv.c src/vector.c src/w2.c
test_vector src/dispatch.c src/par.c src/vector.c
LIST

flags="-std=c11 -O2 -Wall -Wextra -Wshadow -Werror -D_POSIX_C_SOURCE=200809L -DHAVE_NEON"
echo 'int main(void) { return 0; }' >"$tmp/try.c"
"$CROSS_CC" $flags -static -o "$tmp/try" "$tmp/try.c" 2>"$tmp/why" || skip "$CROSS_CC cannot link: $(cat "$tmp/why")"
"$QEMU" "$tmp/try" || skip "$QEMU cannot run an arm64 program"

for set in scalar neon; do
    "$CROSS_CC" $flags -ffp-contract=fast -c -o "$tmp/$set.o" "$src/simd/$set.c"
done
while read -r name sources; do
    files=
    for f in $sources; do
        files="$files $src/$f"
    done
    "$CROSS_CC" $flags -ffp-contract=off -static -I"$src/tests/minicheck" -I"$src/src" -o "$tmp/$name" \
        "$src/tests/$name.c" "$src/tests/oracle.c" $files "$tmp/scalar.o" "$tmp/neon.o" -lm
    "$QEMU" "$tmp/$name" >"$tmp/log" 2>&1 || {
        cat "$tmp/log"
        echo "not ok $name under $QEMU"
        exit 1
    }
    echo "ok $name under $QEMU"
done <"$tmp/tests"
