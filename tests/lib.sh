# lib.sh: what the shell tests share: one "ok" or "not ok" line a check, and a folder that goes away.
set -u
here=$(pwd)
SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
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
finish() { exit $broken; }
