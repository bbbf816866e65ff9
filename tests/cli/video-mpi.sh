#!/bin/bash
# video-mpi.sh: several ranks share a film's scenes: the film is a single process's, to the byte; a rank that is killed
# loses no picture, and one process goes on; what ranks cannot do.  MPIRUN and NST_MPI choose another MPI's.
. "${SRCDIR:-.}/tests/support/lib.sh"
. "$SRCDIR/tests/support/mpi.sh"
"$NST" --version | grep -q ', libavformat ' || { echo "skipped: this build has no FFmpeg"; exit 77; }
cd "$dir" || exit 99
${CC:-cc} -o film "$SRCDIR/tests/cli/film.c" $(pkg-config --cflags --libs libavformat libavcodec libavutil) -lm ||
    { echo "skipped: no compiler, or no headers of FFmpeg's"; exit 77; }
cp "$SRCDIR/data/style.jpg" s.jpg || exit 77
ranks() { n=$1; shift; timeout 300 $MPIRUN -n "$n" "$NST_MPI" "$@" >stdout 2>stderr; }
paint="video --model $SRCDIR/tests/data/golden/tiny.safetensors -j 1 -s 96 -n 3 --scales 2 --frame-iterations 2"
# Two films of two scenes each, behind one another, are one of four scenes.
./film make one.m2v 96 56 8 silent && ./film make two.m2v 96 56 10 silent && cat one.m2v two.m2v >a.m2v || exit 99

run 0 "one process" $paint -q a.m2v s.jpg -o one.mkv
"$NST" $paint -q a.m2v s.jpg -o one/ || not_ok "into a folder"
for n in 2 3 6; do
    ranks $n $paint a.m2v s.jpg -o many.mkv
    check "$n ranks" test $? = 0
    check "  the same film" cmp one.mkv many.mkv
    check "  one rank speaks" test "$(grep -c ' will have ' stderr)" = 1
    check "  nothing beside it" test "$(echo many*)" = many.mkv
    rm -f many.mkv
done
# The pictures that a rank paints: each says its number with --verbose, on rank 0 only.
ranks 2 $paint --verbose a.m2v s.jpg -o shared/
mine=$(sed -n 's|^picture \([0-9]*\)[/ ].*|\1|p' stderr | sort -nu | wc -l)
all=$(ls one | wc -l)
check "rank 0 paints a part of them: $mine of $all" test "$mine" -gt 2 -a "$mine" -lt $((all - 2))
check "  the same pictures" diff -r one shared

# ---- killed ----------------------------------------------------------------------------------------------------------
cat >begin.sh <<'EOF'
echo $$ >pid.${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
exec "$@"
EOF
timeout 300 $MPIRUN -n 2 bash begin.sh "$NST_MPI" $paint -q -n 40 a.m2v s.jpg -o killed/ >stdout 2>stderr &
job=$!
wait_for() { # FILE, or the job's end
    for ((i = 0; i < 1000; i++)); do
        [ -e "$1" ] && break
        kill -0 $job 2>/dev/null || break
        sleep .02
    done
}
wait_for killed.frames/p1-000001.png
kill -STOP "$(cat pid.1)"
wait_for killed.frames/p1-000010.png # rank 0 is at its second scene
kill -KILL "$(cat pid.1)"
wait $job
check "a rank that is killed ends all" test $? != 0
rm -f killed.frames/[ap]1-00000[5-8].png # as if rank 1 had not come so far
check "  pictures are kept" test "$(echo killed.frames/p1-0000* | wc -w)" -ge 6
for ((i = 0; i < 300; i++)); do # mpirun does not wait for the other rank
    "$NST" resume killed.frames -q 2>stderr
    got=$?
    [ $got != 0 ] && grep -q 'another nst is painting there' stderr || break
    sleep .1
done
check "one process goes on: $(cat stderr)" test $got = 0
"$NST" $paint -q -n 40 a.m2v s.jpg -o whole/ || not_ok "uninterrupted"
check "  the same pictures" diff -r whole killed

# ---- what fails ------------------------------------------------------------------------------------------------------
heard=stderr
ranks 2 $paint -q --passes 2 a.m2v s.jpg -o bad.mkv
check "--passes is refused" test $? != 0
says 'nst-mpi: rank 0: video: several ranks go through a film once'
ranks 2 $paint -q none.m2v s.jpg -o bad.mkv
check "no film" test $? != 0
says 'nst-mpi: rank 0: none.m2v: No such file'
cat >other.sh <<'EOF'
rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
mkdir -p d$rank && cp s.jpg a.m2v d$rank && cd d$rank && exec "$@"
EOF
timeout 300 $MPIRUN -n 2 bash other.sh "$NST_MPI" $paint -q a.m2v s.jpg -o bad.mkv >stdout 2>stderr
check "a folder that one rank sees alone" test $? != 0
says "nst-mpi: rank 1: bad.mkv.frames: this folder of rank 0's is not seen here"
check "  in one line" test "$(grep -c nst-mpi: stderr)" = 1
finish
