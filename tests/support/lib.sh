# lib.sh: what the shell tests share: one "ok" or "not ok" line a check, and a folder that goes away.
set -u
# A shell that was started deaf to SIGINT (by nohup, in the background) stays so, and so does what it starts: a painting
# that a test means to interrupt would go on for ever.  So the script starts once more, with SIGINT as usual.
if [ "$(sh -c 'trap "exit 0" INT; kill -INT $$; echo deaf')" = deaf ]; then
    command -v perl >/dev/null || { echo "skipped: SIGINT is ignored here, and no perl can change that"; exit 77; }
    exec perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$0" "$@"
fi
here=$(pwd)
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
NST=${NST:-$here/nst}
dir=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$dir" 2>/dev/null; rm -rf "$dir"' EXIT
broken=0
unset NST_MODEL
XDG_DATA_HOME=$dir/data XDG_DATA_DIRS=$dir/system; export XDG_DATA_HOME XDG_DATA_DIRS # not the models of this machine
XDG_CONFIG_HOME=$dir/config; export XDG_CONFIG_HOME # nor its options

ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; broken=1; }
# check NAME COMMAND...: passes when the command does
check() {
    name=$1
    shift
    if "$@"; then ok "$name"; else not_ok "$name"; fi
}
# run STATUS NAME ARGUMENTS...: nst with these, its words in stdout and stderr; exit status as expected, and a failure
# says one line that begins with "nst: "
run() {
    want=$1 name=$2
    shift 2
    "$NST" "$@" >stdout 2>stderr
    got=$?
    if [ $got != "$want" ]; then
        not_ok "$name: status $got, expected $want: $(head -n 3 stderr)"
    elif [ "$want" != 0 ] && { [ "$(wc -l <stderr)" != 1 ] || ! grep -q '^nst: ' stderr; }; then
        not_ok "$name: not one line: $(head -n 3 stderr)"
    else
        ok "$name"
    fi
}
heard=stderr # where says looks: one file or both
says() { if grep -q -- "$1" $heard; then ok "  says: $1"; else not_ok "  says $1, but: $(cat $heard)"; fi; }
finish() { exit $broken; }
