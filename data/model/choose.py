"""choose.py: which of the teacher's channels the student is to have, and in which scale, as chosen.pt.

A channel's scale is its root mean square to the power -1/2, so that strong channels count more, but not as their
energy. Channels are picked one after the other, each the one that explains most of what all others still hold (a
pivoted Cholesky factorisation of their scaled second moments)."""
import numpy as np
import torch
import torch.nn.functional as F

from net import LAYERS, WIDTHS, caffe, rgb, teacher

CROPS, BATCH = 240, 6


@torch.no_grad()
def moments():
    net, crops = teacher(), np.load("crops.npy", mmap_mode="r")
    out, positions = {}, {}
    for i in range(0, CROPS, BATCH):
        x = rgb(np.stack([crops[(i + j) * len(crops) // CROPS] for j in range(BATCH)]))
        for layer, f in net(caffe(x)).items():
            a = F.relu(f).permute(1, 0, 2, 3).reshape(f.shape[1], -1)
            out[layer] = out.get(layer, 0) + (a @ a.t()).double()
            positions[layer] = positions.get(layer, 0) + a.shape[1]
    return {layer: m / positions[layer] for layer, m in out.items()}


def pick(second, count):
    rms = second.diag().sqrt()
    scale = (rms + 1e-3 * rms.mean()) ** -.5
    scale = scale / (second.diag() * scale ** 2).mean().sqrt()
    left = second * scale[:, None] * scale[None]
    total, picked = left.diag().sum(), []
    for _ in range(count):
        gain = (left ** 2).sum(0) / left.diag().clamp_min(1e-9)
        gain[picked] = -1
        gain[left.diag() < 1e-9] = -1
        i = int(gain.argmax())
        picked.append(i)
        v = left[:, i] / left[i, i].clamp_min(1e-12).sqrt()
        left = left - v[:, None] * v[None]
    return sorted(picked), scale.float(), float(left.diag().clamp_min(0).sum() / total)


channels, scales = {}, {}
for name, m in moments().items():
    channels[name], scales[name], rest = pick(m, WIDTHS[name])
    print(f"conv{name}: {WIDTHS[name]} channels leave {rest:.3f} of all channels' energy unexplained", flush=True)
torch.save({"channels": channels, "scales": {n: scales[n][channels[n]] for n in LAYERS}}, "chosen.pt")
