#!/usr/bin/env python3
"""make_models.py FOLDER: the small weight files of tests/data/models, each made by the format's real writer.

Needs torch, or h5py, scipy, onnx and safetensors, or all of them: what cannot be imported is left out, so that it may
run once under each of two interpreters.  (torch.save's old format holds addresses: those files differ each time.)
"""
import os
import sys

import numpy as np

from model_numbers import NAMES, values, layers, numbered
from onnx_models import make_onnx, make_onnx_relatives
from torch_models import make_torch, make_torch_relatives


def make_matconvnet(folder):
    from scipy.io import savemat
    for old in (False, True):
        cells = []
        for i, w, b in layers():
            w = w.transpose(2, 3, 1, 0)
            if old:
                cells.append({"filters": w.astype(np.float64), "biases": b.reshape(1, -1), "name": NAMES[i],
                              "type": "conv", "pad": 1.0, "stride": 1.0})
            else:
                both = np.empty((1, 2), dtype=object)
                both[0, 0], both[0, 1] = w, b.reshape(-1, 1)
                cells.append({"name": NAMES[i], "type": "conv", "weights": both, "stride": np.ones((1, 2))})
            cells.append({"name": NAMES[i].replace("conv", "relu"), "type": "relu"})
        array = np.empty((1, len(cells)), dtype=object)
        for i, c in enumerate(cells):
            array[0, i] = c
        savemat(os.path.join(folder, "matconvnet-%d.mat" % (1 if old else 2)),
                {"meta": {"normalization": {"averageImage": np.ones(3)}}, "layers": array}, do_compression=old)


def make_caffe(folder):
    """By Google's protobuf, from what caffe.proto says of these messages."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    f = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")

    def message(name, *fields):
        m = f.message_type.add(name=name)
        for number, field, kind, repeated in fields:
            d = m.field.add(name=field, number=number, label=3 if repeated else 1)
            if isinstance(kind, str):
                d.type, d.type_name = d.TYPE_MESSAGE, ".caffe." + kind
            else:
                d.type = kind
                if repeated and kind != d.TYPE_STRING:
                    d.options.packed = True
    t = descriptor_pb2.FieldDescriptorProto
    message("BlobShape", (1, "dim", t.TYPE_INT64, True))
    message("BlobProto", (1, "num", t.TYPE_INT32, False), (2, "channels", t.TYPE_INT32, False),
            (3, "height", t.TYPE_INT32, False), (4, "width", t.TYPE_INT32, False), (5, "data", t.TYPE_FLOAT, True),
            (6, "diff", t.TYPE_FLOAT, True), (7, "shape", "BlobShape", False), (8, "double_data", t.TYPE_DOUBLE, True))
    message("V1LayerParameter", (2, "bottom", t.TYPE_STRING, True), (3, "top", t.TYPE_STRING, True),
            (4, "name", t.TYPE_STRING, False), (5, "type", t.TYPE_INT32, False), (6, "blobs", "BlobProto", True))
    message("LayerParameter", (1, "name", t.TYPE_STRING, False), (2, "type", t.TYPE_STRING, False),
            (3, "bottom", t.TYPE_STRING, True), (4, "top", t.TYPE_STRING, True), (7, "blobs", "BlobProto", True))
    message("NetParameter", (1, "name", t.TYPE_STRING, False), (2, "layers", "V1LayerParameter", True),
            (3, "input", t.TYPE_STRING, True), (100, "layer", "LayerParameter", True))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(f)
    Net = message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))
    old, new = Net(name="VGG_ILSVRC_19_layers", input=["data"]), Net(name="VGG")
    for i, w, b in layers():
        v1 = old.layers.add(name=NAMES[i], type=4, bottom=["a"], top=[NAMES[i]])
        v2 = new.layer.add(name=NAMES[i], type="Convolution", bottom=["a"], top=[NAMES[i]])
        for v in (w, b):
            n, c, y, x = ([1] * 4 + list(v.shape))[-4:]
            v1.blobs.add(num=n, channels=c, height=y, width=x, data=v.flatten())
            blob = v2.blobs.add(data=v.flatten()) if i else v2.blobs.add(double_data=v.flatten().astype(float))
            blob.shape.dim.extend(v.shape)
        old.layers.add(name=NAMES[i].replace("conv", "relu"), type=18)
    old.layers.add(name="fc6", type=14).blobs.add(num=1, channels=1, height=4, width=4, data=np.zeros(16))
    for name, net in (("caffe-1.caffemodel", old), ("caffe-2.caffemodel", new)):
        open(os.path.join(folder, name), "wb").write(net.SerializeToString())


def make_keras(folder):
    import h5py
    for new in (False, True):
        with h5py.File(os.path.join(folder, "keras-2.h5" if new else "keras-1.h5"), "w",
                       libver=("v108", "v108") if new else ("earliest", "latest")) as f:
            root = f.create_group("model_weights") if new else f
            for i, w, b in layers():
                name = "block%s_conv%s" % (NAMES[i][4], NAMES[i][6])
                g = root.create_group(name)
                w = w.transpose(2, 3, 1, 0)
                if new:  # as tf.keras has saved a whole model, packed
                    g.create_dataset(name + "/kernel:0", data=w, compression="gzip", shuffle=True)
                    g.create_dataset(name + "/bias:0", data=b.astype(np.float64))
                else:    # as the weights that Keras downloads
                    g.attrs["weight_names"] = np.array([name + "_W_1:0", name + "_b_1:0"], dtype="S")
                    g.create_dataset(name + "_W_1:0", data=w)
                    g.create_dataset(name + "_b_1:0", data=b)
            if new:
                f.create_dataset("optimizer_weights/block1_conv1/kernel/m:0", data=np.zeros((3, 3, 3, 2)))
            else:
                f.create_group("block1_pool")
                f.attrs["backend"] = np.bytes_("tensorflow")


def make_safetensors(folder):
    from safetensors.numpy import save_file
    save_file(numbered(), os.path.join(folder, "f32.safetensors"), {"format": "pt"})
    small, number, before = {}, 0, 3  # a VGG16 two channels wide, with more behind conv5_1
    for block in (2, 2, 3, 3, 3):
        for i in range(block):
            small["features.%d.weight" % number] = values(number, 18 * before, True).reshape(2, before, 3, 3)
            small["features.%d.bias" % number] = values(number + 1, 2, True)
            before, number = 2, number + 2
        number += 1
    save_file({k: v.astype(np.float16) for k, v in small.items()}, os.path.join(folder, "vgg16.safetensors"))
    save_file({k: v.astype(np.float16) for k, v in numbered(True).items()}, os.path.join(folder, "f16.safetensors"))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for make in (make_caffe, make_keras, make_matconvnet, make_onnx, make_onnx_relatives, make_safetensors, make_torch,
                 make_torch_relatives):
        try:
            make(folder)
            print(make.__name__, "made")
        except ImportError as e:
            print(make.__name__, "left out:", e)


main()
