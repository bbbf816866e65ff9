#!/bin/bash
# batch.sh: nst batch: every content in every style, folders, names, broken inputs, going on, Ctrl-C, a full disk.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
cd "$dir" || exit 99
mkdir in styles
fast="-n 2 --scales 1 -s 48"
"$NST" -q $fast -o in/a.png "$SRCDIR/data/content.jpg" "$SRCDIR/data/style.jpg" || exit 99
"$NST" -q $fast -o in/b.png "$SRCDIR/data/style.jpg" "$SRCDIR/data/content.jpg" || exit 99
cp "$SRCDIR/data/style.jpg" styles/x.jpg
cp "$SRCDIR/data/content.jpg" styles/y.jpg
echo "no picture" >in/notes.txt
mkdir in/deeper

"$NST" batch $fast --output-dir out in -- styles >stdout 2>stderr
check "a folder in a folder of styles: status 0" test $? = 0
check "  every pair, and nothing else" test "$(ls -A out | tr '\n' ' ')" = "a-x.png a-y.png b-x.png b-y.png "
check "  is counted" grep -q '^nst: 4 painted$' stderr
"$NST" -q $fast -o one.png in/b.png styles/x.jpg
check "  as painted alone, byte for byte" cmp -s one.png out/b-x.png
"$NST" batch -q $fast --output-dir out2 --name '{n}_{style}.jpg' in/b.png in/a.png -- styles/x.jpg 2>stderr
check "a pattern, files in their own order" test "$(ls -A out2 | tr '\n' ' ')" = "0001_x.jpg 0002_x.jpg "
check "  and nothing said" test ! -s stderr
"$NST" batch --dry-run --output-dir out3 in -- styles >stdout 2>stderr
check "dry run: a line a picture, no folder" \
    sh -c "test \$(wc -l <stdout) = 4 && grep -q '^out3/a-x.png: in/a.png in the style of styles/x.jpg' stdout && \
        ! test -e out3"

# ---- broken inputs: the rest goes on, the end tells -----------------------------------------------------------------
head -c 300 in/a.png >in/aa.png
echo text >styles/broken.jpg
"$NST" batch $fast --output-dir out4 in in/absent.png -- styles >stdout 2>stderr
check "broken inputs: status 1" test $? = 1
check "  the others are painted" test "$(ls -A out4 | tr '\n' ' ')" = "a-x.png a-y.png b-x.png b-y.png "
check "  the end counts" grep -q '^nst: 4 painted, 8 failed$' stderr
check "  and gives the reasons again" test "$(sed '1,/painted, 8 failed/d' stderr | grep -c '^nst:   out4/.*: .*')" = 8
"$NST" batch -q $fast --output-dir out5 in/aa.png in/a.png -- styles/x.jpg 2>stderr
check "with -q failures are told" sh -c "test -s out5/a-x.png && grep -q 'in/aa.png' stderr"
esc=$(printf '\033]0;P\007')
echo text >"in/$esc.png"
"$NST" batch -q $fast --output-dir out5 "in/$esc.png" -- styles/x.jpg 2>stderr
check "an escape sequence in a name commands no terminal" \
    sh -c "grep -q 'x1b.*x07' stderr && ! grep -q \"$(printf '\033')\" stderr"
rm in/aa.png styles/broken.jpg "in/$esc.png"

# ---- usage: before anything is painted -------------------------------------------------------------------------------
usage() { # TEXT ARGUMENTS...
    text=$1
    shift
    "$NST" batch "$@" >stdout 2>stderr
    got=$?
    if [ $got = 2 ] && [ "$(wc -l <stderr)" = 1 ] && grep -q -- "$text" stderr; then
        ok "refused: $text"
    else
        not_ok "refused: $text, but $got: $(cat stderr)"
    fi
}
usage 'the contents are missing' -- styles
usage 'the styles after -- are missing' in
usage 'the styles after -- are missing' in --
usage 'one file, expected --output-dir' -o x.png in -- styles
usage 'a batch writes no log' --log x in -- styles
usage 'content-mask belongs to one picture' --content-mask in/a.png in -- styles
usage 'style-mask belongs to one picture' --style-mask in/a.png in -- styles
usage 'same name' --output-dir out6 --name '{style}.png' in -- styles
usage '{conten}.* is not {content}, {style} or {n}' --output-dir out6 --name '{conten}.png' in -- styles
usage 'nst reads but does not write BMP' --output-dir out6 --name '{content}-{style}.bmp' in -- styles
usage 'is not a whole number' --output-dir out6 -s 5I2 in -- styles
mkdir empty
"$NST" batch --output-dir out6 empty -- styles 2>stderr
check "an empty folder: status 1" sh -c "test $? = 1 && grep -q 'empty: no pictures' stderr"
"$NST" batch --output-dir in/a.png in -- styles 2>stderr
check "a folder that is a file: status 1" sh -c "test $? = 1 && grep -q 'cannot be made' stderr"
check "  nothing was painted" test ! -e out6
mkdir taken
cp styles/x.jpg taken/a.jpg
cp styles/y.jpg taken/b-a.png
cp in/b.png b.png
"$NST" batch $fast --output-dir taken b.png -- taken 2>stderr
check "a result that would replace another pair's style: status 1" test $? = 1
check "  is said before anything is painted" \
    sh -c "test \$(wc -l <stderr) = 1 && grep -q 'batch: taken/b-a.png is an input' stderr"
check "  and the style is as it was" cmp -s styles/y.jpg taken/b-a.png
"$NST" batch $fast --keep-existing --output-dir taken b.png -- taken/a.jpg taken/b-a.png 2>stderr
check "  --keep-existing does not replace it" \
    sh -c "cmp -s styles/y.jpg taken/b-a.png && grep -q '1 painted, 1 there already' stderr"
cp styles/x.jpg taken/c-x-stopped.png
cp in/a.png c.png
"$NST" batch $fast --output-dir taken c.png taken/c-x-stopped.png -- styles/x.jpg 2>stderr
check "an input where Ctrl-C would keep a picture: status 2" \
    sh -c "test $? = 2 && grep -q 'taken/c-x-stopped.png has the name of what is kept' stderr"
cp in/a.png c-0002.png
usage 'c-0002.png has the name of what is kept of c.png' --save-every 2 --output-dir out6 --name '{content}.png' \
    c.png c-0002.png -- styles/x.jpg

# ---- Ctrl-C, and going on --------------------------------------------------------------------------------------------
set -m
"$NST" batch -n 100000 --scales 1 -s 48 --output-dir out7 in -- styles 2>stderr &
pid=$!
set +m
for _ in $(seq 600); do grep -q 'scale 1/1' stderr && break; sleep .1; done
kill -INT $pid
wait $pid
check "SIGINT: dies by it" test $? = 130
check "  the picture at hand is kept under another name" test "$(ls -A out7 | tr '\n' ' ')" = "a-x-stopped.png "
check "  and it is said" grep -q '^nst: 0 painted, 4 not tried; --keep-existing' stderr
"$NST" batch $fast --output-dir out7 --keep-existing in/a.png -- styles/x.jpg 2>stderr
check "going on paints what is missing" sh -c "test -s out7/a-x.png && grep -q '^nst: 1 painted$' stderr"
before=$(cksum out7/a-x.png)
"$NST" batch $fast --output-dir out7 --keep-existing in -- styles 2>stderr
check "  and keeps what is there" \
    sh -c "grep -q '^nst: 3 painted, 1 there already' stderr && test '$before' = \"\$(cksum out7/a-x.png)\""

# ---- a checkpoint in a batch: the painting at hand goes on, then the others ------------------------------------------
slow="--preset opengenus -n 200 -s 48"
set -m
"$NST" batch $slow --output-dir out9 --checkpoint run.nst --checkpoint-every 1 in -- styles/x.jpg 2>stderr &
pid=$!
set +m
for _ in $(seq 3000); do grep -q 'scale 1/1' stderr && break; sleep .01; done
kill -INT $pid
wait $pid
check "SIGINT with a checkpoint: it is there" test -s run.nst
"$NST" resume -q run.nst 2>stderr
check "  nst resume ends the painting" test $? = 0 -a -s out9/a-x.png
"$NST" -q $slow -o one.png in/a.png styles/x.jpg
check "  as painted alone, byte for byte" cmp -s one.png out9/a-x.png
"$NST" batch $slow --output-dir out9 --checkpoint run.nst --keep-existing in -- styles/x.jpg 2>stderr
check "  and the batch goes on" grep -q '^nst: 1 painted, 1 there already$' stderr
check "  no checkpoint is left" test ! -e run.nst

# ---- a full disk: one sentence, then the end, nothing half-written ---------------------------------------------------
mkdir out8
status=$(trap '' XFSZ; ulimit -f 2 && "$NST" batch -q $fast --output-dir out8 in -- styles 2>stderr; echo $?)
check "files that may not grow: status 1" test "$status" = 1
check "  the batch ends there" grep -q '^nst: 0 painted, 1 failed, 3 not tried, because nothing more can be written' \
    stderr
check "  nothing left behind" test -z "$(ls -A out8)"
if mkdir tiny && mount -t tmpfs -o size=12k none tiny 2>/dev/null; then # room for one
    TMPDIR=$dir/none HOME=$dir/none "$NST" batch -q $fast --output-dir tiny in -- styles 2>stderr
    check "a disk that fills up in the middle: status 1" test $? = 1
    check "  what was painted is there, whole" \
        sh -c "'$NST' --dry-run -s native tiny/a-x.png styles/x.jpg | grep -q ' 48x'"
    check "  and no part of another" test "$(ls -A tiny)" = a-x.png
    check "  one sentence, and the batch ends there" \
        sh -c "test \$(wc -l <stderr) = 3 && \
            grep -q '^nst: 1 painted, 1 failed, 2 not tried, because nothing more' stderr && \
        grep -q '^nst: tiny/b-x.png: cannot write: No space left' stderr"
    umount tiny
fi
finish
