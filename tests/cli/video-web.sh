#!/bin/sh
# video-web.sh: the page of nst video --web: the last picture, the strip, what it presses; video_page.py says how.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
"$NST" --version | grep -q ', libmicrohttpd ' || { echo "skipped: this build has no libmicrohttpd"; exit 77; }
"$NST" --version | grep -q ', libavformat ' || { echo "skipped: this build has no FFmpeg"; exit 77; }
PYTHONDONTWRITEBYTECODE=1 python3 "$SRCDIR/tests/cli/video_page.py" "$NST" "$SRCDIR/data" "$dir" || broken=1
finish
