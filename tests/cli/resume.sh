#!/bin/bash
# resume.sh: paintings that are interrupted, killed and resumed end in the very file that an uninterrupted one writes;
# what cannot be resumed is one sentence.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
cd "$dir" || exit 99
mkdir in out else
cp "$SRCDIR/data/content.jpg" in/c.jpg && cp "$SRCDIR/data/style.jpg" in/s.jpg || exit 77
# A network of VGG19's shape whose iteration takes milliseconds; one painting has the built-in one.
cp "$SRCDIR/tests/data/golden/tiny.safetensors" in/tiny.safetensors || exit 77
tiny="--model in/tiny.safetensors"

# interrupted SIGNAL AFTER ARGUMENTS...: paints until the log has so many lines, then the signal; in got the exit
# status. Once more where the painting was done before the signal came.
interrupted() {
    signal=$1 after=$2
    shift 2
    for try in 1 2 3 4 5; do
        rm -f log.json
        set -m # a shell without job control starts what is in the background deaf to SIGINT
        "$NST" "$@" --log log.json in/c.jpg in/s.jpg 2>stderr &
        pid=$!
        set +m
        for ((i = 0; i < 3000; i++)); do
            lines=() && { mapfile -t lines <log.json; } 2>/dev/null
            [ ${#lines[@]} -ge "$after" ] && break
            kill -0 $pid 2>/dev/null || break
            sleep .01
        done
        kill -"$signal" $pid 2>/dev/null
        wait $pid 2>/dev/null
        got=$?
        [ $got = 0 ] || break
    done
}
plain() { sed 's/"seconds": [^,]*, //' "$1"; }

# ---- interrupted by Ctrl-C, at several places: the first scale, about the border, the second -------------------------
for run in "nst 20 25" "nst 100 3 95 120 $tiny" "opengenus 100 120 $tiny"; do
    set -- $run
    preset=$1 points=$(echo "$run" | sed 's/^[a-z]* [0-9]* //; s/ --.*//')
    case $run in *$tiny) model=$tiny ;; *) model= ;; esac
    args="--preset $preset -s 64 --scales 2 -n $2 $model"
    "$NST" -q $args -o want.png --log want.json in/c.jpg in/s.jpg || not_ok "$preset: uninterrupted"
    for after in $points; do
        rm -f out/*
        interrupted INT $after $args -o out/x.png --checkpoint out/x.nst
        check "$preset${model:+, small}: interrupted after about $after" test $got = 130
        says '`nst resume out/x.nst` goes on'
        check "  the picture so far and the checkpoint are there" test "$(ls -A out | tr '\n' ' ')" = "x.nst x.png "
        check "  and it is not the whole painting" sh -c "! cmp -s out/x.png want.png"
        run 0 "  resumed" resume out/x.nst -q
        check "  the same file, byte for byte" cmp out/x.png want.png
        check "  the same log" test "$(plain log.json)" = "$(plain want.json)"
        check "  the checkpoint is gone" test "$(ls -A out)" = x.png
    done
done

# ---- with masks, in windows: two regions, one of them the rest -------------------------------------------------------
rm -f out/*
{ printf 'P5 4 3 255\n'; printf '\377\377\100\0\377\300\100\0\377\377\0\0'; } >in/m.pgm
masks="$tiny -s 64 --scales 2 -n 60 --window 32 --content-mask in/m.pgm --style-mask none --style-mask in/m.pgm"
masks="$masks in/s.jpg"
"$NST" -q -o want.png $masks in/c.jpg in/s.jpg || not_ok "with masks, uninterrupted"
interrupted INT 70 -o out/x.png --checkpoint out/x.nst $masks
run 2 "another mask for a checkpoint" resume out/x.nst --content-mask in/c.jpg
says "another --content-mask would paint another picture"
cp in/m.pgm m.pgm; cp in/s.jpg in/m.pgm
run 2 "the mask was changed" resume out/x.nst -q
mv m.pgm in/m.pgm
run 0 "with masks, resumed" resume out/x.nst -q
check "  the same file, byte for byte" cmp out/x.png want.png

# ---- interrupted twice, from elsewhere, to elsewhere, with another number of threads ---------------------------------
rm -f out/*
"$NST" -q $tiny -s 96 --scales 2 -n 150 -o want.png in/c.jpg in/s.jpg || not_ok "uninterrupted"
interrupted TERM 5 $tiny -s 96 --scales 2 -n 150 -o out/x.png --checkpoint out/x.nst
check "interrupted by SIGTERM" test $got = 143
cp out/x.nst keep.nst
(cd else; "$NST" resume ../out/x.nst -q -j 1 -o y.png --log y.json & pid=$!
 for ((i = 0; i < 3000; i++)); do [ "$(cat y.json 2>/dev/null | wc -l)" -ge 4 ] && break; sleep .01; done
 kill -TERM $pid; wait $pid)
check "interrupted again" test -s out/x.nst
run 0 "resumed again" resume out/x.nst
check "  the same file, byte for byte" cmp else/y.png want.png

# ---- killed between two checkpoints: nothing can be said, but the last checkpoint holds ------------------------------
rm -f out/*
long="-q --preset opengenus $tiny -s 64 -n 2500"
"$NST" $long -o want.png in/c.jpg in/s.jpg &
uninterrupted=$!
"$NST" $long -o out/x.png --checkpoint out/x.nst --checkpoint-every 1 in/c.jpg in/s.jpg &
pid=$!
for ((i = 0; i < 6000; i++)); do [ -s out/x.nst ] && break; sleep .01; done
kill -KILL $pid; wait $pid 2>/dev/null
wait $uninterrupted
check "killed: the checkpoint is there, no picture" test "$(ls out)" = x.nst
run 0 "  resumed" resume out/x.nst -q
check "  the same file, byte for byte" cmp out/x.png want.png

# ---- what cannot be --------------------------------------------------------------------------------------------------
rm -f out/*
cp keep.nst out/x.nst
run 2 "resume without a file" resume
says "no checkpoint is named"
run 2 "resume with a picture too few" resume out/x.nst in/c.jpg
says "expected none or the content and 1 style"
for other in "--style-weight 3" "-s 65" "-n 61" "--seed 7" "--style-layers conv1_1" "--preset gatys" "--init random"; do
    run 2 "resume $other" resume out/x.nst $other
    says "would paint another picture"
done
run 1 "a picture is no checkpoint" resume in/c.jpg
says "in/c.jpg: is not a checkpoint of nst"
run 1 "none at all" resume out/none.nst
head -c 3000 keep.nst >out/cut.nst
run 1 "half a checkpoint" resume out/cut.nst
says "the checkpoint is damaged"
printf x | dd of=out/cut.nst bs=1 seek=2000 conv=notrunc 2>/dev/null
run 1 "a changed one" resume out/cut.nst
cp in/s.jpg in/c2.jpg
mv in/c.jpg in/c1.jpg
run 1 "the content picture is gone" resume out/x.nst -q
cp in/s.jpg in/c.jpg
run 2 "the content picture is another" resume out/x.nst -q
says "the content picture is not the one"
mv in/c1.jpg in/c.jpg
check "  the checkpoint is as it was" cmp out/x.nst keep.nst
check "  no picture" test "$(ls out | tr '\n' ' ')" = "cut.nst x.nst "
run 1 "--checkpoint onto a picture" -q -s 64 -n 1 -o out/a.png --checkpoint in/c2.jpg in/c.jpg in/s.jpg
says "is not a checkpoint; it is not replaced"
run 1 "--checkpoint onto an input" -q -s 64 -n 1 -o out/a.png --checkpoint in/c.jpg in/c.jpg in/s.jpg
run 2 "--checkpoint onto the result" -q -s 64 -n 1 -o out/a.png --checkpoint out/a.png in/c.jpg in/s.jpg
run 1 "--checkpoint into no folder" -q -s 64 -n 1 -o out/a.png --checkpoint none/x.nst in/c.jpg in/s.jpg
run 2 "--checkpoint-every alone" -q -s 64 -n 1 -o out/a.png --checkpoint-every 5 in/c.jpg in/s.jpg
check "  no picture" test "$(ls out | tr '\n' ' ')" = "cut.nst x.nst "

# a disk that is full is said, and the picture is kept: no file may be longer than 20 KiB, and a checkpoint is
cat >full_disk <<end
#!/bin/bash
trap '' XFSZ
ulimit -f 20
exec "$NST" "\$@"
end
chmod +x full_disk
NST=./full_disk interrupted INT 3 $tiny -s 64 --scales 2 -n 100 -o out/a.png --checkpoint out/full.nst
says "out/full.nst: cannot write: File too large"
check "  the picture so far is kept" test -s out/a.png
check "  and no half checkpoint" test ! -e out/full.nst

# a device is no place for a checkpoint: a run that ends removes its checkpoint
if mknod out/device c 1 3 2>/dev/null; then
    run 1 "--checkpoint onto a device" -q $tiny -s 64 -n 1 -o out/a.png --checkpoint out/device in/c.jpg in/s.jpg
    says "is a pipe or a device; name a file"
    check "  it is still there" test -c out/device
    rm -f out/device
fi
finish
