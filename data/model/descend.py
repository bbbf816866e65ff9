"""descend.py MINUTES [RATE]: trains fitted.pt (or goes on with student.pt, where that exists) and keeps student.pt.

The objective, layer by layer: squared differences from the teacher's features, where the teacher is silent only what
rises above zero, as shares of the layer's energy; and at the style layers the differences of means and second moments
of each crop. Adam works in coordinates in which a layer's inputs are white (weight and bias = V L^-1, L from fit.py):
in the weights themselves a step of the same length in all directions would mostly move what the features have in
common, and undo the fit.

Two processes of one thread each, which meet once a step:
    MEET=$RANDOM; for r in 0 1; do RANK=$r MEET=$MEET python descend.py 90 & done; wait"""
import math
import os
import sys
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F

from net import LAYERS, PLAN, WIDTHS, imagenet, rgb

MINUTES, RATE = float(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 5e-4
BATCH = 4  # crops a process and step
FEATURES = {"2_1": 1., "2_2": .3, "3_1": 1., "3_2": .15, "3_3": .3, "4_1": 1., "4_2": 1., "4_3": .2, "5_1": 1.}
STATISTICS = {"2_1": .5, "3_1": .5, "4_1": .5, "5_1": .5}
FREE = LAYERS[1:]  # the first layer is the teacher's own

RANK, MEET = int(os.environ["RANK"]), os.environ["MEET"]
dist.init_process_group("gloo", init_method="file:///tmp/descend-" + MEET, rank=RANK, world_size=2)
torch.set_num_threads(1)
np.random.seed(int(MEET) % 2 ** 31)

chosen, top = torch.load("chosen.pt"), torch.load("targets/top.pt")
crops = np.load("crops.npy", mmap_mode="r")
kept = {n: np.load("targets/%s.npy" % n, mmap_mode="r") for n in FEATURES}
scale = {n: (top[n] * chosen["scales"][n] / 255 ** 2).view(1, -1, 1, 1) for n in FEATURES}
whiten = torch.load("whiten.pt")
back = {n: torch.linalg.inv(whiten[n].double()).float() for n in FREE}
begin = torch.load("student.pt" if os.path.exists("student.pt") else "fitted.pt")
start = begin.get("st", begin)


def white(layer):
    w = torch.cat([start["c.%s.weight" % layer].flatten(1), start["c.%s.bias" % layer][:, None]], 1)
    return (w.double() @ whiten[layer].double()).float().requires_grad_()


def convolutions(v):
    out, width = {"1_1": (start["c.1_1.weight"], start["c.1_1.bias"])}, WIDTHS["1_1"]
    for n in FREE:
        w = v[n] @ back[n]
        out[n] = w[:, :-1].reshape(-1, width, 3, 3).contiguous(memory_format=torch.channels_last), w[:, -1]
        width = WIDTHS[n]
    return out


def forward(x, v):
    out, conv = {}, convolutions(v)
    for p in PLAN:
        if p == "P":
            x = F.max_pool2d(x, 2)
            continue
        out[p[0]] = F.conv2d(x, *conv[p[0]], padding=1)
        x = F.relu(out[p[0]])
    return out


def target(n, crop_numbers):
    return torch.from_numpy(np.stack([kept[n][i] for i in crop_numbers])).float().square_() * scale[n]


def statistics(y, t, energy, width):
    a, b = F.relu(y).flatten(2), t.flatten(2)
    ga, gb = a @ a.transpose(1, 2) / a.shape[2], b @ b.transpose(1, 2) / a.shape[2]
    second = (ga - gb).square().sum((1, 2)) / (gb.square().sum((1, 2)) + 1e-3 * energy ** 2 * width ** 2)
    mean = (a.mean(2) - b.mean(2)).square().sum(1) / (b.mean(2).square().sum(1) + 1e-3 * energy * width)
    return (second + mean).mean()


def objective(crop_numbers, v, energy, seen):
    f = forward(imagenet(rgb(np.stack([crops[i] for i in crop_numbers]))), v)
    loss = 0
    for n, weight in FEATURES.items():
        t = target(n, crop_numbers)
        r = torch.where(t > 0, f[n] - t, F.relu(f[n])).square().mean() / energy[n]
        loss = loss + weight * r
        seen[n] = .98 * seen.get(n, float(r.detach())) + .02 * float(r.detach())
        if n in STATISTICS:
            loss = loss + STATISTICS[n] * statistics(f[n], t, energy[n], WIDTHS[n])
    return loss


def save(mean, opt):
    out = {}
    with torch.no_grad():
        for n, (w, b) in convolutions(mean).items():
            out["c.%s.weight" % n], out["c.%s.bias" % n] = w.contiguous(), b.clone()
    torch.save({"st": out, "opt": opt.state_dict()}, "student.pt.new")
    os.replace("student.pt.new", "student.pt")


def main():
    v = {n: white(n) for n in FREE}
    mean = {n: v[n].detach().clone() for n in FREE}  # of the last 200 steps, which is what is kept
    opt = torch.optim.Adam(list(v.values()), lr=RATE, betas=(.9, .995))
    if "opt" in begin:
        opt.load_state_dict(begin["opt"])
    energy = {n: float(np.mean([float(target(n, [i]).square().mean()) for i in range(0, len(crops), len(crops) // 60)]))
              for n in FEATURES}
    order, seen, step, began = [], {}, 0, time.time()
    while True:
        done = torch.tensor([(time.time() - began) / (60 * MINUTES)], dtype=torch.float64)
        dist.broadcast(done, 0)
        if done >= 1:
            break
        for g in opt.param_groups:
            g["lr"] = RATE * min(1, (step + 1) / 60) * (.02 + .98 * (.5 + .5 * math.cos(math.pi * float(done))))
        if len(order) < 2 * BATCH:
            order = list(np.random.permutation(len(crops)))
        opt.zero_grad(set_to_none=True)
        objective(sorted(order[:2 * BATCH][RANK::2]), v, energy, seen).backward()
        order = order[2 * BATCH:]
        for p in v.values():
            dist.all_reduce(p.grad)
            p.grad /= 2
        opt.step()
        step += 1
        with torch.no_grad():
            for n in FREE:
                mean[n].lerp_(v[n], 1 - min(.995, step / (step + 20)))
        if RANK == 0 and step % 50 == 0:
            print(step, " ".join("%s %.3f" % s for s in seen.items()), flush=True)
        if RANK == 0 and step % 200 == 0:
            save(mean, opt)
    if RANK == 0:
        save(mean, opt)


main()
