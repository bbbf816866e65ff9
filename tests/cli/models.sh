#!/bin/bash
# models.sh: nst model from outside: info, import, list, verify, remove, and which model a run uses.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
cd "$dir" || exit 99
models=$SRCDIR/tests/data/models
data=$XDG_DATA_HOME/nst/models

heard="stdout stderr"
dry() { # which model a run would use
    "$NST" --dry-run -s 64 --content-layers conv2_1 --style-layers conv1_1 "$@" "$SRCDIR/data/content.jpg" \
        "$SRCDIR/data/style.jpg" 2>&1 | grep '^model: '
}

run 0 "info of a caffemodel" model info "$models/caffe-1.caffemodel"
says '^format: Caffe$'
says '^layer: conv1_2 *3 filters of 2x3x3$'
says '^input: caffe: BGR'
says '^because: it is Caffe'
says '^missing: it is neither'
says '^licence: '
run 0 "info of the built-in model" model info small
says '^format: built in$'
says '^input: torchvision: '
says '^licence: CC BY 4.0'
says '^made from: VGG16 .*Oxford'
says '^changed: '
run 2 "which has its own input" model info small --model-input caffe
run 2 "and is not for saving" model import small mine
run 0 "--model-input changes it" model info "$models/f32.safetensors" --model-input caffe
says '^input: caffe: '
run 0 "info of a VGG16" model info "$models/vgg16.safetensors"
says '^missing: nothing of vgg16 up to conv5_1'
check "  without what comes behind" test "$(grep -c '^layer: ' stdout)" = 11
run 0 "import of a VGG16" model import "$models/vgg16.safetensors"
check "  under its name" test -s "$data/vgg16.safetensors"
"$NST" -q -n 2 --scales 1 -s 48 -m vgg16 --content-layers conv4_2 --style-layers conv3_3,conv5_1 \
    -o v.png "$SRCDIR/data/content.jpg" "$SRCDIR/data/style.jpg" 2>stderr
check "  it paints" test -s v.png
"$NST" -q -n 2 --scales 1 -s 48 -m vgg16 --content-layers conv3_4 -o w.png "$SRCDIR/data/content.jpg" \
    "$SRCDIR/data/style.jpg" 2>stderr
check "  and says which layer of VGG19's it lacks" grep -q conv3_4 stderr
rm -f "$data/vgg16.safetensors"
# The same names and shapes as torchvision's, but Caffe's input: only what is published of the file tells.
cp "$models/torch-legacy.pth" vgg19-d01eb7cb.pth
run 0 "info of vgg19-d01eb7cb.pth" model info vgg19-d01eb7cb.pth
says '^input: caffe: '
says '^because: its name is that of vgg19-d01eb7cb.pth'
says '^licence: CC BY 4.0.*if it is what its name says'
run 0 "  --model-input before its name" model info vgg19-d01eb7cb.pth --model-input torchvision
says '^input: torchvision: '
run 0 "info of another name" model info "$models/torch-legacy.pth"
says '^licence: not known'
says '^input: torchvision: '
# Relatives of a VGG: what of them was folded, and which input they take.
run 0 "info of a normalised VGG" model info "$models/torch-bn.pth"
says '^folded: 5 batch normalisations into the convolutions$'
says '^input: torchvision: '
run 0 "info of one with a 1x1 convolution in front" model info "$models/torch-pads.pth"
says '^folded: the 1x1 convolution in front into the input$'
says '^input: caffe: BGR from 0 to 255, minus the mean of ImageNet$'
says '^because: the file has it in front of its first convolution$'
run 0 "info of one with any 1x1 convolution in front" model info "$models/torch-aux.pth"
says '^folded: the 1x1 convolution in front into the input, and what that cannot hold into the weights of conv1_1$'
says '^input: its own: BGR from 0 to 255, minus 122.93 116.59 104.53, over '
run 0 "import of it" model import "$models/torch-aux.pth" aux
says '^aux: model input its own, because '
run 0 "info of what was imported" model info aux
says '^input: its own: BGR from 0 to 255, minus 122.93 116.59 104.53, over '
says '^because: the file says so$'
"$NST" -q -n 2 --scales 1 -s 48 -m aux --content-layers conv2_1 --style-layers conv1_1 \
    -o aux.ppm "$SRCDIR/data/content.jpg" "$SRCDIR/data/style.jpg"
"$NST" -q -n 2 --scales 1 -s 48 -m "$models/torch-aux.pth" --content-layers conv2_1 --style-layers conv1_1 \
    -o aux2.ppm "$SRCDIR/data/content.jpg" "$SRCDIR/data/style.jpg"
check "  both paint the same" \
    sh -c 'tail -c 5000 aux.ppm >a; test "$(wc -c <a)" = 5000 && tail -c 5000 aux2.ppm | cmp -s - a'
rm -f "$data/aux.safetensors"
run 0 "info of Keras' graph" model info "$models/onnx-keras.onnx"
says '^because: its pictures are NHWC'
run 1 "info of a ResNet" model info "$models/torch-resnet.pth"
says 'holds 17 convolutions of which the first, conv1.weight, is 7x7'
run 1 "info of a graph with something unknown in front" model info "$models/onnx-crop.onnx"
says 'its graph begins with Slice of other than'
run 2 "nothing to do" model
run 2 "an unknown command" model paint
run 2 "too many arguments" model list x
run 1 "info of no file" model info nowhere.pth
run 1 "info of a picture" model info "$SRCDIR/data/content.jpg"
says 'JPEG picture'

# Found by fuzzing: libhdf5 1.10 crashes on these.  That is a sentence, too, and a run that wants one of them ends with
# it.
for bad in damaged-1 damaged-2; do
    run 1 "info of $bad.h5" model info "$models/$bad.h5"
    says "$bad.h5: "
    run 1 "verify of $bad.h5" model verify "$models/$bad.h5"
    run 1 "a painting with $bad.h5" --dry-run -m "$models/$bad.h5" "$SRCDIR/data/content.jpg" "$SRCDIR/data/style.jpg"
done
# ... and reads on behind the numbers that this one has, where the last program took for weights what lay in memory;
# 1.14 does not open them.
run 1 "info of damaged-3.h5" model info "$models/damaged-3.h5"
if "$NST" --version | grep -q 'no HDF5'; then
    says 'this build of nst lacks libhdf5'
else
    says 'the numbers of conv1_1\(\.weight are missing\| cannot be read: it is damaged\)'
fi
cp "$models/keras-1.h5" broken.h5
printf U | dd of=broken.h5 bs=1 seek=6312 conv=notrunc 2>/dev/null # the version of the header of conv1_2's bias
run 1 "info of one whose bias cannot be opened" model info broken.h5
"$NST" --version | grep -q 'no HDF5' || says 'broken.h5: the numbers of conv1_2 cannot be read: it is damaged'
rm broken.h5
run 0 "no models at first" model list
check "  but the built-in one" test "$(wc -l <stdout)" = 1
run 2 "import of nothing" model import
run 0 "import" model import "$models/torch-legacy.pth" tiny
check "  the file is there" test -s "$data/tiny.safetensors"
run 0 "import in half precision" model import --half --model-input caffe-rgb "$models/f16.safetensors" half
check "  which is smaller" test "$(wc -c <"$data/half.safetensors")" -lt "$(wc -c <"$data/tiny.safetensors")"
run 0 "info by name" model info half
says '^input: caffe-rgb: '
says '^because: the file says so'
run 2 "a name that is taken" model import "$models/f32.safetensors" tiny
says 'exists already'
for bad in ../x .x small ""; do run 2 "the name \"$bad\"" model import "$models/f32.safetensors" "$bad"; done
run 0 "list" model list
check "  lists three" test "$(wc -l <stdout)" = 3
run 0 "verify" model verify
check "  two are good" test "$(grep -c ': learned' stdout)" = 2

# An imported file holds the same numbers: importing it again gives the same bytes, and so does the other format.
run 0 "import of an import" model import tiny again
check "  same bytes" cmp -s "$data/tiny.safetensors" "$data/again.safetensors"
run 0 "import of another format" model import "$models/f32.safetensors" other
check "  same numbers" sh -c 'tail -c 2000 "$1" >a; tail -c 2000 "$2" | cmp -s - a' - "$data/tiny.safetensors" \
    "$data/other.safetensors"
if ! "$NST" --version | grep -q 'no nettle'; then
    check "  which tells what it was made from" \
        grep -q "sha256:$(sha256sum <"$models/f32.safetensors" | cut -c 1-64)" "$data/other.safetensors"
fi
run 0 "half of half" model import --half half half2
check "  same bytes" cmp -s "$data/half.safetensors" "$data/half2.safetensors"

# The order: --model, NST_MODEL, the user's vgg19, the built-in one.
check "without anything the built-in model" sh -c 'echo "$1" | grep -q "built-in model small"' - "$(dry)"
cp "$data/tiny.safetensors" "$data/vgg19.safetensors"
check "the user's vgg19" sh -c 'echo "$1" | grep -q vgg19.safetensors' - "$(dry)"
check "NST_MODEL before it" sh -c 'echo "$1" | grep -q half.safetensors' - "$(NST_MODEL=half dry)"
check "--model before that" sh -c 'echo "$1" | grep -q tiny.safetensors' - "$(NST_MODEL=half dry -m tiny)"
check "--model small" sh -c 'echo "$1" | grep -q "built-in"' - "$(NST_MODEL=half dry -m small)"
mkdir -p "$dir/system/nst/models" && cp "$data/half.safetensors" "$dir/system/nst/models/shared.safetensors"
check "the system's folder" sh -c 'echo "$1" | grep -q "shared.safetensors.*(the system.s, in .*system/nst/models)"' \
    - "$(XDG_DATA_DIRS=/nowhere:$dir/system dry -m shared)"
mv "$data/vgg19.safetensors" "$dir/system/nst/models"
check "the system's vgg19" sh -c 'echo "$1" | grep -q vgg19.safetensors' - "$(XDG_DATA_DIRS=$dir/system dry)"
cp "$data/half.safetensors" "$data/shared.safetensors"
rm "$dir/system/nst/models/vgg19.safetensors"
XDG_DATA_DIRS=$dir/system "$NST" model list >stdout
check "a name in both is listed once" test "$(grep -c '^shared ' stdout)" = 1
rm "$data/shared.safetensors"
check "  and stays where the user has none" sh -c 'echo "$1" | grep -q shared.safetensors' \
    - "$(XDG_DATA_DIRS=$dir/system dry -m shared)"
check "a file before a name" sh -c 'cp "$2" tiny && "$1" model info tiny | grep -q "format: ONNX"' \
    - "$NST" "$models/onnx-raw.onnx"
rm -f tiny

truncate -s 1000 "$data/tiny.safetensors"
run 1 "verify of a damaged one" model verify
says '^tiny *bad: '
run 0 "remove" model remove tiny
check "  it is gone" test ! -e "$data/tiny.safetensors"
run 1 "remove of none" model remove tiny
run 2 "remove of a path" model remove ../models/half
chmod a-w "$data"
[ "$(id -u)" = 0 ] || run 1 "import into a folder that is read-only" model import "$models/f32.safetensors" late
chmod u+w "$data"
check "nothing half-written is left" test -z "$(ls "$data" | grep -v 'safetensors$')"
finish
