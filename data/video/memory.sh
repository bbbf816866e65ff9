#!/bin/sh
# memory.sh: the most memory that nst video takes for a short film and for a long one, which should be the same.
#
#     data/video/memory.sh BUILD FOLDER [SHORT LONG]
#
# BUILD is the folder of a build; in FOLDER the films are made and go away again.  SHORT and LONG are numbers of
# pictures: 250 and 15000 are 10 seconds and 10 minutes.  The films have 64x36 pixels, so that this ends.  Where there
# are mpirun and nst-mpi, two ranks paint them, too.  It needs GNU time.
set -eu
[ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd) out=$2 short=${3:-250} long=${4:-15000}
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
mkdir -p "$out"
${CC:-cc} -o "$out/film" "$root/tests/cli/film.c" $(pkg-config --cflags --libs libavformat libavcodec libavutil) -lm
options="video -q -j 1 -s 64 -n 2 --scales 1 --frame-iterations 1 --model $root/tests/data/golden/tiny.safetensors"

# paint PICTURES NAME COMMAND...: the largest of a process's and, of ranks, of each one's
paint() {
    n=$1 name=$2
    shift 2
    began=$(date +%s)
    "$@" $options "$out/$n.mkv" "$root/data/style.jpg" -o "$out/painted.mkv" 2>"$out/said" ||
        { cat "$out/said"; exit 1; }
    echo "$name, $n pictures: $(sed -n 's/^most memory \([0-9]*\)$/\1/p' "$out/said" | sort -n | tail -n 1) KiB," \
        "$(($(date +%s) - began)) s"
    rm -f "$out/painted.mkv"
}
for n in "$short" "$long"; do
    "$out/film" make "$out/$n.mkv" 64 36 "$n" plain
    paint "$n" nst command time -f 'most memory %M' "$build/nst"
    if [ -x "$build/nst-mpi" ] && command -v mpirun >/dev/null; then
        paint "$n" "nst-mpi, 2 ranks" ${MPIRUN:-mpirun} -n 2 time -f 'most memory %M' "$build/nst-mpi"
    fi
    rm -f "$out/$n.mkv"
done
rm -f "$out/film" "$out/said"
