#!/bin/bash
# fuzz.sh BUILD FOLDER UNTIL [SECONDS]: gives each reader of foreign bytes an equal share of one processor until the
# time UNTIL ("01:30", as date -d reads it), SECONDS (120) at a time.  BUILD was configured with CC=clang
# --enable-fuzzing --enable-sanitize.  FOLDER keeps a corpus and a folder of findings for each, and a
# line a turn in FOLDER/log: when, reader, seconds, seconds of a processor, executions, findings.  READERS="mat torch"
# takes these alone, so that two can run side by side.
set -u
[ $# -ge 3 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
build=$(cd "$1" && pwd) source=$(cd "$(dirname "$0")/../.." && pwd)
folder=$2 until=$(date -d "$3" +%s) slice=${4:-120}
[ "$until" -gt "$(date +%s)" ] || until=$((until + 86400)) # tomorrow
readers=${READERS-hdf5 mat safetensors torchzip torch caffe onnx image checkpoint flow}
export ASAN_OPTIONS=${ASAN_OPTIONS-allocator_may_return_null=1}
export LSAN_OPTIONS=${LSAN_OPTIONS-suppressions=$source/.ci/leaks:print_suppressions=0} # of foreign libraries

for r in $readers; do
    mkdir -p "$folder/$r/corpus" "$folder/$r/found"
    if [ $r = image ]; then
        cp "$source"/data/*.jpg "$folder/$r/corpus" 2>/dev/null
        cp "$source"/tests/data/pictures/* "$folder/$r/corpus"
        cp "$source"/../shared/cases/*.* "$folder/$r/corpus" 2>/dev/null
        for kind in png tif webp ppm pfm; do # a small one of each, where the program has been built, too
            [ -x "$build/nst" ] && "$build/nst" -q -n 1 --scales 1 -s 48 -o "$folder/$r/corpus/small.$kind" \
                "$source"/data/content.jpg "$source"/data/style.jpg 2>/dev/null
        done
        find "$folder/$r/corpus" -type f -size +40k -delete
    elif [ $r = checkpoint ]; then
        [ -x "$build/nst" ] && timeout --foreground -s INT 20 "$build/nst" -q -p gatys -n 1000000 --scales 1 -s 48 \
            --checkpoint "$folder/$r/corpus/small" -o "$folder/$r/small.png" \
            "$source"/data/content.jpg "$source"/data/style.jpg 2>/dev/null
    elif [ $r = flow ]; then # 2 x 1 pixels
        printf 'PIEH\2\0\0\0\1\0\0\0\0\0\300\77\0\0\0\300\371\2\25\120\0\0\0\0' >"$folder/$r/corpus/small"
    else
        cp "$source"/tests/data/models/* "$folder/$r/corpus" # those of other formats are not taken
    fi
done

turn() { # READER: one slice; a finding ends the process and the next one begins
    local r=$1 end=$(($(date +%s) + slice)) runs=0 cpu=0 TIMEFORMAT='%0U' n program=model leaks=1 most=512 \
        longest=32768 on=
    [ "$r" = checkpoint ] && longest=262144 # x and the optimiser's arrays
    case $r in image | checkpoint | flow) program=$r ;; esac
    # A picture without loss may be of one colour and then as large as it says; libhdf5 asks for absurd amounts.  Both
    # are refused.
    case $r in image | hdf5) most=1000000 ;; esac
    # libhdf5's own crashes, which the program leaves to a child, would end every run at once.
    [ "$r" = hdf5 ] && leaks=0 on="-fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1"
    while n=$((end - $(date +%s))); [ $n -gt 0 ]; do
        cpu=$((cpu + $({ time ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=$leaks:max_allocation_size_mb=512 NST_FUZZ=$r \
            nice -n 19 "$build/tests/fuzz/fuzz_$program" -max_total_time=$n -max_len=$longest -timeout=120 \
                -rss_limit_mb=2048 \
            -malloc_limit_mb=$most -detect_leaks=$leaks $on -use_value_profile=1 -print_final_stats=1 \
            -artifact_prefix="$folder/$r/found/" "$folder/$r/corpus" >"$folder/$r/last" 2>&1; } 2>&1)))
        runs=$((runs + $(sed -En 's/^stat::number_of_executed_units: *//p; s/^#([0-9]+): cov: .*/\1/p' \
            "$folder/$r/last" |
            tail -n 1) + 0))
        grep -q '^SUMMARY' "$folder/$r/last" && cp "$folder/$r/last" "$folder/$r/last.$(date +%s)"
        sleep 1
    done
    echo "$(date +%H:%M:%S) $r $slice $cpu $runs $(find "$folder/$r/found" -type f | wc -l)" >>"$folder/log"
}

while :; do
    for r in $readers; do
        left=$((until - $(date +%s)))
        [ $left -gt 5 ] || exit 0
        [ $left -lt "$slice" ] && slice=$left
        turn $r
    done
done
