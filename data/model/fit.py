"""fit.py: the student's first weights, by least squares, layer after layer, as fitted.pt; whiten.pt for descend.py.

Each layer is a ridge regression of the chosen channels, before their ReLU, on 3x3 patches of the student's own
features of the layer in front. So a layer mends a part of what the layers before it got wrong."""
import numpy as np
import torch
import torch.nn.functional as F

from net import LAYERS, PLAN, WIDTHS, Net, caffe, imagenet, rgb, teacher

CROPS, BATCH, POSITIONS = 144, 6, 90000  # positions in all, at most
torch.manual_seed(0)


def patches(f, at):
    """Rows [position][in * 9 + 1] of f [n][in][h][w] at the numbered positions; the last column is 1, for the bias."""
    h, w = f.shape[2:]
    f = F.pad(f, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    n, y, x = at // (h * w), at % (h * w) // w, at % w
    rows = torch.stack([f[n, y + dy, x + dx] for dy in range(3) for dx in range(3)], 2).reshape(len(at), -1)
    return torch.cat([rows, torch.ones(len(at), 1)], 1)


def solve(layer, inputs, wanted):
    size = 9 * inputs[0].shape[1] + 1
    a, b = torch.zeros(size, size, dtype=torch.float64), torch.zeros(size, WIDTHS[layer], dtype=torch.float64)
    energy = count = 0
    for f, t in zip(inputs, wanted):
        t = t.permute(0, 2, 3, 1).reshape(-1, WIDTHS[layer])
        at = torch.randperm(len(t))[:POSITIONS // (CROPS // BATCH)]
        u, t = patches(f, at), t[at]
        a, b = a + (u.t() @ u).double(), b + (u.t() @ t).double()
        energy, count = energy + t.double().square().sum(), count + len(at)
    ridge = torch.eye(size, dtype=torch.float64) * a.diag().mean()
    w = torch.linalg.solve(a + ridge * (1e-9 if layer == "1_1" else 1e-4), b)
    print(f"conv{layer}: residual {1 - float((b * w).sum() / energy):.3f}", flush=True)
    return w, torch.linalg.cholesky((a + ridge * 3e-4) / count).float()


@torch.no_grad()
def main():
    chosen = torch.load("chosen.pt")
    net, student, whiten = teacher(), Net(WIDTHS), {}
    crops = np.load("crops.npy", mmap_mode="r")
    xs = [rgb(np.stack([crops[(i + j) * len(crops) // CROPS] for j in range(BATCH)])) for i in range(0, CROPS, BATCH)]
    own, its = [imagenet(x) for x in xs], [caffe(x) for x in xs]
    for p in PLAN:
        if p == "P":
            own, its = [F.max_pool2d(f, 2) for f in own], [F.max_pool2d(f, 2) for f in its]
            continue
        layer = p[0]
        its = [net.c[layer](f) for f in its]
        scale, channels = chosen["scales"][layer].view(1, -1, 1, 1), chosen["channels"][layer]
        w, whiten[layer] = solve(layer, own, [f[:, channels] * scale for f in its])
        conv = student.c[layer]
        conv.weight.data = w[:-1].t().reshape(conv.weight.shape).float().contiguous()
        conv.bias.data = w[-1].float().contiguous()
        own, its = [F.relu(conv(f)) for f in own], [F.relu(f) for f in its]
    torch.save(student.state_dict(), "fitted.pt")
    torch.save({n: whiten[n] for n in LAYERS}, "whiten.pt")


main()
