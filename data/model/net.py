"""net.py: the teacher, the student's shape, and the two kinds of input. The other scripts import it."""
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file

# VGG16 up to conv5_1: each convolution with its number in torchvision's list of layers, and "P" for a pool.
PLAN = [("1_1", 0), ("1_2", 2), "P", ("2_1", 5), ("2_2", 7), "P", ("3_1", 10), ("3_2", 12), ("3_3", 14), "P",
        ("4_1", 17), ("4_2", 19), ("4_3", 21), "P", ("5_1", 24)]
LAYERS = [p[0] for p in PLAN if p != "P"]
TEACHER = {layer: (64, 128, 256, 512, 512)[int(layer[0]) - 1] for layer in LAYERS}
# The student's widths; src/model/builtin/small.c has the same table.
WIDTHS = {"1_1": 32, "1_2": 32, "2_1": 64, "2_2": 64, "3_1": 128, "3_2": 96, "3_3": 112,
          "4_1": 224, "4_2": 192, "4_3": 160, "5_1": 256}

CAFFE_MEAN = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
MEAN = torch.tensor([.485, .456, .406]).view(1, 3, 1, 1)
STD = torch.tensor([.229, .224, .225]).view(1, 3, 1, 1)


class Net(nn.Module):
    """A chain of 3x3 convolutions. Its result: the features of each layer before their ReLU."""
    def __init__(self, widths):
        super().__init__()
        self.c = nn.ModuleDict()
        width = 3
        for layer in LAYERS:
            self.c[layer] = nn.Conv2d(width, widths[layer], 3, padding=1)
            width = widths[layer]

    def forward(self, x):
        out = {}
        for p in PLAN:
            if p == "P":
                x = F.max_pool2d(x, 2)
                continue
            out[p[0]] = self.c[p[0]](x)
            x = F.relu(out[p[0]])
        return out


def teacher(path="teacher.safetensors"):
    tensors = load_file(path)
    net = Net(TEACHER)
    for p in PLAN:
        if p != "P":
            net.c[p[0]].weight.data = tensors["features.%d.weight" % p[1]]
            net.c[p[0]].bias.data = tensors["features.%d.bias" % p[1]]
    return net.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def rgb(crops):
    """Bytes [n][h][w][3] to floats [n][3][h][w] from 0 to 1."""
    return torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255


def caffe(x):
    """The teacher's input: BGR from 0 to 255 minus a mean."""
    return (x[:, [2, 1, 0]] * 255 - CAFFE_MEAN).contiguous(memory_format=torch.channels_last)


def imagenet(x):
    """The student's input, torchvision's: RGB minus a mean over a deviation."""
    return ((x - MEAN) / STD).contiguous(memory_format=torch.channels_last)
