#!/bin/bash
# video-hostile.sh: films that do harm, folders of kept pictures that somebody else made, and what lies where a film
# goes: for each the exit status, the sentence, and that nothing else is touched.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
cd "$dir" || exit 99
"$NST" --version | grep -q ', libavformat ' || { echo "skipped: made without FFmpeg's libraries"; exit 77; }
libraries="libavformat libavcodec libavutil"
${CC:-cc} -o film "$SRCDIR/tests/cli/film.c" $(pkg-config --cflags --libs $libraries) -lm ||
    { echo "skipped: no compiler, or no headers of FFmpeg's"; exit 77; }
cp "$SRCDIR/data/style.jpg" s.jpg || exit 77
model="--model $SRCDIR/tests/data/golden/tiny.safetensors -j 1"
paint="video $model -s 64 -n 2 --scales 1 --frame-iterations 1"
make() { ./film make "$1" 96 56 "$2" "$3" || { not_ok "film.c makes $1"; finish; }; }
pictures() { ./film show "$1" | grep ^picture; }
make a.mkv 3 silent

# ---- where a film goes -----------------------------------------------------------------------------------------------
mkdir else
ln -s else/real.mkv link.mkv
echo mine >new.mkv.new
run 0 "a film through a link that leads nowhere" $paint a.mkv s.jpg -o link.mkv -q
check "  it stays one" test -L link.mkv -a -s else/real.mkv -a ! -L else/real.mkv
chmod 640 else/real.mkv
run 0 "  once more" $paint a.mkv s.jpg -o link.mkv -q
check "  the file's rights stay" test "$(stat -c %a else/real.mkv)" = 640 -a -L link.mkv
run 0 "a file of the user's beside it" $paint a.mkv s.jpg -o new.mkv -q
check "  stays" test "$(cat new.mkv.new)" = mine
echo mine >victim
ln -sf ../victim else/new.mkv.new && ln -s ../victim else/new.mkv.frames.new
run 0 "links beside it" $paint a.mkv s.jpg -o else/new.mkv -q
check "  lead to what they led to" test "$(cat victim)" = mine
check "  nothing half-written" test "$(ls -A else)" = "$(printf 'new.mkv\nnew.mkv.frames.new\nnew.mkv.new\nreal.mkv')"
mkfifo pipe.mkv
run 1 "a pipe" $paint a.mkv s.jpg -o pipe.mkv -q
says 'pipe.mkv: is a pipe or a device; a film needs a file'
check "  stays one" test -p pipe.mkv
run 0 "pictures" $paint a.mkv s.jpg -o in-%03d.png -q
cksum in-* >sums
for out in in-%03d.png ./in-%d.png ../"${dir##*/}"/in-%02d.png; do
    run 2 "pictures in the place of those that are read: $out" $paint in-%03d.png s.jpg -o "$out" -q
    says 'its pictures would have the names of in-%03d.png, and inputs are never overwritten'
done
run 2 "  of masks" $paint --content-mask in-%03d.png a.mkv s.jpg s.jpg -o in-%03d.png -q
mkdir folder && for n in 1 2 3; do cp in-00$n.png folder/00000$n.png; done
run 2 "  in a folder" $paint folder/%06d.png s.jpg -o folder -q
check "  they stay" test "$(cksum in-*)" = "$(cat sums)"

# ---- folders that somebody else made ---------------------------------------------------------------------------------
# kept NAME WIDTH HEIGHT: what a killed run leaves that has painted two pictures of five.  One that is killed too late
# is painted again.
kept() {
    ./film make "$1.in.mkv" "$2" "$3" 5 silent
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$1" "$1.frames"
        "$NST" video $model -s "$2" -n 9 --scales 1 --frame-iterations 100 "$1.in.mkv" s.jpg -o "$1" -q &
        pid=$!
        for ((i = 0; i < 3000; i++)); do [ -e "$1.frames/p1-000002.png" ] && break; sleep .01; done
        kill -KILL $pid
        wait $pid 2>/dev/null
        [ -e "$1.frames/a1-000002.png" ] && [ ! -e "$1.frames/a1-000003.png" ] && break
    done
}
kept big.mkv 64 40
kept small.mkv 48 32
check "what killed runs left" test -s big.mkv.frames/a1-000002.png -a -s small.mkv.frames/a1-000002.png -a \
    ! -e big.mkv.frames/a1-000003.png
mv big.mkv.frames template
fresh() { rm -rf big.mkv big.mkv.frames && cp -r template big.mkv.frames; }
fresh
run 0 "resumed" resume big.mkv.frames -q
mv big.mkv whole.mkv
for kind in a p; do
    fresh
    cp small.mkv.frames/${kind}1-000002.png big.mkv.frames/
    run 1 "a kept picture of another size: $kind" resume big.mkv.frames -q
    says "${kind}1-000002.png: is 48 x 32 pixels in . channels, expected 64 x 40 in ., as nst wrote it"
    fresh
    cp template/$([ $kind = a ] && echo p || echo a)1-000002.png big.mkv.frames/${kind}1-000002.png
    run 1 "  of another kind" resume big.mkv.frames -q
    says "${kind}1-000002.png: is 64 x 40 pixels in . channels, expected 64 x 40 in ., as nst wrote it"
done
fresh
for n in 3 4; do ln -s ../victim big.mkv.frames/a1-00000$n.png; done
ln -s ../victim big.mkv.frames/p1-000003.png && ln -s ../victim big.mkv.frames/.made
mkfifo big.mkv.frames/p1-000004.png
run 0 "links and pipes in the place of pictures" resume big.mkv.frames -q
check "  the same film" cmp big.mkv whole.mkv
check "  what they led to stays" test "$(cat victim)" = mine
fresh
rm big.mkv.frames/state && mkfifo big.mkv.frames/state big.mkv.frames/.made
timeout 100 "$NST" resume big.mkv.frames -q 2>stderr
check "a pipe in the place of the command line: not waited for" test $? = 1
says 'big.mkv.frames: no folder of nst video'
rm big.mkv.frames/state && cp template/state big.mkv.frames/
cp victim big.mkv
timeout 100 "$NST" resume big.mkv.frames -q 2>stderr
check "  of what the painting left" test $? = 1
says 'big.mkv is there already'
mkdir b.mkv.frames && ln -s ../victim b.mkv.frames/state.new
run 0 "a link in the place of the command line" $paint a.mkv s.jpg -o b.mkv -q
check "  what it led to stays" test "$(cat victim)" = mine
fresh
sed -i -e '4a --web-host=0.0.0.0' -e '/^-q$/d' big.mkv.frames/state
run 0 "a command line that opens a page to everybody" resume big.mkv.frames
check "  opens none" sh -c "! grep -q http stderr"
fresh
cp victim big.mkv
run 1 "a film that the painting did not leave" resume big.mkv.frames -q
says "big.mkv is there already and not what this painting left; move it away, or name the output with --output"
check "  stays" cmp big.mkv victim
run 2 "  another place" resume big.mkv.frames -q -o other.mkv
says "the output is .*/big.mkv, beside its folder, expected no other --output"
run 0 "  replaced where the user says so" resume big.mkv.frames -q -o big.mkv
check "  the same film" cmp big.mkv whole.mkv
mkdir pics && cp victim pics/000002.png && mkdir pics.frames
sed 's/^big.mkv$/pics/' template/state >pics.frames/state
run 1 "  pictures" resume pics.frames -q
says "pics/000002.png is there already" # the first one is not

# ---- films -----------------------------------------------------------------------------------------------------------
bad() {
    run "$1" "$2" $paint -q "$3" s.jpg -o bad.mkv
    says "$4"
    check "  nothing is left" test "$(echo bad*)" = 'bad*'
}
printf 'ffconcat version 1.0\nfile a.mkv\n' >list.mkv
bad 1 "a list of files" list.mkv "list.mkv: no film in a file of its own, but a list of other files or a script"
printf '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.mkv\n#EXT-X-ENDLIST\n' >list.m3u8
bad 1 "a playlist" list.m3u8 "list.m3u8: no film in a file of its own, but a list of other files or a script"
printf 'Version()' >script.avs
bad 1 "a script" script.avs "script.avs: no film"
make hole.mkv 6 "hole silent"
began=$SECONDS
run 0 "a hole of thirty years" $paint hole.mkv s.jpg -o h-%d.ppm -q --fps 20
check "  costs no time" test $((SECONDS - began)) -le 60 -a -e h-4.ppm
make huge.mkv 2 "huge silent"
bad 1 "60000 x 60000 pixels" huge.mkv "huge.mkv: its pictures have 60000 x 60000 pixels, which are too many"
make pixels.nut 2 "pixels silent"
bad 1 "pixels that are far too wide" pixels.nut "its pictures have 4294967328 x 56 pixels, which are too many"
make sound.mkv 6 plain
cat sound.mkv sound.mkv >twice.mkv
run 0 "sound whose times go back" $paint twice.mkv s.jpg -o twice-out.mkv -q
check "  all of it" test "$(./film show twice-out.mkv | grep -c ^packet)" = "$(./film show twice.mkv | grep -c ^packet)"
finish
