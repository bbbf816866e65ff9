"""iteration.py RIVAL SIZE THREADS STEPS: seconds of one iteration of preset opengenus in another program.

RIVAL: torch, torch-last (channels_last), torch-compile (inductor, channels_last), torch-bf16 (autocast, channels_last),
tensorflow (a tf.function), tensorflow-eager.

An iteration is VGG19 up to conv5_1 with random weights, forward and backward, on a square picture; five style losses,
one content loss; a step of Adam. It is what `nst bench` measures. Prints JSON: the least of STEPS steps after two
that are not counted, and the process's peak memory."""
import json
import resource
import sys
import time

BLOCKS = [[64, 64], [128, 128], [256] * 4, [512] * 4, [512]]
STYLE = {(0, 0): 1.0, (1, 0): 0.8, (2, 0): 0.5, (3, 0): 0.3, (4, 0): 0.1}
CONTENT = (3, 1)


def torch_step(mode, size, threads):
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    layout = torch.contiguous_format if mode == "torch" else torch.channels_last
    cast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=mode == "torch-bf16")
    weights, before = {}, 3
    for b, block in enumerate(BLOCKS):
        for i, channels in enumerate(block):
            w = torch.randn(channels, before, 3, 3) * (2 / (9 * before)) ** 0.5
            weights[b, i], before = w.contiguous(memory_format=layout), channels

    def features(x):
        out = {}
        for b, block in enumerate(BLOCKS):
            x = F.max_pool2d(x, 2) if b else x
            for i in range(len(block)):
                x = out[b, i] = F.relu(F.conv2d(x, weights[b, i], padding=1))
        return out

    def gram(f):
        f = f.float().reshape(f.shape[1], -1)
        return f @ f.t()

    def picture():
        return torch.rand(1, 3, size, size).contiguous(memory_format=layout)

    with torch.no_grad(), cast:
        content, style = features(picture()), features(picture())
        wanted, kept = {k: gram(style[k]) for k in STYLE}, content[CONTENT].float()
    x = picture().requires_grad_(True)
    adam = torch.optim.Adam([x], lr=0.003)

    def loss(x):
        with cast:
            f = features(x)
            sum_of = ((f[CONTENT].float() - kept) ** 2).mean()
            for k, weight in STYLE.items():
                sum_of = sum_of + 1e6 * weight * ((gram(f[k]) - wanted[k]) ** 2).mean() / f[k].numel()
        return sum_of

    run = torch.compile(loss) if mode == "torch-compile" else loss

    def step():
        adam.zero_grad()
        run(x).backward()
        adam.step()

    return step, "PyTorch " + torch.__version__


def tensorflow_step(mode, size, threads):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    weights, before = {}, 3
    for b, block in enumerate(BLOCKS):
        for i, channels in enumerate(block):
            weights[b, i] = tf.random.normal((3, 3, before, channels), stddev=(2 / (9 * before)) ** 0.5)
            before = channels

    def features(x):
        out = {}
        for b, block in enumerate(BLOCKS):
            x = tf.nn.max_pool2d(x, 2, 2, "VALID") if b else x
            for i in range(len(block)):
                x = out[b, i] = tf.nn.relu(tf.nn.conv2d(x, weights[b, i], 1, "SAME"))
        return out

    def gram(f):
        f = tf.reshape(f, (-1, f.shape[-1]))
        return tf.matmul(f, f, transpose_a=True)

    content, style = features(tf.random.uniform((1, size, size, 3))), features(tf.random.uniform((1, size, size, 3)))
    wanted, kept = {k: gram(style[k]) for k in STYLE}, content[CONTENT]
    x = tf.Variable(tf.random.uniform((1, size, size, 3)))
    adam = tf.keras.optimizers.Adam(0.003)

    def step():
        with tf.GradientTape() as tape:
            f = features(x)
            loss = tf.reduce_mean((f[CONTENT] - kept) ** 2)
            for k, weight in STYLE.items():
                size_of = float(f[k].shape[1] * f[k].shape[2] * f[k].shape[3])
                loss += 1e6 * weight * tf.reduce_mean((gram(f[k]) - wanted[k]) ** 2) / size_of
        adam.apply_gradients([(tape.gradient(loss, x), x)])

    adam.build([x])
    return step if mode == "tensorflow-eager" else tf.function(step), "TensorFlow " + tf.__version__


def main():
    rival, size, threads, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    step, name = (torch_step if rival.startswith("torch") else tensorflow_step)(rival, size, threads)
    took = []
    for _ in range(steps + 2):
        began = time.perf_counter()
        step()
        took.append(time.perf_counter() - began)
    print(json.dumps({"rival": rival, "name": name, "seconds": min(took[2:]),
                      "peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
