#!/bin/sh
# floors.sh: the house's rules, by grep: a file includes its own floor or lower ones, and some things live in one place.
. "${SRCDIR:-.}/tests/lib.sh"
cd "$SRCDIR" || exit 99

# Comments and strings out, so that a rule is broken by code only.
code() {
    sed -e 's/"\([^"\\]\|\\.\)*"/""/g' -e 's|//.*||' "$1" | awk '{
        out = ""
        while (length($0)) {
            if (inside) { i = index($0, "*/"); if (!i) break; $0 = substr($0, i + 2); inside = 0 }
            else { i = index($0, "/*"); if (!i) { out = out $0; break } out = out substr($0, 1, i - 1); $0 = substr($0, i + 2); inside = 1 }
        }
        print out }'
}

floor() {
    case $1 in opencl/*) echo 3; return ;; esac
    case ${1##*/} in
    checkpoint*) echo 4 ;;
    devices.[ch] | keep.[ch] | preview.[ch] | resume.[ch] | web.[ch] | web_files.inc) echo 5 ;;
    nst.h | kernels.h | checked.h) echo 0 ;;
    base.h | fields.[ch] | info.c | mem.c | par.c | status.c | sum.c | whole.c) echo 1 ;;
    ops.h | image.h | color.* | conv*.c | dispatch.c | exif.* | first.c | format.[ch] | gemm.c | gram.c | guided.c | header.* | image.c | input.c | inverse.c | jpeg.c | lab.c | loss.c | \
        optim.c | output.c | png.c | pnm.c | recolor.c | resize.c | rows.c | space.c | tiff.c | tv.c | webp.c | vector.c | w2.* | winograd.c | wire.[ch]) echo 2 ;;
    arena.c | caffe.c | chain.c | choose.c | context.h | graph.[ch] | cpu*.[ch] | device.h | fold.c | keras.c | matconvnet.c | model.[ch] | modules.c | numbering.c | onnx*.[ch] | opencl.h | pickle*.[ch] | rectangles.c | safetensors.c | save.c | small.c | state.h | state_dict.c | kernels_cl.h | stored.c | strips.c | torch*.c | weights.[ch]) echo 3 ;;
    transfer.[ch] | balance.c | budget.c | evaluate.c |  fallback.c | margin.c | preset.c | regions.c | run.[ch] | scale.c | sizes.c | speed.c | start.c | styles.c | targets.c | windows.c) echo 4 ;;
    main.c | bench.[ch] | commands.* | docs.c | help.c | interrupt.[ch] | models.[ch] | options.[ch] | paint.[ch] | paths.[ch] | presets.inc | report.[ch]) echo 5 ;;
    across.c | enlarge.c | schedule.c) echo 4 ;;
    arguments.c | batch.[ch] | masks.[ch] | config.[ch] | files.[ch]) echo 5 ;;
    doctor.[ch] | fail.h | nst_mpi.c) echo 5 ;;
    matfile.[ch]) echo 2 ;;
    fetch.[ch] | guard.[ch] | known.[ch] | model_commands.c | obtain.c | places.[ch] | sources.[ch] | sums.[ch]) echo 5 ;;
    *) echo unknown ;;
    esac
}

out_of_place=0
for f in src/*.c src/*.h opencl/*.[ch]; do
    own=$(floor "$f")
    [ "$own" = unknown ] && { not_ok "$f: on no floor; give it one in tests/floors.sh"; continue; }
    for h in $(sed -n 's/^ *# *include "\(.*\)"/\1/p' "$f"); do
        theirs=$(floor "$h")
        if [ "$theirs" = unknown ] || [ "$theirs" -gt "$own" ]; then
            not_ok "$f (floor $own) includes $h (floor $theirs)"; out_of_place=1
        fi
        # The program is a client of the library: it sees its public header only.  But for bench.c, which measures
        # the floors themselves and so looks inside.
        if [ "$own" = 5 ] && [ "${f##*/}" != bench.c ] && [ "$theirs" != 5 ] && [ "${h##*/}" != nst.h ]; then
            not_ok "$f is the program's and includes $h"; out_of_place=1
        fi
    done
done
[ $out_of_place = 0 ] && ok "files include their own floor or lower ones"
check "simd/ includes nothing of src/" sh -c '! grep -n "include \"\(\.\./\)*\(src/\|base\|ops\|nst\)" simd/*'

# only WHAT REGEX ALLOWED...: the pattern stands in no other file's code
only() {
    what=$1 pattern=$2 found=
    shift 2
    for f in src/*.[ch] simd/* opencl/*.[ch]; do
        case " $* " in *" $f "*) continue ;; esac
        code "$f" | grep -Eq "$pattern" && found="$found $f"
    done
    if [ -z "$found" ]; then ok "$what only in $*"; else not_ok "$what only in $*, but:$found"; fi
}
floor5=$(for f in src/*.[ch]; do [ "$(floor "$f")" = 5 ] && echo "$f"; done | tr '\n' ' ')
only "malloc and free" '(^|[^_[:alnum:]>.])(malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strdup)[ ]*\(' src/mem.c
only "OpenMP" '# *pragma +omp|include <omp\.h>' src/par.c
only "intrinsics" '(include <(immintrin|x86intrin|arm_neon)\.h>|__AVX)' simd/vec_avx2.h simd/vec_avx512.h simd/vec_neon.h \
    simd/avx2.c simd/avx512.c simd/neon.c
only "standard error, exit and getenv" '(^|[^_[:alnum:]])(stderr|getenv|perror|(_|quick_)?exit|abort)([^_[:alnum:]]|$)' $floor5
only "OpenCL's and CLBlast's headers" 'include <(CL|OpenCL|clblast)' opencl/context.h opencl/gemm.c

one_file() { # HEADER: in at most one file of src/
    n=$(grep -l "include <$1>" src/*.[ch] 2>/dev/null | wc -l)
    check "$1 in one file" test "$n" -le 1
}
for h in mpi.h chafa.h microhttpd.h png.h jpeglib.h lcms2.h libexif/exif-data.h tiffio.h webp/decode.h zip.h ini.h hdf5.h zlib.h curl/curl.h nettle/sha2.h; do one_file $h; done
for have in CHAFA LIBMICROHTTPD LCMS2 LIBEXIF TIFF WEBP LIBZIP INIH HDF5 LIBCURL NETTLE OPENCL AVX2 AVX512 NEON; do
    n=$(grep -lE "^ *# *if.*HAVE_$have\>" src/*.[ch] simd/* opencl/* 2>/dev/null | wc -l)
    check "HAVE_$have asked in one file" test "$n" -le 1
done

# What quickstart installs the recipes of distributions ask for: a library that one of them forgets is a part of the program
# that its packages lack, and nobody sees it.
asks() { # MANAGER RECIPE: the packages of quickstart's line for this manager
    [ -f "$2" ] || return 0 # debian/ is not in the tarball
    lacking=
    for p in $(sed -n "/command -v $1 /{n;s/^ *packages=\"\(.*\)\"$/\1/p;}" quickstart); do
        case $p in gcc | make | autoconf | automake | libtool | pkg-config | pkgconf | pkgconf-pkg-config) continue ;; esac
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

finish
