#!/bin/sh
# autogen.sh: makes configure from configure.ac, in a clone; a release tarball has it already.
set -e
cd "$(dirname "$0")"
for tool in autoreconf automake libtoolize:glibtoolize pkg-config:pkgconf; do
    command -v "${tool%%:*}" >/dev/null || command -v "${tool##*:}" >/dev/null || {
        echo "autogen.sh: ${tool%%:*} is missing; ./quickstart installs what the build needs" >&2
        exit 1
    }
done
autoreconf -fi
