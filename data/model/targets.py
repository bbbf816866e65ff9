"""targets.py [FIRST LAST]: what the teacher sees in crops.npy, as targets/LAYER.npy.

Only the chosen channels are kept, after their ReLU and as bytes: 255 sqrt(value / top), top a little over the largest
value that a channel has in 120 crops. Two processes of one thread, each with half of the crops, are the fastest on
two cores."""
import fcntl
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
kept = LAYERS[2:]  # the first block is small enough to go without


@torch.no_grad()
def features(x):
    return {n: F.relu(f[:, channels[n]]) for n, f in net(caffe(rgb(x))).items()}


def prepare():
    """targets/top.pt and the arrays, which are still empty."""
    top = {}
    for i in range(0, 120, BATCH):
        for n, f in features(np.stack([crops[(i + j) * count // 120] for j in range(BATCH)])).items():
            top[n] = torch.maximum(top.get(n, torch.zeros(f.shape[1])), f.amax((0, 2, 3)))
    for n in kept:
        s = side >> (int(n[0]) - 1)
        np.lib.format.open_memmap("targets/%s.npy" % n, "w+", np.uint8, (count, len(channels[n]), s, s))
    torch.save({n: (1.2 * t).clamp_min(1e-3) for n, t in top.items()}, "targets/top.pt")


os.makedirs("targets", exist_ok=True)
with open("targets/lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)  # one process prepares, the other one waits for it
    if not os.path.exists("targets/top.pt"):
        prepare()
top = torch.load("targets/top.pt")
out = {n: np.load("targets/%s.npy" % n, mmap_mode="r+") for n in kept}
for i in range(first, last, BATCH):
    f = features(crops[i:i + BATCH].copy())
    for n in out:
        out[n][i:i + BATCH] = ((f[n] / top[n].view(1, -1, 1, 1)).sqrt() * 255).round().clamp(0, 255).byte().numpy()
    if i % 300 == 0:
        print(i, flush=True)
