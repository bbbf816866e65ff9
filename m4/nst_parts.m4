# NST_FLAGS(VARIABLE, FLAGS)
# --------------------------
# Substitutes VARIABLE by those of FLAGS that the compiler takes without a word.
AC_DEFUN([NST_FLAGS], [
AC_SUBST([$1])
for nst_flag in $2; do
    AC_MSG_CHECKING([whether $CC takes $nst_flag])
    nst_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $nst_flag"
    AC_COMPILE_IFELSE([AC_LANG_SOURCE([[#include <stdio.h>]])],
        [AC_MSG_RESULT([yes]); $1="$$1 $nst_flag"], [AC_MSG_RESULT([no])])
    CFLAGS=$nst_save_CFLAGS
done
])

# NST_OPTIONAL(NAME, WHAT FOR, PKG-CONFIG MODULES)
# ------------------------------------------------
# A library that may be missing: --with-NAME=auto|yes|no.  Defines HAVE_<NAME>,
# sets with_NAME to yes or no and the conditional HAVE_<NAME>.
AC_DEFUN([NST_OPTIONAL], [
AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1=auto|yes|no], [$2])], [], [with_$1=auto])
AS_CASE([$with_$1], [auto|yes|no], [], [AC_MSG_ERROR([--with-$1=$with_$1: expected auto, yes or no])])
AS_IF([test "$with_$1" != no], [
    PKG_CHECK_MODULES(m4_toupper([$1]), [$3], [nst_found=yes], [nst_found=no])
    AS_IF([test "$nst_found$with_$1" = noyes], [AC_MSG_ERROR([--with-$1: pkg-config does not find $3])])
    with_$1=$nst_found
])
AS_IF([test "$with_$1" = yes], [AC_DEFINE([HAVE_]m4_toupper([$1]), [1], [$2])])
AM_CONDITIONAL([HAVE_]m4_toupper([$1]), [test "$with_$1" = yes])
])

# NST_OPTIONAL_PLAIN(NAME, WHAT FOR, HEADER, LIBRARY, FUNCTION)
# -------------------------------------------------------------
# The same for a library that has no file of pkg-config's: -lLIBRARY with FUNCTION, and HEADER.
AC_DEFUN([NST_OPTIONAL_PLAIN], [
AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1=auto|yes|no], [$2])], [], [with_$1=auto])
AS_CASE([$with_$1], [auto|yes|no], [], [AC_MSG_ERROR([--with-$1=$with_$1: expected auto, yes or no])])
AC_ARG_VAR(m4_toupper([$1])[_LIBS], [linker flags for $4])
AS_IF([test "$with_$1" != no], [
    nst_found=no
    nst_save_LIBS=$LIBS
    LIBS="${m4_toupper([$1])[_LIBS]:=-l$4} $LIBS"
    AC_CHECK_HEADER([$3], [AC_CACHE_CHECK([for $5 in $m4_toupper([$1])[_LIBS]], [nst_cv_$1],
        [AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$3>]], [[(void)$5;]])], [nst_cv_$1=yes], [nst_cv_$1=no])])
        nst_found=$nst_cv_$1])
    LIBS=$nst_save_LIBS
    AS_IF([test "$nst_found$with_$1" = noyes], [AC_MSG_ERROR([--with-$1: there is no $3 or no $4 with $5])])
    with_$1=$nst_found
])
AS_IF([test "$with_$1" = yes], [AC_DEFINE([HAVE_]m4_toupper([$1]), [1], [$2])], [m4_toupper([$1])[_LIBS]=])
AM_CONDITIONAL([HAVE_]m4_toupper([$1]), [test "$with_$1" = yes])
])

# NST_LAZY_FILE(NAME, LIBRARY, FUNCTION, FLAGS, BEGINNING)
# --------------------------------------------------------
# Where with_NAME is yes, defines NST_FILE_<LIBRARY>: the file libBEGINNING... that the linker notes in a program that
# calls FUNCTION, by its soname or, on macOS, its install name.  A static library has none: then enable_lazy becomes no.
AC_DEFUN([NST_LAZY_FILE], [
AS_IF([test "$enable_lazy$with_$1" = yesyes], [
    AC_MSG_CHECKING([which file has $3])
    nst_file=
    nst_save_LIBS=$LIBS
    LIBS="$4 $LIBS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[void $3(void);]], [[$3();]])],
        [nst_file=`{ $OBJDUMP -p conftest$EXEEXT; $OTOOL -L conftest$EXEEXT; } 2>/dev/null |
            $SED -n -e 's/^ *NEEDED *//p' -e 's/^@<:@@<:@:space:@:>@@:>@*\(.*\) (compatibility.*/\1/p' |
            grep "lib$5@<:@^/@:>@*\$" | $SED 1q`])
    LIBS=$nst_save_LIBS
    AC_MSG_RESULT([${nst_file:-none}])
    AS_IF([test -n "$nst_file"],
        [AC_DEFINE_UNQUOTED([NST_FILE_$2], ["$nst_file"], [what is loaded when it is first used])
         nst_loaded="$nst_loaded${nst_loaded:+, }$nst_file"],
        [enable_lazy=no])
])
])

# NST_LAZY
# --------
# --disable-lazy links the libraries that otherwise are loaded when they are first used.  So does a build for which one
# of them is a static library.  What is loaded is taken out of the _LIBS.
AC_DEFUN([NST_LAZY], [
AC_ARG_ENABLE([lazy], [AS_HELP_STRING([--disable-lazy],
    [link HDF5, libheif, libjxl, CLBlast, libcurl, libmicrohttpd, chafa and FFmpeg instead of loading each when it is
     first used])], [],
    [enable_lazy=yes])
AC_CHECK_TOOLS([OBJDUMP], [objdump llvm-objdump], [false])
AC_CHECK_TOOL([OTOOL], [otool], [false])
AS_IF([test "$enable_lazy" = yes], [
    AC_SEARCH_LIBS([dlopen], [dl], [], [enable_lazy=no])
    AC_SEARCH_LIBS([pthread_mutex_lock], [pthread], [], [enable_lazy=no])
])
nst_loaded=
NST_LAZY_FILE([hdf5], [HDF5], [H5open], [$HDF5_LIBS], [hdf5])
NST_LAZY_FILE([heif], [HEIF], [heif_context_alloc], [$HEIF_LIBS], [heif])
NST_LAZY_FILE([jxl], [JXL], [JxlDecoderCreate], [$JXL_LIBS], [jxl])
NST_LAZY_FILE([opencl], [CLBLAST], [CLBlastSgemm], [$OPENCL_LIBS], [clblast])
NST_LAZY_FILE([libcurl], [LIBCURL], [curl_easy_init], [$LIBCURL_LIBS], [curl])
NST_LAZY_FILE([libmicrohttpd], [LIBMICROHTTPD], [MHD_start_daemon], [$LIBMICROHTTPD_LIBS], [microhttpd])
NST_LAZY_FILE([chafa], [CHAFA], [chafa_canvas_new], [$CHAFA_LIBS], [chafa])
NST_LAZY_FILE([ffmpeg], [AVFORMAT], [avformat_open_input], [$FFMPEG_LIBS], [avformat])
NST_LAZY_FILE([ffmpeg], [SWSCALE], [sws_scale], [$FFMPEG_LIBS], [swscale])
AS_IF([test "$enable_lazy" = yes], [
    AC_DEFINE([NST_LAZY_LOADS], [1], [some libraries are loaded when they are first used])
    HDF5_LIBS= HEIF_LIBS= JXL_LIBS= LIBCURL_LIBS= LIBMICROHTTPD_LIBS= CHAFA_LIBS= FFMPEG_LIBS=
    OPENCL_LIBS=`AS_ECHO([" $OPENCL_LIBS "]) | $SED 's/ -lclblast / /'`
], [nst_loaded=])
])

# NST_SANITIZE
# ------------
# --enable-sanitize[=address,undefined]: builds with the compiler's run-time checks.
AC_DEFUN([NST_SANITIZE], [
AC_ARG_ENABLE([sanitize],
    [AS_HELP_STRING([--enable-sanitize@<:@=LIST@:>@], [run-time checks (address,undefined), for developers])],
    [], [enable_sanitize=no])
AC_SUBST([NST_SANITIZE_CFLAGS])
AS_CASE([$enable_sanitize], [no], [],
    [AS_IF([test "$enable_sanitize" = yes], [enable_sanitize=address,undefined])
     NST_SANITIZERS=$enable_sanitize
     NST_SANITIZE_CFLAGS="-fsanitize=$enable_sanitize -fno-sanitize-recover=all -fno-omit-frame-pointer"])
AM_CONDITIONAL([SANITIZE], [test "$enable_sanitize" != no])
])

# NST_FUZZING
# -----------
# --enable-fuzzing: builds the libFuzzer targets of tests/fuzz (clang only).
AC_DEFUN([NST_FUZZING], [
AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing], [libFuzzer targets in tests/fuzz (clang; for developers)])],
    [], [enable_fuzzing=no])
AS_IF([test "$enable_fuzzing" = yes],
    [NST_SANITIZE_CFLAGS="$NST_SANITIZE_CFLAGS -fsanitize=fuzzer-no-link"])
AM_CONDITIONAL([FUZZING], [test "$enable_fuzzing" = yes])
])

# NST_MPI
# -------
# --with-mpi=auto|yes|no: nst-mpi, with the flags that mpicc says it adds (Open MPI's and MPICH's both take -show).
AC_DEFUN([NST_MPI], [
AC_ARG_WITH([mpi], [AS_HELP_STRING([--with-mpi=auto|yes|no], [nst-mpi, for several machines])], [], [with_mpi=auto])
AS_CASE([$with_mpi], [auto|yes|no], [], [AC_MSG_ERROR([--with-mpi=$with_mpi: expected auto, yes or no])])
AC_ARG_VAR([MPICC], [MPI's compiler, which is asked for its flags])
AC_ARG_VAR([MPI_CFLAGS], [flags for mpi.h, instead of asking MPICC])
AC_ARG_VAR([MPI_LIBS], [flags for MPI's library, instead of asking MPICC])
AS_IF([test "$with_mpi" != no], [
    AC_CHECK_TOOL([MPICC], [mpicc])
    for nst_flag in `test -n "$MPICC" && $MPICC -show 2>/dev/null`; do
        AS_CASE([$nst_flag],
            [-I*|-D*], [nst_mpi_cflags="$nst_mpi_cflags $nst_flag"],
            [-L*|-l*|-Wl,*|-pthread], [nst_mpi_libs="$nst_mpi_libs $nst_flag"])
    done
    MPI_CFLAGS=${MPI_CFLAGS-$nst_mpi_cflags}
    MPI_LIBS=${MPI_LIBS-$nst_mpi_libs}
    nst_save_CFLAGS=$CFLAGS nst_save_LIBS=$LIBS
    CFLAGS="$CFLAGS $MPI_CFLAGS" LIBS="$MPI_LIBS $LIBS"
    AC_MSG_CHECKING([for MPI])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <mpi.h>]],
            [[MPI_Comm c; MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &c)]])],
        [nst_found=yes], [nst_found=no])
    AC_MSG_RESULT([$nst_found])
    CFLAGS=$nst_save_CFLAGS LIBS=$nst_save_LIBS
    AS_IF([test "$nst_found$with_mpi" = noyes],
        [AC_MSG_ERROR(m4_normalize([--with-mpi: no MPI by MPICC=${MPICC:-mpicc} (Debian: libopenmpi-dev or libmpich-dev,
            Fedora: openmpi-devel)]))])
    with_mpi=$nst_found
])
AM_CONDITIONAL([HAVE_MPI], [test "$with_mpi" = yes])
])

# NST_GIMP
# --------
# --with-gimp=auto|yes|no: the plug-in for GIMP 3.  GIMP_PLUGINS is the folder below our libdir that has the name which
# GIMP's own plug-ins have below its libdir.
AC_DEFUN([NST_GIMP], [
NST_OPTIONAL([gimp], [GIMP's plug-in], [gimpui-3.0 >= 3.0])
AC_ARG_VAR([GIMP_PLUGINS], [folder of GIMP's plug-ins])
AS_IF([test "$with_gimp:$GIMP_PLUGINS" = yes:],
    [nst_gimp=`$PKG_CONFIG --variable=libdir gimp-3.0`
     GIMP_PLUGINS='${libdir}'`$PKG_CONFIG --variable=gimplibdir gimp-3.0 | $SED "s|^$nst_gimp||"`/plug-ins])
])

# NST_NAUTILUS
# ------------
# --with-nautilus=auto|yes|no: the module that gives Nautilus's menu an item.  It goes where Nautilus looks, below our
# libdir.  A module is a shared library, so --disable-shared leaves it out.
AC_DEFUN([NST_NAUTILUS], [
AS_IF([test "$enable_shared:$with_nautilus" = no:yes],
    [AC_MSG_ERROR([--with-nautilus: a module is a shared library, which --disable-shared leaves out])])
AS_IF([test "$enable_shared" = no], [with_nautilus=no])
NST_OPTIONAL([nautilus], [the item in Nautilus's menu], [libnautilus-extension-4 gio-unix-2.0 gmodule-2.0])
AC_SUBST([NAUTILUS_EXTENSIONS], ['${libdir}/nautilus/extensions-4'])
])
