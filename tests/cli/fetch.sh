#!/bin/bash
# fetch.sh: nst model fetch against a server on loopback that also misbehaves: a bad download never becomes a model, and
# nothing of it is left but a part that can be gone on with.
. "${SRCDIR:-.}/tests/support/lib.sh"
[ -x "$NST" ] || exit 77
"$NST" --version | grep -q 'no libcurl\|no nettle' && missing=1 || missing=
cd "$dir" || exit 99
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY
export XDG_DATA_DIRS=$dir/system NST_FETCH_PATIENCE=30
data=$XDG_DATA_HOME/nst/models
file=$SRCDIR/tests/data/models/torch-legacy.pth

run() { # STATUS NAME ARGUMENTS...: a failure says one line (of progress there may be more)
    want=$1 name=$2
    shift 2
    "$NST" model fetch "$@" >stdout 2>stderr
    got=$?
    if [ $got != "$want" ]; then
        not_ok "$name: status $got, expected $want: $(head -n 3 stderr)"
    elif [ "$want" != 0 ] && ! tail -n 1 stderr | grep -q '^nst: '; then
        not_ok "$name: no sentence: $(tail -n 3 stderr)"
    else
        ok "$name"
    fi
}
heard="stdout stderr"
none() { check "  nothing is left" test -z "$(ls -A "$data" 2>/dev/null)"; rm -rf "$data"; }
refused() { # NAME PATH MODEL [WORDS]: what is there is no model, these words say why, and nothing is left
    run 1 "$1" --url "$at/$2" "$3"
    [ $# = 3 ] || says "$4"
    none
}
part() { # NAME BYTES: a part of that length and what it is of, nothing else
    check "  a part is left" test "$(ls "$data" | tr '\n' ' ')" = "$1.part $1.part.from "
    check "  of the length of what came" test "$(wc -c <"$data/$1.part")" = "$2"
}
there() { # NAME: the model, as import makes it, and no part
    check "  the model is there, alone" test "$(ls "$data")" = "$1.safetensors"
    check "  and right" cmp -s "$data/$1.safetensors" good.safetensors
    rm -rf "$data"
}

if [ -n "$missing" ]; then # what a build without the libraries says
    run 1 "fetch without its libraries" --url http://127.0.0.1:1/x.pth m
    says 'this build of nst lacks'
    none
    finish
fi
run 2 "an unknown name" vgg20
says 'expected vgg19, vgg19-caffe,'
run 2 "an address of another kind" --url file:///etc/passwd x
says 'begins with https:// or http://'
run 2 "two names" vgg19 vgg16
run 2 "a name that is none" --url http://127.0.0.1:1/x ../x
run 1 "nobody there" --url http://127.0.0.1:1/x.pth
none

command -v python3 >/dev/null || { echo "skipped: no python3, which the server is written in"; exit 77; }
python3 "$SRCDIR/tests/cli/server.py" "$file" >port 2>requests &
server=$!
trap 'kill $server 2>/dev/null; chmod -R u+w "$dir" 2>/dev/null; rm -rf "$dir"' EXIT
for i in $(seq 600); do [ -s port ] && break; sleep .1; done
[ -s port ] || { echo "skipped: nothing can listen on 127.0.0.1 here"; exit 77; }
at=http://127.0.0.1:$(cat port)
bytes=$(wc -c <"$file") half=$(($(wc -c <"$file") / 2))
"$NST" model import "$file" good >/dev/null && mv "$data/good.safetensors" . || not_ok "import"
rm -rf "$data"
sum=$(sha256sum "$file" | cut -c 1-8)

# ---- good ways
run 0 "a good server" --url "$at/plain/it.pth" m
says '^sha-256: '
there m
run 0 "the name comes from the address" --url "$at/plain/it.pth?x=1#y"
there it
run 0 "a redirect" --url "$at/moved/it" m
there m
run 0 "no length told" --url "$at/untold/it" m
there m
run 0 "first digits of the checksum in the address" --url "$at/plain/net-$sum.pth" m
check "  which are not said to be unknown" sh -c '! grep -q "nothing known" stdout'
there m
"$NST" model fetch -q --url "$at/plain/it.pth" m >stdout 2>stderr
check "-q says nothing" test ! -s stdout -a ! -s stderr
run 2 "a name that is taken" --url "$at/plain/it.pth" m
says 'exists already'
there m
run 0 "in half precision" --half --url "$at/plain/it.pth" m
check "  which is smaller" test "$(wc -c <"$data/m.safetensors")" -lt "$(wc -c <good.safetensors)"
rm -rf "$data"

# ---- broken connections
run 0 "a connection that breaks twice" --url "$at/drops/it" m
says 'the connection broke'
there m
check "  is gone on with, if it is the same file" grep -q "^/drops/it bytes=$half- \"one\"" requests
run 1 "a connection that breaks and is gone" --url "$at/dies/it" m
part m $half
run 0 "  the next time goes on" --url "$at/dies/it" m
check "  from there" test "$(grep -c "^/dies/it bytes=$half- \"one\"" requests)" = 2
there m
run 0 "a server that refuses ranges" --url "$at/refuses/it" m
there m
run 1 "a file that changes between" --url "$at/changes/it" m
part m $half
run 0 "  is begun anew" --url "$at/changes/it" m
there m
run 1 "a part of another address" --url "$at/dies/a" m
run 0 "  is not gone on with" --url "$at/plain/b" m
there m
run 1 "a range that was not asked for" --url "$at/elsewhere/it" m
says 'sent byte 0 and on'
none
run 1 "a whole that is shorter than its part" --url "$at/shrinks/it" m
says 'the whole file has 1 bytes after .* came; the part is given up'
none
run 1 "less than the length told" --url "$at/short/it" m
part m $half
rm -rf "$data"

# ---- what is no model
refused "more than the length told" long/it m 'truncated'
refused "a body that breaks off without a length" cut/it m
refused "404" nowhere/it m 'answers 404: it has no such file'
refused "redirects for ever" circle/it m 'redirected more than 5 times'
refused "a redirect to a file" away/it m
refused "a web page" page/it m 'sent a web page'
refused "a web page in disguise" disguised/it m 'is a web page'
refused "noise" noise/it m
refused "nothing" nothing/it m
refused "an absurd length" huge/it m 'expected at most 4294967296'
refused "another length than the table's" plain/it vgg19 'expected 574673361: it is another file'
refused "a wrong checksum, of which the first digits are known" plain/it vgg16 'SHA-256 is .*, expected 397923af'
refused "a wrong checksum, MD5" plain/it vgg19-keras 'MD5 is .*, expected 253f8cb515780f3b799900260a226db6'
refused "a wrong checksum, told by the address" plain/net-01234567.pth m \
    'expected 01234567\.\.\.: the download was deleted'
refused "a wrong checksum, of a file that is known by its name" plain/vgg19-d01eb7cb.pth m 'expected d01eb7cb'
run 1 "an endless body for a file whose length is known" --url "$at/endless/it" vgg19
check "  keeps no more than that" sh -c '! [ -e "$1" ]' - "$data/vgg19.part"
rm -rf "$data"

# ---- slow
NST_FETCH_PATIENCE=2
began=$SECONDS
run 1 "a trickle" --url "$at/trickle/it" m
says 'too slow\|Operation'
check "  is given up" test $((SECONDS - began)) -lt 20
rm -rf "$data"
began=$SECONDS
run 1 "silence" --url "$at/silent/it" m
check "  is given up" test $((SECONDS - began)) -lt 20
none

# ---- a part that another nst writes
"$NST" model fetch -q --url "$at/trickle/it" m 2>/dev/null &
for i in $(seq 600); do [ -s "$data/m.part" ] && break; sleep .1; done
run 1 "two at once" --url "$at/plain/it" m
says 'another nst is fetching it'
check "  whose part stays" test -s "$data/m.part"
wait $!
rm -rf "$data"
mkdir -p "$data"; chmod a-w "$data"
[ "$(id -u)" = 0 ] || run 1 "a folder that is read-only" --url "$at/plain/it" m
finish
