#!/bin/sh
# examples.sh: the examples build against nst.h and the library as a user's programs would, and paint what nst paints.
. "${SRCDIR:-.}/tests/lib.sh"
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
check "paint.c paints" "$dir/paint" "$content" "$style" "$dir/paint.png" 2>/dev/null
check "nst paints the same" "$NST" -q -s 128 -o "$dir/nst.png" "$content" "$style"
# The comment in nst's file differs, so the pictures are compared, not the files.
check "paint.c tells a failure" \
    sh -c "! '$dir/paint' '$dir/none' '$style' '$dir/x.png' 2>'$dir/said' && grep -q none '$dir/said'"
check "and leaves nothing" test ! -e "$dir/x.png"

if command -v python3 >/dev/null; then
    check "paint.py paints" python3 "$SRCDIR/examples/paint.py" "$library" "$content" "$style" "$dir/python.png"
    check "paint.c and paint.py: the same file" cmp "$dir/paint.png" "$dir/python.png"
fi
if python3 -c 'import PIL, numpy' 2>/dev/null; then
    check "paint.c and nst: the same pixels" python3 -c "
import sys, numpy as n
from PIL import Image as i
sys.exit(not n.array_equal(*(n.asarray(i.open(p)) for p in sys.argv[1:])))" "$dir/paint.png" "$dir/nst.png"
fi
finish
