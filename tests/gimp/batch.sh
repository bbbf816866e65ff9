#!/bin/sh
# batch.sh: the plug-in in GIMP 3's batch mode: its layer is nst's picture of the same options, only what is selected
# changes, an end in the middle (which is what GIMP's Cancel does) leaves the image as it was, errors are a sentence.
. "${SRCDIR:-.}/tests/support/lib.sh"
plug_in=$(dirname "$NST")/gimp/nst-style-transfer
[ -x "$plug_in" ] || { echo "skipped: this build has no plug-in for GIMP 3"; exit 77; }
gimp=$(command -v gimp-console-3.0) || { echo "skipped: no gimp-console-3.0"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
pixels() { python3 "$SRCDIR/tests/gimp/pixels.py" "$@"; }

# GIMP with a folder of its own, in which a script stands for the installed plug-in.
GIMP3_DIRECTORY=$dir/gimp HOME=$dir; export GIMP3_DIRECTORY HOME
name=nst-style-transfer
mkdir -p "$dir/gimp/plug-ins/$name"
cat >"$dir/gimp/plug-ins/$name/$name" <<END
#!/bin/sh
case "\$*" in *-run*) echo \$\$ >'$dir/pid' ;; esac
exec '$plug_in' "\$@"
END
chmod +x "$dir/gimp/plug-ins/$name/$name"
cd "$dir" || exit 99
photo=$dir/photo.ppm style=$SRCDIR/data/pictures/scream.jpg
"$NST" -q -j 1 -m small -s 160 -n 1 --scales 1 --strength 0 -o "$photo" "$SRCDIR/data/content.jpg" "$style" || exit 99

# batch SCRIPT: in Script-Fu, where image and layer are the photograph's; what it says is in gimp.out
batch() {
    "$gimp" -n -i -d -f --quit --batch-interpreter=plug-in-script-fu-eval -b "
(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE \"$photo\")))
       (layer (vector-ref (car (gimp-image-get-layers image)) 0))
       (layers (lambda () (vector-length (car (gimp-image-get-layers image)))))
       (note (lambda (word number) (gimp-message (string-append word \" \" (number->string number)))))
       (paint (lambda (file strength color scale size)
           (car (plug-in-nst-style-transfer #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector layer)
               #:style file #:strength strength #:color color #:style-scale scale #:size size))))
       (save (lambda (name) (gimp-file-save RUN-NONINTERACTIVE image (string-append \"$dir/\" name))))
       (save-layer (lambda (from name)
           (let* ((copy (car (gimp-image-new (car (gimp-drawable-get-width from))
                                             (car (gimp-drawable-get-height from)) RGB)))
                  (new (car (gimp-layer-new-from-drawable from copy))))
               (gimp-image-insert-layer copy new 0 0)
               (gimp-layer-set-offsets new 0 0)
               (if (not (= -1 (car (gimp-layer-get-mask new)))) (gimp-layer-remove-mask new MASK-DISCARD))
               (gimp-file-save RUN-NONINTERACTIVE copy (string-append \"$dir/\" name))
               (gimp-image-delete copy)))))
    $1
    (gimp-image-delete image))" >gimp.out 2>&1
}
same() { # NAME DIFFERENCE A B...: the two differ by at most so much of 255
    name=$1 most=$2
    shift 2
    found=$(pixels differ "$@" 2>&1 | tail -n 1)
    check "$name ($found of 255)" test "$found" -le "$most"
}
paint() { "$NST" -q -j 1 -m small "$@" "$style" || not_ok "nst $*"; } # what the plug-in is to paint

# The whole layer, at its own size and smaller.
batch '(let* ((new (paint "'"$style"'" 60 "match" 0.8 512)))
           (note "layers" (layers))
           (note "at" (car (gimp-image-get-item-position image new)))
           (save-layer new "layer.ppm")
           (save "whole.ppm"))
       (save-layer (paint "'"$style"'" 30 "content" 1.5 96) "small.ppm")'
paint -o nst.ppm --strength 60 --color match --style-scale 0.8 -s 160 "$photo"
same "the layer is nst's picture" 1 layer.ppm nst.ppm
same "  and what is seen" 1 whole.ppm nst.ppm
heard=gimp.out
says 'layers 2'
says 'at 0'
check "  which is a painting" test "$(pixels differ "$photo" nst.ppm)" -gt 60
check "painted smaller, the layer is as large as the picture" test "$(pixels differ "$photo" small.ppm)" -gt 30

# What is selected: a rectangle, then an ellipse, whose region libnst gets as a mask.
batch '(gimp-image-select-rectangle image CHANNEL-OP-REPLACE 20 10 90 70)
       (let* ((new (paint "'"$style"'" 60 "style" 1.0 512)))
           (note "mask" (car (gimp-layer-get-mask new)))
           (save-layer new "layer.ppm"))
       (gimp-selection-none image)
       (save "whole.ppm")'
pixels crop "$photo" part.ppm 20 10 90 70 >/dev/null
paint -o nst.ppm --strength 60 --color style -s 90 part.ppm
same "a rectangle is nst's picture of that part" 1 layer.ppm nst.ppm
says 'mask -1'
pixels crop whole.ppm seen.ppm 20 10 90 70 >/dev/null
same "  which is seen there" 0 seen.ppm layer.ppm
pixels crop whole.ppm left.ppm 0 0 20 120 >/dev/null
pixels crop "$photo" old.ppm 0 0 20 120 >/dev/null
same "  and beside it the photograph" 0 left.ppm old.ppm

batch '(gimp-context-set-antialias FALSE)
       (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 30 20 100 80)
       (save-layer (paint "'"$style"'" 60 "match" 1.0 512) "layer.ppm")
       (save "whole.ppm")
       (let* ((black (car (gimp-image-new 160 120 GRAY)))
              (new (car (gimp-layer-new black "black" 160 120 GRAY-IMAGE 100 LAYER-MODE-NORMAL))))
           (gimp-image-insert-layer black new 0 0)
           (gimp-context-set-foreground "black")
           (gimp-drawable-edit-fill new FILL-FOREGROUND)
           (gimp-image-select-ellipse black CHANNEL-OP-REPLACE 30 20 100 80)
           (gimp-context-set-foreground "white")
           (gimp-drawable-edit-fill new FILL-FOREGROUND)
           (gimp-file-save RUN-NONINTERACTIVE black "'"$dir"'/mask.pgm")
           (gimp-image-delete black))'
pixels crop "$photo" part.ppm 30 20 100 80 >/dev/null
pixels crop mask.pgm part.pgm 30 20 100 80 >/dev/null
paint -o nst.ppm --strength 60 --color match -s 100 --content-mask part.pgm part.ppm
same "an ellipse is nst's picture with that mask" 1 layer.ppm nst.ppm
same "  and outside of it the photograph" 0 whole.ppm "$photo" mask.pgm 0
check "  and inside a painting" test "$(pixels differ whole.ppm "$photo" mask.pgm 255)" -gt 60

# Sentences.
batch '(paint "'"$dir"'/nowhere.jpg" 50 "match" 1.0 512)'
says "for argument 'style'"
batch '(gimp-image-select-rectangle image CHANNEL-OP-REPLACE 0 0 10 10) (paint "'"$style"'" 50 "match" 1.0 512)'
says 'content picture: 10 x 10 pixels is too small'


# GIMP's Cancel kills the plug-in.
rm -f pid
batch '(gimp-image-scale image 1600 1200)
       (catch (note "ended" 1) (paint "'"$style"'" 50 "match" 1.0 2000))
       (note "layers" (layers))' &
running=$!
i=0
threads() { ls "/proc/$(cat pid)/task" | wc -l; } # it has some while it paints
while [ $i -lt 300 ] && ! { [ -s pid ] && [ "$(threads)" -gt 2 ]; }; do
    sleep .2
    i=$((i + 1))
done 2>/dev/null
sleep 1
check "it paints" kill -KILL "$(cat pid)"
wait $running
says 'ended 1'
says 'layers 1'
finish
