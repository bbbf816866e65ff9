#!/usr/bin/python3
"""Losses, gradients and first iterations of presets that follow other programs, in double: an independent computation.

  peers.py > peers.inc

PyTorch's autograd makes the gradients and its optimisers the steps; the loss formulas are those that the programs'
documentation and code state (NxM features F, G = F F^T).  Rows of test_golden.c's table, as in numbers.h.  Both
pictures are used at their own size, and the run starts from the content picture.
"""
import json
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
CONVS = [("conv1_1", 0), ("conv1_2", 2), ("conv2_1", 5), ("conv2_2", 7), ("conv3_1", 10), ("conv3_2", 12),
         ("conv3_3", 14), ("conv3_4", 16), ("conv4_1", 19), ("conv4_2", 21), ("conv4_3", 23), ("conv4_4", 25),
         ("conv5_1", 28)]
STYLES = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
MEAN = [123.68, 116.779, 103.939]


def weights():
    with open(os.path.join(HERE, "tiny.safetensors"), "rb") as f:
        head = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    head.pop("__metadata__", None)
    out = {}
    for name, t in head.items():
        a, b = t["data_offsets"]
        out[name] = torch.from_numpy(np.frombuffer(data[a:b], "<f4").reshape(t["shape"]).astype("f8"))
    return out


def picture(name):
    rgb = np.asarray(Image.open(os.path.join(HERE, name)).convert("RGB")).astype("f8") / 255
    return torch.from_numpy(rgb.transpose(2, 0, 1).copy())[None]


def bgr255(rgb):
    return (rgb * 255 - torch.tensor(MEAN, dtype=torch.float64).view(1, 3, 1, 1)).flip(1).contiguous()


def rgb255(rgb):
    return (rgb * 255 - torch.tensor(MEAN, dtype=torch.float64).view(1, 3, 1, 1)).contiguous()


def plain(rgb):
    return rgb.clone()


def normalised(x):
    v = lambda a: torch.tensor(a, dtype=torch.float64).view(1, 3, 1, 1)
    return (x - v([.485, .456, .406])) / v([.229, .224, .225])


def features(w, x, average=False, up=False, replicate=False):
    out = {}
    for name, i in CONVS:
        if name[-1] == "1" and name != "conv1_1":
            x = (F.avg_pool2d(x, 2, ceil_mode=up, count_include_pad=False) if average
                 else F.max_pool2d(x, 2, ceil_mode=up))
        if replicate and name == "conv1_1":
            x = F.pad(x, (1, 1, 1, 1), mode="replicate")
            x = F.conv2d(x, w["features.%d.weight" % i], w["features.%d.bias" % i])
        else:
            x = F.conv2d(x, w["features.%d.weight" % i], w["features.%d.bias" % i], padding=1)
        x = out[name] = F.relu(x)
    return out


def flat(f):
    return f[0].reshape(f.shape[1], -1)


def absolute(x):
    return (x[..., 1:] - x[..., :-1]).abs().sum() + (x[..., 1:, :] - x[..., :-1, :]).abs().sum()


def scaled(a, b):
    d = a - b
    return (d ** 2).sum() / (d.abs().sum() + 1e-8)


class NeuralStylePt:
    name, style, space, net = "neural-style-pt", "style-73x58.png", staticmethod(bgr255), {}

    def losses(self, x, f, content, style):
        g = lambda t: flat(t) @ flat(t).T / t.numel()
        return (5 * ((f["conv4_2"] - content["conv4_2"]) ** 2).mean(), 1e-3 * absolute(x),
                [100 * ((g(f[n]) - g(style[n])) ** 2).mean() for n in STYLES])

    def optimiser(self, x, n):
        return torch.optim.LBFGS([x], lr=1, max_iter=n, max_eval=10 ** 9, tolerance_grad=-1, tolerance_change=-1,
                                 history_size=100)


class Anishathalye:
    name, style, space, net = "anishathalye", "style-67x51.png", staticmethod(rgb255), {"up": True}

    def losses(self, x, f, content, style):
        g = lambda t: flat(t) @ flat(t).T / t.numel()
        tv = ((x[..., 1:] - x[..., :-1]) ** 2).mean() + ((x[..., 1:, :] - x[..., :-1, :]) ** 2).mean()
        return (5 * ((f["conv4_2"] - content["conv4_2"]) ** 2).mean(), 100 * tv,
                [500 * .2 * ((g(f[n]) - g(style[n])) ** 2).mean() for n in STYLES])

    def optimiser(self, x, n):
        return torch.optim.Adam([x], lr=10, betas=(.9, .999), eps=1e-8)


class NeuralStyleTf:
    name, style, space, net = "neural-style-tf", "style-67x51.png", staticmethod(rgb255), {"up": True, "average": True}

    def losses(self, x, f, content, style):
        def layer(n):
            a, b = flat(f[n]), flat(style[n])
            return ((a @ a.T - b @ b.T) ** 2).sum() / (4. * a.shape[0] ** 2 * a.shape[1] ** 2)
        n = f["conv4_2"].numel()
        return (5 * ((f["conv4_2"] - content["conv4_2"]) ** 2).sum() / (2 * n ** .5), 1e-3 * absolute(x),
                [1e4 * .2 / 5 * layer(n) for n in STYLES])

    def optimiser(self, x, n):
        return torch.optim.LBFGS([x], lr=1, max_iter=n, max_eval=10 ** 9, tolerance_grad=-1, tolerance_change=-1,
                                 history_size=10)


class StyleTransferPytorch2021:
    name, style, space, net = "style-transfer-pytorch-2021", "style-73x58.png", staticmethod(plain), {"replicate": True}

    def losses(self, x, f, content, style):
        g = lambda t: flat(t) @ flat(t).T / flat(t).shape[1]
        y = F.pad(x, (0, 1, 0, 1), mode="replicate")
        tv = ((y[..., :-1, 1:] - y[..., :-1, :-1]) ** 2 + (y[..., 1:, :-1] - y[..., :-1, :-1]) ** 2).mean()
        return (.015 * scaled(f["conv4_2"], content["conv4_2"]), 2 * tv,
                [v / 341 * scaled(g(f[n]), g(style[n])) for v, n in zip((256, 64, 16, 4, 1), STYLES)])

    def optimiser(self, x, n):
        return torch.optim.Adam([x], lr=.02, betas=(.9, .999), eps=1e-8)


def row(p, w, iterations=12):
    net = lambda x: features(w, normalised(x) if p.space is plain else x, **p.net)
    with torch.no_grad():
        content = net(p.space(picture("content-67x51.png")))
        style = net(p.space(picture(p.style)))
    log = []

    def evaluate(x):
        c, tv, s = p.losses(x, net(x), content, style)
        total = c + tv + sum(s)
        total.backward()
        log.append([v.item() for v in (total, c, tv)] + [v.item() for v in s])
        return total

    x = p.space(picture("start-67x51.png")).requires_grad_(True)
    evaluate(x)
    g = x.grad.flatten()
    at = [(i * 2654435761 + 12345) % g.numel() for i in range(1, 25)]
    start = log.pop()
    x = p.space(picture("content-67x51.png")).requires_grad_(True)
    o = p.optimiser(x, iterations)
    if isinstance(o, torch.optim.LBFGS):
        def closure():
            o.zero_grad()
            return evaluate(x)
        o.step(closure)
    else:
        for _ in range(iterations):
            o.zero_grad()
            evaluate(x)
            o.step()
            if p.space is plain:
                with torch.no_grad():
                    x.clamp_(0, 1)
    text = lambda v: "{ %r, %r, %r, { %s } }" % (v[0], v[1], v[2], ", ".join(map(repr, v[3:])))
    lines = lambda v, n: ",\n        ".join(", ".join(map(repr, v[i:i + n])) for i in range(0, len(v), n))
    print('    { "%s", "%s",\n      %s,' % (p.name, p.style, text(start)))
    print("      %r, %r, %r," % (g.norm().item(), g.abs().sum().item(), g.abs().max().item()))
    print("      { %s },\n      { %s }," % (lines(at, 12), lines([g[i].item() for i in at], 5)))
    print("      %d,\n      { %s } }," % (iterations, ",\n        ".join(text(v) for v in log[:iterations])))


torch.set_num_threads(1)
print("/* Made by peers.py. */")
for kind in (NeuralStylePt, Anishathalye, NeuralStyleTf, StyleTransferPytorch2021):
    row(kind(), weights())
