"""validate.py STUDENT.pt...: how far each layer of a student is from its teacher, on 60 crops.

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


for path in sys.argv[1:]:
    weights = torch.load(path)
    student = Net(WIDTHS)
    student.load_state_dict(weights.get("st", weights))
    print(path, " ".join("%s %.4f %.4f" % (n, *r) for n, r in residuals(student).items()))
