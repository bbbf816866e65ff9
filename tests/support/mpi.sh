# mpi.sh: what tests of nst-mpi begin with, after lib.sh.  MPIRUN and NST_MPI choose another MPI's.
NST_MPI=${NST_MPI:-$here/nst-mpi}
MPIRUN=${MPIRUN:-mpirun}
[ -x "$NST" ] || exit 77
[ -x "$NST_MPI" ] || { echo "skipped: this build has no nst-mpi"; exit 77; }
command -v $MPIRUN >/dev/null || { echo "skipped: there is no $MPIRUN"; exit 77; }
export OMPI_MCA_rmaps_base_oversubscribe=1 TMPDIR=/tmp # Open MPI's sockets want a short path
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe # Open MPI 5's name for it
# Open MPI 4.1 ends with allocations of its own (ompi_op_base_op_select, opal_argv_append_nosize, modules that it has
# unloaded).
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
timeout 300 $MPIRUN -n 2 "$NST_MPI" --version >"$dir/stdout" 2>"$dir/stderr" ||
    { echo "skipped: $MPIRUN starts nothing here: $(head -n 3 "$dir/stderr")"; exit 77; }
