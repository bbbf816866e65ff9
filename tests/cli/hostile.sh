#!/bin/bash
# hostile.sh: files that were made to do harm, and surroundings that do: for each the exit status, the sentence, and
# that nothing is left behind or taken away; and whatever happens, a picture that was painted is somewhere.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
helper=$PWD/tests/cli/test_hostile
cd "$dir" || exit 99
mkdir in home away
HOME=$dir/home TMPDIR=$dir/away; export HOME TMPDIR # where paintings are rescued
cp "$SRCDIR/tests/data/golden/content-67x51.png" in/c.png &&
    cp "$SRCDIR/tests/data/golden/style-67x51.png" in/s.png || exit 77
cp "$SRCDIR/tests/data/golden/tiny.safetensors" in/m || exit 77
C=$dir/in/c.png S=$dir/in/s.png M=$dir/in/m
slow="--model $M -s 48 --scales 1" fast="-q --model $M -s 48 --scales 1 -n 2"
cases=$SRCDIR/tests/data/hostile

state() { (cd t && ls -A && find . -type f | sort | xargs -d '\n' cat | cksum); }
# try STATUS NAME WORDS ARGUMENTS...: nst in a folder of its own, t, which stays as it is; says these words (of grep)
try() {
    before=$(state)
    status=$1 words=$3
    shift
    (cd t && "$NST" "${@:3}" >../stdout 2>../stderr)
    got=$?
    if [ $got != "$status" ] || { [ -n "$words" ] && ! grep -qa -- "$words" stderr; }; then
        not_ok "$1: status $got, expected $status and \"$words\": $(head -n 3 stderr | cat -v)"
    elif [ "$(state)" != "$before" ]; then
        not_ok "$1: the folder is changed: $(ls -lA t)"
    elif LC_ALL=C grep -qa '[[:cntrl:]]' stdout stderr; then
        not_ok "$1: control characters: $(cat -v stdout stderr)"
    else
        ok "$1"
    fi
}
heard() { for ((i = 0; i < 1200; i++)); do grep -q "$1" ../stderr && break; sleep .05; done; }
logged() { for ((i = 0; i < 1200; i++)); do [ -s t/l ] && break; sleep .05; done; }
fresh() { rm -rf t && mkdir t; }
rescued() { # WHERE: the painting is there, whole, and nowhere else
    check "  the picture is kept, whole" "$NST" --dry-run -q --model "$M" -s native "$1"/nst-*/painting.png "$S" >stdout
    rm -rf "$1"/nst-*
}
# A process that is started in the background with its own group, so that signals reach it; python's pipes are no
# shell's.
interrupt() { # SIGNAL SECONDS COMMAND: as from a terminal, to all of a pipeline
    python3 - "$@" <<'END'
import os, signal, subprocess, sys, time
p = subprocess.Popen(['bash', '-c', sys.argv[3]], start_new_session=True)
for i in range(600):
    if os.path.exists('t/l') and os.path.getsize('t/l') > 0: break
    time.sleep(.05)
time.sleep(float(sys.argv[2]))
os.killpg(p.pid, getattr(signal, 'SIG' + sys.argv[1]))
p.wait(60)
END
}

# ---- checkpoints that somebody else made -----------------------------------------------------------------------------
note() { rm -f t/k; "$helper" t/k "$C" "$S" "$M" "$1"; }
if [ -x "$helper" ]; then
    fresh
    seq 1000 >t/notes.txt; cp in/s.png t/holiday.png
    base="nst\n--model=$M"
    note "$base\n--output=$dir/t/holiday.png\n$C\n$S\n"
    try 1 "a checkpoint that names a picture of the user's" \
        'holiday.png is there already and not what this painting left' resume k
    note "$base\n--output=$dir/t/new.png\n--log=$dir/t/notes.txt\n$C\n$S\n"
    try 1 "one that names a file of the user's as its log" 'notes.txt is not the log of a painting' resume k
    note "$base\n--output=$dir/t/new.png\n--log=$dir/t/notes.txt\n$S\n$C\n"
    try 2 "a log of the user's own choice is not touched before all is checked" 'the content picture is not the one' \
        resume -q k --log notes.txt
    note "$base\n--output=$dir/t/new.png\n--web-host=0.0.0.0\n$C\n$S\n"
    try 1 "one that opens a page to everybody" '"--web-host=0.0.0.0" in the checkpoint.s command line is nothing' \
        resume k
    note "$base\n-o$dir/t/notes.txt\n$C\n$S\n"
    try 1 "one with another kind of word" 'is nothing that nst wrote' resume k
    note "$base\n--output=$dir/t/new.png\nmade 0 0 0 0\n--quiet\n$C\n$S\n"
    try 1 "one with an option that is not a painting's" '"--quiet" in the checkpoint' resume k
    note "nst\n\x65532"
    try 1 "a note of 65536 bytes without an end" 'is nothing that nst wrote' resume k
    note "nst\n--output=$dir/t/new.png\n--log=$dir/t/new.log\n$dir/gone/c.png\n$dir/gone/s.png\n"
    try 2 "moved pictures, one too few" 'are 1 picture, expected none or the content and 1 style' resume k "$C"
    (cd t && "$NST" resume -q k "$C" "$S" --model "$M" 2>../stderr)
    check "pictures that were moved: their new places" test $? = 0 -a -s t/new.png -a -s t/new.log -a ! -e t/k
    check "  and nothing else has changed" sh -c "seq 1000 | cmp -s - t/notes.txt && cmp -s t/holiday.png in/s.png"
else
    echo "no tests/cli/test_hostile here: no forged checkpoints"
fi
fresh
seq 5000 >t/notes.txt
interrupt INT 0 "cd t && exec '$NST' -q --model '$M' -s 48 --scales 1 -n 1000000 --log l -o x.png --checkpoint k \
    '$C' '$S'"
check "an interrupted painting has its picture and checkpoint" test -s t/x.png -a -s t/k
cp t/k k; cp t/x.png x.png
echo more >>t/x.png
try 1 "its picture has been changed since" 'x.png is there already and not what' resume k
cp -p x.png t/x.png
try 1 "its picture is a copy" 'x.png is there already and not what' resume k
try 2 "its checkpoint as the log" 'log.* k is where\|checkpoint: k is where the log goes' resume k -o y.png --log k

# ---- terminal escapes ------------------------------------------------------------------------------------------------
fresh
case $("$NST" --version) in
*"no libzip"*) ;;
*) for f in escape-zip escape-zip2; do # a wrong checksum; packed; libzip 1.7 does not even find such names
       try 1 "escapes in an archive: $f" '\\x1b\]0;PWNED\\x07' model info "$cases/$f.pth"
   done ;;
esac
esc=$(printf 'a\033]0;P\007\302\233m\377b.png')
try 1 "escapes in a file's name" 'a\\x1b\]0;P\\x07\\xc2\\x9bm\\xffb.png: cannot open' $fast -o x.png "$esc" "$S"
try 2 "escapes in an option's value" '\\x1b' $fast --color "$esc" "$C" "$S"
try 1 "escapes in a model's name" '\\x1b' --model "$esc" -q -o x.png "$C" "$S"
try 2 "escapes in a command" '\\x1b' model list "$esc"
cp "$C" "t/$esc"
try 0 "escapes in what is said of a run" '' --model "$M" -s 48 --dry-run "$esc" "$S"
try 0 "  of a batch" '' batch --dry-run "$esc" -- "$S"
umlaut=$(printf 'Gr\303\274n \346\227\245.png')
cp "$C" "t/$umlaut"
(cd t && "$NST" --model "$M" -s 48 --dry-run "$umlaut" "$S" >../stdout)
check "letters of all languages stay as they are" grep -q "^result: ${umlaut%.png}-s.png" stdout

# ---- little room for the stack ---------------------------------------------------------------------------------------
if ! grep -qa __asan_init "$NST"; then # it took 88 KB; 64 do where few variables are in the environment
    (ulimit -s 72; "$NST" -q -j 2 --model "$M" -s 48 -n 1 --checkpoint t/k.nst -o t/o.png "$C" "$S" 2>stderr)
    check "a stack of 72 KB" test $? = 0
fi

# ---- pictures that take memory or time -------------------------------------------------------------------------------
if command -v python3 >/dev/null; then
    fresh
    python3 - t/b.png <<'END'
import struct, sys, zlib
def chunk(t, d): return struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
z = zlib.compress(b'A' * 7900000, 9)
open(sys.argv[1], 'wb').write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 64, 64, 8, 2, 0, 0, 0)) +
    b''.join(chunk(b'zTXt', b'Comment%d' % i + b'\0\0' + z) for i in range(200)) +
    chunk(b'IDAT', zlib.compress((b'\0' + bytes(range(3)) * 64) * 64)) + chunk(b'IEND', b''))
END
    grep -qa __asan_init "$NST" && most=2000 || most=500 # without them it takes 60
    took=$(python3 -c 'import resource as r, subprocess, sys
print(subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL), r.getrusage(r.RUSAGE_CHILDREN).ru_maxrss // 1024)' \
        "$NST" -j 1 --model "$M" -s 48 --dry-run t/b.png "$S")
    check "200 texts of 8 MB in a PNG of 1.5 MB are not all kept" test "${took% *}" = 0 -a "${took#* }" -lt $most
fi

# Sizes are told, and refused, by a file's first bytes
fresh
printf 'P5 30000 30000 255\n' >t/huge.pgm; truncate -s 900000019 t/huge.pgm # of holes
printf 'P5 3000 60 255\n' >t/strip.pgm; head -c 180000 /dev/zero >>t/strip.pgm
printf 'P5 20 300 255\n' >t/narrow.pgm; head -c 6000 /dev/zero >>t/narrow.pgm
sizes() { # NAME WORDS ARGUMENTS...
    (cd t && exec "$NST" -q --model "$M" -o x.png "${@:3}" 2>../stderr)
    check "$1: status 1 or 2" test $? = 1 -o $? = 2
    says "$2"
}
began=$SECONDS
sizes "900 megapixels" 'huge.pgm: 30000 x 30000 pixels take 11 GB, more than the .* that a painting has room for' \
    --memory 2G -s native huge.pgm "$S"
check "  said before they are read" test $((SECONDS - began)) -le 5
sizes "too little memory" \
    'pixels: .* are too few, expected .* or more; --size [0-9]* fits' --memory 100M -s 4000 "$C" "$S"
fits=$(sed -n 's/.*--size \([0-9]*\) fits$/\1/p' stderr)
"$NST" -q --model "$M" --memory 100M --dry-run -s "$fits" "$C" "$S"
check "  that size does" test $? = 0
"$NST" -q --model "$M" --memory 100M --dry-run -s $((fits + 32)) "$C" "$S" 2>/dev/null
check "  and one that is larger does not" test $? = 1
# Processor time: it took 11 s while each plan measured thousands of strips, and timed a picture where it fitted.
(ulimit -t 8; "$NST" -q --model "$M" --memory 300M --dry-run -s 20000 "$C" "$S" 2>stderr)
check "  said soon of a size that is far too large" grep -q -- '--size [0-9]* fits' stderr
sizes "too little for anything" 'are too few, expected .* or more; no smaller --size fits' --memory 1M -s 400 "$C" "$S"
sizes "a strip" '3000 x 60 pixels become 512 x 10, which is too small, .*--size 1600 would do' -s 512 strip.pgm "$S"
(cd t && "$NST" --model "$M" --dry-run -s 1600 strip.pgm "$S" >../stdout)
check "  and that size does" test $? = 0
sizes "a picture that no size makes large enough" \
    '20 x 300 pixels is too small, expected 32 or more' -s native narrow.pgm "$S"
rm t/huge.pgm

# Damaged pictures are read where that is asked for
head -c 5500 "$C" >t/cut.png
sizes "a picture that is cut" \
    'cut.png: truncated; --damaged reads what is there' -s 96 cut.png "$S"
(cd t && "$NST" --model "$M" -s 96 --damaged --dry-run cut.png "$S" >../stdout 2>../stderr)
check "  with --damaged" test $? = 0
says 'cut.png: damaged, [0-9]* of 51 rows could be read'
try 2 "a result in a format that is only read" 'x.bmp: nst reads but does not write BMP, expected a name that ends in' \
    $fast -o x.bmp "$C" "$S"

# ---- temporary files -------------------------------------------------------------------------------------------------
fresh
for i in $(seq 0 9); do touch t/.nst-$$-$i.tmp; done
touch -d '2 hours ago' t/.nst-old.tmp t/.nst-held.tmp t/nst-old.tmp
mkdir t/.nst-folder.tmp
(flock 9; cd t && exec "$NST" $fast -o x.png "$C" "$S") 9>>t/.nst-held.tmp
touch -d '2 hours ago' t/.nst-held.tmp
check "names that are taken are no hindrance" test -s t/x.png
check "  what a dead run left an hour ago is gone, nothing else" test \
    "$(cd t && ls -Ad .nst-old.tmp nst-old.tmp .nst-folder.tmp .nst-$$-9.tmp 2>/dev/null | tr '\n' ' ')" = \
    ".nst-$$-9.tmp .nst-folder.tmp nst-old.tmp "
fresh
(cd t && exec "$NST" $fast -o x.png "$C" "$S")
check "a picture is written without any other name" test "$(ls -A t)" = x.png

# ---- pipes, terminals and files that give way ------------------------------------------------------------------------
fresh
mkfifo t/f.ppm
(head -c 10 t/f.ppm >/dev/null &)
(cd t && "$NST" $fast -s 256 -n 1 -o f.ppm "$C" "$S" 2>../stderr)
check "a named pipe whose reader goes: status 1" test $? = 1
says 'f.ppm: cannot write: Broken pipe; the picture is kept as'
rescued away
(cd t; "$NST" $slow -n 2 -o f.ppm "$C" "$S" 2>../stderr & pid=$!; heard 'waits for somebody to read';
    kill -TERM $pid; wait $pid)
check "a pipe that nobody reads, and SIGTERM: ended by it" test $? = 143
says 'f.ppm: nobody reads this pipe; the picture is kept as'
rescued away
(cd t; "$NST" $slow -n 2 -o f.ppm "$C" "$S" 2>../stderr & heard 'waits for somebody to read'; cat f.ppm >../got.ppm;
    wait $!)
check "a pipe whose reader comes late gets the picture" \
    sh -c "cd t && '$NST' $fast -o x.ppm '$C' '$S' && cmp x.ppm ../got.ppm"
try 1 "a pipe for the checkpoint" 'f.ppm is a pipe or a device; name a file' $fast --checkpoint f.ppm \
    -o y.png "$C" "$S"
fresh
(cd t && "$NST" --model "$M" -s 48 --scales 1 -n 3 --log l -o o.png "$C" "$S" 2>&-)
check "standard error is closed: the picture is there" test $? = 0 -a -s t/o.png
check "  and nothing but lines of the log in it" test "$(grep -vc '^{"iteration"' t/l) $(wc -l <t/l)" = "0 3"
(cd t && "$NST" $fast -o - "$C" "$S" >&- 2>../stderr <&-)
check "standard output is closed: status 1" test $? = 1
says 'standard output: cannot write: .*; the picture is kept as'
rescued away
fresh
interrupt INT .2 "{ cd t && '$NST' --model '$M' -s 48 --scales 1 -n 1000000 --log l -o x.png '$C' '$S'; echo \$? >s; } \
    2>&1 | cat >/dev/null"
check "Ctrl-C to a whole pipeline: the picture so far is kept" test -s t/x.png
fresh
(cd t && { "$NST" --verbose --model "$M" -s 48 --scales 1 -n 300 -o x.png "$C" "$S"; echo $? >s; } 2>&1 |
    head -n 2 >/dev/null)
check "messages into head: the picture is painted" test "$(cat t/s)" = 0 -a -s t/x.png
fresh
(cd t && ulimit -f 1 && "$NST" -q --model "$M" -s 400 --scales 1 -n 1 --log l -o x.ppm "$C" "$S" 2>../stderr)
check "files that may not grow: status 1, no signal" test $? = 1
says 'x.ppm: cannot write: File too large'
check "  nothing half-written" test "$(ls -A t)$(ls -A away home | grep -v ':$')" = l
fresh
(cd t && ulimit -St 1 && "$NST" $slow -n 1000000 -o x.png "$C" "$S" 2>../stderr)
check "a limit of processor time: ended by its signal, with the picture so far" test $? = 152 -a -s t/x.png
if [ "$(id -u)" = 0 ] && fresh && echo old >t/x.png && chown 65533:65532 t/x.png 2>/dev/null && chmod 640 t/x.png; then
    (cd t && "$NST" $fast -o x.png "$C" "$S")
    check "root replaces another's file: it stays theirs" test "$(stat -c '%u %g %a' t/x.png)" = "65533 65532 640"
fi

# ---- names -----------------------------------------------------------------------------------------------------------
fresh
long=$(printf '%0250d' 0)
try 2 "a result's name of 255 bytes and more" '0\.\.\.: a file.s name of 256 bytes, expected at most 255' $fast \
    -o "${long}00.png" "$C" "$S"
try 2 "  with its number it would be longer" 'a file.s name of 259 bytes' $fast --save-every 1 -o "$long.png" "$C" "$S"
try 2 "  a log" 'a file.s name of 260 bytes' $fast --log "${long}0000000000" -o x.png "$C" "$S"
try 2 "  a checkpoint" 'a file.s name of 260 bytes' $fast --checkpoint "${long}0000000000" -o x.png "$C" "$S"
umlauts=$(printf '\303\274%.0s' $(seq 120))
cp "$C" "t/$umlauts.png"; cp "$S" "t/$long.png"
(cd t && "$NST" $fast "$umlauts.png" "$long.png" 2>../stderr)
check "long names of inputs: status 0" test $? = 0
check "  the result's is shortened, between two letters" \
    sh -c "cd t && ls | grep -qx '$(printf '\303\274%.0s' $(seq 58))-0\{118\}.png'"
mkdir t/in t/out; mv "t/$umlauts.png" t/in; cp "$C" t/in/short.png; rm t/*-0*.png
(cd t && "$NST" batch $fast --output-dir out --name '{content}{content}.png' in -- "$S" 2>../stderr)
check "a batch with one name that is too long: status 1" test $? = 1
check "  paints the others" test "$(ls t/out)" = shortshort.png
(cd t && "$NST" batch $fast --output-dir out in -- "$long.png" 2>../stderr)
check "  shortens the names that it makes" test $? = 0 -a "$(ls t/out | wc -l)" = 3
mkdir t/gone
"$NST" -q $slow -n 1000000 --log t/l -o "t/gone/$long.png" "$C" "$S" 2>stderr & pid=$!
logged; rm -r t/gone; kill -TERM $pid; wait $pid
check "a long name whose folder vanishes: said" grep -q 'the picture is kept as .*/away/nst-[^/]*/painting.png' stderr
rescued away
for where in home .; do
    mkdir t/gone; rm -f t/l
    [ $where = home ] && nobody=$HOME || nobody=$dir/none
    (cd t && TMPDIR=$dir/none HOME=$nobody exec "$NST" -q $slow -n 1000000 --log l -o gone/x.jpg "$C" "$S") 2>stderr \
        & pid=$!
    logged; rm -r t/gone; kill -TERM $pid; wait $pid
    [ $where = home ] && rescued home || rescued t
done

# ---- one name for two things -----------------------------------------------------------------------------------------
fresh
cp in/c.png t/c.png
ln -s c.png t/l.png; ln t/c.png t/h.png; ln -s none.png t/d.png; ln -s loop t/loop
try 2 "the log is the result" '--log: z.png is where the result goes' $fast --log z.png -o z.png c.png "$S"
try 2 "  by another path" '--log: ../t/z.png is where the result goes' $fast --log ../t/z.png -o z.png c.png "$S"
try 2 "  by a link that leads nowhere" '--log: d.png is where the result goes' $fast --log d.png -o none.png c.png "$S"
try 2 "the checkpoint is the log" '--checkpoint: k is where the log goes' $fast --log k --checkpoint k \
    -o z.png c.png "$S"
try 2 "the checkpoint is the result" '--checkpoint: ./z.png is where the result goes' $fast --checkpoint ./z.png \
    -o z.png c.png "$S"
for in in c.png l.png h.png ../t/c.png; do
    try 1 "the result is an input: $in" "$in: is an input of this run" $fast -o $in c.png "$S"
    try 1 "the log is" "$in: is an input of this run" $fast --log $in -o z.png c.png "$S"
done
cp "$M" t/m
try 1 "the log is the model" 'm: is an input' -q --model m --log m -o z.png c.png "$S"
try 2 "a link that leads to itself" 'loop\.\.\.: .*a link that leads to itself' $fast --format png -o loop c.png "$S"
(cd t && "$NST" $fast -o d.png c.png "$S")
check "a link that leads nowhere stays one, and its file is made" test -L t/d.png -a -s t/none.png -a ! -L t/none.png

# ---- somebody else's home --------------------------------------------------------------------------------------------
fresh
mkdir -p config/nst; echo 'bananas = 3' >config/nst/config
as=; [ "$(id -u)" != 0 ] || as="setpriv --reuid=65534 --clear-groups --"
chmod 711 "$dir"; chmod 777 t; chmod 755 in; chmod 644 in/*; chmod 700 config; [ -n "$as" ] || chmod 0 config
if $as "$NST" --version >/dev/null 2>&1 && $as test -r "$C"; then
    (cd t && $as "$NST" --model "$M" -s 48 --dry-run "$C" "$S" >../stdout 2>../stderr)
    check "options that may not be read: status 0" test $? = 0
    says 'config/nst/config: Permission denied; its options are left out'
    (cd t && $as "$NST" --config "$dir/config/nst/config" --model "$M" -s 48 --dry-run "$C" "$S" >../stdout 2>../stderr)
    check "  and 1 where they are asked for" test $? = 1
fi
chmod 700 config; rm -r config
mkdir t/a t/b; cp "$C" t/a/x.png; cp "$C" t/b/x.png
try 2 "two results of one name: both are named" 'a/x.png in the style of .*s.png and b/x.png in that of' batch \
    --dry-run a b -- "$S"

# ---- a host program, and a machine, that are not as ours -------------------------------------------------------------
fresh
if [ -x "$helper" ]; then
    mkdir locales
    if command -v localedef >/dev/null && localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 2>/dev/null; then
        localedef -i tr_TR -f ISO-8859-9 locales/tr_TR 2>/dev/null && turkish=tr_TR
        check "a host in German or Turkish: the same numbers, the same pictures" \
            env LOCPATH="$dir/locales" "$helper" locale de_DE.UTF-8 ${turkish-}
    else
        echo "no localedef here, or no sources of locales: nothing is tried in German"
    fi
    began=$SECONDS
    { "$helper" stuck 2>stderr; } 2>/dev/null # the shell's own "Terminated", which looks like a failure
    check "a run that is stuck is ended by its signal after ten seconds" test $? = 143 -a $((SECONDS - began)) -ge 9
    says 'the iteration does not end'
fi
finish
