"""The recurrent layers beside PyTorch's: blocks of either side in turn, the median of the ratios.

    compare_recurrent.py BENCH_RECURRENT [--threads N] [--pairs N] [CELL,LAYERS,I,H,B,T ...]

With one thread and --cpu the processor's time is compared, where the machine has other work. A
ratio above 1 says how many times as fast as PyTorch we are; its interval is a bootstrap's, 95 %.
"""
import argparse
import os
import platform
import random
import statistics
import subprocess
import time

parser = argparse.ArgumentParser()
parser.add_argument("bench")
parser.add_argument("shapes", nargs="*")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--pairs", type=int, default=15)
parser.add_argument("--cpu", action="store_true")
parser.add_argument("--block", type=float, default=0.1, help="seconds")
options = parser.parse_args()
os.environ["ELMAN_THREADS"] = str(options.threads)

import torch  # noqa: E402  (after the environment)

torch.set_num_threads(options.threads)

STANDARD = """lstm,2,128,128,50,50 lstm,2,512,512,50,50 lstm,2,200,200,20,35 lstm,2,650,650,20,35
lstm,2,1500,1500,20,35 gru,1,256,256,64,50 gru,1,1024,1024,32,25 rnn,1,256,256,64,100
lstm,1,40,64,1,100 lstm,1,256,256,1,100 lstm,1,1024,1024,1,25""".split()


class Ours:
    def __init__(self, shape):
        self.process = subprocess.Popen(
            [options.bench, "--serve", *shape.split(",")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, what, times):
        self.process.stdin.write(f"{what} {times}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline().split()[options.cpu]) / times

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Theirs:
    def __init__(self, shape):
        cell, layers, inputs, hidden, batch, steps = shape.split(",")
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
        self.layer = kind(int(inputs), int(hidden), int(layers))
        self.x = torch.randn(int(steps), int(batch), int(inputs))
        self.dy = torch.randn(int(steps), int(batch), int(hidden))

    def once(self, what):
        if what == "train":
            self.layer(self.x)[0].backward(self.dy)
        else:
            with torch.no_grad():
                self.layer(self.x)

    def run(self, what, times):
        clock = time.process_time if options.cpu else time.perf_counter
        begin = clock()
        for _ in range(times):
            self.once(what)
        return (clock() - begin) / times


def interval(ratios):
    medians = sorted(statistics.median(random.choices(ratios, k=len(ratios)))
                     for _ in range(1000))
    return medians[25], medians[975]


print(f"torch {torch.__version__}, {platform.processor() or platform.machine()}, "
      f"{options.threads} threads, load {os.getloadavg()[0]:.1f}")
for shape in options.shapes or STANDARD:
    ours, theirs = Ours(shape), Theirs(shape)
    for what in ("train", "forward"):
        times = [max(1, round(options.block / min(side.run(what, 1) for _ in range(2))))
                 for side in (ours, theirs)]
        ratios, us = [], ([], [])
        for pair in range(options.pairs):
            order = (0, 1) if pair % 2 else (1, 0)
            took = [0, 0]
            for side in order:
                took[side] = (ours, theirs)[side].run(what, times[side])
                us[side].append(took[side] * 1e6)
            ratios.append(took[1] / took[0])
        low, high = interval(ratios)
        print(f"{shape:24} {what:8} ours {min(us[0]):11.1f} us (median "
              f"{statistics.median(us[0]):11.1f})   torch {min(us[1]):11.1f} ({statistics.median(us[1]):11.1f})   "
              f"ratio {statistics.median(ratios):5.2f}  [{low:.2f}, {high:.2f}]", flush=True)
    ours.close()
