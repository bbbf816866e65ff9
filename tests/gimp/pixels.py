#!/usr/bin/env python3
"""pixels.py: what batch.sh asks about PPM and PGM files of 8 bits.

pixels.py differ A B [MASK VALUE]: the largest difference, where the mask has this value
pixels.py crop FROM TO X Y W H: a part of a picture
"""
import sys


def read(path):
    """Width, height, channels, bytes."""
    with open(path, "rb") as f:
        data = f.read()
    words, at = [], 0
    while len(words) < 4:
        end = at
        while data[end:end + 1] not in (b" ", b"\n", b"\t"):
            end += 1
        if data[at:at + 1] == b"#":
            at = data.index(b"\n", at) + 1
            continue
        if end > at:
            words.append(data[at:end])
        at = end + 1
    assert words[0] in (b"P5", b"P6") and words[3] == b"255", words
    return int(words[1]), int(words[2]), 1 if words[0] == b"P5" else 3, data[at:]


def differ(a, b, mask=None, value=None):
    (w, h, n, x), (w2, h2, n2, y) = read(a), read(b)
    assert (w, h, n) == (w2, h2, n2), (w, h, n, w2, h2, n2)
    shown = range(w * h)
    if mask:
        m = read(mask)
        shown = [i for i in shown if m[3][i * m[2]] == int(value)]
    return max(abs(x[i * n + c] - y[i * n + c]) for i in shown for c in range(n))


def crop(source, to, x, y, w, h):
    x, y, w, h = map(int, (x, y, w, h))
    width, _, n, data = read(source)
    with open(to, "wb") as f:
        f.write(b"P%d\n%d %d\n255\n" % (5 if n == 1 else 6, w, h))
        for row in range(y, y + h):
            f.write(data[(row * width + x) * n:(row * width + x + w) * n])


print({"differ": differ, "crop": crop}[sys.argv[1]](*sys.argv[2:]))
