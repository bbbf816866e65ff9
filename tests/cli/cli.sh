#!/bin/bash
# cli.sh: the program from outside: exit statuses, one clear sentence for bad input, nothing left behind, Ctrl-C, a full
# disk, the log, the dry run.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
cd "$dir" || exit 99
mkdir in out

# Small pictures, made by the program itself from the samples.
content=$(ls "$SRCDIR"/data/content.* 2>/dev/null | head -n 1)
style=$(ls "$SRCDIR"/data/style.* 2>/dev/null | head -n 1)
[ -n "$content" ] && [ -n "$style" ] || { echo "no sample pictures in data/"; exit 77; }

fast="-q -n 2 --scales 1 -s 48"
empty() { check "  nothing left behind" test -z "$(ls -A out)"; rm -rf out; mkdir out; }

run 0 "a small picture is painted" $fast -o in/c.png "$content" "$style"
check "  it is there" test -s in/c.png
run 0 "a JPEG is painted" $fast -o in/s.jpg --quality 90 "$style" "$content"
rm -f in/c2.png

# ---- usage --------------------------------------------------------------------------------------------------------
"$NST" >stdout 2>&1
check "without arguments: status 2" test $? = 2
check "  usage fits a screen" test "$(wc -l <stdout)" -le 24
check "  with an example" grep -q '^  nst -o .* photo.jpg painting.jpg' stdout
run 0 "--help" --help
run 0 "help" help
run 0 "help presets" help presets
run 2 "help about nothing" help van-gogh
run 2 "help about two things" help size model
run 0 "help about a command" help batch
check "  with its own options" grep -q '^     --name PATTERN  *results. names: {content}-{style}.png' stdout
check "  and no other command's" sh -c "! grep -q -- '--half' stdout"
run 2 "a command is misspelt" dcotor
says 'did you mean nst doctor?'
run 2 "bench of a picture" bench in/c.png
run 0 "--version" --version
check "  names version and kernels" grep -q '^kernels: scalar.*chosen: ' stdout
run 0 "--preset list" --preset list
check "  lists them" test "$(wc -l <stdout)" -ge 8
if [ -c /dev/full ]; then
    "$NST" --help >/dev/full 2>stderr
    check "help into a full disk fails" test $? = 1
fi
run 2 "one picture only" in/c.png
says "style picture is missing: expected CONTENT STYLE"
for bad in "--size 5I2" "--size 31" "--size 0x40" "-n 0" "-n 1.5" "-n nan" "--style-weight -1" "--style-weight inf" \
    "--pooling min" "--optimizer sgd" "--seed -1" "--seed 18446744073709551616" "--bits 12" "--quality 101" \
    "--time 5x" "--time 1m1h" "--time -1" "--time 1h30" "--style-loss l2" "--simd mmx" "--conv fft" \
    "--preset van-gogh" "--color red" "--color-strength 2" "--strength -1" "--strength 101" "--strength much" \
    "--average 1" "--threads 1025" "--save-every 0" "--unknown" "-X" "--s 64" \
    "--quiet=yes" "--size=" "--style-layers="; do
    run 2 "$bad" -o out/x.png $bad in/c.png in/s.jpg
done
run 2 "a value is missing" in/c.png in/s.jpg -o
run 2 "a suffix that is none" -o out/x.bmp in/c.png in/s.jpg
run 2 "16 bits in a JPEG" -o out/x.jpg --bits 16 in/c.png in/s.jpg
run 2 "a format that is none" -o out/x.png --format bmp in/c.png in/s.jpg
run 2 "16 bits by --format jpeg" --format jpeg --bits 16 in/c.png in/s.jpg
run 2 "two pictures from one pipe" -o out/x.png - - <in/c.png
says "standard input holds one picture"
run 2 "numbered files on standard output" -o - --save-every 2 in/c.png in/s.jpg
run 2 "quality of a PNG" -o out/x.png --quality 90 in/c.png in/s.jpg
run 2 "unknown layer" -o out/x.png --style-layers conv9_9 in/c.png in/s.jpg
run 2 "layer weight that is none" -o out/x.png --style-layers conv1_1:x in/c.png in/s.jpg
run 2 "blend that does not fit the styles" -o out/x.png --style-blend 1,2,3 in/c.png in/s.jpg
run 2 "sizes that do not fit the styles" -o out/x.png --style-size 64,64 in/c.png in/s.jpg
run 2 "a size that is none" -o out/x.png --style-size 0.5 in/c.png in/s.jpg
run 2 "nothing to do" -o out/x.png --style-weight 0 --content-weight 0 --tv-weight 0 in/c.png in/s.jpg
empty

# ---- bad input: status 1 ------------------------------------------------------------------------------------------
: >in/empty.png
head -c 300 in/c.png >in/cut.png
head -c 300 in/s.jpg >in/cut.jpg
echo "not a picture" >in/text.png
# one grey pixel
{
    printf '\211\120\116\107\015\012\032\012\000\000\000\015\111\110\104\122\000\000\000\001\000\000\000\001\010\000'
    printf '\000\000\000\072\176\233\125\000\000\000\012\111\104\101\124\170\234\143\150\000\000\000\202\000\201\167'
    printf '\315\162\266\000\000\000\000\111\105\116\104\256\102\140\202'
} >in/one.png
run 1 "a content of one pixel" -o out/x.png in/one.png in/s.jpg
says "too small"
run 1 "a style of one pixel" -o out/x.png in/c.png in/one.png
for bad in in/absent.png in/empty.png in/cut.png in/cut.jpg in/text.png in; do
    run 1 "content $bad" -o out/x.png --log out/log $bad in/s.jpg
    says "$bad"
    run 1 "style $bad" -o out/x.png --log out/log in/c.png $bad
    run 1 "init $bad" -o out/x.png --log out/log --init $bad in/c.png in/s.jpg
    run 1 "model $bad" -o out/x.png --log out/log --model $bad in/c.png in/s.jpg
done
empty

# ---- outputs that cannot be: before the run ------------------------------------------------------------------------
run 1 "the output is a folder" -o out in/c.png in/s.jpg
mkdir out/f.png
run 1 "the output is a folder with a suffix" -o out/f.png in/c.png in/s.jpg
rmdir out/f.png
run 1 "no such folder" -o out/none/x.png in/c.png in/s.jpg
before=$(cksum in/c.png)
run 1 "the output is an input" -o in/c.png in/c.png in/s.jpg
ln in/c.png in/link.png
run 1 "the output is an input's other name" -o in/link.png in/c.png in/s.jpg
run 1 "the log is an input" --log in/s.jpg -o out/x.png in/c.png in/s.jpg
check "  inputs are untouched" test "$before" = "$(cksum in/c.png)"
if [ "$(id -u)" != 0 ]; then
    mkdir ro && chmod a-w ro
    run 1 "an unwritable folder" -o ro/x.png in/c.png in/s.jpg
elif [ -d /proc/self ]; then
    run 1 "an unwritable folder" -o /proc/self/x.png in/c.png in/s.jpg
fi
empty

# ---- a full disk: the result cannot be written, and no part of it stays ---------------------------------------------
TMPDIR=$dir/none; export TMPDIR # nowhere else to keep it
status=$(trap '' XFSZ; ulimit -f 2 && "$NST" $fast -o out/x.png in/c.png in/s.jpg >/dev/null 2>&1; echo $?)
check "files that may not grow: status 1" test "$status" = 1
check "  nothing left behind" test -z "$(ls -A out)"
if mkdir tiny && mount -t tmpfs -o size=4k none tiny 2>/dev/null; then
    run 1 "a full disk" -q -n 1 --scales 1 -s 96 -o tiny/x.png in/c.png in/s.jpg
    check "  nothing left behind" test -z "$(ls -A tiny)"
    umount tiny
fi
if [ -c /dev/full ]; then
    run 1 "a log on a full disk" $fast --log /dev/full -o out/x.png in/c.png in/s.jpg
    check "  the picture is kept all the same" test -s out/x.png
fi
unset TMPDIR
rm -rf out && mkdir out

run 2 "an option of another command" --output-dir out $fast in/c.png in/s.jpg
says "--output-dir: is an option of nst batch"
check "  paints nothing" test -z "$(ls -A out)"

# ---- the run ---------------------------------------------------------------------------------------------------------
run 0 "dry run" --dry-run -s 256 --log out/log in/c.png in/s.jpg
check "  says sizes and memory" sh -c "grep -q '^scale 1 of ' stdout && grep -q '^memory: about [0-9]* MB' stdout"
empty
run 0 "log" $fast -n 3 --log out/log -o out/x.png in/c.png in/s.jpg
check "  a line an iteration" test "$(wc -l <out/log)" = 3
check "  as check_nst.py reads it" sh -c \
    "! grep -vE '^\{\"iteration\": [0-9]+, .*\"seconds\": [^,]+, \"total\": [^,]+, '\
'\"content\": [^,]+, \"tv\": [^,]+, \"style\": \{\"conv1_1\": .*\}\}$' out/log"
if command -v python3 >/dev/null; then
    check "  is JSON, total is the sum" python3 -c '
import json
for i, line in enumerate(open("out/log"), 1):
    r = json.loads(line)
    assert r["iteration"] == i
    s = r["content"] + r["tv"] + sum(r["style"].values())
    assert abs(s - r["total"]) <= 1e-5 * abs(s), (s, r["total"])'
fi
run 0 "numbered files" $fast -n 4 --save-every 2 -o out/y.png in/c.png in/s.jpg
check "  lie beside the result" test -s out/y-0002.png -a -s out/y-0004.png -a -s out/y.png
check "  the last is the result" cmp -s out/y-0004.png out/y.png
rm out/y-*.png
run 2 "a log where a numbered picture goes" $fast -n 4 --save-every 2 --log out/y-0002.png -o out/y.png \
    in/c.png in/s.jpg
says "out/y-0002.png has the name of a numbered picture"
ln -s y-0002.png out/link
run 2 "a log by a link that leads there" $fast -n 4 --save-every 2 --log out/link -o out/y.png in/c.png in/s.jpg
rm out/link
run 0 "a number that no picture gets" $fast -n 4 --save-every 2 --log out/y-0003.png -o out/y.png in/c.png in/s.jpg
rm out/y-*.png
run 2 "a checkpoint there" $fast -n 4 --save-every 2 --checkpoint out/y-0004.png -o out/y.png in/c.png in/s.jpg
cp in/c.png out/y-0002.png
run 2 "an input there" $fast -n 4 --save-every 2 -o out/y.png out/y-0002.png in/s.jpg
check "  which is as it was" cmp -s in/c.png out/y-0002.png
rm out/y-*.png
"$NST" -n 4 --scales 1 -s 48 -o out/y.png in/c.png in/s.jpg 2>stderr >stdout
check "plain lines when piped, on standard error" \
    sh -c "grep -q 'scale 1/1' stderr && ! grep -q \"$(printf '\r')\" stderr && ! [ -s stdout ]"
"$NST" $fast -o out/y.png in/c.png in/s.jpg >stdout 2>&1
check "nothing with -q" test ! -s stdout
for t in 1 2 3; do "$NST" $fast -n 3 --threads $t --init random --seed 5 -o out/t$t.png in/c.png in/s.jpg; done
check "the same bits for any number of threads" sh -c "cmp -s out/t1.png out/t2.png && cmp -s out/t1.png out/t3.png"
run 0 "a limit of time" -q --time 1s -s 64 -n 100000 -o out/t.png in/c.png in/s.jpg
check "  gives the size asked for" sh -c "'$NST' -q --dry-run -s native out/t.png in/s.jpg | grep -q ' 64x'"
run 0 "until the loss settles" -q --until .05 -n 100000 --scales 1 -s 48 --log out/log -o out/u.png in/c.png in/s.jpg
check "  ends early" test "$(wc -l <out/log)" -lt 1000
run 0 "several styles" $fast --style-blend 3,1 -o out/z.png in/c.png in/s.jpg in/c.png
(cd out && "$NST" $fast ../in/c.png ../in/s.jpg)
check "the default name" test -s out/c-s.png
run 0 "16 bits" $fast --bits 16 --seed 77 -o out/16.png in/c.png in/s.jpg
check "  the settings are in the picture" \
    grep -aq 'nst [0-9.]* (.*) --model small --preset nst --size 48 .*--seed 77' out/16.png
run 0 "native size" -q -n 1 --scales 1 -s native -o out/n.png in/c.png in/s.jpg

# ---- masks -----------------------------------------------------------------------------------------------------------
mask() { # FILE WIDTH HEIGHT [black]: the left half is white, or nothing
    {
        printf 'P5 %d %d 255\n' "$2" "$3"
        for ((i = 0; i < $2 * $3; i++)); do
            if [ "$4" = black ] || ((i % $2 * 2 >= $2)); then printf '\0'; else printf '\377'; fi
        done
    } >"$1"
}
mask in/left.pgm 24 18 left; mask in/black.pgm 24 18 black; mask in/tall.pgm 18 24 left
run 0 "two styles in two regions" $fast -o out/m1.png --content-mask in/left.pgm in/c.png in/s.jpg in/c.png
run 0 "  the rest has a name" $fast -o out/m2.png --content-mask in/left.pgm --content-mask rest in/c.png in/s.jpg \
    in/c.png
check "  and is the same" cmp out/m1.png out/m2.png
"$NST" $fast -o out/m3.png in/c.png in/s.jpg in/c.png
check "  and another picture than without masks" sh -c '! cmp -s out/m1.png out/m3.png'
run 0 "a region, and no style elsewhere" $fast -o out/m.png --content-mask in/left.pgm in/c.png in/s.jpg
run 0 "a part of a style" $fast -o out/m.png --style-mask none --style-mask in/left.pgm in/c.png in/s.jpg in/c.png
"$NST" $fast -o out/m4.png --content-mask - in/c.png in/s.jpg in/c.png <in/left.pgm
check "a mask from a pipe" cmp out/m1.png out/m4.png
case $("$NST" --version) in
*"no inih"*) echo "skipped: masks of a file of options, this build reads none" ;;
*)
    echo "content-mask = in/black.pgm" >mask.conf
    "$NST" $fast --config mask.conf -o out/m5.png --content-mask in/left.pgm in/c.png in/s.jpg in/c.png
    check "the command line's masks replace a file's" cmp out/m1.png out/m5.png
    ;;
esac
run 2 "a mask of other proportions" $fast -o out/bad.png --content-mask in/tall.pgm in/c.png in/s.jpg
says "content mask 1: is 18 x 24 pixels, expected the proportions of the content picture, 48 x 36"
run 2 "a style mask of other proportions" $fast -o out/bad.png --style-mask in/tall.pgm in/c.png in/c.png
says "style mask 1: is 18 x 24 pixels, expected the proportions of the style picture, 48 x 36"
"$NST" $fast -s 640 -o in/large.png in/c.png in/s.jpg
run 2 "a mask for a picture that is made smaller while it is read" $fast -s 48 -o out/bad.png \
    --content-mask in/tall.pgm in/large.png in/s.jpg
says "is 18 x 24 pixels, expected the proportions of the content picture, 640 x 480"
run 2 "a black mask" $fast -o out/bad.png --content-mask in/black.pgm in/c.png in/s.jpg
says "content mask 1: is black all over, expected some white"
run 2 "more masks than styles" $fast -o out/bad.png --content-mask in/left.pgm --content-mask in/left.pgm in/c.png \
    in/s.jpg
says "content-mask: 2 masks for 1 style, expected one for each"
run 2 "more style masks than styles" $fast -o out/bad.png --style-mask none --style-mask in/left.pgm in/c.png in/s.jpg
run 2 "too few masks" $fast -o out/bad.png --content-mask in/left.pgm in/c.png in/s.jpg in/c.png in/s.jpg
says "expected one for each, or for all but the last"
run 1 "a mask that is not there" $fast -o out/bad.png --content-mask in/none.pgm in/c.png in/s.jpg
run 1 "a mask that is no picture" $fast -o out/bad.png --content-mask mask.conf in/c.png in/s.jpg
cp in/left.pgm in/left.ppm
run 1 "the output is a mask" $fast -o in/left.ppm --content-mask in/left.ppm in/c.png in/s.jpg
says "is an input of this run"
check "  none of these left a picture" test ! -e out/bad.png

# ---- formats and pipes -----------------------------------------------------------------------------------------------
"$NST" $fast -o out/f.png in/c.png in/s.jpg
"$NST" $fast -o - - in/s.jpg <in/c.png >out/pipe.png 2>stderr
check "from a pipe into a pipe: the same picture as from file to file" cmp -s out/f.png out/pipe.png
cat in/c.png | "$NST" $fast -o - --format ppm - in/s.jpg 2>stderr | cat >out/pipe.ppm
check "  as PPM" sh -c "head -c 2 out/pipe.ppm | grep -q P6"
for suffix in ppm pfm tif webp; do
    case $suffix in
    tif) "$NST" --version | grep -q 'no libtiff' && continue ;;
    webp) "$NST" --version | grep -q 'no libwebp' && continue ;;
    esac
    run 0 "a .$suffix result" $fast -o out/f.$suffix in/c.png in/s.jpg
    run 0 "  and its way back as content and style" $fast -o out/g.png out/f.$suffix out/f.$suffix
    "$NST" $fast -o - --format "$(echo $suffix | sed s/tif/tiff/)" in/c.png in/s.jpg 2>stderr | cat >out/h.$suffix
    check "  the same through a pipe" cmp -s out/f.$suffix out/h.$suffix
done
(cd out && "$NST" $fast --format jpeg ../in/c.png ../in/s.jpg && "$NST" $fast - ../in/s.jpg <../in/c.png)
check "--format gives the suffix of a name that is made" test -s out/c-s.jpg
check "the default name of what comes from a pipe" test -s out/stdin-s.png
echo "not a picture" | "$NST" $fast -o out/x.png - in/s.jpg 2>stderr
check "a pipe without a picture: status 1" test $? = 1
says "standard input: no known kind of picture, expected PNG"

# ---- a result without a place is kept elsewhere ----------------------------------------------------------------------
mkdir gone spare
TMPDIR=$dir/spare "$NST" -n 100000 --scales 1 -s 48 --log out/gone.log -o gone/x.jpg in/c.png in/s.jpg 2>stderr &
pid=$!
for _ in $(seq 600); do [ -s out/gone.log ] && break; sleep .1; done
rm -r gone
kill -TERM $pid
wait $pid
check "the folder vanishes: it is said" grep -q 'gone/x.jpg: .*; the picture is kept as .*/spare/nst-.*/painting.png' \
    stderr
check "  the picture is there" test -s spare/nst-*/painting.png
rm -rf spare
# Nobody reads any more: the pipe's other end is gone before nst begins.
mkdir spare
mkfifo pipe
: <pipe &
exec 3>pipe
wait $!
TMPDIR=$dir/spare "$NST" $fast -o - in/c.png in/s.jpg >&3 2>stderr
check "a pipe that nobody reads: status 1" test $? = 1
exec 3>&-
check "  one sentence" test "$(wc -l <stderr)" = 1
says '^nst: standard output: cannot write: Broken pipe; the picture is kept as'
check "  it is there" test -s spare/nst-*/painting.png
rm -rf spare
if [ -c /dev/full ]; then
    mkdir spare
    TMPDIR=$dir/spare "$NST" $fast -o - in/c.png in/s.jpg >/dev/full 2>stderr
    check "standard output on a full disk: status 1" test $? = 1
    says "standard output: cannot write: No space left on device; the picture is kept as"
    check "  it is there" test -s spare/nst-*/painting.png
    rm -rf spare
fi
# ---- the doctor ------------------------------------------------------------------------------------------------------
run 0 "doctor" doctor
check "  on a screen of 24 lines" test "$(wc -l <stdout)" -le 24
for word in build processor kernels threads memory devices model options folders speed; do
    check "  says $word" grep -q "^$word  " stdout
done
check "  takes a card where there is one" grep -q '^ *--device auto takes ' stdout
check "  with seconds" grep -q '^speed  *[0-9.e+-]* s an iteration at 512x384; preset nst, 5 scales: about [0-9]* s' \
    stdout
mkdir -p "$XDG_CONFIG_HOME/nst"
echo 'bananas = 3' >"$XDG_CONFIG_HOME/nst/config"
"$NST" doctor >stdout 2>stderr
status=$?
case $("$NST" --version) in
*"no inih"*) ;; # files of options are not read
*) check "  tells of a wrong file of options, status 1" \
    sh -c "test $status = 1 && grep -q '^options  *bad: .*config:1:1: unknown option' stdout && \
        grep -q '^speed' stdout" ;;
esac
rm "$XDG_CONFIG_HOME/nst/config"
"$NST" doctor --model in/absent.png >stdout 2>stderr
check "  and of a model that is not there" sh -c "test $? = 1 && grep -q 'bad: .*absent' stdout"

# ---- Ctrl-C: the picture so far, then the signal ---------------------------------------------------------------------
rm -rf out && mkdir out
for signal in INT TERM; do
    set -m # its own process group: background children of a script ignore SIGINT otherwise
    "$NST" -n 100000 --scales 1 -s 48 --log out/log -o out/i.png in/c.png in/s.jpg 2>stderr &
    pid=$!
    set +m
    for _ in $(seq 600); do [ -s out/log ] && break; sleep .1; done
    kill -$signal $pid
    wait $pid
    got=$?
    check "SIG$signal: dies by it" test $got = $((128 + $(kill -l $signal)))
    check "  the picture so far is kept" test -s out/i.png
    check "  and it is said" grep -q 'out/i.png: .* stopped early' stderr
    check "  nothing else is left" test "$(ls -A out | tr '\n' ' ')" = "i.png log "
    rm -f out/*
done
finish
