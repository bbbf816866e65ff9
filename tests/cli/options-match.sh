#!/bin/sh
# options-match.sh: the program's options and commands, its help, the man page and the three shells' completions name
# the same things.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
page() { if [ -f "$1" ]; then echo "$1"; else echo "$SRCDIR/$1"; fi; }

# What most people need fits a screen, and is a part of the whole.
names() { sed -n 's/^ .*--\([a-z-]*\).*/\1/p' | sed 's/ .*//' | sort; }
"$NST" --help >"$dir/short" || not_ok "--help fails"
"$NST" help all >"$dir/help" || not_ok "help all fails"
names <"$dir/short" >"$dir/common"
names <"$dir/help" >"$dir/names"
check "help all lists options" test "$(wc -l <"$dir/names")" -gt 30
check "help lists some of them" test "$(wc -l <"$dir/common")" -gt 12
check "  and no others" test -z "$(comm -23 "$dir/common" "$dir/names")"
check "help fits 80 columns" sh -c "! cat '$dir/short' '$dir/help' | grep -q '.\{81\}'"
check "help fits 43 lines" test "$(wc -l <"$dir/short")" -le 43

# The table itself: a row is { "name", letter, ...
sed -n "s/^    { \"\([a-z-]*\)\", \('.'\|0\),.*/\1/p" "$SRCDIR/src/cli/options.c" | sort >"$dir/table"
check "help all and table agree" diff "$dir/table" "$dir/names"

sed -n '/^\.TP$/{n;p;}' "$(page nst.1)" |
    sed -n 's/^\(\\fB\\-.\\fR, \)\{0,1\}\\fB\\-\\-\([a-z\\-]*\)\\fR.*/\2/p' | tr -d '\\' | sort >"$dir/man"
check "man page and table agree" diff "$dir/table" "$dir/man"
grep -o -- '--[a-z-]*' "$(page completions/nst)" | sed 's/--//' | grep . | sort -u >"$dir/bash"
check "bash completion and table agree" diff "$dir/table" "$dir/bash"
sed -n "s/^    '.*--\([a-z-]*\)[=[)'].*/\1/p; s/^    '--\([a-z-]*\).*/\1/p" "$(page completions/_nst)" |
    sort -u >"$dir/zsh"
check "zsh completion and table agree" diff "$dir/table" "$dir/zsh"
sed -n 's/.* -l \([a-z-]*\).*/\1/p' "$(page completions/nst.fish)" | sort >"$dir/fish"
check "fish completion and table agree" diff "$dir/table" "$dir/fish"

# Commands: the table's rows, the two helps, the man page, the completions; each says more about itself.
commands=$(sed -n 's/^COMMAND("\([a-z]*\)".*/\1/p' "$SRCDIR/src/cli/commands.inc")
check "there are commands" test "$(echo "$commands" | wc -l)" -ge 3
for c in $commands; do
    check "help lists $c" grep -q "^  nst $c  " "$dir/short"
    check "help all lists $c" grep -q "^  nst $c  " "$dir/help"
    check "nst help $c" sh -c "'$NST' help $c | grep -qE '^Usage: nst $c( |$)'"
    check "nst $c --help" sh -c "'$NST' $c --help | grep -qE '^Usage: nst $c( |$)'"
    check "man page tells of $c" grep -q "^.fBnst $c.fR" "$(page nst.1)"
    check "bash completion knows $c" grep -q "CWORD == 1.*[' ]$c[' ]" "$(page completions/nst)"
    check "zsh completion knows $c" grep -q "commands:command.*[( ]$c\\\\:" "$(page completions/_nst)"
    check "fish completion knows $c" grep -q "use_subcommand -a $c " "$(page completions/nst.fish)"
done
check "commands listed are those of the table" test "$(sed -n 's/^  nst \([a-z]*\)  .*/\1/p' "$dir/help")" = "$commands"

# Every option is known: one that takes a value misses it, by name.
while read -r name; do
    case $name in
    damaged | keep-existing | no-browser | quiet | verbose | preview | web | dry-run | half | json | version | help | \
        interpolate)
        continue ;;
    esac
    "$NST" "--$name" 2>&1 | grep -q -- "--$name: its value is missing" || not_ok "--$name without a value"
done <"$dir/names"
ok "options without their value"
while read -r name; do
    "$NST" help "$name" | grep -q -- "--$name" || not_ok "nst help $name"
done <"$dir/names"
ok "nst help OPTION"

# Words that the table lists are those that the library knows.
"$NST" --preset list | sed 's/ .*//' >"$dir/presets"
sed -n "s/^ *--preset|-p).*-W '\([^']*\)'.*/\1/p" "$(page completions/nst)" | tr ' ' '\n' |
    grep -v '^list$' >"$dir/words"
check "presets of table and library agree" diff "$dir/presets" "$dir/words"
while read -r name; do
    "$NST" help "$name" | grep -q "^--preset $name\$" || not_ok "nst help $name"
    tr -d '\\' <"$(page nst.1)" | grep -q "^fB${name}fR\$" || not_ok "man page tells of preset $name"
done <"$dir/presets"
ok "presets are documented"
for set in $("$NST" --version | sed -n 's/^kernels: //p' | sed 's/;.*//; s/([^)]*)//g'); do
    check "--simd knows $set" sh -c "grep 'scalar avx2' '$SRCDIR/src/cli/options.c' | grep -qw $set"
done
finish
