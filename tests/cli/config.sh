#!/bin/bash
# config.sh: options from a file: who wins over whom, own presets, and what a wrong file is told: file, line, column.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
cd "$dir" || exit 99
mkdir -p config/nst out
file=config/nst/config
content=$SRCDIR/data/content.jpg style=$SRCDIR/data/style.jpg

if "$NST" --version | grep -q 'no inih'; then
    "$NST" --dry-run "$content" "$style" >/dev/null || not_ok "no file, no inih"
    echo "size = 64" >$file
    "$NST" --dry-run "$content" "$style" >/dev/null 2>stderr
    check "without inih a file is refused" sh -c "test $? = 1 && grep -q 'made without inih' stderr"
    "$NST" --config none --dry-run "$content" "$style" >/dev/null
    check "  and --config none does without" test $? = 0
    finish
fi

# settings ARGUMENTS...: the run's own account of its settings, from a picture's comment
settings() {
    "$NST" -q -n 1 --scales 1 -o out/x.png "$@" "$content" "$style" || return 1
    grep -ao 'nst [0-9.]* ([ -~]*' out/x.png | head -n 1
}
has() { # NAME TEXT ARGUMENTS...
    name=$1 text=$2
    shift 2
    got=$(settings "$@")
    case " $got " in *" $text "*) ok "$name" ;; *) not_ok "$name: expected $text in: $got" ;; esac
}

cat >$file <<'END'
# what I like
size = 48     ; small
  style-weight=3
quiet = yes

[preset mine]
style-weight = 4
color-strength = .5
[preset finer]
preset = mine
style-scale = 0.5
[preset article]
preset = opengenus
optimizer = lbfgs
END
has "the file's values" "--size 48"
has "an indented line is a line" "--style-weight 3"
has "what it does not say is the preset's" "--preset nst"
has "the command line wins over it" "--size 64" -s 64
has "it wins over a preset" "--size 48" -p gatys
has "a section is a preset" "--color-strength 0.5" -p mine
has "  which wins over the file" "--style-weight 4" -p mine
has "  with the file below it" "--size 48" -p mine
has "  and the command line above it" "--style-weight 5" -p mine --style-weight 5
has "a section inherits a section" "--style-weight 4" -p finer
has "  and has its own" "--style-scale 0.5" -p finer
has "a section inherits a preset" "--preset opengenus" -p article
has "  whose step length is not for another optimiser" "--learning-rate 0" -p article
has "--config none" "--style-weight 7" --config none -s 48
printf 'preset = gatys\nsize = 44\nscales = 1' >other
has "--config FILE: the preset is there" "--preset gatys" --config other
has "  and not the user's own file" "--size 44" --config other
check "presets are listed with the program's" \
    sh -c "'$NST' --preset list | grep -q '^finer  *mine, with changes from $dir/config/nst/config'"
printf '\xef\xbb\xbfsize = 44\r\nquiet = on\r\n' >other
has "a file from another system" "--size 44" --config other

"$NST" -q --log "$file" -o out/x.png "$content" "$style" 2>stderr
check "a log in place of the user's own file: status 1" \
    sh -c "test $? = 1 && grep -q 'is an input of this run' stderr && grep -q '^\[preset' '$file'"

# refused LINE:COLUMN TEXT CONTENT: status 1, the place and the sentence, and nothing is painted
refused() {
    printf "$3" >bad
    rm -f out/x.png
    "$NST" --config bad -o out/x.png "$content" "$style" >/dev/null 2>stderr
    got=$?
    if [ $got = 1 ] && [ "$(wc -l <stderr)" = 1 ] && grep -q -- "^nst: bad:$1: .*$2" stderr && [ ! -e out/x.png ]; then
        ok "refused: $2"
    else
        not_ok "refused at $1: $2, but status $got: $(cat stderr)"
    fi
}
refused 2:1 'unknown option "stlye-weight", did you mean style-weight?' 'size = 48\nstlye-weight = 3\n'
refused 1:3 'unknown option "bananas"; nst help all' '  bananas = 3\n'
refused 1:8 'size: "5I2" is not a whole number from 32' 'size = 5I2\n'
refused 3:16 'optimizer: "sgd" is not adam or lbfgs' '\n[preset a]\n  optimizer =  sgd\n'
refused 1:9 'quiet: "maybe" is neither yes nor no' 'quiet = maybe\n'
refused 1:7 'size: its value is empty' 'size =\n'
refused 2:1 'expected NAME = VALUE' 'quiet = yes\nsize 48\n'
refused 1:1 'expected NAME = VALUE' 'size\nquiet = bananas\n'
refused 1:1 'expected .preset NAME' '[presets]\n'
refused 1:1 'expected .preset NAME' '[preset]\n'
refused 2:1 'preset "gatys": the program has one' 'quiet = yes\n[preset gatys]\n'
refused 2:1 'preset "a": is there already' '[preset a]\n[preset a]\n'
refused 1:1 'help: has a meaning on the command line only' 'help = yes\n'
refused 1:1 'the line has more than' "log = $(printf %0300d 1)\n"
refused 1:14 'size: "large" is not' 'size:        large ; ä\n'
refused 3:13 'init-noise: "7" is not a number' '# äöü\n; x\ninit-noise= 7\n'
refused 2:10 'preset b inherits itself' '[preset b]\npreset = a\n[preset a]\npreset = b\n'
refused 2:10 'preset a inherits "c", which is unknown' '[preset a]\npreset = c\n'
refused 2:10 'preset: "gatis" is unknown, see nst --preset list' 'size = 48\npreset = gatis\n'
mkdir -p pipe/nst folder/nst/config
mkfifo pipe/nst/config
for what in pipe folder; do
    XDG_CONFIG_HOME=$dir/$what timeout 100 "$NST" --dry-run "$content" "$style" >/dev/null 2>stderr
    check "a $what in place of the user's own file is left out" \
        sh -c "test $? = 0 && grep -q '^nst: .*/$what/nst/config: not a file; its options are left out' stderr"
done
"$NST" --config absent "$content" "$style" 2>stderr
check "a file that is not there: status 1" sh -c "test $? = 1 && grep -q '^nst: absent: ' stderr"
"$NST" --config out "$content" "$style" 2>stderr
check "a folder: status 1" sh -c "test $? = 1 && grep -q '^nst: out: ' stderr"
"$NST" -p van-gogh "$content" "$style" 2>stderr
check "an unknown preset: status 2" sh -c "test $? = 2 && grep -q 'preset list' stderr"
echo 'nonsense' >$file
check "--help and --version do not need the file" sh -c "'$NST' --help >/dev/null && '$NST' --version >/dev/null"
"$NST" --stlye-weight 3 a b 2>stderr
check "the command line is told the nearest name, too" grep -q 'did you mean --style-weight?' stderr
finish
