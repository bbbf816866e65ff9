#!/bin/sh
# opencl.sh: nst devices with no device, one and two; paintings by --device, also by masks, are the CPU's; the kernels
# under oclgrind, which watches every access for races and bounds.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
case $("$NST" --version) in
*"no OpenCL"*)
    "$NST" -q --device opencl "$SRCDIR"/data/content.jpg "$SRCDIR"/data/style.jpg -o "$dir/x.png" 2>"$dir/said"
    check "without OpenCL --device says so" grep -q "built without OpenCL" "$dir/said"
    "$NST" devices >"$dir/list"
    check "  and so does nst devices" grep -q "built without OpenCL" "$dir/list"
    finish ;;
esac
# Our own cache is the test's; PoCL's, where CLBlast's kernels are, stays from one test to the next.
: "${POCL_CACHE_DIR=${XDG_CACHE_HOME:-${HOME:-$dir}/.cache}/pocl/kcache}"; export POCL_CACHE_DIR
XDG_CACHE_HOME=$dir/cache; export XDG_CACHE_HOME

mkdir "$dir/none"
OCL_ICD_VENDORS=$dir/none "$NST" devices >"$dir/list"
check "no device: the processor only" test "$(grep -c '^[a-z]*:[0-9 ]' "$dir/list")" = 1
check "  auto takes it" grep -q '^--device auto takes cpu: ' "$dir/list"
OCL_ICD_VENDORS=$dir/none "$NST" -q --device opencl "$SRCDIR"/data/content.jpg "$SRCDIR"/data/style.jpg \
    -o "$dir/x.png" 2>"$dir/said"
check "  --device opencl fails" test $? = 1
check "  and says why" grep -q '^nst: device "opencl": no platform has a device' "$dir/said"
check "  nothing is left" test ! -e "$dir/x.png"

"$NST" devices >"$dir/list"
if ! grep -q '^opencl:0: ' "$dir/list"; then
    echo "skipped: the rest, OpenCL reaches no device here"
    finish
fi
ok "a device: $(grep '^opencl:0: ' "$dir/list")"
for line in platform driver memory "largest allocation" precision; do
    check "  its $line" grep -q "^  $line " "$dir/list"
done
if grep -q '^opencl:0: pthread' "$dir/list"; then # PoCL makes as many as one likes
    POCL_DEVICES="pthread pthread" "$NST" devices >"$dir/list"
    check "two devices" test "$(grep -c '^opencl:[01]: ' "$dir/list")" = 2
    POCL_DEVICES="pthread pthread" "$NST" -q --device pthread "$SRCDIR"/data/content.jpg "$SRCDIR"/data/style.jpg \
        -o "$dir/x.png" 2>"$dir/said"
    check "  a name of both is none" grep -q 'more than one has that in its name (opencl:0, opencl:1)' "$dir/said"
fi
tiny="$SRCDIR/tests/data/golden/tiny.safetensors"
"$NST" -p opengenus --model "$tiny" -n 2 -s 64 --device opencl -o "$dir/x.png" "$SRCDIR"/data/content.jpg \
    "$SRCDIR"/data/style.jpg 2>"$dir/said"
check "a painting" test -s "$dir/x.png"
check "  says which device" grep -q '^nst: computed by opencl:' "$dir/said"
check "  keeps its program" test "$(ls "$dir"/cache/nst/opencl-*.bin | wc -l)" = 1


# Ten iterations by both; no sample of a byte is further off than 1.
near() {
    what=$1
    shift
    for device in cpu opencl; do
        "$NST" -q -p opengenus --model "$tiny" -n 10 -s 96 --device $device -o "$dir/x.ppm" "$@" ||
            not_ok "$what: $device"
        tail -c $((96 * 72 * 3)) "$dir/x.ppm" >"$dir/$device" # without the settings, in which the device stands
    done
    check "$what: the same picture to 1/255" test "$(cmp -l "$dir/cpu" "$dir/opencl" | awk '
        function value(o) { return int(o / 100) * 64 + int(o / 10) % 10 * 8 + o % 10 }
        { d = value($2) - value($3); if (d > 1 || d < -1) n++ } END { print n + 0 }')" = 0
}
near "ten iterations" "$SRCDIR"/data/content.jpg "$SRCDIR"/data/style.jpg
mv "$dir/opencl" "$dir/whole"
# Where the content is bright the first style, in windows, with parts of both that count.
near "in regions" --content-mask "$SRCDIR"/data/content.jpg --style-mask "$SRCDIR"/data/style.jpg --window 64 \
    "$SRCDIR"/data/content.jpg "$SRCDIR"/data/style.jpg "$SRCDIR"/data/content.jpg
check "  are another picture" sh -c "! cmp -s '$dir/opencl' '$dir/whole'"

if ! command -v "${OCLGRIND=oclgrind}" >/dev/null; then
    echo "skipped: races and bounds, $OCLGRIND is not installed"
elif grep -q __asan_init tests/opencl/test_opencl 2>/dev/null; then
    echo "skipped: races and bounds, oclgrind and the address sanitizer each want the memory for themselves"
elif [ ! -x tests/opencl/test_opencl ] || "$NST" --version | grep -q sanitize; then
    echo "skipped: races and bounds, there is no tests/opencl/test_opencl"
else
    # One run in six or so ends with SIGABRT ("corrupted double-linked list") after the last word of the tests, when
    # main has returned; ASan sees nothing of the kind with PoCL.  So that is tried again; one that always comes is
    # ours.
    for try in 1 2 3 4; do
        CK_RUN_CASE=small "$OCLGRIND" --data-races --max-errors 20 tests/opencl/test_opencl >"$dir/out" 2>&1
        status=$?
        [ $status = 134 ] || break
        echo "SIGABRT at the end of run $try"
    done
    check "under oclgrind: status 0" test $status = 0
    check "  right" grep -q '^100%: Checks: 2, Failures: 0, Errors: 0' "$dir/out"
    check "  by it" grep -q 'Oclgrind Simulator' "$dir/out"
    check "  no race, nothing out of bounds" sh -c "! grep -E 'Invalid|race|OCLGRIND' '$dir/out'"
fi
finish
