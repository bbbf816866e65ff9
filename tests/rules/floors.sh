#!/bin/sh
# floors.sh: the house's rules, by grep and awk: a folder includes only those below it, some things live in one place,
# lines fit 120 columns, no assignment is inside a condition and no ?: inside another, lists that have to agree do.
. "${SRCDIR:-.}/tests/support/lib.sh"
cd "$SRCDIR" || exit 99

# What the files of a folder, and of the folders in it, may include beside their own folder's and nst.h.
may_include() {
    case $1 in
    simd | base) ;;
    image | model) echo base ;;
    flow) echo base image ;;
    ops) echo base simd ;;
    loss) echo base ops ;;
    net) echo base ops loss model ;;
    opencl) echo base ops loss model net ;; # a device of the net, beside cpu/
    engine) echo base image ops loss model net ;;
    gimp) ;; # a client of the library: only the public header
    nautilus) ;; # nothing of ours: it starts the program
    cli) ;; # a client of the library: only the public header
    *) echo unknown ;;
    esac
}
# FILE INCLUDE: why.  No other file may do what these do.
exceptions='
src/net/choose.c ../opencl/opencl.h: the one door to the graphics cards: it alone asks whether this build has them
src/cli/bench_parts.h engine/settings/settings.h: it measures the floors themselves, and so looks inside
src/cli/bench_layers.c ops/conv.h: the same
src/cli/arguments.c base/show.h: made for library and program alike, stands alone
src/cli/fail.h base/show.h: the same
src/cli/doctor.c base/lazy.h: library and program load foreign libraries in the same way
src/cli/models/fetch.c base/lazy.h: the same
src/cli/preview.c base/lazy.h: the same
src/cli/http.c base/lazy.h: the same
src/cli/video/av.h base/lazy.h: the same
'

# Comments and strings out, so that a rule is broken by code only.
code() {
    sed -e 's/"\([^"\\]\|\\.\)*"/""/g' -e 's|//.*||' "$1" | awk '{
        out = ""
        while (length($0)) {
            if (inside) { i = index($0, "*/"); if (!i) break; $0 = substr($0, i + 2); inside = 0; continue }
            i = index($0, "/*")
            if (!i) { out = out $0; break }
            out = out substr($0, 1, i - 1); $0 = substr($0, i + 2); inside = 1
        }
        print out }'
}

sources=$(find src -name '*.[ch]' | sort) # by their folders, whatever there is
all="$sources $(ls simd/* opencl/*.[ch] gimp/*.[ch] nautilus/*.c)"

out_of_place=0
for f in $all; do
    own=${f#src/} own=${own%%/*}
    allowed=" $own $(may_include "$own" | tr '\n' ' ')"
    case $allowed in *unknown*) not_ok "$f: its folder has no row in may_include"; out_of_place=1; continue ;; esac
    for h in $(sed -n 's/^ *# *include "\(.*\)"/\1/p' "$f"); do
        case $exceptions in *"
$f $h: "*) continue ;; esac
        case $h in
        nst.h) [ "$own" != simd ] && continue ;;
        web_files.inc | studio_files.inc | kernels_cl.h) continue ;; # made by the build
        ../simd/* | ../opencl/*) theirs=${h#../} theirs=${theirs%/*} ;;
        */*) theirs=${h%%/*} ;;
        *) case $own in
           simd | opencl | gimp) theirs=$own ;; # neighbours go by their bare name there
           *) not_ok "$f includes $h: from which folder?  Paths begin in src/"; out_of_place=1; continue ;;
           esac ;;
        esac
        case "$allowed " in
        *" $theirs "*) ;;
        *) not_ok "$f includes $h, which $own may not: may_include, above"; out_of_place=1 ;;
        esac
    done
done
[ $out_of_place = 0 ] && ok "folders include only those below them"
echo "$exceptions" | sed 's/: .*//' | while read -r f h; do
    [ -z "$f" ] || grep -q "include \"$h\"" "$f" || echo "$f $h"
done >"$dir/gone"
check "every exception is needed" test ! -s "$dir/gone"
# tests/ has the folders of src/, those of simd/ and opencl/, and its own: data, fuzz, rules, support.
for d in tests/*/; do
    d=${d#tests/} d=${d%/}
    case $d in data | fuzz | gimp | nautilus | opencl | rules | simd | support) continue ;; esac
    [ -d "src/$d" ] || echo "tests/$d"
done >"$dir/strange"
check "tests/ mirrors src/" test ! -s "$dir/strange"
check "tests/ itself holds its README.md only" test "$(find tests -maxdepth 1 -type f)" = tests/README.md
check "src/ holds folders, at most 12 entries" sh -c 'test "$(ls src | wc -l)" -le 12 && ! ls src/*.[chS] 2>/dev/null'

# only WHAT REGEX ALLOWED...: the pattern stands in no other file's code
only() {
    what=$1 pattern=$2 found=
    shift 2
    for f in $all; do
        for a in "$@"; do
            case $f in $a) continue 2 ;; esac
        done
        code "$f" | grep -Eq "$pattern" && found="$found $f"
    done
    if [ -z "$found" ]; then ok "$what only in $*"; else not_ok "$what only in $*, but:$found"; fi
}
only "malloc and free" \
    '(^|[^_[:alnum:]>.])(malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strdup)[ ]*\(' src/base/memory.c
only "threads" 'pthread_create' src/base/threads.c 'src/cli/*'
only "intrinsics" '(include <(immintrin|x86intrin|arm_neon)\.h>|__AVX)' \
    simd/vec_avx2.h simd/vec_avx512.h simd/vec_neon.h simd/avx2.c simd/avx512.c simd/neon.c
only "standard error, exit and getenv" \
    '(^|[^_[:alnum:]])(stderr|getenv|perror|(_|quick_)?exit|abort)([^_[:alnum:]]|$)' 'src/cli/*'
only "what follows the host's locale" '(^|[^_[:alnum:]])(strto(d|f|ld)|atof|strn?casecmp|setlocale|localeconv)[ ]*\(' \
    src/base/plain.c 'src/cli/*'
only "dlopen" '(^|[^_[:alnum:]])dl(open|sym|close)[ ]*\(' src/base/lazy.c
only "OpenCL's and CLBlast's headers" 'include <(CL|OpenCL|clblast)' opencl/context.h opencl/gemm.c

check "lines of the program's only by nst_say, which shows what is foreign in them" sh -c \
    '! grep -nE "fprintf\(stderr, \"nst[^\"]*%s" src/cli/*.c src/cli/models/*.c'

one_file() { # HEADER: in at most one file of src/
    n=$(grep -l "include <$1>" $sources 2>/dev/null | wc -l)
    check "$1 in one file" test "$n" -le 1
}
for h in mpi.h chafa.h microhttpd.h png.h jpeglib.h lcms2.h libexif/exif-data.h tiffio.h webp/decode.h \
    libheif/heif.h jxl/decode.h gif_lib.h zip.h ini.h hdf5.h zlib.h curl/curl.h nettle/sha2.h libavformat/avformat.h \
    libavcodec/avcodec.h libswscale/swscale.h; do
    one_file $h
done
for have in CHAFA LIBMICROHTTPD LCMS2 LIBEXIF TIFF WEBP HEIF JXL GIF LIBZIP INIH HDF5 LIBCURL NETTLE OPENCL AVX2 \
    AVX512 NEON; do
    n=$(grep -lE "^ *# *if.*HAVE_$have\>" $sources simd/* opencl/* 2>/dev/null | wc -l)
    check "HAVE_$have asked in one file" test "$n" -le 1
done

# What quickstart installs the recipes of distributions ask for: a library that one of them forgets is a part of the
# program that its packages lack, and nobody sees it.
asks() { # MANAGER RECIPE: the packages of quickstart's line for this manager
    [ -f "$2" ] || return 0 # debian/ is not in the tarball
    lacking=
    for p in $(awk -v has="command -v $1 " 'index($0, has) { on = 1; next }
        on { end = sub(/"$/, ""); sub(/^ *packages="/, ""); print } end { exit }' quickstart); do
        case $p in
        gcc | make | autoconf | automake | libtool | pkg-config | pkgconf | pkgconf-pkg-config) continue ;;
        esac
        [ "$1 $p" = "brew check" ] && continue # its formulas are built without their tests
        grep -Eq "(^|[^-_[:alnum:]])$p([^-_.[:alnum:]]|$)" "$2" || lacking="$lacking $p"
    done
    check "$2 asks for what quickstart installs${lacking:+, but not for:$lacking}" test -z "$lacking"
}
asks apt-get debian/control
asks dnf packaging/nst.spec
asks pacman packaging/PKGBUILD.in
asks brew packaging/nst.rb.in
check "no recipe asks for what nothing uses any more" sh -c '! grep -n matio debian/control packaging/*'

# Columns, not bytes: what continues a character of UTF-8 is taken out first, since not every awk knows UTF-8.  What
# other programs wrote is not looked at.
long_lines() { # FILE...: "FILE:LINE" of each
    LC_ALL=C awk '{ s = $0; gsub(/[\200-\277]/, "", s); if (length(s) > 120) print FILENAME ":" FNR }' "$@"
}
texts=$(find src simd opencl gimp nautilus include tests docs examples data packaging m4 -type f \( -name '*.[ch]' \
    -o -name '*.inc' \
    -o -name '*.cl' -o -name '*.sh' -o -name '*.py' -o -name '*.md' -o -name '*.1' -o -name '*.S' \
    -o -name '*.css' -o -name '*.js' -o -name '*.html' -o -name 'nst*.m4' \) \
    ! -path tests/data/golden/numbers.h \
    ! -path tests/data/golden/peers.inc ! -name kernels_cl.h | sort)
wide=$(long_lines .ci/run Makefile.am configure.ac quickstart NEWS README.md HACKING.md $texts | tr '\n' ' ')
check "lines fit 120 columns${wide:+, but not: $wide}" test -z "$wide"

# A file that grows past 400 lines has become two.  What other programs wrote is not looked at.
long=
for f in $(find src simd opencl gimp nautilus include tests -type f \( -name '*.[chS]' -o -name '*.inc' \
    -o -name '*.cl' -o -name '*.sh' -o -name '*.py' \) ! -path 'tests/data/*' ! -name kernels_cl.h | sort); do
    [ "$(wc -l <"$f")" -le 400 ] || long="$long $f"
done
check "files have at most 400 lines${long:+, but not:$long}" test -z "$long"

# The words of C, "FILE:LINE WORD" each, "@" where a file begins and outside of functions (and at labels).  Comments are
# passed over, strings and characters are a word.
words() { # FILE...
    awk '
    FNR == 1 { comment = 0; print FILENAME ":1 @" }
    !comment && /^[A-Za-z_]/ { print FILENAME ":" FNR, "@" }
    /^ *# *(include|if|elif|error)/ { next }
    {
        s = $0
        for (;;) {
            if (comment) {
                i = index(s, "*/")
                if (!i) break
                s = substr(s, i + 2)
                comment = 0
            }
            if (!match(s, /[^ \t\\]/)) break
            s = substr(s, RSTART)
            if (s ~ /^\/\//) break
            if (s ~ /^\/\*/) { comment = 1; s = substr(s, 3); continue }
            if (match(s, /^[A-Za-z_0-9]+/)) ;
            else if (match(s, /^"([^"\\]|\\.)*"/)) ;
            else if (match(s, /^\047([^\047\\]|\\.)*\047/)) ;
            else if (match(s, /^(<<=|>>=|[=!<>]=|[-+*\/%&|^]=|&&|[|][|]|->|<<|>>)/)) ;
            else RLENGTH = 1
            print FILENAME ":" FNR, substr(s, 1, RLENGTH)
            s = substr(s, RLENGTH + 1)
        }
    }' "$@"
}

# An assignment stands for itself: its value is not what if, while, for, ?:, !, && or || or a comparison looks at.
# "FILE:LINE" of each one that is.  depth counts open brackets, each with the word before it (if, while, for) in
# opened[].
assigned_and_tested() { # the words
    awk '
    function hit() { if (said != $1) print $1; said = $1 }
    function fresh(d) { tested[d] = below[d] = here[d] = 0 } # a new expression begins
    function open(bracket) {
        opened[++depth] = bracket == "(" && before ~ /^(if|while|for)$/ ? before : bracket
        negated[depth] = before == "!"
        part[depth] = 0
        fresh(depth)
    }
    function shut() {
        if (opened[depth] != "{" && (here[depth] || below[depth])) {
            below[depth - 1] = 1
            if (negated[depth] || tested[depth - 1]) hit()
        }
        if (depth) depth--
    }
    function assign(    d) {
        if (!depth || opened[depth] == "{" || (opened[depth] == "for" && part[depth] != 1)) return
        here[depth] = 1
        for (d = depth; d && opened[d] != "{"; d--)
            if (opened[d] ~ /^(if|while)$/ || (opened[d] == "for" && part[d] == 1)) hit()
    }
    {
        if ($2 == "@") { depth = 0; fresh(0) }
        else if ($2 ~ /^[({[]$/) open($2)
        else if ($2 ~ /^[])}]$/) shut()
        else if ($2 == ";" || $2 == ",") { part[depth] += $2 == ";"; fresh(depth) }
        else if ($2 ~ /^(<<=|>>=|[-+*\/%&|^]?=)$/) assign()
        else if ($2 ~ /^(&&|[|][|]|[?]|[=!]=|[<>]=?)$/) { tested[depth] = 1; if (below[depth]) hit() }
        before = $2
    }'
}

# No operand of ?: holds another ?:, in brackets that only group or without.  "FILE:LINE" of each second one.  Arguments
# of a call, an index and braces begin expressions of their own; "(" behind ")" is taken for a cast.
nested_ternaries() { # the words
    awk '
    function hit() { if (said != $1) print $1; said = $1 }
    function fresh(d) { asks[d] = holds[d] = 0 } # a new expression begins
    function open(bracket) {
        groups[++depth] = bracket == "(" && (before !~ /^[]A-Za-z_0-9]/ || before ~ /^(return|case)$/)
        fresh(depth)
    }
    function ask(    d) {
        if (asks[depth] || holds[depth]) hit()
        asks[depth] = 1
        for (d = depth; groups[d]; d--) {
            if (asks[d - 1]) hit()
            holds[d - 1] = 1
        }
    }
    {
        if ($2 == "@") { depth = 0; fresh(0) }
        else if ($2 ~ /^[({[]$/) open($2)
        else if ($2 ~ /^[])}]$/) { if (depth) depth-- }
        else if ($2 ~ /^([;,#]|<<=|>>=|[-+*\/%&|^]?=)$/) fresh(depth)
        else if ($2 == "?") ask()
        before = $2
    }'
}
words $(find src simd opencl gimp nautilus include tests examples data -type f \( -name '*.[ch]' \
    -o -name '*.inc' -o -name '*.cl' \) ! -path 'tests/data/golden/*' ! -name kernels_cl.h | sort) >"$dir/words"
inside=$(assigned_and_tested <"$dir/words" | tr '\n' ' ')
check "no assignment is inside a condition${inside:+, but: $inside}" test -z "$inside"
inside=$(nested_ternaries <"$dir/words" | tr '\n' ' ')
check "no conditional expression holds another${inside:+, but: $inside}" test -z "$inside"

# Lists that have to agree.
for t in $(sed -n '/^shell_tests/,/[^\\]$/s|^\t\(tests/[a-z]*/[a-z0-9-]*\.sh\).*|\1|p
    s|^\t\(tests/[a-z]*/test_[a-z0-9_]*\)\( .*\)\{0,1\}$|\1|p' Makefile.am); do
    awk -v folder="${t%/*}" -v name="${t##*/}" '
        /^## / { inside = index($0, "## " folder ":") == 1 }
        inside && index($0, "| `" name "` |") == 1 { found = 1 }
        END { exit !found }' tests/README.md || echo "$t"
done >"$dir/no_row"
check "tests/README.md has a row for each test, under its folder: $(tr '\n' ' ' <"$dir/no_row")" test ! -s "$dir/no_row"
if [ -f .github/workflows/ci.yml ]; then # not in the tarball
    check "ci.yml runs the stages of .ci/run" test \
        "$(sed -n 's/^stage \([a-z-]*\) .*/\1/p' .ci/run | tr '\n' ' ')" = \
        "$(sed -n 's/^ *stage: \[\(.*\)\]/\1 /p' .github/workflows/ci.yml | tr -d ,)"
    check "  and .ci/run knows them all" test "$(sed -n 's/^stage \([a-z-]*\) .*/\1/p' .ci/run | tr '\n' ' ')" = \
        "$(sed -n 's/^stages="\(.*\)"/\1 /p' .ci/run)"
fi

finish
