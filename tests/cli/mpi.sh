#!/bin/bash
# mpi.sh: several ranks with real messages paint one machine's picture, more of them than there are strips, too; a rank
# that fails ends all with one line, one that is killed leaves whole pictures, a signal leaves the picture so far.
# MPIRUN and NST_MPI choose another MPI's.
. "${SRCDIR:-.}/tests/support/lib.sh"
. "$SRCDIR/tests/support/mpi.sh"
cd "$dir" || exit 99
cp "$SRCDIR/data/content.jpg" c.jpg && cp "$SRCDIR/data/style.jpg" s.jpg || exit 77
ranks() { n=$1; shift; timeout 300 $MPIRUN -n "$n" "$NST_MPI" --threads 1 "$@"; }
heard=stdout
says MPI

samples=$((96 * 72 * 3))
# mean_difference A.ppm B.ppm: of 255, in thousandths; nothing, and a failure, where one of them is not a whole picture
mean_difference() {
    for f in "$1" "$2"; do
        [ -f "$f" ] && [ "$(wc -c <"$f")" -gt $samples ] || return 1
    done
    paste <(tail -c $samples "$1" | od -An -v -tu1 -w1) <(tail -c $samples "$2" | od -An -v -tu1 -w1) |
        awk '{ d = $1 - $2; s += d < 0 ? -d : d } END { printf "%d\n", 1000 * s / NR }'
}
touch short.ppm
check "a picture that is missing or short is not the same" bash -c "$(declare -f mean_difference); samples=$samples
    ! mean_difference c.ppm c.ppm && ! mean_difference short.ppm short.ppm"

# ---- the same picture ------------------------------------------------------------------------------------------------
# Two steps a scale (test_across.c knows the floats), with average pooling: where two maxima are alike rounding decides
# which one it is, and L-BFGS's later steps make more of that.
for preset in nst opengenus; do
    case $preset in nst) counts="2 5 16" ;; *) counts="1 3" ;; esac
    args="--preset $preset -s 96 --scales 2 -n 2 --pooling avg"
    "$NST" -q $args --threads 1 -o one.ppm --log one.json c.jpg s.jpg || not_ok "$preset: one process"
    for n in $counts; do
        rm -f many.*
        ranks $n -v $args -o many.ppm --log many.json c.jpg s.jpg >stdout 2>stderr
        check "$preset: $n ranks paint" test $? = 0
        d=$(mean_difference one.ppm many.ppm)
        # test_across.c allows floats 1/1000 of 255; a byte goes over to the next as often as that is of a step
        check "  the same picture: ${d:-not} 1/1000 of 255 apart" test "${d:-9999}" -le 2
        a=$(tail -n 1 one.json | sed 's/.*"total": \([^,]*\),.*/\1/')
        b=$(tail -n 1 many.json | sed 's/.*"total": \([^,]*\),.*/\1/')
        check "  the same loss: $a, $b" awk "BEGIN { exit !($a > 0 && ($a - $b) ^ 2 < (1e-5 * $a) ^ 2) }"
        check "  one rank speaks" test "$(grep -c 'will be' stderr)" = 1
        grep 'of rows' stderr
    done
done

# ---- what fails ------------------------------------------------------------------------------------------------------
heard=stderr
ranks 3 -q -s 96 -n 3 -o no.ppm missing.jpg s.jpg >stdout 2>stderr
check "a picture that is missing" test $? != 0
says 'nst-mpi: rank 0: missing.jpg: '
check "  in one line, and nothing is written" test "$(grep -c 'nst-mpi: ' stderr)" = 1 -a ! -e no.ppm
ranks 3 -q -s 96 -n 3 --memory 4M -o no.ppm c.jpg s.jpg >stdout 2>stderr
check "too little memory" test $? != 0
says 'nst-mpi: rank 0: .*too few'
for arg in --checkpoint=x.nst --web --preview -; do
    ranks 2 -q -s 96 -n 3 -o no.ppm $arg c.jpg s.jpg >stdout 2>stderr
    check "$arg is refused" test $? != 0
    says 'nst-mpi: -'
done
# rank 1 sees another picture under the name
cat >other.sh <<'EOF'
rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
mkdir -p d$rank && cp s.jpg d$rank/s.jpg && { [ "$rank" = 1 ] && cp s.jpg d$rank/c.jpg || cp c.jpg d$rank/c.jpg; }
cd d$rank && exec "$@"
EOF
timeout 300 $MPIRUN -n 2 bash other.sh "$NST_MPI" -q -s 96 -n 3 -o ../no.ppm c.jpg s.jpg >stdout 2>stderr
check "another picture under the same name" test $? != 0
says 'nst-mpi: rank 1: pictures, model or options are not those of rank 0'

# ---- killed, and stopped ---------------------------------------------------------------------------------------------
# begin: paints in the background until its third picture is kept; in pids the ranks
begin() {
    rm -f k*.ppm pid.*
    cat >begin.sh <<'EOF'
echo $$ >pid.${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
exec "$@"
EOF
    timeout 300 $MPIRUN -n 3 bash begin.sh "$NST_MPI" --threads 1 -s 96 --scales 1 -n 100000 --save-every 5 \
        -o k.ppm c.jpg s.jpg \
        >stdout 2>stderr &
    job=$!
    for ((i = 0; i < 600; i++)); do
        [ -e k-0015.ppm ] && break
        kill -0 $job 2>/dev/null || break
        sleep .1
    done
}
whole() { for f in k-*.ppm; do [ "$(wc -c <"$f")" = "$(wc -c <k-0005.ppm)" ] || return 1; done; test -e k-0015.ppm; }
begin
kill -KILL "$(cat pid.1)"
wait $job
check "a rank that is killed ends all" test $? != 0
sleep 2
check "  no other is left" bash -c '! kill -0 $(cat pid.0) 2>/dev/null && ! kill -0 $(cat pid.2) 2>/dev/null'
check "  the pictures kept so far are whole" whole
begin
kill -USR1 "$(cat pid.1)"
wait $job
check "a signal that reaches one rank ends all" test $? != 0
says 'k.ppm: 96x72 after .* stopped early, the picture so far is kept'
check "  the picture is kept" test -s k.ppm
finish
