#!/bin/sh
# web.sh: the page of --web: who may look and press, what it stands, what it does; web.py says how.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
[ -r /proc/net/tcp ] || { echo "no /proc/net/tcp"; exit 77; }
if ! "$NST" --version | grep -q ', libmicrohttpd '; then
    "$NST" -q -s 64 -n 1 --scales 1 -o "$dir/x.png" --web "$SRCDIR/data/content.jpg" "$SRCDIR/data/style.jpg" \
        2>"$dir/stderr"
    check "without libmicrohttpd --web is one sentence" \
        grep -q '^nst: --web: this build has no libmicrohttpd$' "$dir/stderr"
    finish
fi
PYTHONDONTWRITEBYTECODE=1 python3 "$SRCDIR/tests/cli/web.py" "$NST" "$SRCDIR/data" "$dir" || broken=1
finish
