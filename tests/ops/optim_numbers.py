#!/usr/bin/python3
"""Writes tests/ops/optim_numbers.h: what torch.optim does on the problem of test_optim.c, in double (Debian:
python3-torch)."""
import torch

N = 8
C = torch.tensor([1 + i * i / 4 for i in range(N)], dtype=torch.float64)
T = torch.tensor([.2 + .1 * (i % 4) for i in range(N)], dtype=torch.float64)


def loss(x):
    return (C * (x - T) ** 2).sum() / 2 + .3 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def start():
    return torch.tensor([.9 - .1 * i for i in range(N)], dtype=torch.float64, requires_grad=True)


def adam(steps, clamp):
    x, rows = start(), []
    opt = torch.optim.Adam([x], lr=.05, betas=(.9, .99))
    average, weight = .1 * x.detach().clone(), .9
    for _ in range(steps):
        opt.zero_grad()
        loss(x).backward()
        opt.step()
        with torch.no_grad():
            if clamp:
                x.clamp_(.3, .6)
            average, weight = .9 * average + .1 * x, .9 * weight
        rows.append((x.detach().clone(), average / (1 - weight)))
    return rows


def lbfgs(steps, history, rate):
    x, rows = start(), []
    opt = torch.optim.LBFGS([x], lr=rate, max_iter=steps + 1, max_eval=10 ** 9, tolerance_grad=-1,
                            tolerance_change=-1e9, history_size=history)

    def closure():
        opt.zero_grad()
        rows.append(x.detach().clone())
        v = loss(x)
        v.backward()
        return v
    opt.step(closure)
    return rows[1:]


def table(name, rows):
    print("static const double %s[][%d] = {" % (name, N))
    for r in rows:
        half = [", ".join("%.12g" % v for v in r[i:i + 4]) for i in (0, 4)]
        print("    { %s,\n      %s }," % tuple(half))
    print("};\n")


print("/* optim_numbers.h: written by optim_numbers.py: torch.optim's iterates on the problem of test_optim.c. */")
print("#ifndef NST_OPTIM_NUMBERS_H\n#define NST_OPTIM_NUMBERS_H\n")
table("adam_free", [r[0] for r in adam(12, False)])
table("adam_free_mean", [r[1] for r in adam(12, False)])
table("adam_clamped", [r[0] for r in adam(12, True)])
table("adam_clamped_mean", [r[1] for r in adam(12, True)])
table("lbfgs_long", lbfgs(12, 100, 1))
table("lbfgs_short", lbfgs(12, 3, .8))
print("#endif")
