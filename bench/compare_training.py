"""Whole training steps, Elman and PyTorch in turn (A B B A ...): tokens a second of both, the
median of the pair ratios with its bootstrap interval, and the peak memory of both.

    python3 bench/compare_training.py build/release/bench_training [NAME ...]

Each side has its own process and the same number of threads (OMP_NUM_THREADS, ELMAN_THREADS).
"""
import os
import random
import statistics
import subprocess
import sys
import time

# name: cell, layers, embedding, hidden, batch, steps, vocabulary, optimiser, dropout
SHAPES = {
    "char-128": ("lstm", 2, 128, 128, 50, 50, 65, "adam", 0.0),
    "char-512": ("lstm", 2, 512, 512, 50, 50, 65, "adam", 0.0),
    "ptb-small": ("lstm", 2, 200, 200, 20, 20, 10000, "sgd", 0.0),
    "ptb-medium": ("lstm", 2, 650, 650, 20, 35, 10000, "sgd", 0.5),
}
PAIRS = int(os.environ.get("PAIRS", "15"))
BLOCK = float(os.environ.get("BLOCK", "0.5"))  # seconds


def torch_side(arguments):
    """Answers "N" lines as bench_training does."""
    import resource
    import torch

    cell, layers, embedding, hidden, batch, steps, vocabulary, optimiser, dropout = arguments
    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(vocabulary, embedding)
            kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
            self.rnn = kind(embedding, hidden, layers, dropout=dropout)
            self.drop = torch.nn.Dropout(dropout)
            self.output = torch.nn.Linear(hidden, vocabulary)

        def forward(self, x, state):
            y, state = self.rnn(self.embedding(x), state)
            return self.output(self.drop(y)), state

    model = Model()
    if optimiser == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    tokens = torch.randint(vocabulary, (steps + 1, batch))
    x, y = tokens[:-1], tokens[1:].reshape(-1)
    state = None
    for line in sys.stdin:
        begin = time.monotonic()
        for _ in range(int(line)):
            optimizer.zero_grad(set_to_none=True)
            out, state = model(x, state)
            state = tuple(s.detach() for s in state) if cell == "lstm" else state.detach()
            loss = torch.nn.functional.cross_entropy(out.view(-1, vocabulary), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        seconds = time.monotonic() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{seconds:.9f} {peak}", flush=True)


class Side:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.run(1)
        self.steps = 1
        while True:  # as many steps as fill a block
            seconds = self.run(self.steps)
            if seconds > BLOCK / 2:
                self.steps = max(1, round(self.steps * BLOCK / seconds))
                break
            self.steps *= 2

    def run(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        seconds, self.peak = self.process.stdout.readline().split()
        return float(seconds)


def interval(ratios):
    generator = random.Random(1)
    medians = sorted(statistics.median(generator.choices(ratios, k=len(ratios)))
                     for _ in range(2000))
    return medians[50], medians[1949]


def main():
    if sys.argv[1] == "--torch":
        values = sys.argv[2:]
        torch_side([values[0]] + [int(v) for v in values[1:7]] + [values[7], float(values[8])])
        return
    names = sys.argv[2:] or list(SHAPES)
    for name in names:
        arguments = [str(v) for v in SHAPES[name]]
        ours = Side([sys.argv[1]] + arguments)
        theirs = Side([sys.executable, __file__, "--torch"] + arguments)
        tokens = SHAPES[name][4] * SHAPES[name][5]
        ratios, a, b = [], [], []
        for pair in range(PAIRS):
            order = (ours, theirs) if pair % 2 == 0 else (theirs, ours)
            speed = {}
            for side in order:
                time.sleep(0.05)
                speed[side] = side.steps * tokens / side.run(side.steps)
            a.append(speed[ours])
            b.append(speed[theirs])
            ratios.append(speed[ours] / speed[theirs])
        low, high = interval(ratios)
        print(f"{name:11} Elman {statistics.median(a):9.0f} tokens/s {int(ours.peak) // 1024:5} MiB"
              f"   PyTorch {statistics.median(b):9.0f} tokens/s {int(theirs.peak) // 1024:5} MiB"
              f"   ratio {statistics.median(ratios):.2f} [{low:.2f}, {high:.2f}]", flush=True)
        for side in (ours, theirs):
            side.process.stdin.close()
            side.process.wait()


main()
