#!/bin/sh
# check.sh TARBALL [root]: what distributions will find: the tarball builds without autotools; the Debian packages build
# twice, in folders of other names, to the same bytes, and lintian says nothing; with "root", they are installed in a
# clean Debian of their own (debootstrap), where their installed tests paint.  Debian only; about two minutes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tarball=$(cd "$(dirname "$1")" && pwd)/${1##*/}
name=${tarball##*/}
version=${name#nst-}
version=${version%.tar.xz}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf 'packages: %s\n' "$*"; }

mkdir "$work/plain" "$work/one" "$work/two"
tar -xf "$tarball" -C "$work/plain"
cd "$work/plain/nst-$version"
# Any call of autotools would fail.
for tool in AUTOCONF AUTOHEADER AUTOMAKE ACLOCAL; do export $tool=false; done
./configure -q --disable-shared >/dev/null
make -s -j2 nst >/dev/null
./nst -q -s 64 -n 2 -o painted.png data/content.jpg data/style.jpg
unset AUTOCONF AUTOHEADER AUTOMAKE ACLOCAL
say "the tarball builds without autotools"

# Debian 12 has no GIMP 3.
pkg-config --exists gimpui-3.0 || export DEB_BUILD_PROFILES=pkg.nst.nogimp
debs() { # FOLDER JOBS: the packages, into $work/FOLDER
    cp "$tarball" "$work/$1/nst_$version.orig.tar.xz"
    tar -xf "$tarball" -C "$work/$1"
    mv "$work/$1/nst-$version" "$work/$1/$1-tree"
    cp -r "$here/../debian" "$work/$1/$1-tree/"
    (cd "$work/$1/$1-tree" && DEB_BUILD_OPTIONS="nocheck parallel=$2" dpkg-buildpackage -us -uc >../log 2>&1) ||
        { tail -n 40 "$work/$1/log"; exit 1; }
    (cd "$work/$1" && sha256sum ./*.deb) >"$work/$1.sums"
}
debs one 2
debs two 1
cmp "$work/one.sums" "$work/two.sums"
say "built twice, the same bytes: $(wc -l <"$work/one.sums") packages"
lintian --fail-on error,warning "$work"/one/*.changes
say "lintian has nothing to say"

[ "${2-}" = root ] || exit 0
root=$work/root
mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p; s/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list \
    /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" "$mirror" >"$work/log" 2>&1 ||
    { tail "$work/log"; exit 1; }
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
mkdir "$root/debs"
cp "$work"/one/*.deb "$work"/one/one-tree/debian/tests/paint "$work"/one/one-tree/debian/tests/library "$root/debs/"
rm -f "$root"/debs/*dbgsym*
chroot "$root" sh -c 'apt-get update -q && apt-get install -qy --no-install-recommends /debs/nst_*.deb && /debs/paint' \
    >"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
say "in a clean root, the program alone: $(tail -n 1 "$work/log")"
chroot "$root" sh -c \
    'apt-get install -qy --no-install-recommends /debs/*.deb gcc libc6-dev pkg-config python3 && /debs/library' \
    >"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
say "in a clean root, the library: $(tail -n 1 "$work/log")"
