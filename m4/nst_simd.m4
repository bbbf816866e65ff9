# NST_SIMD(NAME, FLAGS, HEADER, BODY)
# -----------------------------------
# A kernel set: simd/NAME.c, compiled with FLAGS.  It is built when a program
# whose main(argc, argv) is BODY compiles and links with them; --disable-NAME
# leaves it out, --enable-NAME makes its absence an error.  Sets
# nst_simd_NAME and the conditional HAVE_<NAME>, substitutes NST_<NAME>_CFLAGS, defines HAVE_<NAME>.
AC_DEFUN([NST_SIMD], [
AC_ARG_ENABLE([$1], [AS_HELP_STRING([--disable-$1], [leave out the $1 kernels])], [], [enable_$1=auto])
nst_simd_$1=no
AS_IF([test "$enable_$1" != no], [
    AC_MSG_CHECKING([for $1 (m4_default([$2], [no flags]))])
    nst_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $2"
    AC_LINK_IFELSE([AC_LANG_SOURCE([[#include <$3>
int main(int argc, char **argv) { (void)argv; $4 }]])], [nst_simd_$1=yes])
    CFLAGS=$nst_save_CFLAGS
    AC_MSG_RESULT([$nst_simd_$1])
])
AS_IF([test "$nst_simd_$1" = yes],
    [AC_DEFINE([HAVE_]m4_toupper([$1]), [1], [simd/$1.c is built])
     NST_SIMD_SETS="$NST_SIMD_SETS $1"],
    [test "$enable_$1" = yes],
    [AC_MSG_ERROR([--enable-$1: this compiler cannot build it for $host])])
AM_CONDITIONAL([HAVE_]m4_toupper([$1]), [test "$nst_simd_$1" = yes])
AC_SUBST([NST_]m4_toupper([$1])[_CFLAGS], ["$2"])
])
