#!/usr/bin/python3
"""Writes tests/loss/w2_numbers.h: Wasserstein-2 losses and gradients of test_wasserstein.c's features, with 50 digits
(Debian: python3-mpmath)."""
from mpmath import mp, mpf, matrix, eigsy, sqrt, diag, eye

mp.dps = 50
RIDGE = mpf("1e-4")
# channels; positions of the picture and of the style; what features are multiplied by; what stands in place of the
# style's (1: one colour, 2: the picture's, a little changed) and of the picture's (1: one colour)
CASES = [(24, 96, 80, 1, 0, 0), (40, 11, 9, 1, 0, 0), (32, 50, 7, 1, 1, 0), (17, 9, 60, 1, 0, 1),
         (20, 64, 64, 256, 2, 0), (20, 64, 30, 256, 0, 0)]


def features(seed, c, n, by):
    state, f = seed, []
    for _ in range(c * n):
        state = (state * 1103515245 + 12345) % 2 ** 31
        f.append(max(0, (state >> 16) % 256 - 96) * by)
    return [[mpf(f[i * n + p]) / 128 for p in range(n)] for i in range(c)]


def plain(c, n, by):
    return [[mpf(i % 4) * by] * n for i in range(c)]


def moments(f):
    c, n = len(f), len(f[0])
    mean = [sum(r) / n for r in f]
    cov = matrix(c, c)
    for i in range(c):
        for j in range(c):
            cov[i, j] = sum(x * y for x, y in zip(f[i], f[j])) / n - mean[i] * mean[j] + (RIDGE if i == j else 0)
    return mean, cov


def root(m, power):
    e, v = eigsy((m + m.T) / 2)
    return v * diag([x ** power for x in e]) * v.T


def numbers(c, n, k, by, style, picture):
    f = plain(c, n, by) if picture else features(7, c, n, by)
    if style == 2:
        t = [[x + (by * mpf(1) / 64 if (i + p) % 5 == 0 else 0) for p, x in enumerate(r)] for i, r in enumerate(f)]
    else:
        t = plain(c, k, by) if style else features(11, c, k, by)
    m, cov = moments(f)
    u, target = moments(t)
    half = root(target, mpf(1) / 2)
    inner = half * cov * half
    loss = sum((x - y) ** 2 for x, y in zip(m, u)) + sum(cov[i, i] + target[i, i] for i in range(c))
    r = root(inner, mpf(1) / 2)
    loss -= 2 * sum(r[i, i] for i in range(c))
    a = (eye(c) - half * root(inner, -mpf(1) / 2) * half) * (mpf(2) / (n * c))
    x = matrix([i % 3 - 1 for i in range(c)])
    am = a * matrix(m)
    b = [2 * (m[i] - u[i]) / (n * c) - am[i] for i in range(c)]
    return loss / c, a * x, b


def line(name, v):
    print("      .%s = { %s }," % (name, ",\n        ".join(", ".join("%.15g" % float(x) for x in v[i:i + 4])
                                                            for i in range(0, len(v), 4))))


print("""/* w2_numbers.h: written by w2_numbers.py: losses, a (0, -1, 1, ...) and b of test_wasserstein.c. */
#ifndef NST_W2_NUMBERS_H
#define NST_W2_NUMBERS_H

static const struct w2_case {
    int c, n, k, by, style, picture;
    double loss, a[40], b[40];
} w2_cases[] = {""")
for case in CASES:
    loss, a, b = numbers(*case)
    print("    { %d, %d, %d, %d, %d, %d, %.15g," % (case + (float(loss),)))
    line("a", list(a))
    line("b", b)
    print("    },")
print("};\n\n#endif")
