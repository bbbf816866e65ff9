#!/bin/sh
# readme.sh: the README's examples are understood as written, its pictures are there, and so are the files it speaks of.
. "${SRCDIR:-.}/tests/lib.sh"
[ -x "$NST" ] || exit 77
cd "$SRCDIR" || exit 99
sed -n 's/^    build\/nst /&/p' README.md | sed 's/^ *build\/nst //; s/ *#.*//' >"$dir/examples"
check "there are five examples or more" test "$(wc -l <"$dir/examples")" -ge 5
while read -r line; do
    # The words of a line, as a shell would split them; painted into nowhere.
    if (cd "$SRCDIR" && eval "\"$NST\" --dry-run $line") >/dev/null 2>"$dir/said"; then
        ok "$line"
    else
        not_ok "$line: $(cat "$dir/said")"
    fi
done <"$dir/examples"
for f in $(grep -o '](\([^):]*\))' README.md | tr -d '()]'); do check "$f is there" test -e "$f"; done
finish
