#!/bin/sh
# menu.sh: Nautilus's module: it loads, gives "Paint in the Style of ..." for one picture of this machine and for
# nothing else, and the item starts the studio by its desktop entry with the very file.
. "${SRCDIR:-.}/tests/support/lib.sh"
menu=$(dirname "$NST")/tests/nautilus/menu
[ -x "$menu" ] || { echo "skipped: this build has no module for Nautilus"; exit 77; }
module=$(dirname "$NST")/nautilus/.libs/libnautilus-nst.so

# The entry that is installed, but what it starts writes its arguments.
mkdir -p "$dir/data/applications"
cat >"$dir/nst" <<END
#!/bin/sh
printf '%s\n' "\$@" >'$dir/heard.new'
mv '$dir/heard.new' '$dir/heard'
END
chmod +x "$dir/nst"
sed "s|^Exec=nst |Exec='$dir/nst' |; s|'|\"|g" "$SRCDIR/data/org.nst.nst.desktop" \
    >"$dir/data/applications/org.nst.nst.desktop"
photo="$dir/Fotos & 'mehr' 100%.jpg"
: >"$photo"
gives() { # NAME LINE FILE KIND...
    name=$1 want=$2
    shift 2
    found=$("$menu" "$module" show "$@" 2>&1)
    check "$name${found:+ ($found)}" test "$found" = "$want"
}
item="Nst::paint: Paint in the Style of ..."
gives "a photograph" "$item" "$photo" image/jpeg
gives "a HEIC file" "$item" "$photo" image/heif
gives "a text" "" "$photo" text/plain
gives "two photographs" "" "$photo" image/jpeg "$photo" image/jpeg
gives "a photograph elsewhere" "" https://nowhere.invalid/photo.jpg image/jpeg
"$menu" "$module" choose "$photo" image/jpeg >/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do [ -f "$dir/heard" ] || sleep 1; done
check "the item starts the studio with the file" test "$(cat "$dir/heard")" = "studio
--
$photo"
rm "$dir/data/applications/org.nst.nst.desktop"
gives "without the studio's desktop entry" "" "$photo" image/jpeg
finish
