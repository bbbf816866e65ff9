"""onnx_models.py: ONNX files, as exporters write them.  make_models.py calls it."""
import os

import numpy as np

from model_numbers import NAMES, layers, norm


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
    """Graphs as exporters make them of other frameworks' models: a picture in NHWC, arithmetic in front, pads apart."""
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
