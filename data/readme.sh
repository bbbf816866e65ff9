#!/bin/sh
# readme.sh DATA: paints DATA/readme.jpg: three photographs, each in the style of three paintings, at nst's defaults.
# $NST, $SHEET: the programs. The paintings stay in ./readme; what is there already is not painted again.
set -eu
data=$1 nst=${NST:-./nst} sheet=${SHEET:-data/sheet}
styles="$data/style.jpg $data/pictures/scream.jpg $data/pictures/shipwreck.jpg"
mkdir -p readme
set -- - $styles
for content in "$data/content.jpg" "$data/pictures/astronaut.jpg" "$data/pictures/mountains.jpg"; do
    set -- "$@" "$content"
    for style in $styles; do
        out=readme/$(basename "${content%.*}")-$(basename "${style%.*}").png
        [ -f "$out" ] || "$nst" -q -o "$out" "$content" "$style"
        set -- "$@" "$out"
    done
done
"$sheet" "$data/readme.jpg" 216 4 "$@"
