#!/bin/sh
# lazy.sh: what is loaded when it is first used: nst starts without it, doctor tells of it, and one that is missing,
# broken or of another version is one sentence and costs nothing but what needs it.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
here=$(pwd)
cd "$dir" || exit 99
"$NST" doctor >stdout 2>stderr
heard=stdout
sed -n 's/^#define NST_FILE_\([A-Z0-9]*\) "\(.*\)"$/\1 \2/p' "$here/config.h" >files
if ! grep -q '^#define NST_LAZY_LOADS 1' "$here/config.h"; then
    check "linked: doctor says nothing of libraries" sh -c "! grep -q '^libraries' stdout"
    finish
fi
[ -s files ] || { echo "this build has none of these libraries"; exit 77; }
says '^libraries   loaded when needed: '
file_of() { sed -n "s/^$1 //p" files; }

# ---- who is linked ---------------------------------------------------------------------------------------------------
if command -v readelf >/dev/null && readelf -d "$NST" >needed 2>/dev/null && [ -s needed ]; then
    readelf -n "$NST" >notes 2>/dev/null
    for f in $(cut -d' ' -f2 files); do
        tr -d '\n' <stdout | tr -s ' ' >words
        check "doctor says $f" grep -qF " $f" words
        check "  nst is not linked with it" sh -c "! grep -qF '[$f]' needed"
        check "  packagers' note names it" sh -c "strings -a '$NST' | grep -qF '\"soname\":[\"$f\"]'"
    done
    check "the notes are notes" grep -q '\.note\.dlopen' notes
fi
if command -v strace >/dev/null && strace -o trace -e trace=openat "$NST" --version >/dev/null 2>&1; then
    for f in $(cut -d' ' -f2 files); do check "nst --version does not open $f" sh -c "! grep -qF '/$f' trace"; done
fi

# ---- one that is missing, by a dlopen that does not find it ----------------------------------------------------------
case $(uname -s) in Linux) ;; *) finish ;; esac
models=$SRCDIR/tests/data/models content=$SRCDIR/data/content.jpg style=$SRCDIR/data/style.jpg
"$NST" devices 2>/dev/null | grep -q '^opencl:0: ' && device=1 || device=
# try LIBRARY FACT NAME STATUS ARGUMENTS...: with the variable of $with, nst says the fact and the library's file
try() {
    fact=$2 name=$3 want=$4 file=$(file_of "$1")
    shift 4
    [ -n "$file" ] || return 0
    env $with "$NST" "$@" >stdout 2>stderr
    got=$?
    check "$name: status $want" test $got = "$want"
    check "  one sentence" test "$(wc -l <stderr)" = 1
    heard=stderr
    says "^nst: .*$(printf %s "$file" | sed 's/\./\\./g'), which $fact.* (Debian: "
}
try_all() { # FACT HOW
    try HDF5 "$1" "weights in .h5, $2" 1 model info "$models/keras-1.h5"
    try HDF5 "$1" "a painting with weights in .h5, $2" 1 --dry-run -m "$models/keras-1.h5" "$content" "$style"
    try HEIF "$1" "a picture in HEIC, $2" 1 --dry-run "$SRCDIR/tests/data/pictures/plain.heic" "$style"
    try JXL "$1" "one in JPEG XL, $2" 1 --dry-run "$SRCDIR/tests/data/pictures/plain.jxl" "$style"
    try LIBCURL "$1" "nst model fetch, $2" 1 model fetch --url https://127.0.0.1:9/x.pth x
    try LIBMICROHTTPD "$1" "--web, $2" 1 -q -s 64 -n 1 --scales 1 -o x.png --web "$content" "$style"
    check "  no picture" test ! -e x.png
    [ -z "$device" ] || try CLBLAST "$1" "an OpenCL device, $2" 1 -q -s 64 -n 1 --scales 1 -o x.png --device opencl \
        "$content" "$style"
}
if [ -z "${SANITIZE-}" ] && cat >hide.c <<'C' && ${CC:-cc} -shared -fPIC -o hide.so hide.c -ldl 2>/dev/null; then
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
void *dlopen(const char *file, int flags)
{
    void *(*real)(const char *, int) = (void *(*)(const char *, int))dlsym(RTLD_NEXT, "dlopen");
    char hidden[256];
    if (!file || strchr(file, '/') || !strstr(getenv("HIDDEN"), file)) /* OpenCL's loader opens others */
        return real(file, flags);
    snprintf(hidden, sizeof hidden, "%s.hidden", file);
    return real(hidden, flags);
}
C
    HIDDEN=$(cat files); export HIDDEN
    with=LD_PRELOAD=$dir/hide.so
    if env $with "$NST" --version >stdout 2>&1 && grep -q '^nst ' stdout; then
        try_all "is not installed" "not installed"
        env $with "$NST" doctor >stdout 2>stderr
        tr -d '\n' <stdout | tr -s ' ' >words
        for f in $(cut -d' ' -f2 files); do
            check "doctor: $f is not installed" grep -qF "$f (not installed: no " words
        done
        check "a painting needs none of them" env $with "$NST" -q -s 64 -n 1 --scales 1 -o x.png "$content" "$style"
        rm -f x.png
    fi
fi

# ---- of another version, broken: found before the system's -----------------------------------------------------------
mkdir other broken
echo 'int nothing; ' >empty.c
for f in $(cut -d' ' -f2 files); do
    ${CC:-cc} -shared -fPIC -Wl,-soname,"$f" -o "other/$f" empty.c 2>/dev/null || finish
    echo "no library" >"broken/$f"
done
with=LD_LIBRARY_PATH=$dir/other
try_all "has no [A-Za-z_0-9]*: it is another version" "of another version"
with=LD_LIBRARY_PATH=$dir/broken
try_all "cannot be loaded: .*file too short" "broken"
finish
