#!/usr/bin/env python3
"""pack.py STUDENT.pt OUT.bin: the built-in model's file from the weights that training left.

STUDENT.pt is a state dict of torch, with c.1_1.weight, c.1_1.bias and so on for every layer, or what a training in
progress saves, a dict with the state dict under "st".  OUT.bin holds for each layer in order, in little-endian bytes:

    float32 scale[out], float32 bias[out], int8 weight[out][in][3][3]

A weight is scale[o] times its int8.  Each filter has a scale of its own, by which its largest weight becomes 127 or
-127, so that a filter of small weights loses no more than one of large ones.  Widths are told by the weights: the
table in src/model/builtin/small.c has to have the same, and the sum in tests/model/test_small.c has to be renewed. """
import sys

import numpy as np
import torch


def layers(student):
    """(name, weight, bias) for each layer, in the order of the chain."""
    for name in sorted(k[2:-7] for k in student if k.startswith("c.") and k.endswith(".weight")):
        yield name, student[f"c.{name}.weight"].numpy(), student[f"c.{name}.bias"].numpy()


def pack(weight, bias):
    """A layer's bytes, and the root mean square of what rounding changes over that of the weights."""
    filters = weight.reshape(len(weight), -1)
    scale = (np.abs(filters).max(axis=1) / 127).astype("<f4")
    by = np.where(scale > 0, scale, 1)[:, None]  # a filter of zeros stays one
    small = np.clip(np.rint(filters / by), -127, 127).astype(np.int8)
    error = np.sqrt(np.square(small * by - filters).mean() / np.square(filters).mean())
    return scale.tobytes() + bias.astype("<f4").tobytes() + small.tobytes(), error


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    student = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
    student = student.get("st", student)
    numbers = total = 0
    with open(sys.argv[2], "wb") as out:
        for name, weight, bias in layers(student):
            data, error = pack(weight, bias)
            out.write(data)
            numbers, total = numbers + weight.size + bias.size, total + len(data)
            print(f"conv{name}: {weight.shape[1]} to {weight.shape[0]} channels, changed by {error:.2%}")
    print(f"{numbers} numbers in {total} bytes")


if __name__ == "__main__":
    main()
