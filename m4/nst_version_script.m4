# NST_VERSION_SCRIPT
# ------------------
# The conditional HAVE_VERSION_SCRIPT: the linker takes --version-script (GNU ld, gold, lld; not Apple's).
AC_DEFUN([NST_VERSION_SCRIPT], [
AC_MSG_CHECKING([whether the linker takes a version script])
nst_save_LDFLAGS=$LDFLAGS
echo 'NST_TEST { global: main; local: *; };' >conftest.map
LDFLAGS="$LDFLAGS -shared -fPIC -Wl,--version-script=conftest.map"
AC_LINK_IFELSE([AC_LANG_SOURCE([[int main(void) { return 0; }]])], [nst_version_script=yes], [nst_version_script=no])
LDFLAGS=$nst_save_LDFLAGS
rm -f conftest.map
AC_MSG_RESULT([$nst_version_script])
AM_CONDITIONAL([HAVE_VERSION_SCRIPT], [test "$nst_version_script" = yes])
])
