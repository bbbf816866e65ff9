"""crops.py: 3000 crops of 192 x 192 pixels from the pictures in raw/, as crops.npy.

Some are noisy as a painting is when it begins, some are two pictures over each other or in other colours, and some are
textures without edges, so that the student also sees what an optimised picture passes through."""
import glob
import math
import os
import random
import re

import numpy as np
from PIL import Image

SIDE, COUNT = 192, 3000
Image.MAX_IMAGE_PIXELS = None
random.seed(1)
rng = np.random.default_rng(1)

SIGNS = [(rb"RIFF(....)WEBPVP8", "webp"), (rb"\xff\xd8\xff[\xe0\xe1]", "jpg"), (rb"\x89PNG\r\n\x1a\n", "png")]


def unpack_rcc():
    """GCompris keeps its pictures in Qt's resource files, unchanged behind four bytes of length."""
    os.makedirs("raw/gcompris", exist_ok=True)
    n = 0
    for path in sorted(glob.glob("raw/usr/share/gcompris-qt/rcc/*.rcc")):
        data = open(path, "rb").read()
        name = os.path.basename(path)[:-4]
        for sign, suffix in SIGNS:
            for m in re.finditer(sign, data, re.S):
                size = int.from_bytes(m.group(1), "little") + 8 if suffix == "webp" \
                    else int.from_bytes(data[m.start() - 4:m.start()], "big")
                if 15000 < size < 3e6:
                    with open("raw/gcompris/%s-%d.%s" % (name, n, suffix), "wb") as f:
                        f.write(data[m.start():m.start() + size])
                    n += 1


def weight_of(path):
    """Paintings count most, photographs more than drawings and sprites."""
    if "paint" in path or "story" in path:
        return 3
    if "/gcompris/" in path or "background" in path or "wallpaper" in path:
        return 1.5
    return .15 if "tuxpaint" in path or "wesnoth" in path else 1


def read(path):
    """A picture without transparency whose longer side is at most 900 pixels; None for what is no use."""
    try:
        image = Image.open(path)
        image.load()
    except Exception:
        return None
    if min(image.size) < 200:
        return None
    if "A" in image.mode or image.mode == "P":
        image = image.convert("RGBA")
        if (np.asarray(image)[..., 3] < 250).mean() > .6:
            return None
        ground = Image.new("RGBA", image.size, tuple(random.randrange(256) for _ in range(3)) + (255,))
        image = Image.alpha_composite(ground, image)
    image = image.convert("RGB")
    longest = max(image.size)
    if longest > 900:
        image = image.resize([max(SIDE, v * 900 // longest) for v in image.size], Image.LANCZOS)
    if min(image.size) < SIDE:
        k = SIDE / min(image.size)
        image = image.resize([math.ceil(v * k) for v in image.size], Image.BICUBIC)
    return image


def pictures():
    files = [os.path.join(d, f) for d, _, names in os.walk("raw") for f in names
             if f.lower().endswith((".jpg", ".jpeg", ".png", ".webp"))]
    files = sorted(f for f in files if os.path.getsize(f) > 15000)
    random.shuffle(files)
    out, weights, seen = [], [], set()
    for path in files:
        image = read(path)
        if image is None:
            continue
        key = (np.asarray(image.resize((8, 8))).ravel() // 16).tobytes()
        if key not in seen:  # wallpapers come in many sizes
            seen.add(key)
            out.append(image)
            weights.append(weight_of(path))
    return out, np.array(weights) / sum(weights)


def crop(images, weights):
    image = images[rng.choice(len(images), p=weights)]
    side = min(min(image.size), int(SIDE * math.exp(rng.uniform(math.log(.6), math.log(3.5)))))
    x, y = rng.integers(image.size[0] - side + 1), rng.integers(image.size[1] - side + 1)
    out = image.resize((SIDE, SIDE), Image.LANCZOS, box=(x, y, x + side, y + side))
    if rng.random() < .5:
        out = out.transpose(Image.FLIP_LEFT_RIGHT)
    return np.asarray(out).astype(np.float32)


def texture(a):
    """The same spectrum with phases of noise."""
    mean = a.mean((0, 1))
    noise = np.fft.fft2(rng.normal(0, 1, a.shape[:2]))
    noise /= np.abs(noise) + 1e-9
    f = np.fft.fft2(a - mean, axes=(0, 1))
    between = np.exp(1j * (np.angle(f) - np.angle(f[..., :1])))  # the colours' phases to each other stay
    return np.fft.ifft2(np.abs(f) * noise[..., None] * between, axes=(0, 1)).real + mean


def main():
    unpack_rcc()
    images, weights = pictures()
    print(len(images), "pictures")
    out = np.empty((COUNT, SIDE, SIDE, 3), np.uint8)
    for i in range(COUNT):
        a, kind = crop(images, weights), rng.random()
        if kind < .15:
            a = a + rng.normal(0, math.exp(rng.uniform(math.log(4), math.log(60))), a.shape)
        elif kind < .25:
            share = rng.uniform(.2, .8)
            a = a * share + crop(images, weights) * (1 - share)
        elif kind < .37:
            mean = a.mean((0, 1))
            a = (a - mean) @ (np.eye(3) + rng.normal(0, .25, (3, 3))).T + mean + rng.normal(0, 25, 3)
        elif kind < .42:
            a = texture(a)
        out[i] = np.clip(np.rint(a), 0, 255)
    np.save("crops.npy", out)


main()
