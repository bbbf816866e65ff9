"""compare.py NST SIZE THREADS [--avx2] [--rounds N] [RIVAL...]: one iteration of preset opengenus in nst and in others.

Every round measures nst (`nst bench`, random weights of VGG19's size) and each RIVAL of iteration.py (default: torch,
torch-last) one after the other, so that what else the machine does meets all of them. Prints medians over the rounds
(5) and how many times nst is as fast. --avx2 holds all to AVX2, on machines with more. Nothing else should run.

    python3 -m venv venv && venv/bin/pip install torch tensorflow
    venv/bin/python data/rivals/compare.py build/nst 512 2 torch torch-last torch-compile tensorflow"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

STEPS = 5  # of a rival in a round, of which the least counts, as in nst bench


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("nst")
    p.add_argument("size", type=int)
    p.add_argument("threads", type=int)
    p.add_argument("rival", nargs="*", default=["torch", "torch-last"])
    p.add_argument("--avx2", action="store_true")
    p.add_argument("--rounds", type=int, default=5)
    return p.parse_args()


def nst(a):
    command = [a.nst, "bench", "-s", str(a.size), "-j", str(a.threads), "--json"] + ["--simd", "avx2"] * a.avx2
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return "nst %s, %s" % (said["version"], said["simd"]), said["iteration_seconds"], said["peak_bytes"] / 2**20


def other(a, rival):
    env = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    if a.avx2:
        env.update(ONEDNN_MAX_CPU_ISA="AVX2", MKL_ENABLE_INSTRUCTIONS="AVX2", ATEN_CPU_CAPABILITY="avx2")
        # torch.compile would take code for AVX-512 that a run without --avx2 has left there
        env.update(TORCHINDUCTOR_CACHE_DIR=os.path.join(tempfile.gettempdir(), "torchinductor-avx2"))
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "iteration.py")
    command = [sys.executable, script, rival, str(a.size), str(a.threads), str(STEPS)]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env).stdout)
    return "%s, %s" % (said["name"], rival), said["seconds"], said["peak_MiB"]


def main():
    a = arguments()
    rows = {}
    for _ in range(a.rounds):
        for rival in ["nst"] + a.rival:
            name, seconds, peak = nst(a) if rival == "nst" else other(a, rival)
            rows.setdefault(name, []).append((seconds, peak))
    least = None
    print("%dx%d, %d threads, medians of %d rounds" % (a.size, a.size, a.threads, a.rounds))
    for name, measured in rows.items():
        seconds, peak = (statistics.median(c) for c in zip(*measured))
        least = least or seconds
        spread = "%.2f to %.2f" % (min(measured)[0], max(measured)[0])
        print("%-40s %6.3f s (%s) %6.0f MiB  %.2f" % (name, seconds, spread, peak, seconds / least))


if __name__ == "__main__":
    main()
