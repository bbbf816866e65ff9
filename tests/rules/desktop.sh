#!/bin/sh
# desktop.sh: what desktops and software centres read of nst is valid; the screenshots that they are told of are there.
. "${SRCDIR:-.}/tests/support/lib.sh"
top=$(dirname "$NST")
xml=$SRCDIR/data/org.nst.nst.metainfo.xml.in
sed 's|@SCREENSHOTS@|https://example.org/screenshots|' "$xml" >"$dir/org.nst.nst.metainfo.xml"
for name in $(sed -n 's|.*@SCREENSHOTS@/\(.*\)</image>|\1|p' "$xml"); do
    size=$(sed -n "s|.*width=\"\(.*\)\" height=\"\(.*\)\">@SCREENSHOTS@/$name<.*|\1x\2|p" "$xml")
    # A JPEG's height and width stand in its frame header.
    found=$(od -An -v -tx1 "$SRCDIR/data/screenshots/$name" | tr -d ' \n' |
        sed -n 's/.*ffc[02]001108\(....\)\(....\)03.*/\1 \2/p')
    check "$name has $size pixels ($found)" test "$(printf '%dx%d' "0x${found#* }" "0x${found% *}")" = "$size"
done
check "without an address no screenshot is named" sh -c "! grep -q SCREENSHOTS '$top/data/org.nst.nst.metainfo.xml'"
if command -v appstreamcli >/dev/null; then
    # AppStream 1.0 wants a homepage, which the project has not; 0.16 does not know that it could.
    valid() {
        appstreamcli validate --no-net "$1" >/dev/null 2>&1 ||
            appstreamcli validate --no-net --override=url-homepage-missing=info "$1"
    }
    check "AppStream, with screenshots" valid "$dir/org.nst.nst.metainfo.xml"
    check "AppStream, as it is installed" valid "$top/data/org.nst.nst.metainfo.xml"
fi
if command -v desktop-file-validate >/dev/null; then
    check "desktop entry" desktop-file-validate "$SRCDIR/data/org.nst.nst.desktop"
fi
# The kinds of files that Dolphin's menu shows the item for are those of the entry, which Nautilus's takes.
kinds() { sed -n 's/^MimeType=//p' "$1" | tr ';' '\n' | grep -v portable-pixmap | sort; }
kinds "$SRCDIR/data/org.nst.nst.desktop" >"$dir/entry"
kinds "$SRCDIR/data/org.nst.nst.servicemenu.desktop" >"$dir/menu"
check "Dolphin's menu is for the same kinds of files" diff "$dir/entry" "$dir/menu"
finish
