#!/bin/sh
# symbols.sh: libnst.so exports the functions of nst.h, all of them and nothing else; nst.h stands alone in C and C++.
. "${SRCDIR:-.}/tests/support/lib.sh"
library=
for l in .libs/libnst.so .libs/libnst.dylib; do [ -f $l ] && library=$l; done
[ -n "$library" ] || exit 77

cat "$SRCDIR"/include/nst/*.h | tr '\n' ' ' | grep -o 'NST_API [a-z][^(;]*(' | sed 's/ *($//; s/.*[ *]//' |
    sort >"$dir/header"
if [ "${library##*.}" = so ]; then
    ${NM:-nm} -D --defined-only "$library" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort >"$dir/exported"
else
    ${NM:-nm} -gU "$library" | awk '{ print $3 }' | sed 's/^_//' | sort >"$dir/exported"
fi
case $(grep -cv '^nst_' "$dir/exported") in
0) ok "only nst_ names are exported" ;;
*) case ${SANITIZE-} in 1) exit 77 ;; esac
   grep -v '^nst_' "$dir/exported"; not_ok "only nst_ names are exported" ;;
esac
check "nst.h and the exports agree" diff "$dir/header" "$dir/exported"
sed -n 's/^    \(nst_.*\);$/\1/p' "$SRCDIR/src/libnst.map" >"$dir/map"
check "nst.h and the list of versions agree" diff "$dir/header" "$dir/map"
if [ "${library##*.}" = so ] && ${NM:-nm} -D --with-symbol-versions "$library" >"$dir/versions" 2>/dev/null; then
    check "every export has a version" sh -c "! grep ' T nst_' '$dir/versions' | grep -v '@@NST_0$'"
fi

for part in "$SRCDIR"/include/nst/*.h; do
    check "nst.h includes nst/${part##*/}" grep -q "^#include \"nst/${part##*/}\"" "$SRCDIR/include/nst.h"
done
printf '#include "nst.h"\nint main(void) { return nst_version()[0] == 0; }\n' >"$dir/t.c"
check "nst.h stands alone in C" ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -I"$SRCDIR/include" \
    -fsyntax-only "$dir/t.c"
if command -v c++ >/dev/null; then
    cp "$dir/t.c" "$dir/t.cc"
    check "nst.h stands alone in C++" c++ -pedantic -Wall -Wextra -Werror -I"$SRCDIR/include" -fsyntax-only "$dir/t.cc"
fi
finish
