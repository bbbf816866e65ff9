#!/bin/sh
# gallery.sh [FOLDER [OUT]]: paints the samples and every photograph of FOLDER in the style of every painting there, and
# lays content, style, result and, where FOLDER/vgg19-reference has one, what learned weights made of the pair, on one
# sheet.  Paintings are told by their names.  $NST, $SHEET: the programs; $NST_FLAGS: options, as -s 256.  Results stay
# in OUT; what is there already is not painted again.
set -eu
folder=${1:-../shared/pictures} out=${2:-gallery}
nst=${NST:-./nst} sheet=${SHEET:-data/sheet} data=$(dirname "$0")
photos="golden_gate hoovertowernight tubingen"
paintings="seated-nude shipwreck starry_night_google the_scream"
mkdir -p "$out"

picture() { for f in "$folder/$1".*; do [ -f "$f" ] && { echo "$f"; return; }; done; }
# one CONTENT STYLE NAME: paints and adds a row to the sheet
one() {
    [ -f "$out/$3.png" ] || "$nst" -q ${NST_FLAGS-} -o "$out/$3.png" "$1" "$2" || exit 1
    reference=-
    c=$(basename "${1%.*}") s=$(basename "${2%.*}")
    for f in "$folder/vgg19-reference/${c}_${s%%[_-]*}.png" "$folder/vgg19-reference/${c}_${s#the_}.png"; do
        [ -f "$f" ] && reference=$f
    done
    set_of="$set_of $1 $2 $out/$3.png $reference"
}

set_of=
one "$data/content.jpg" "$data/style.jpg" sample
for c in ${PHOTOS-$photos}; do
    for s in ${PAINTINGS-$paintings}; do
        [ -n "$(picture "$c")" ] && [ -n "$(picture "$s")" ] && one "$(picture "$c")" "$(picture "$s")" "$c-$s"
    done
done
"$sheet" "$out/sheet.jpg" "${HEIGHT:-300}" 4 $set_of
echo "gallery: $out/sheet.jpg"
