#!/bin/sh
# options-match.sh: the program's options, its help, the man page and the three shells' completions name the same things.
. "${SRCDIR:-.}/tests/lib.sh"
[ -x "$NST" ] || exit 77
page() { if [ -f "$1" ]; then echo "$1"; else echo "$SRCDIR/$1"; fi; }

"$NST" --help >"$dir/help" || not_ok "--help fails"
sed -n 's/^ .*--\([a-z-]*\).*/\1/p' "$dir/help" | sed 's/ .*//' | sort >"$dir/names"
check "help lists options" test "$(wc -l <"$dir/names")" -gt 30
check "help fits 80 columns" sh -c "! grep -q '.\{81\}' '$dir/help'"
check "help fits 43 lines" test "$(wc -l <"$dir/help")" -le 43

# The table itself: a row is { "name", letter, ...
sed -n "s/^    { \"\([a-z-]*\)\", \('.'\|0\),.*/\1/p" "$SRCDIR/src/options.c" | sort >"$dir/table"
check "help and table agree" diff "$dir/table" "$dir/names"

sed -n '/^\.TP$/{n;p;}' "$(page nst.1)" | sed -n 's/^\(\\fB\\-.\\fR, \)\{0,1\}\\fB\\-\\-\([a-z\\-]*\)\\fR.*/\2/p' | tr -d '\\' | sort >"$dir/man"
check "man page and table agree" diff "$dir/table" "$dir/man"
grep -o -- '--[a-z-]*' "$(page completions/nst)" | sed 's/--//' | grep . | sort -u >"$dir/bash"
check "bash completion and table agree" diff "$dir/table" "$dir/bash"
sed -n "s/^    '.*--\([a-z-]*\)[=[)'].*/\1/p; s/^    '--\([a-z-]*\).*/\1/p" "$(page completions/_nst)" | sort -u >"$dir/zsh"
check "zsh completion and table agree" diff "$dir/table" "$dir/zsh"
sed -n 's/.* -l \([a-z-]*\).*/\1/p' "$(page completions/nst.fish)" | sort >"$dir/fish"
check "fish completion and table agree" diff "$dir/table" "$dir/fish"

# Every option is known: one that takes a value misses it, by name.
while read -r name; do
    case $name in quiet | verbose | dry-run | half | json | version | help) continue ;; esac
    "$NST" "--$name" 2>&1 | grep -q -- "--$name: its value is missing" || not_ok "--$name without a value"
done <"$dir/names"
ok "options without their value"

# Words that the table lists are those that the library knows.
"$NST" --preset list | sed 's/ .*//' >"$dir/presets"
grep -o '"nst opengenus[^"]*"' "$SRCDIR/src/options.c" | tr -d '"' | tr ' ' '\n' | grep -v '^list$' >"$dir/words"
check "presets of table and library agree" diff "$dir/presets" "$dir/words"
for set in $("$NST" --version | sed -n 's/^kernels: //p' | sed 's/;.*//; s/([^)]*)//g'); do
    check "--simd knows $set" sh -c "grep 'scalar avx2' '$SRCDIR/src/options.c' | grep -qw $set"
done
finish
