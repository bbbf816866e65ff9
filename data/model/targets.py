"""targets.py [FIRST LAST]: what the teacher sees in crops.npy, as targets/LAYER.npy.

Only the chosen channels are kept, after their ReLU and as bytes: 255 sqrt(value / top), top a little over the largest
value that a channel has in 120 crops. Two processes of one thread, each with half of the crops, are the fastest on
two cores."""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

from net import LAYERS, caffe, rgb, teacher

BATCH = 6
torch.set_num_threads(1)
channels, net = torch.load("chosen.pt")["channels"], teacher()
crops = np.load("crops.npy", mmap_mode="r")
count, side = crops.shape[:2]
first, last = (int(v) for v in sys.argv[1:3]) if len(sys.argv) > 2 else (0, count)
os.makedirs("targets", exist_ok=True)


@torch.no_grad()
def features(x):
    return {n: F.relu(f[:, channels[n]]) for n, f in net(caffe(rgb(x))).items()}


if not os.path.exists("targets/top.pt"):
    top = {}
    for i in range(0, 120, BATCH):
        for n, f in features(np.stack([crops[(i + j) * count // 120] for j in range(BATCH)])).items():
            top[n] = torch.maximum(top.get(n, torch.zeros(f.shape[1])), f.amax((0, 2, 3)))
    torch.save({n: (1.2 * t).clamp_min(1e-3) for n, t in top.items()}, "targets/top.pt")
top = torch.load("targets/top.pt")
out = {}
for n in LAYERS[2:]:  # the first block is small enough to go without
    path, s = "targets/%s.npy" % n, side >> (int(n[0]) - 1)
    out[n] = np.lib.format.open_memmap(path, "r+" if os.path.exists(path) else "w+", np.uint8,
                                       (count, len(channels[n]), s, s))
for i in range(first, last, BATCH):
    f = features(crops[i:i + BATCH].copy())
    for n in out:
        out[n][i:i + BATCH] = ((f[n] / top[n].view(1, -1, 1, 1)).sqrt() * 255).round().clamp(0, 255).byte().numpy()
    if i % 300 == 0:
        print(i, flush=True)
