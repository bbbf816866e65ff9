#!/usr/bin/env python3
"""make_models.py FOLDER: the small weight files of tests/data/models, each made by the format's real writer.

Needs torch, or h5py, scipy, onnx and safetensors, or all of them: what cannot be imported is left out, so that it may
run once under each of two interpreters.  (torch.save's old format holds addresses: those files differ each time.)  The numbers are those of tests/model/test_formats.c, which computes them again.
"""
import os
import sys

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


def network(torch):
    nn = torch.nn
    net, before = [], 3
    for i, width in enumerate(WIDTHS):
        if NAMES[i].endswith("_1") and i:
            net.append(nn.MaxPool2d(2, 2))
        net += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
        before = width
    model = nn.Module()
    model.features = nn.Sequential(*net)
    model.forward = lambda x: model.features(x)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in numbered().items()})
    return model


def python2(data):
    """The legacy file as Python 2 wrote it: byte strings for text."""
    import io
    import pickletools
    out, f = b"", io.BytesIO(data)
    for _ in range(5):
        begin = f.tell()
        ops = [(op, arg, at) for op, arg, at in pickletools.genops(f)]
        end = f.tell()
        for i, (op, arg, at) in enumerate(ops):
            raw = data[at: ops[i + 1][2] if i + 1 < len(ops) else end]
            if op.name == "BINUNICODE":
                raw = b"U" + bytes([len(arg)]) + arg.encode()
            out += raw
        assert end > begin
    return out + data[f.tell():]


def make_torch(folder):
    import collections
    import torch
    tensors = lambda d: collections.OrderedDict((k, torch.from_numpy(v.copy())) for k, v in d.items())
    old = dict(_use_new_zipfile_serialization=False)
    save = lambda what, name, **o: torch.save(what, os.path.join(folder, name), **o)
    state = network(torch).state_dict()  # with the _metadata that a module's has
    save(state, "torch-zip.pth")
    save(state, "torch-legacy.pth", **old)
    save(tensors(named()), "torch-named.pth", **old)
    short = tensors(numbered(True))
    save({k: v.half() for k, v in short.items()}, "torch-half.pth")
    save({k: v.bfloat16() for k, v in short.items()}, "torch-bfloat16.pth", **old)
    save({k: v.double() for k, v in state.items()}, "torch-double.pth", pickle_protocol=4)
    flat = torch.cat([v.flatten() for v in state.values()])  # views of one storage, some channels last
    views, at = {}, 0
    for k, v in state.items():
        views[k[len("features."):]] = flat[at: at + v.numel()].view(v.shape)
        at += v.numel()
    views["5.weight"] = views["5.weight"].contiguous(memory_format=torch.channels_last)
    save(views, "torch-views.pth")
    strided = {}  # transposed, every second one of a larger tensor, and one number spread over all
    for k, v in state.items():
        if v.dim() == 4:
            wide = torch.full((2 * v.shape[0], v.shape[1] + 1, 3, 3), 9.).transpose(0, 1).contiguous().transpose(0, 1)
            wide[::2, 1:] = v
            strided[k] = wide[::2, 1:]
            assert not strided[k].is_contiguous() and strided[k].storage_offset()
        else:
            strided[k] = torch.stack([v, v + 1], 1)[:, 0]
    save(strided, "torch-strided.pth")
    save(strided, "torch-strided-legacy.pth", **old)
    write_torch_views(os.path.join(folder, "torch-storage-views.pth"), torch, state)
    net = network(torch)
    adam = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 3, 8, 8)).sum().backward()
    adam.step()
    net.load_state_dict(state)
    save({"epoch": 3, "lr": 0.5, "best": None, "optimizer": adam.state_dict(),
          "state_dict": {"module." + k: torch.nn.Parameter(v) for k, v in state.items()}}, "torch-checkpoint.pth")

    class Pairs:  # an OrderedDict of Python 2.7
        def __reduce__(self):
            return collections.OrderedDict, ([[k, v] for k, v in tensors(named()).items()],)
    path = os.path.join(folder, "torch-python2.pth")
    torch.save(Pairs(), path, **old)
    data = open(path, "rb").read()
    open(path, "wb").write(python2(data))


    torch.onnx.export(net, torch.zeros(1, 3, 16, 16), os.path.join(folder, "onnx-torch.onnx"))


def write_torch_views(path, torch, state):
    """Tensors in views of one storage, as torch wrote them until 2017, who had a place for them in a storage's description:
    not by the real writer, whose later versions still read it."""
    import collections
    import pickle
    from torch.serialization import MAGIC_NUMBER, PROTOCOL_VERSION
    flat = torch.cat([torch.full((5,), 9.)] + [v.flatten() for v in state.values()])

    class View:
        def __init__(self, at, v):
            self.at, self.n = at, v.numel()

    class Tensor:
        def __init__(self, at, v):
            self.view, self.v = View(at, v), v

        def __reduce__(self):
            return torch._utils._rebuild_tensor, (self.view, 0, tuple(self.v.shape), self.v.stride())

    class Pickler(pickle.Pickler):
        def persistent_id(self, v):
            if isinstance(v, View):
                return "storage", torch.FloatStorage, "1", "cpu", flat.numel(), ("v%d" % v.at, v.at, v.n)
    tensors, at = collections.OrderedDict(), 5
    for k, v in state.items():
        tensors[k] = Tensor(at, v)
        at += v.numel()
    with open(path, "wb") as f:
        for thing in MAGIC_NUMBER, PROTOCOL_VERSION, dict(protocol_version=PROTOCOL_VERSION, little_endian=True,
                                                          type_sizes=dict(short=2, int=4, long=4)):
            pickle.dump(thing, f, protocol=2)
        Pickler(f, protocol=2).dump(tensors)
        pickle.dump(["1"], f, protocol=2)
        f.write(np.int64(flat.numel()).tobytes() + flat.numpy().tobytes())
    assert all(torch.equal(v, state[k]) for k, v in torch.load(path).items())


def front(torch, which):
    conv = torch.nn.Conv2d(3, 3, 1)
    conv.load_state_dict({"weight": torch.tensor(which[0]).reshape(3, 3, 1, 1), "bias": torch.tensor(which[1])})
    return conv


def convolution(torch, w, b, **o):
    conv = torch.nn.Conv2d(w.shape[1], w.shape[0], 3, **o)
    conv.load_state_dict({"weight": torch.from_numpy(w), "bias": torch.from_numpy(b)})
    return conv


def normalisation(torch, i, width):
    bn = torch.nn.BatchNorm2d(width).eval()
    bn.load_state_dict(dict(zip(("weight", "bias", "running_mean", "running_var"), map(torch.from_numpy, norm(i, width))),
                            num_batches_tracked=torch.tensor(7)))
    return bn


def make_torch_relatives(folder):
    """What programs have that build on a VGG: layers of torch's own, of which some are folded by those who read them."""
    import torch
    nn = torch.nn
    old = dict(_use_new_zipfile_serialization=False)
    save = lambda what, name, **o: torch.save(what, os.path.join(folder, name), **o)
    pool = lambda i: i and NAMES[i].endswith("_1")

    rows = []  # torchvision's vgg_bn
    for i, w, b in layers():
        rows += [nn.MaxPool2d(2, 2)] * bool(pool(i)) + [convolution(torch, w, b, padding=1),
                                                        normalisation(torch, i, w.shape[0]), nn.ReLU()]
    model = nn.Module()
    model.features = nn.Sequential(*rows)
    model.classifier = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.BatchNorm1d(3))
    save(model.state_dict(), "torch-bn.pth", **old)

    # CRAFT's: slices of such a row under its own numbers, one normalisation in the next slice; behind them what reads them
    net = nn.Module()
    net.basenet = nn.Module()
    cuts = [0, 4, 10, 14, 17]
    for k in range(4):
        part = nn.Sequential()
        for at in range(cuts[k], cuts[k + 1]):
            part.add_module(str(at), rows[at])
        setattr(net.basenet, "slice%d" % (k + 1), part)
    net.basenet.slice5 = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(4, 6, 3, padding=6, dilation=6), nn.Conv2d(6, 6, 1))
    net.upconv1 = nn.Module()
    net.upconv1.conv = nn.Sequential(nn.Conv2d(10, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1),
                                     nn.BatchNorm2d(4))
    state = nn.DataParallel(net).state_dict()
    assert all(k.startswith("module.") for k in state)
    save(state, "torch-slices.pth")

    rows = [front(torch, TO_CAFFE)]  # AdaIN's vgg_normalised
    for i, w, b in layers():
        rows += [nn.MaxPool2d(2, 2)] * bool(pool(i)) + [nn.ReflectionPad2d(1), convolution(torch, w, b), nn.ReLU()]
    save(nn.Sequential(*rows).state_dict(), "torch-pads.pth", **old)

    net = nn.Module()  # Collaborative Distillation's
    net.conv0 = front(torch, NEARLY)
    for i, w, b in layers():
        setattr(net, NAMES[i].replace("_", ""), convolution(torch, w, b))
    for i in 0, 2, 4:
        setattr(net, NAMES[i].replace("_", "") + "_aux", nn.Conv2d(WIDTHS[i], 8, 1))
    save({"epoch": 20, "model": net.state_dict()}, "torch-aux.pth", **old)

    class Block(nn.Module):  # as ResNet's
        def __init__(self, width):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
            self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
    net = nn.Module()
    net.conv1, net.bn1 = nn.Conv2d(3, 2, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(2)
    for k in range(4):
        setattr(net, "layer%d" % (k + 1), nn.Sequential(Block(2), Block(2)))
    net.fc = nn.Linear(2, 3)
    save(net.state_dict(), "torch-resnet.pth", **old)


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


def make_onnx(folder):
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    for raw in (False, True):
        nodes, tensors, at = [], [], "data"
        for i, w, b in layers(raw):  # names as in the model zoo's vgg19
            name = "vgg0_conv%d" % i
            if NAMES[i].endswith("_1") and i:
                nodes.append(helper.make_node("MaxPool", [at], [name + "_pool"], kernel_shape=[2, 2], strides=[2, 2]))
                at = name + "_pool"
            nodes.append(helper.make_node("Conv", [at, name + "_weight", name + "_bias"], [name], kernel_shape=[3, 3],
                                          pads=[1, 1, 1, 1], strides=[1, 1], dilations=[1, 1], group=1))
            nodes.append(helper.make_node("Relu", [name], [name + "_relu"]))
            at = name + "_relu"
            for what, v in (("weight", w), ("bias", b)):
                if raw:
                    tensors.append(numpy_helper.from_array(v.astype(np.float16), name + "_" + what))
                else:
                    tensors.append(helper.make_tensor(name + "_" + what, TensorProto.FLOAT, v.shape, v.flatten()))
        nodes.append(helper.make_node("Flatten", [at], ["out"]))
        info = lambda n, s: helper.make_tensor_value_info(n, TensorProto.FLOAT16 if raw else TensorProto.FLOAT, s)
        graph = helper.make_graph(nodes, "vgg", [info("data", [1, 3, 16, 16])], [info("out", [1, 64])],
                                  tensors[::-1])
        model = helper.make_model(graph)
        onnx.checker.check_model(model)
        onnx.save(model, os.path.join(folder, "onnx-raw.onnx" if raw else "onnx-floats.onnx"))


def make_onnx_relatives(folder):
    """Graphs as exporters make them of other frameworks' models: a picture in NHWC, arithmetic in front, paddings apart."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnx.reference import ReferenceEvaluator

    def write(name, shape, front, normed=False, pads=None):
        """front(add): nodes up to the first convolution; the others follow, with or without normalisations."""
        nodes, tensors = [], []
        state = {"at": "picture"}

        def constant(v, stem):
            tensors.append(numpy_helper.from_array(np.asarray(v), "%s_%d" % (stem, len(tensors))))
            return tensors[-1].name

        def add(op, *constants, first=False, **attributes):
            names = [constant(c, op.lower()) for c in constants]
            inputs = names + [state["at"]] if first else [state["at"]] + names
            state["at"] = "%s:%d" % (op, len(nodes))
            nodes.append(helper.make_node(op, inputs, [state["at"]], **attributes))
        front(add)
        for i, w, b in layers():
            if i and NAMES[i].endswith("_1"):
                add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            if pads:
                add("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), mode=pads)
            sides = [0] * 4 if pads else [1] * 4
            if not normed:
                add("Conv", w, b, kernel_shape=[3, 3], pads=sides, strides=[1, 1])
            elif i % 2 == 0:  # normalised by a node of its own, or by arithmetic as Keras' exporter leaves it
                add("Conv", w, b, kernel_shape=[3, 3], pads=sides)
                add("BatchNormalization", *norm(i, w.shape[0]), epsilon=1e-3)
            else:
                weight, bias, mean, var = norm(i, w.shape[0])
                add("Conv", w, kernel_shape=[3, 3], auto_pad="SAME_UPPER")
                add("Add", b.reshape(1, -1, 1, 1))
                add("Sub", mean.reshape(-1, 1, 1))
                add("Div", np.sqrt(var.astype(np.float64) + 1e-3).astype(np.float32).reshape(-1, 1, 1))
                add("Mul", weight.reshape(-1, 1, 1))
                add("Add", bias.reshape(-1, 1, 1), first=True)
            add("Relu")
        nodes.append(helper.make_node("Shape", [state["at"]], ["side"]))
        nodes.append(helper.make_node("Transpose", [state["at"]], ["out"], perm=[0, 2, 3, 1]))
        info = lambda n, s: helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
        graph = helper.make_graph(nodes, "vgg", [info("picture", shape)], [info("out", [None] * 4)], tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        onnx.checker.check_model(model)
        ReferenceEvaluator(model).run(None, {"picture": np.ones([n or 8 for n in shape], np.float32)})
        onnx.save(model, os.path.join(folder, name))

    def keras(add):
        add("Transpose", perm=[0, 3, 1, 2])

    def caffe(add):  # 0 to 255, turned round by a slice, minus the mean
        add("Slice", np.array([-1]), np.array([np.iinfo(np.int64).min]), np.array([3]), np.array([-1]))
        add("Sub", np.array([103.939, 116.779, 123.68], np.float32))
        add("Transpose", perm=[0, 3, 1, 2])

    def scaled(add):  # 0 to 255 to -1 to 1, BGR
        add("Div", np.float32(127.5))
        add("Sub", np.ones((1, 1, 1), np.float32))
        add("Gather", np.array([2, 1, 0]), axis=1)

    def minus(add):  # 1 - x, in steps of its own
        add("Sub", np.float32(1), first=True)

    def crop(add):
        add("Slice", np.array([1]), np.array([7]), np.array([2]), np.array([1]))
    write("onnx-keras.onnx", [None, 8, 8, 3], keras, normed=True)
    write("onnx-caffe.onnx", [1, 8, 8, 3], caffe)
    write("onnx-scaled.onnx", [1, 3, 8, 8], scaled, pads="reflect")
    write("onnx-minus.onnx", [1, 3, 8, 8], minus)
    write("onnx-crop.onnx", [1, 3, 8, 8], crop)


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
    for name, make in sorted(globals().items()):
        if not name.startswith("make_"):
            continue
        try:
            make(folder)
            print(name, "made")
        except ImportError as e:
            print(name, "left out:", e)


main()
