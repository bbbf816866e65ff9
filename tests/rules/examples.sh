#!/bin/sh
# examples.sh: the examples build against nst.h and the library as a user's programs would, and paint what nst paints.
. "${SRCDIR:-.}/tests/support/lib.sh"
library=
for l in .libs/libnst.so .libs/libnst.dylib; do [ -f $l ] && library=$PWD/$l; done
[ -n "$library" ] && [ -x "$NST" ] || { echo "no shared library in this build: the examples are not built"; exit 77; }
[ -z "${SANITIZE-}" ] || { echo "sanitizers: a program without them cannot load the library"; exit 77; }
LD_LIBRARY_PATH=$PWD/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
DYLD_LIBRARY_PATH=$PWD/.libs
export LD_LIBRARY_PATH DYLD_LIBRARY_PATH

content=$SRCDIR/data/content.jpg style=$SRCDIR/data/style.jpg
check "paint.c builds" ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -I"$SRCDIR/include" -o "$dir/paint" \
    "$SRCDIR/examples/paint.c" -L"$PWD/.libs" -lnst
check "paint.c paints" "$dir/paint" "$content" "$style" "$dir/paint.ppm" 2>/dev/null
"$NST" -q -s 128 -o "$dir/nst.ppm" "$content" "$style" || not_ok "nst paints"
# The comment in nst's file differs, so the samples are compared, not the files.
for p in paint nst; do tail -c $((128 * 96 * 3)) "$dir/$p.ppm" >"$dir/$p.samples"; done
check "nst paints the same" \
    sh -c "test \$(wc -c <'$dir/nst.samples') = $((128 * 96 * 3)) && cmp '$dir/paint.samples' '$dir/nst.samples'"
check "paint.c tells a failure" \
    sh -c "! '$dir/paint' '$dir/none' '$style' '$dir/x.png' 2>'$dir/said' && grep -q none '$dir/said'"
check "and leaves nothing" test ! -e "$dir/x.png"

if command -v python3 >/dev/null; then
    check "paint.py paints" python3 "$SRCDIR/examples/paint.py" "$library" "$content" "$style" "$dir/python.ppm"
    check "paint.c and paint.py: the same file" cmp "$dir/paint.ppm" "$dir/python.ppm"
fi
finish
