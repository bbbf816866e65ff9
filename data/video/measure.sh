#!/bin/sh
# measure.sh: seconds a picture and flicker of nst video, on a film whose motion is known (scene.c): each picture by
# itself; started from the one before only; held to it, too.
#
#     data/video/measure.sh BUILD FOLDER [WIDTH HEIGHT COUNT [OPTION]...]
#
# BUILD is the folder of a build; FOLDER keeps the films, and what is there is not painted again.  The options go to
# nst.
# Flicker is the mean difference of successive painted pictures along the motion where that is known, in 255ths.
set -eu
[ $# -ge 2 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
data=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd) out=$2 width=${3:-512} height=${4:-288} count=${5:-75}
[ $# -ge 5 ] && shift 5 || shift $#
style=$data/pictures/scream.jpg
mkdir -p "$out/film" "$out/alone"
[ -e "$out/film/0001.png" ] || "$build/data/video/scene" render "$out/film" "$width" "$height" "$count" \
    "$data/content.jpg" "$data/pictures/mountains.jpg" "$data/pictures/astronaut.jpg"
film="$out/film/%04d.png" size=$width
[ "$height" -gt "$width" ] && size=$height
uptime

# paint NAME OPTION...
paint() {
    name=$1
    shift
    began=$(date +%s.%N)
    mkdir -p "$out/$name"
    [ -e "$out/$name/0001.png" ] || "$build/nst" video -q -s "$size" "$@" "$film" "$style" -o "$out/$name/%04d.png"
    end=$(date +%s.%N)
    echo "$name: $(echo "$end $began $count" | awk '{ printf "%.2f", ($1 - $2) / $3 }') s a picture," \
        "flicker $("$build/data/video/scene" flicker "$film" "$out/$name/%04d.png" "$count" | tail -n 1)"
}
began=$(date +%s.%N)
for picture in "$out"/film/*.png; do
    [ -e "$out/alone/${picture##*/}" ] ||
        "$build/nst" -q -s "$size" "$@" -o "$out/alone/${picture##*/}" "$picture" "$style"
done
end=$(date +%s.%N)
echo "alone: $(echo "$end $began $count" | awk '{ printf "%.2f", ($1 - $2) / $3 }') s a picture," \
    "flicker $("$build/data/video/scene" flicker "$film" "$out/alone/%04d.png" "$count" | tail -n 1)"
paint started --temporal-weight 0 "$@"
paint held "$@"
