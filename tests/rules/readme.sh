#!/bin/sh
# readme.sh: nst accepts the README's examples as written; what README.md and the other documentation link to exists.
. "${SRCDIR:-.}/tests/support/lib.sh"
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
for page in README.md CONTRIBUTING.md HACKING.md docs/*.md tests/README.md; do
    for f in $(grep -o '](\([^):]*\))' "$page" | tr -d '()]' | sed 's/#.*//' | sort -u); do
        check "$page: $f is there" test -e "$(dirname "$page")/$f"
    done
done
finish
