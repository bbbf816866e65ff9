#!/bin/sh
# shares.sh NST TEACHER CONTENT:STYLE...: the share of the teacher's Wasserstein-2 losses that the built-in model shows,
# by layer.  README.md says what the weights in src/model/builtin/small.c have of it.  Each pair is painted at 384
# pixels with the built-in model; then both models tell their losses of that painting.  The shares are geometric means
# over the pairs.
#     data/model/shares.sh build/nst work/teacher.safetensors photo.jpg:art.jpg ...
# NST has to be built with weights of 0, or the present ones are part of the shares.
set -eu
nst=$1 teacher=$2
shift 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
losses() { # PAINTING CONTENT STYLE [OPTION...]: a line "conv1_1 0.03 ..."
    painting=$1 content=$2 style=$3
    shift 3
    "$nst" -v "$@" -s 384 --scales 1 -n 1 --init "$painting" -o "$dir/next.png" "$content" "$style" 2>&1 |
        grep -o 'conv1_1 .*conv5_1 [^ ]*'
}
for pair; do
    content=${pair%%:*} style=${pair#*:}
    "$nst" -q -s 384 -o "$dir/painted.png" "$content" "$style"
    losses "$dir/painted.png" "$content" "$style"
    losses "$dir/painted.png" "$content" "$style" --model "$teacher" --model-input caffe
done | awk '
    NR % 2 { for (i = 2; i <= NF; i += 2) small[i] = $i; next }
    { for (i = 2; i <= NF; i += 2) { sum[i] += log(small[i] / $i); name[i] = $(i - 1) } pairs++ }
    END { for (i = 2; i in sum; i += 2) printf "%s %.3f\n", name[i], exp(sum[i] / pairs) }'
