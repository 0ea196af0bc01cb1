"""bench_product beside PyTorch's matrix product: one shape after another, in alternating blocks.

usage: compare_product.py BENCH_PRODUCT [THREADS] [PAIRS]

Prints GFLOP/s of both and the median of the pairs' ratios (PyTorch's time over ours) with its
95 % bootstrap interval."""
import os, random, statistics, subprocess, sys, time

import torch

SHAPES = [(50, 512, 128), (50, 2048, 512), (400, 800, 200), (700, 2600, 650), (2500, 512, 128),
          (2500, 2048, 512), (2500, 65, 512), (256, 10000, 200), (256, 10000, 650),
          (256, 200, 10000), (256, 650, 10000), (20, 800, 200), (1, 1024, 256), (7, 1028, 257)]
BLOCK = 0.05


def interval(ratios):
    draws = sorted(statistics.median(random.choices(ratios, k=len(ratios))) for _ in range(2000))
    return draws[50], draws[1949]


def main():
    program, threads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2
    pairs = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    torch.set_num_threads(threads)
    random.seed(1)
    print(f"PyTorch {torch.__version__}, {threads} threads")
    for m, n, k in SHAPES:
        ours = subprocess.Popen([program, "--serve", str(m), str(n), str(k)], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                env=dict(os.environ, ELMAN_THREADS=str(threads)))
        a, w, c, dw = (torch.rand(m, k), torch.rand(n, k), torch.rand(m, n), torch.rand(n, k))
        for what in "rows", "columns":
            def mine(times):
                ours.stdin.write(f"{what} {times}\n")
                ours.stdin.flush()
                return float(ours.stdout.readline())

            def theirs(times):
                begin = time.perf_counter()
                for _ in range(times):
                    torch.mm(a, w.t(), out=c) if what == "rows" else torch.mm(c.t(), a, out=dw)
                return time.perf_counter() - begin

            mine(3), theirs(3)
            times = max(1, int(BLOCK / max(mine(3) / 3, 1e-7)))
            seconds, ratios = [[], []], []
            for pair in range(pairs):
                sides = (mine, theirs) if pair % 2 == 0 else (theirs, mine)
                took = {side: side(times) / times for side in sides}
                seconds[0].append(took[mine])
                seconds[1].append(took[theirs])
                ratios.append(took[theirs] / took[mine])
            low, high = interval(ratios)
            giga = 2e-9 * m * n * k
            print(f"{m:5} x {n:5} x {k:5} {what:8} ours {giga / statistics.median(seconds[0]):6.1f}"
                  f"  PyTorch {giga / statistics.median(seconds[1]):6.1f} GFLOP/s  ratio "
                  f"{statistics.median(ratios):.2f} [{low:.2f}, {high:.2f}]", flush=True)
        ours.stdin.close()
        ours.wait()


main()
