"""validate.py STUDENT...: how far each layer of a student is from its teacher, on 60 crops.

A student is what fit.py or descend.py saved (.pt) or what pack.py made of it (.bin).

Two numbers a layer: squared differences of features over the features' energy, as descend.py counts them, and squared
differences of second moments over theirs."""
import sys

import numpy as np
import torch
import torch.nn.functional as F

from net import LAYERS, WIDTHS, Net, imagenet, rgb

chosen, top = torch.load("chosen.pt"), torch.load("targets/top.pt")
crops = np.load("crops.npy", mmap_mode="r")
kept = {n: np.load("targets/%s.npy" % n, mmap_mode="r") for n in LAYERS[2:]}
scale = {n: (top[n] * chosen["scales"][n] / 255 ** 2).view(1, -1, 1, 1) for n in kept}


def second(f):
    f = f[0].flatten(1)
    return f @ f.t() / f.shape[1]


@torch.no_grad()
def residuals(student):
    apart, energy, moments, count = dict.fromkeys(kept, 0), dict.fromkeys(kept, 0), dict.fromkeys(kept, 0), 0
    for i in range(25, len(crops), len(crops) // 60):
        f = student(imagenet(rgb(crops[i:i + 1].copy())))
        for n in kept:
            t = torch.from_numpy(kept[n][i:i + 1].copy()).float().square() * scale[n]
            apart[n] += float(torch.where(t > 0, f[n] - t, F.relu(f[n])).square().mean())
            energy[n] += float(t.square().mean())
            own, its = second(F.relu(f[n])), second(t)
            moments[n] += float((own - its).square().sum() / its.square().sum())
        count += 1
    return {n: (apart[n] / energy[n], moments[n] / count) for n in kept}


def packed(path):
    """The weights in a file of pack.py, by their names in Net."""
    data, at, student = np.fromfile(path, np.uint8), 0, Net(WIDTHS)
    expected = sum(8 * c.out_channels + c.weight.numel() for c in student.c.values())
    if len(data) != expected:
        sys.exit("%s: has %d bytes, the widths in net.py take %d" % (path, len(data), expected))
    weights = {}
    for n, c in student.c.items():
        out, size = c.out_channels, c.weight.numel()
        scale, bias = data[at:at + 8 * out].view("<f4").reshape(2, out)
        small = data[at + 8 * out:at + 8 * out + size].view(np.int8).reshape(c.weight.shape)
        weights["c.%s.weight" % n] = torch.from_numpy(small * scale[:, None, None, None])
        weights["c.%s.bias" % n] = torch.from_numpy(bias.copy())
        at += 8 * out + size
    return weights


for path in sys.argv[1:]:
    weights = packed(path) if path.endswith(".bin") else torch.load(path)
    student = Net(WIDTHS)
    student.load_state_dict(weights.get("st", weights))
    print(path, " ".join("%s %.4f %.4f" % (n, *r) for n, r in residuals(student).items()))
