"""model_numbers.py: the weights of the small files of tests/data/models; test_formats.c computes them again."""
import numpy as np

WIDTHS = [2, 3, 4, 4, 4]
NAMES = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]
NUMBERS = [0, 2, 5, 7, 10]


def values(tensor, n, short):
    """n numbers of 24 bits, or of 8, which half precision and bfloat16 hold exactly."""
    x = (np.arange(n, dtype=np.uint64) + np.uint64(tensor * 1000003)) * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = x * np.uint64(2246822519) & np.uint64(0xFFFFFFFF)
    bits = 8 if short else 24
    m = (x >> np.uint64(32 - bits)).astype(np.float64) - 2.0 ** (bits - 1)
    return (m / 2.0 ** (bits + 1)).astype(np.float32)


def layers(short=False):
    before = 3
    for i, width in enumerate(WIDTHS):
        yield (i, values(2 * i, width * before * 9, short).reshape(width, before, 3, 3),
               values(2 * i + 1, width, short))
        before = width


def numbered(short=False):
    d = {}
    for i, w, b in layers(short):
        d["features.%d.weight" % NUMBERS[i]] = w
        d["features.%d.bias" % NUMBERS[i]] = b
    return d


def named():
    d = {}
    for i, w, b in layers():
        d[NAMES[i] + ".weight"] = w
        d[NAMES[i] + ".bias"] = b
    return d


def norm(i, width):
    """weight, bias, running_mean, running_var of a batch normalisation."""
    weight, bias, mean, var = (values(100 + 4 * i + k, width, False) for k in range(4))
    return weight + np.float32(1), bias, mean, var + np.float32(1)


# A 1x1 convolution in front: RGB from 0 to 1 to Caffe's input, and nearly so, as one that was trained.
TO_CAFFE = ([[0, 0, 255], [0, 255, 0], [255, 0, 0]], [-103.939, -116.779, -123.68])
NEARLY = ([[-.25, -.125, 254.75], [.0625, 255.25, .03125], [255.5, .5, .25]], [-104.25, -116.75, -123.5])
