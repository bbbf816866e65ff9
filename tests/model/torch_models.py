"""torch_models.py: files as torch.save writes and wrote them.  make_models.py calls it."""
import os

import numpy as np

from model_numbers import WIDTHS, NAMES, layers, numbered, named, norm, TO_CAFFE, NEARLY


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
    """Tensors in views of one storage, as torch wrote them until 2017, who had a place for them in a storage's
    description: not by the real writer, whose later versions still read it."""
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
    names = ("weight", "bias", "running_mean", "running_var")
    bn.load_state_dict(dict(zip(names, map(torch.from_numpy, norm(i, width))), num_batches_tracked=torch.tensor(7)))
    return bn


def make_torch_relatives(folder):
    """What programs have that build on a VGG: layers of torch's own, some of which readers fold."""
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

    # CRAFT's: slices of such a row under its own numbers, one normalisation in the next slice; behind them what reads
    # them
    net = nn.Module()
    net.basenet = nn.Module()
    cuts = [0, 4, 10, 14, 17]
    for k in range(4):
        part = nn.Sequential()
        for at in range(cuts[k], cuts[k + 1]):
            part.add_module(str(at), rows[at])
        setattr(net.basenet, "slice%d" % (k + 1), part)
    net.basenet.slice5 = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(4, 6, 3, padding=6, dilation=6),
                                       nn.Conv2d(6, 6, 1))
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
