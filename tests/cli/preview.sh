#!/bin/sh
# preview.sh: --preview in terminals of several kinds, played by python's pty: each gets pictures in its own language,
# over one another; without a terminal or without chafa it is one sentence.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
paint="-s 64 -n 3 --scales 2 -o $dir/x.png --preview $SRCDIR/data/content.jpg $SRCDIR/data/style.jpg"
"$NST" -q $paint 2>"$dir/stderr"
status=$?
if ! "$NST" --version | grep -q ', chafa '; then
    check "without chafa: one sentence" grep -q '^nst: --preview: this build has no libchafa$' "$dir/stderr"
    finish
fi
check "no terminal: wrong usage" test $status = 2
check "  one sentence" test "$(cat "$dir/stderr")" = \
    "nst: --preview: standard error is not a terminal, where pictures could be shown"
check "  no picture" test ! -e "$dir/x.png"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
cat >"$dir/terminal.py" <<'P'
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(os.environ.get("WIDTH", "80")), 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
out = b""
while True:
    try:
        more = os.read(fd, 65536)
    except OSError:
        break
    if not more:
        break
    out += more
sys.stdout.buffer.write(out)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
# terminal NAME PATTERN VARIABLE=VALUE...: what the program wrote there holds the pattern
terminal() {
    name=$1 pattern=$2
    shift 2
    if env -i PATH="$PATH" HOME="$dir" LANG=C.UTF-8 "$@" python3 "$dir/terminal.py" "$NST" $paint >"$dir/out"; then
        ok "$name: paints"
    else
        not_ok "$name: $(head -c 300 "$dir/out")"
    fi
    check "  pictures" sh -c "LC_ALL=C grep -qa '$pattern' '$dir/out'"
    check "  the second over the first" sh -c "LC_ALL=C grep -qa '\[[0-9]*A.\{0,2\}.\[J' '$dir/out'"
    check "  with the progress line" grep -qa "loss" "$dir/out"
}
escape=$(printf '\033')
terminal "true colours" "48;2;" TERM=xterm-256color COLORTERM=truecolor
terminal "kitty" "${escape}_G" TERM=xterm-kitty KITTY_PID=1
terminal "sixel" "${escape}P[0-9;]*q" TERM=foot
terminal "a terminal that chafa does not know: 256 colours" "48;5;" TERM=vt220
terminal "the console: 16 colours" "${escape}.[0-9;]*m" TERM=linux
check "  and no others" sh -c "! grep -qa '48;[25];' '$dir/out'"
for kind in TERM=dumb NOTHING=; do
    env -i PATH="$PATH" HOME="$dir" LANG=C.UTF-8 $kind python3 "$dir/terminal.py" "$NST" -q $paint >"$dir/out"
    check "a terminal that shows nothing ($kind): status 2" test $? = 2
    check "  one sentence, no escapes" \
        sh -c "test \$(wc -l <'$dir/out') = 1 && ! grep -qa '$escape' '$dir/out' && \
            grep -q '^nst: --preview: TERM says' '$dir/out'"
done

# The line that renews itself, with nothing else: as wide as the terminal, less one.
for width in 40 80 120; do
    WIDTH=$width python3 "$dir/terminal.py" "$NST" -s 64 -n 3 --scales 1 -o "$dir/x.png" "$SRCDIR/data/content.jpg" \
        "$SRCDIR/data/style.jpg" >"$dir/out"
    tr '\r' '\n' <"$dir/out" | sed -n "s/$escape\[K.*//; /^scale/p" >"$dir/lines"
    check "a terminal of $width columns: lines that fit" \
        sh -c "test -s '$dir/lines' && ! grep -q '.\{$width\}' '$dir/lines'"
done
check "  whole in the widest" grep -q 'style [0-9.e+-]*$' "$dir/lines"
finish
