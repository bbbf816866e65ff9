#!/bin/sh
# studio.sh: `nst studio`: who may ask and send, that its pictures are those of its command lines, that nothing is lost
# (studio.py), that it sleeps and removes (studio_server.py), that other machines need a password (studio_host.py), the
# page in a browser (studio_page.py), and how it looks there (studio_look.py).
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
[ -r /proc/net/tcp ] || { echo "no /proc/net/tcp"; exit 77; }
if ! "$NST" --version | grep -q ', libmicrohttpd '; then
    "$NST" studio --no-browser --folder "$dir/pictures" 2>"$dir/stderr"
    check "without libmicrohttpd nst studio is one sentence" \
        grep -q '^nst: studio: this build has no libmicrohttpd$' "$dir/stderr"
    finish
fi
cd "$dir" || exit 99
run 2 "an option of one painting" studio --no-browser --folder "$dir/f" -o x.png
says 'studio: --output belongs to one painting'
run 2 "two photographs" studio --no-browser --folder "$dir/f" a.jpg b.jpg
run 1 "a folder that cannot be" studio --no-browser --folder /dev/null/x
run 1 "a photograph that is not there" studio --no-browser --folder "$dir/f" nowhere.jpg
PYTHONDONTWRITEBYTECODE=1 python3 "$SRCDIR/tests/cli/studio.py" "$NST" "$SRCDIR/data" "$dir" || broken=1
PYTHONDONTWRITEBYTECODE=1 python3 "$SRCDIR/tests/cli/studio_server.py" "$NST" "$SRCDIR/data" "$dir" || broken=1
PYTHONDONTWRITEBYTECODE=1 python3 "$SRCDIR/tests/cli/studio_host.py" "$NST" "$SRCDIR/data" "$dir" || broken=1
PYTHONDONTWRITEBYTECODE=1 python3 "$SRCDIR/tests/cli/studio_page.py" "$NST" "$SRCDIR/data" "$dir" || broken=1
PYTHONDONTWRITEBYTECODE=1 python3 "$SRCDIR/tests/cli/studio_look.py" "$NST" "$SRCDIR/data" "$dir" || broken=1
finish
