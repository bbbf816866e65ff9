#!/bin/bash
# video.sh: nst video paints films: their pictures, times and sound; what stands still, cuts; films that are killed,
# interrupted and go on; bad films.  film.c makes the films and looks into them.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
cd "$dir" || exit 99
if ! "$NST" --version | grep -q ', libavformat '; then
    run 1 "without FFmpeg" video a.mkv b.jpg -o c.mkv
    says "made without FFmpeg's libraries"
    finish
fi
libraries="libavformat libavcodec libavutil"
${CC:-cc} -o film "$SRCDIR/tests/cli/film.c" $(pkg-config --cflags --libs $libraries) -lm ||
    { echo "skipped: no compiler, or no headers of FFmpeg's"; exit 77; }
cp "$SRCDIR/data/style.jpg" s.jpg && cp "$SRCDIR/data/content.jpg" c.jpg || exit 77
# A network of VGG19's shape whose iteration takes milliseconds.
paint="video --model $SRCDIR/tests/data/golden/tiny.safetensors -j 1 -s 96 -n 3 --scales 2 --frame-iterations 2"
# make NAME PICTURES KIND: a film of 96x56 pixels
make() { ./film make "$1" 96 56 "$2" "$3" || { not_ok "film.c makes $1"; finish; }; }
pictures() { ./film show "$1" | grep ^picture; }
times() { pictures "$1" | cut -d' ' -f2-3; }
chapters() { ./film show "$1" | grep ^chapter; }
packets() { ./film show "$1" | grep ^packet; }
# clean NAME: nothing is left but what it was made of
clean() { check "  nothing half-written" test "$(echo "$1"*)" = "$1*"; }
make a.mkv 12 plain
make odd.mkv 9 "odd sub"

# ---- pictures, times, sound ------------------------------------------------------------------------------------------
run 0 "a film" $paint a.mkv s.jpg -o out.mkv --verbose
check "  each picture once" test "$(pictures out.mkv | wc -l)" = 12
check "  at its time" test "$(times out.mkv)" = "$(times a.mkv)"
check "  of its size" test "$(pictures out.mkv | cut -d' ' -f4 | sort -u)" = 96x56
check "  painted" test "$(pictures out.mkv | cut -d' ' -f5)" != "$(pictures a.mkv | cut -d' ' -f5)"
check "  its sound" test "$(packets out.mkv)" = "$(packets a.mkv)"
check "  its title and its sound's language" sh -c "./film show out.mkv | grep -q '^title A film of the test' &&
    ./film show out.mkv | grep -q 'audio.*swe$'"
check "  its colours' kind" sh -c "./film show out.mkv | grep -q 'range 1 matrix 1 primaries 1 transfer 1$'"
check "  nothing beside it" test "$(echo out.mkv*)" = out.mkv
check "  afresh at the beginning and at the cut only" \
    test "$(sed -n 's|^picture \([0-9]*\)/.*scale 2/2 .*|\1|p' stderr | sort -nu | tr '\n' ' ')" = "1 7 "
if command -v taskset >/dev/null; then
    taskset -c "$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')" "$NST" $paint a.mkv s.jpg -o core.mkv -q
    check "  the same file on one core" cmp out.mkv core.mkv
fi
for was in 1 200; do # glibc fills memory with this before it gives it
    MALLOC_PERTURB_=$was "$NST" $paint a.mkv s.jpg -o memory.mkv -q
    check "  the same file whatever was in memory ($was)" cmp out.mkv memory.mkv
done
run 0 "uneven times, subtitles" $paint odd.mkv s.jpg -o odd-out.mkv -q
check "  the same times" test "$(times odd-out.mkv)" = "$(times odd.mkv)"
check "  the same packets" test "$(packets odd-out.mkv)" = "$(packets odd.mkv)"
run 0 "a part of it, half of its pictures" $paint a.mkv s.jpg -o part.mkv -q --from 0.12 --to 0.4 --fps 12.5
check "  the right ones" test "$(times part.mkv | tr '\n' ' ')" = "0 ms 80 ms 160 ms 240 ms "
check "  their sound" test "$(packets part.mkv | cut -d' ' -f5-)" = "$(packets a.mkv | sed -n 4,10p | cut -d' ' -f5-)"
make early.mov 6 early
run 0 "sound that begins before 0" $paint early.mov s.jpg -o early-out.mov -q
check "  its first packet" test "$(packets early-out.mov | head -n 1)" = "$(packets early.mov | head -n 1)"
bytes() { packets "$1" | awk '{ n += $5 } END { print n }'; } # MOV may make one packet of PCM of two
check "  as many bytes" test "$(bytes early-out.mov)" = "$(bytes early.mov)"
make flac.mkv 6 flac
run 0 "FLAC in MP4, which FFmpeg 5 calls experimental" $paint flac.mkv s.jpg -o flac.mp4 -q
check "  the same packet" test "$(packets flac.mp4)" = "$(packets flac.mkv)"
"$NST" $paint a.mkv s.jpg -o pcm.mp4 -q 2>stderr
got=$?
if [ $got = 0 ]; then # FFmpeg 6.1 and later
    check "PCM in MP4: as many bytes" test "$(bytes pcm.mp4)" = "$(bytes a.mkv)"
else
    check "PCM in MP4, which FFmpeg 5 does not hold: status $got" test $got = 2
    says "does not hold the film's sound (pcm_s16le); name a .mkv file"
fi
make chapters.mkv 12 "chapters silent"
run 0 "chapters" $paint chapters.mkv s.jpg -o chapters-out.mkv -q
check "  the same" test "$(chapters chapters-out.mkv)" = "$(chapters chapters.mkv)"
run 0 "chapters of a part" $paint chapters.mkv s.jpg -o chapters-part.mkv -q --from 0.12 --to 0.32
check "  cut like it" test "$(chapters chapters-part.mkv)" = \
    "chapter 0 to 80 ms First"$'\n'"chapter 80 to 200 ms Later"
make words.mov 6 sub
run 0 "subtitles that MKV does not hold" $paint words.mov s.jpg -o words.mkv
says "does not hold the film's subtitles (mov_text), which are left out; a .mp4 file holds them"
make full.mkv 3 "full silent"
run 0 "all of a byte's range" $paint full.mkv s.jpg -o full-out.mkv -q
check "  stays" sh -c "./film show full-out.mkv | grep -q ' range 2 '"
make quiet.mkv 4 silent
run 0 "WebM" $paint quiet.mkv s.jpg -o quiet.webm -q
check "  VP9 or VP8" sh -c "./film show quiet.webm | grep -q 'video vp[89]'"
check "  its pictures" test "$(times quiet.webm)" = "$(times quiet.mkv)"
make turned.mov 3 "turned silent"
run 0 "a film that was turned" $paint turned.mov s.jpg -o turned.mp4 -q
check "  stands upright" test "$(pictures turned.mp4 | cut -d' ' -f4 | sort -u)" = 56x96
run 0 "pictures by a pattern" $paint a.mkv s.jpg -o p-%03d.ppm -q --to 0.2
check "  all of them" test "$(echo p-*)" = "p-001.ppm p-002.ppm p-003.ppm p-004.ppm p-005.ppm"
run 0 "a pattern of pictures in, a GIF out" $paint p-%03d.ppm s.jpg -o p.gif -q
check "  its pictures" test "$(times p.gif | tr '\n' ' ')" = "0 ms 40 ms 80 ms 120 ms 160 ms "
run 0 "a GIF in, a folder out" $paint p.gif s.jpg -o pics/ -q
check "  its pictures" test "$(echo pics/* | tr -d 0 | tr '\n' ' ')" = \
    "pics/1.png pics/2.png pics/3.png pics/4.png pics/5.png "

make moving.apng 5 silent && cp moving.apng moving.png
run 0 "an animated PNG" $paint moving.apng s.jpg -o apng.mkv -q
check "  its pictures" test "$(times apng.mkv | tr '\n' ' ')" = "0 ms 40 ms 80 ms 120 ms 160 ms "
run 0 "  whose name ends as a single picture's" $paint moving.png s.jpg -o png.mkv -q
check "  the same" cmp apng.mkv png.mkv
make single.mkv 1 silent
run 0 "a film of one picture" $paint single.mkv s.jpg -o single-out.mkv
says "single-out.mkv: 1 picture in "

# ---- what stands still -----------------------------------------------------------------------------------------------
make frozen.mkv 4 "frozen silent"
run 0 "a camera that stands still, its noise" $paint frozen.mkv s.jpg -o f-%d.ppm -q
check "  the same bits" sh -c "cmp f-1.ppm f-2.ppm && cmp f-1.ppm f-3.ppm && cmp f-1.ppm f-4.ppm"
./film make still.mkv 96 96 4 "still silent"
run 0 "a thing before it" $paint still.mkv s.jpg -o g-%d.ppm -q
for n in 1 2 3 4; do tail -c $((20 * 96 * 3)) g-$n.ppm >g-$n.rows; done
check "  far from the thing: the same bits" sh -c "cmp g-1.rows g-2.rows && cmp g-1.rows g-4.rows"
check "  the thing moves" sh -c "! cmp -s g-1.ppm g-4.ppm"
# What the thing uncovers is finished by the next pictures, and then stands still, too.
./film make uncover.mkv 96 96 16 "still silent"
run 0 "what the thing uncovers" $paint --frame-iterations 8 uncover.mkv s.jpg -o u-%d.ppm -q
# pixels 20 to 23 of rows 26 to 34, which the disc leaves at the ninth
for n in 11 12 15 16; do
    for y in {26..34}; do tail -c $(((96 - y) * 96 * 3 - 60)) u-$n.ppm | head -c 12; done >u-$n.behind
done
# 13 to 24 bytes change, by the kernel set; 0 or 1 if four pictures were to finish it instead of five
check "  is painted further" test "$(cmp -l u-11.behind u-12.behind | wc -l)" -ge 5
check "  then it keeps its bits" cmp u-15.behind u-16.behind

# ---- more of it ------------------------------------------------------------------------------------------------------
run 0 "a photograph, from one style to another" $paint --frames 4 --interpolate c.jpg s.jpg p-001.ppm -o i-%d.ppm -q
check "  four pictures, none like another" test "$(cksum i-*.ppm | cut -d' ' -f1 | sort -u | wc -l)" = 4
run 0 "a photograph as a film" $paint --frames 4 --fps 10 c.jpg s.jpg -o i.mp4 -q
check "  its pictures" test "$(times i.mp4 | tr '\n' ' ')" = "0 ms 100 ms 200 ms 300 ms "
printf 'PIEH\140\0\0\0\070\0\0\0' >zero.flo
head -c $((96 * 56 * 8)) /dev/zero >>zero.flo
for n in 1-2 2-1 2-3 3-2; do cp zero.flo flow-$n.flo; done
run 0 "flow from files" $paint --flow flow-%d-%d.flo --to 0.12 a.mkv s.jpg -o flow.mkv -q
# A flow of 8 pixels to the right, held as firmly as can be: the second picture is the first one, 8 pixels to the left.
even() { # FILE WORD: all vectors are (WORD, 0)
    printf 'PIEH\140\0\0\0\070\0\0\0' >"$1"
    for ((i = 0; i < 96 * 56; i++)); do printf "$2"'\0\0\0\0'; done >>"$1"
}
even shift-2-1.flo '\0\0\0\101' && even shift-1-2.flo '\0\0\0\301' # 8, -8
run 0 "  8 pixels a picture" $paint --flow shift-%d-%d.flo --temporal-weight 1e9 --to 0.08 a.mkv s.jpg -o sh-%d.ppm -q
row() { tail -c $((30 * 96 * 3 - $2 * 3)) "sh-$1.ppm" | head -c 180 | od -An -v -tu1 -w1; }
check "  the picture moved by 8" sh -c "test $(paste <(row 1 24) <(row 2 16) |
    awk '{ d = $1 - $2; s += d < 0 ? -d : d } END { printf "%d", s / NR }') -le 2"
rm flow-3-2.flo
run 1 "  one is not there" $paint --flow flow-%d-%d.flo --to 0.12 a.mkv s.jpg -o flow2.mkv -q
says "^nst: flow-3-2.flo: "
check "  the film up to there is" test "$(pictures flow2.mkv | wc -l)" = 2
run 0 "a film of masks" $paint --content-mask p-%03d.ppm --to 0.16 a.mkv s.jpg c.jpg -o masks.mkv -q
check "  its pictures" test "$(pictures masks.mkv | wc -l)" = 4
# mask NAME ABOVE BELOW: a picture of two halves
mask() {
    { printf 'P6\n96 56\n255\n'; for v in "$2" "$3"; do head -c 8064 /dev/zero | tr '\0' "$v"; done; } >"mask-$1.ppm"
}
for n in 1 2; do mask $n '\377' '\1'; done
for n in 3 4; do mask $n '\1' '\377'; done
run 0 "  masks that change at the third" $paint --content-mask mask-%d.ppm --to 0.16 a.mkv s.jpg c.jpg -o mf-%d.ppm -q
run 0 "  a still one" $paint --content-mask mask-1.ppm --to 0.16 a.mkv s.jpg c.jpg -o ms-%d.ppm -q
check "  the same two pictures" sh -c "cmp mf-1.ppm ms-1.ppm && cmp mf-2.ppm ms-2.ppm"
check "  other ones then" sh -c "! cmp -s mf-3.ppm ms-3.ppm"
# By the suffix of what is read, by what is in the file, and with a name that looks like a pattern.
for kind in pgm pnm; do
    { printf 'P5\n96 56\n255\n'; for v in '\377' '\1'; do head -c 2688 /dev/zero | tr '\0' "$v"; done; } >"still.$kind"
done
cp still.pgm nameless && cp mask-1.ppm "100%.ppm"
for name in still.pgm still.pnm nameless 100%.ppm; do
    run 0 "  $name" $paint --content-mask $name --to 0.04 a.mkv s.jpg c.jpg -o mg-%d.ppm -q
    check "  the same picture" cmp mg-1.ppm ms-1.ppm
    rm -rf mg-*
done
run 2 "  a single grey picture is no film" $paint still.pgm s.jpg -o single.mkv
says "still.pgm: a single picture"
run 2 "  nor is one without a suffix" $paint nameless s.jpg -o single.mkv
says "nameless: a single picture"
run 0 "back and forth" $paint --passes 3 --to 0.2 a.mkv s.jpg -o passes.mkv -q
check "  its pictures" test "$(pictures passes.mkv | wc -l)" = 5
run 0 "  once" $paint --passes 1 --to 0.2 a.mkv s.jpg -o once-%d.ppm -q
run 0 "  and back" $paint --passes 2 --to 0.2 a.mkv s.jpg -o back-%d.ppm -q
check "  begins with the last, as it was" cmp once-5.ppm back-5.ppm
check "  changes the first" sh -c "! cmp -s once-1.ppm back-1.ppm"
run 0 "what would be done" $paint --frame-iterations 1 --dry-run a.mkv s.jpg -o dry.mkv
check "  one iteration" grep -q '2 scales, the others 1 iteration, with' stdout
# The second picture's iterations alone take longer than the limit, on any machine.
run 0 "a limit of time" $paint --time 3s --frame-iterations 20000 a.mkv s.jpg -o time.mkv
says "time.mkv: stopped early, the first [0-9]* picture[s]* [a-z]* there"
check "  what is there is a film" test "$(pictures time.mkv | wc -l)" -ge 1 -a "$(pictures time.mkv | wc -l)" -lt 12
rm -r time.mkv.frames

# ---- killed, interrupted, without room -------------------------------------------------------------------------------
"$NST" $paint a.mkv s.jpg -o want/ -q || not_ok "uninterrupted"
kills=0 whole=
for ((try = 0; try < 10; try++)); do
    "$NST" $paint a.mkv s.jpg -o killed/ -q 2>stderr &
    pid=$!
    sleep .$((RANDOM % 3))$((RANDOM % 10))
    if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
    wait $pid 2>/dev/null && whole=1 && break
done
[ $whole ] || run 0 "killed $kills times, it goes on" $paint a.mkv s.jpg -o killed/ -q
check "killed $kills times: the same pictures" diff -r want killed
check "  nothing beside them" test "$(echo killed*)" = killed
# interrupted PICTURES ARGUMENTS...: Ctrl-C when so many are there
interrupted() {
    after=$1
    shift
    set -m # a shell without job control starts what is in the background deaf to SIGINT
    "$NST" "$@" 2>stderr &
    pid=$!
    set +m
    while kill -0 $pid 2>/dev/null; do
        [ -e "stop.mkv.frames/p1-00000$after.png" ] && break
        sleep .01
    done
    kill -INT $pid 2>/dev/null
    wait $pid 2>/dev/null
    got=$?
}
interrupted 3 $paint -n 20 --frame-iterations 20 a.mkv s.jpg -o stop.mkv -j 1
check "Ctrl-C" test $got = 130
says '`nst resume .*stop.mkv.frames` goes on'
n=$(pictures stop.mkv | wc -l)
check "  a film of the first $n pictures" test "$n" -ge 2 -a "$n" -lt 12
check "  at their times" test "$(times stop.mkv)" = "$(times a.mkv | head -n $n)"
check "  with sound as long" test "$(packets stop.mkv)" = "$(packets a.mkv | head -n "$(packets stop.mkv | wc -l)")" \
    -a "$(packets stop.mkv | wc -l)" -ge $((n - 1))
run 2 "  other options would paint another film" $paint -n 9 --frame-iterations 20 a.mkv s.jpg -o stop.mkv -q
says "holds the pictures of another painting"
mkdir else
(cd else && "$NST" resume ../stop.mkv.frames -q)
run 0 "  uninterrupted" $paint -n 20 --frame-iterations 20 a.mkv s.jpg -o whole.mkv -q
check "  resumed: the same film" cmp stop.mkv whole.mkv
check "  nothing beside it" test "$(echo stop*)" = stop.mkv
"$NST" $paint -n 20 a.mkv s.jpg -o two.mkv -q -j 1 &
pid=$!
for ((i = 0; i < 500; i++)); do [ -e two.mkv.frames/p1-000001.png ] && break; sleep .02; done
kill -STOP $pid
run 1 "resumed while the first is at work" resume two.mkv.frames -q
says "two.mkv.frames: another nst is painting there"
kill -KILL $pid
wait $pid 2>/dev/null
run 0 "  after its end" resume two.mkv.frames -q
(ulimit -f 12; "$NST" $paint a.mkv s.jpg -o full/ -q 2>stderr)
check "no room" grep -q "^nst: .*full" stderr
check "  one sentence" test "$(wc -l <stderr)" = 1
run 0 "  with room" $paint a.mkv s.jpg -o full/ -q
check "  the same pictures" diff -r want full

# ---- bad films -------------------------------------------------------------------------------------------------------
bad() { run "$1" "$2" $paint -q "$3" s.jpg -o "${5-bad.mkv}"; says "$4"; clean bad; }
head -c 9000 c.jpg | tail -c 8000 >junk.mkv
bad 1 "no film" junk.mkv "junk.mkv: no film that libavformat knows"
bad 1 "no file" none.mkv "none.mkv: No such file"
printf 'RIFF\144\020\0\0WAVEfmt \020\0\0\0\001\0\001\0\100\037\0\0\200\076\0\0\002\0\020\0data\100\020\0\0' >sound.wav
head -c 4160 /dev/zero >>sound.wav
bad 1 "sound only" sound.wav "sound.wav: there are no moving pictures in it"
bad 2 "one picture" c.jpg "c.jpg: a single picture; "
printf 'RIFF\62\0\0\0WEBPVP8X\12\0\0\0\2\0\0\0\137\0\0\67\0\0ANIM\6\0\0\0\0\0\0\0\0\0' >moving.webp
bad 1 "an animated WebP" moving.webp "moving.webp: an animated WebP, which FFmpeg does not decode here"
bad 2 "sound that WebM does not hold" a.mkv "does not hold the film's sound (pcm_s16le); name a .mkv file" bad.webm
make headless.nut 3 headless
bad 1 "what libavformat refuses when it begins" headless.nut \
    "bad.mkv: FFmpeg does not begin such a file (matroska) for this film"
make hdr.mkv 2 "hdr silent"
bad 1 "HDR" hdr.mkv "hdr.mkv: its pictures are HDR (PQ)"
bad 2 "no film's name" a.mkv "a film's name ends with .mp4" bad.txt
run 2 "no output" $paint -q a.mkv s.jpg
says "output is missing"
run 1 "after its end" $paint -q a.mkv s.jpg -o bad.mkv --from 9
says "a.mkv: there is no picture in the part that is asked for"
clean bad
./film make whole.m2v 96 56 12 silent
bytes=$(wc -c <whole.m2v)
{ head -c $((bytes / 3)) whole.m2v; head -c 300 /dev/zero; tail -c +$((bytes / 3 + 301)) whole.m2v; } >broken.m2v
run 0 "a broken packet in the middle" $paint broken.m2v s.jpg -o b.mkv
says "broken.m2v: damaged in [0-9]* places*; what can be decoded is painted"
check "  the others are painted" test "$(pictures b.mkv | wc -l)" -ge 10
bytes=$(wc -c <a.mkv)
head -c $((bytes / 2)) a.mkv >half.mkv
run 0 "half a file" $paint half.mkv s.jpg -o h.mkv
says "half.mkv: damaged in 1 place; what can be decoded is painted"
check "  its pictures are painted" test "$(pictures h.mkv | wc -l)" -ge 4
./film make one.m2v 96 56 4 silent && ./film make two.m2v 64 64 4 silent && cat one.m2v two.m2v >size.m2v
run 0 "pictures that change their size" $paint size.m2v s.jpg -o size.mkv
n=$(pictures size.m2v | grep -c 96x56) # the decoder may keep one for itself
says "size.m2v: from picture $((n + 1)) on the film has another size; it is painted at that of the first one"
check "  all are painted" test "$(pictures size.mkv | grep -c 96x56)" = "$(pictures size.m2v | wc -l)"
finish
