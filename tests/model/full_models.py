#!/usr/bin/env python3
"""full_models.py FOLDER: a VGG19 of full size (143,667,240 random numbers, 575 MB) in every format, by its real writer,
then by nst: how long each takes to open and in how much memory, and whether all give the same picture, bit for bit.

Not part of `make check`: it writes 5 GB.  Needs numpy and, for each format, its writer: torch, safetensors, h5py,
scipy, onnx, protobuf; what cannot be imported is left out, so that it may run under several interpreters, one after
the other, with --make; --compare then opens what is there.  NST names the program.
"""
import os
import subprocess
import sys
import time

import numpy as np

BLOCKS = {"vgg19": [2, 2, 4, 4, 4], "vgg16": [2, 2, 3, 3, 3]}
CLASSIFIER = [(25088, 4096), (4096, 4096), (4096, 1000)]


def layers(kind, tail=True):
    """name, number in torchvision's features, weight, bias; then the classifier's, as fc6, fc7, fc8."""
    random = np.random.default_rng(19)
    before, number = 3, 0
    for b, n in enumerate(BLOCKS[kind]):
        width = min(64 << b, 512)
        for i in range(n):
            w = random.standard_normal((width, before, 3, 3), dtype=np.float32) * np.float32(np.sqrt(2 / (9 * before)))
            bias = random.standard_normal(width, dtype=np.float32) * np.float32(.01)
            yield "conv%d_%d" % (b + 1, i + 1), number, w, bias
            before, number = width, number + 2
        number += 1
    for i, (n, m) in enumerate(CLASSIFIER if tail else []):
        w = random.standard_normal((m, n), dtype=np.float32)
        yield "fc%d" % (i + 6), 3 * i, w, random.standard_normal(m, dtype=np.float32)


def state(kind):
    d = {}
    for name, number, w, b in layers(kind):
        key = ("classifier.%d" if name[0] == "f" else "features.%d") % number
        d[key + ".weight"], d[key + ".bias"] = w, b
    return d


def make_torch(path, kind):
    import collections
    import torch
    tensors = collections.OrderedDict((k, torch.from_numpy(v)) for k, v in state(kind).items())
    yield "torch-legacy.pth", lambda p: torch.save(tensors, p, _use_new_zipfile_serialization=False)
    yield "torch-zip.pth", lambda p: torch.save(tensors, p)


def make_safetensors(path, kind):
    from safetensors.numpy import save_file
    yield "f32.safetensors", lambda p: save_file(state(kind), p)


def make_keras(path, kind):
    import h5py

    def write(p):
        with h5py.File(p, "w") as f:
            for name, _, w, b in layers(kind):
                name = "block%s_conv%s" % (name[4], name[6]) if name[0] == "c" else name
                g = f.create_group(name)
                g.create_dataset(name + "_W_1:0", data=w.transpose(2, 3, 1, 0) if w.ndim == 4 else w.T)
                g.create_dataset(name + "_b_1:0", data=b)
    yield "keras.h5", write


def make_matconvnet(path, kind):
    from scipy.io import savemat

    def write(p, packed):
        cells = []
        for name, _, w, b in layers(kind):
            both = np.empty((1, 2), dtype=object)
            both[0, 0] = w.transpose(2, 3, 1, 0) if w.ndim == 4 else w.T.reshape(1, 1, *w.T.shape)
            both[0, 1] = b.reshape(-1, 1)
            cells += [{"name": name, "type": "conv", "weights": both}, {"name": "relu" + name[4:], "type": "relu"}]
        array = np.empty((1, len(cells)), dtype=object)
        for i, c in enumerate(cells):
            array[0, i] = c
        savemat(p, {"layers": array, "meta": {"normalization": {"averageImage": np.ones(3)}}}, do_compression=packed)
    yield "matconvnet-5.mat", lambda p: write(p, False)
    yield "matconvnet-7.mat", lambda p: write(p, True)


def make_onnx(path, kind):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def write(p):
        nodes, tensors, at = [], [], "data"
        for i, (name, _, w, b) in enumerate(layers(kind)):
            name = "vgg0_%s" % name
            tensors += [numpy_helper.from_array(w, name + "_weight"), numpy_helper.from_array(b, name + "_bias")]
            if w.ndim == 4:
                if i and name.endswith("_1"):
                    nodes.append(helper.make_node("MaxPool", [at], [name + "p"], kernel_shape=[2, 2], strides=[2, 2]))
                    at = name + "p"
                nodes.append(helper.make_node("Conv", [at, name + "_weight", name + "_bias"], [name],
                                              kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
            else:
                if name.endswith("fc6"):
                    nodes += [helper.make_node("MaxPool", [at], ["p5"], kernel_shape=[2, 2], strides=[2, 2]),
                              helper.make_node("Flatten", ["p5"], ["flat"])]
                    at = "flat"
                nodes.append(helper.make_node("Gemm", [at, name + "_weight", name + "_bias"], [name], transB=1))
            nodes.append(helper.make_node("Relu", [name], [name + "r"]))
            at = name + "r"
        info = lambda n, s: helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
        graph = helper.make_graph(nodes, "vgg", [info("data", [1, 3, 224, 224])], [info(at, [1, 1000])], tensors)
        onnx.save(helper.make_model(graph), p)
    yield "zoo.onnx", write


def make_caffe(path, kind):
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    f = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    t = descriptor_pb2.FieldDescriptorProto

    def message(name, *fields):
        m = f.message_type.add(name=name)
        for number, field, kind, repeated in fields:
            d = m.field.add(name=field, number=number, label=3 if repeated else 1)
            if isinstance(kind, str):
                d.type, d.type_name = d.TYPE_MESSAGE, ".caffe." + kind
            else:
                d.type = kind
                d.options.packed = kind == t.TYPE_FLOAT
    message("BlobProto", (1, "num", t.TYPE_INT32, False), (2, "channels", t.TYPE_INT32, False),
            (3, "height", t.TYPE_INT32, False), (4, "width", t.TYPE_INT32, False), (5, "data", t.TYPE_FLOAT, True))
    message("V1LayerParameter", (4, "name", t.TYPE_STRING, False), (5, "type", t.TYPE_INT32, False),
            (6, "blobs", "BlobProto", True))
    message("NetParameter", (1, "name", t.TYPE_STRING, False), (2, "layers", "V1LayerParameter", True))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(f)
    Net = message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))

    def write(p):
        net = Net(name="VGG_ILSVRC_19_layers")
        for name, _, w, b in layers(kind):
            l = net.layers.add(name=name, type=4)
            for v in (w, b):
                n, c, y, x = ([1] * 4 + list(v.shape))[-4:]
                l.blobs.add(num=n, channels=c, height=y, width=x, data=v.flatten())
        open(p, "wb").write(net.SerializeToString())
    yield "layers.caffemodel", write


def make(folder, kind):
    for name, maker in sorted(globals().items()):
        if not name.startswith("make_"):
            continue
        try:
            for file, write in maker(folder, kind):
                path = os.path.join(folder, kind + "-" + file)
                if not os.path.exists(path):
                    write(path + ".new")
                    os.rename(path + ".new", path)
                    print(path, "made", flush=True)
        except ImportError as e:
            print(name, "left out:", e)


def measure(*command):
    """Its seconds, and its largest memory in MB."""
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as p:
        said = p.stdout.read()
        _, status, use = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        sys.exit("%s: %s" % (" ".join(command), said.decode()))
    return time.monotonic() - began, use.ru_maxrss / 1024


def compare(folder, kind):
    nst = os.environ.get("NST", "./nst")
    here = os.path.dirname(os.path.abspath(__file__))
    pictures = [os.path.join(here, "..", "..", "data", n) for n in ("content.jpg", "style.jpg")]
    out, first, bad = os.path.join(folder, "out.ppm.png"), None, 0
    _, nothing = measure(nst, "model", "info", "small")
    for file in sorted(os.listdir(folder)):
        if not file.startswith(kind + "-"):
            continue
        path = os.path.join(folder, file)
        measure(nst, "model", "verify", path)  # into the page cache
        seconds, memory = min(measure(nst, "model", "verify", path) for _ in range(3))
        measure(nst, "-q", "-s", "64", "-n", "3", "--scales", "1", "--model-input", "caffe", "-m", path, "-o", out,
                *pictures)
        picture = pixels(out)
        first = first or picture
        bad += picture != first
        print("%-32s %6.1f MB  opened in %.2f s, %4.0f MB (%.0f without)  picture %s" % (
            file, os.path.getsize(path) / 1e6, seconds, memory, nothing, "same" if picture == first else "DIFFERS"),
            flush=True)
    return bad


def pixels(png):
    """The IDAT of a PNG: the comment beside it names the model."""
    data, at, found = open(png, "rb").read(), 8, b""
    while at < len(data):
        n = int.from_bytes(data[at:at + 4], "big")
        if data[at + 4:at + 8] == b"IDAT":
            found += data[at + 8:at + 8 + n]
        at += n + 12
    return found


def main():
    flags = [a for a in sys.argv[1:] if a[:2] == "--"]
    folder, = [a for a in sys.argv[1:] if a[:2] != "--"]
    kinds = ["vgg16"] if "--vgg16" in flags else ["vgg19"]
    os.makedirs(folder, exist_ok=True)
    bad = 0
    for kind in kinds:
        if "--compare" not in flags:
            make(folder, kind)
        if "--make" not in flags:
            bad += compare(folder, kind)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
