#!/bin/sh
# calls.sh: finds circles of calls between source files, by the names in their object files: a file that needs another
# should not be needed by it.  Prints each circle.  Those that there still are stand below, and are to be cut.
. "${SRCDIR:-.}/tests/support/lib.sh"
nm=${NM:-nm}
command -v "${nm%% *}" >/dev/null || { echo "skipped: there is no nm to read object files with"; exit 77; }

# A circle a line.  It may lose files, but gain none.
cat >"$dir/known" <<'LIST'
LIST

# "FILE OBJECT".  libtool has up to two objects for a file, of which one will do; an object without its file is an older
# build's.
(cd "$SRCDIR" && find src opencl -name '*.c') >"$dir/files"
find src opencl -name '*.o' 2>/dev/null | awk '
    FILENAME == ARGV[1] { there[$0] = 1; next }
    {
        f = $0
        sub(/\.libs\//, "", f)
        n = split(f, part, "/")
        name = part[n]
        sub(/^.*-/, "", name); sub(/\.o$/, ".c", name)
        f = substr(f, 1, length(f) - length(part[n])) name
        if (f in there && !seen[f]++) print $0
    }' "$dir/files" - >"$dir/objects"
[ -s "$dir/objects" ] || { echo "skipped: no object files here; make first"; exit 77; }
xargs $nm -A -P -g <"$dir/objects" >"$dir/symbols" 2>/dev/null
grep -q ' T ' "$dir/symbols" || { echo "skipped: $nm finds no names in these object files"; exit 77; }

# Lines "OBJECT: NAME TYPE ...": U is needed, small letters are weak.  A circle: files that reach each other.
awk '
    FILENAME == ARGV[1] { known[++n_known] = " " $0 " "; next }
    {
        f = $1
        sub(/:$/, "", f); sub(/^src\//, "", f); sub(/\.libs\//, "", f)
        n = split(f, part, "/")
        name = part[n]
        sub(/^.*-/, "", name); sub(/\.o$/, "", name)
        f = substr(f, 1, length(f) - length(part[n])) name
        if ($3 == "U") { user[++uses] = f; used[uses] = $2 } else if ($3 ~ /^[A-Z]$/) home[$2] = f
    }
    function reach(from, f,    i) {
        for (i = 1; i <= degree[f]; i++)
            if (!((from, target[f, i]) in reached)) { reached[from, target[f, i]] = 1; reach(from, target[f, i]) }
    }
    END {
        for (i = 1; i <= uses; i++) {
            f = user[i]; g = home[used[i]]
            if (g == "" || g == f) continue
            if (!((f, g) in by)) target[f, ++degree[f]] = g
            by[f, g] = by[f, g] " " used[i]
            if (!callers[f]++) file[++files] = f
        }
        for (i = 1; i <= files; i++) reach(file[i], file[i])
        for (i = 1; i <= files; i++) {
            f = file[i]
            if (f in done || !((f, f) in reached)) continue
            row = ""; m = 0
            for (j = i; j <= files; j++)
                if (((f, file[j]) in reached) && ((file[j], f) in reached)) {
                    member[++m] = file[j]; done[file[j]] = 1; row = row " " file[j]
                }
            fits = 0
            for (k = 1; k <= n_known && !fits; k++) {
                fits = 1
                for (j = 1; j <= m; j++) if (!index(known[k], " " member[j] " ")) fits = 0
            }
            print (fits ? "known circle:" : "not ok - new circle:") row
            if (fits) { old++; continue }
            new++
            for (j = 1; j <= m; j++)
                for (k = 1; k <= m; k++)
                    if ((member[j], member[k]) in by)
                        print "    " member[j] " calls " member[k] ":" by[member[j], member[k]]
        }
        if (!new) print "ok - no new circle of calls between " files " files, " old + 0 " old ones"
        exit new > 0
    }' "$dir/known" "$dir/symbols" || broken=1
finish
