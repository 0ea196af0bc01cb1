"""Whole training steps of the networks that read sequences, Elman and PyTorch in turn (A B B A ...)
on the same batches: milliseconds a step of both, the median of the pair ratios Elman / PyTorch with
its bootstrap interval, and the peak memory of both.

    python3 bench/compare_tasks.py [--pairs N] [--block SECONDS] build/release/bench_tasks [NAME ...]

PyTorch is given its best form: packed sequences or padded ones with a mask, Adam as it is by
default or fused, whichever is the fastest here. (Padded, the reverse direction begins on padding:
less is asked of it than of Elman.) Each side has its own process and the same number of threads
(OMP_NUM_THREADS, ELMAN_THREADS; else all processors).
"""
import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import time

NAMES = ["sst2-max", "sst2-attention", "ag-news", "partut", "partut-crf", "etth1-days",
         "etth1-hours", "series", "digits", "drift-clip", "drift-frames"]
BATCHES = 32  # of bench/tasks.c


# --- PyTorch's side -------------------------------------------------------------------------------

def make_model(torch, n):
    nn = torch.nn
    rnn_of = {"lstm": nn.LSTM, "gru": nn.GRU}[n["cell"]]

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            width = n["inputs"]
            if n["vocabulary"]:
                self.embedding = nn.Embedding(n["vocabulary"], n["embedding"])
                width = n["embedding"]
            if n["char_hidden"]:
                self.char_embedding = nn.Embedding(n["characters"], n["char_hidden"])
                self.char_rnn = rnn_of(n["char_hidden"], n["char_hidden"], bidirectional=True)
                width += 2 * n["char_hidden"]
            self.rnn = rnn_of(width, n["hidden"], n["layers"],
                              bidirectional=bool(n["bidirectional"]),
                              dropout=n["dropout"] if n["layers"] > 1 else 0)
            width = n["hidden"] * (2 if n["bidirectional"] else 1)
            if n["pool"] == "attention":
                self.attention = nn.Linear(width, 100)
                self.context = nn.Linear(100, 1, bias=False)
            self.drop = nn.Dropout(n["dropout"])
            self.output = nn.Linear(width, n["outputs"])
            if n["skip"]:
                self.skip = nn.Linear(n["skip"], n["outputs"], bias=False)
            if n["crf"]:
                from torchcrf import CRF
                self.crf = CRF(n["outputs"])

        def words(self, b, packed):
            """[W, 2*char_hidden]: the last state of either direction."""
            x = self.char_embedding(b["characters"])
            if packed:
                x = nn.utils.rnn.pack_padded_sequence(x, b["word_lengths"])
            state = self.char_rnn(x)[1]
            h = state[0] if n["cell"] == "lstm" else state
            return torch.cat((h[0], h[1]), 1)

        def states(self, b, packed):
            """[T,B,.] and the last state."""
            if n["vocabulary"]:
                x = self.embedding(b["tokens"])
                if n["char_hidden"]:
                    composed = self.words(b, packed)
                    x = torch.cat((x, torch.nn.functional.embedding(b["word_rows"], composed)), 2)
                x = self.drop(x)
            else:
                x = b["vectors"]
            if packed:
                x = nn.utils.rnn.pack_padded_sequence(x, b["lengths"])
            y, state = self.rnn(x)
            if packed:
                y, _ = nn.utils.rnn.pad_packed_sequence(y)
            return y, state[0] if n["cell"] == "lstm" else state

        def pooled(self, y, h, b):
            if n["pool"] == "last":
                return torch.cat((h[-2], h[-1]), 1) if n["bidirectional"] else h[-1]
            if n["pool"] == "max":
                if b["mask"] is not None:
                    y = y.masked_fill(~b["mask"].unsqueeze(2), float("-inf"))
                return y.max(0).values
            scores = self.context(torch.tanh(self.attention(y))).squeeze(2)
            if b["mask"] is not None:
                scores = scores.masked_fill(~b["mask"], float("-inf"))
            return (scores.softmax(0).unsqueeze(2) * y).sum(0)

        def loss(self, b, packed):
            y, h = self.states(b, packed)
            if not n["pool"]:
                z = self.output(self.drop(y))
                if n["crf"]:
                    return -self.crf(z, b["tags"], b["crf_mask"], reduction="token_mean")
                return nn.functional.cross_entropy(z.flatten(0, 1), b["targets"].flatten())
            z = self.output(self.drop(self.pooled(y, h, b)))
            if n["skip"]:
                z = z + self.skip(b["window"])
            if n["regression"]:
                return nn.functional.mse_loss(z, b["values"])
            return nn.functional.cross_entropy(z, b["targets"])

    return Model()


def unpack(torch, lengths, packed, nothing=0):
    """Packed rows, longest sequence first, as [T,B]."""
    out = torch.full((lengths[0], len(lengths)), nothing)
    row = 0
    for t in range(lengths[0]):
        active = sum(length > t for length in lengths)
        out[t, :active] = torch.tensor(packed[row:row + active])
        row += active
    return out


def make_batch(torch, n, given):
    lengths = given["lengths"]
    T, B = lengths[0], len(lengths)
    ragged = lengths[-1] < T
    b = {"lengths": torch.tensor(lengths), "ragged": ragged}
    b["mask"] = torch.arange(T)[:, None] < b["lengths"][None, :] if ragged else None
    if n["pool"]:
        b["targets"] = torch.tensor(given["targets"][:B])
    else:
        b["targets"] = unpack(torch, lengths, given["targets"], -100)
    if n["crf"]:
        b["tags"] = b["targets"].clamp(min=0)
        b["crf_mask"] = torch.arange(T)[:, None] < b["lengths"][None, :]
    if n["vocabulary"]:
        b["tokens"] = unpack(torch, lengths, given["tokens"])
    else:
        b["vectors"] = torch.randn(T, B, n["inputs"])
    if n["char_hidden"]:
        words = given["words"]
        order = sorted(range(len(words)), key=lambda i: -len(words[i]))
        place = {word: at for at, word in enumerate(order)}
        rows = [place[word] for word in given["word_rows"]]
        b["word_rows"] = unpack(torch, lengths, rows)
        b["word_lengths"] = torch.tensor([len(words[i]) for i in order])
        b["characters"] = torch.zeros(len(words[order[0]]), len(words), dtype=torch.long)
        for at, i in enumerate(order):
            b["characters"][:len(words[i]), at] = torch.tensor(words[i])
    if n["skip"]:
        b["window"] = torch.randn(B, n["skip"])
    if n["regression"]:
        b["values"] = torch.randn(B, n["outputs"])
    return b


def torch_side(program, name):
    """Answers "STEPS FIRST" lines as bench_tasks does; "FORM STEPS FIRST" chooses the form first."""
    import resource
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
    n = json.loads(subprocess.run([program, name, "batches"], check=True, stdout=subprocess.PIPE,
                                  text=True).stdout)
    batches = [make_batch(torch, n, given) for given in n["batches"]]
    model = make_model(torch, n)
    ragged = any(b["ragged"] for b in batches) or bool(n["char_hidden"])
    forms = list(itertools.product([True, False] if ragged else [False], [False, True]))
    optimizers = {fused: torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
                  for fused in (False, True)}
    print(len(forms), flush=True)
    for line in sys.stdin:
        form, steps, first = (int(word) for word in line.split())
        packed, fused = forms[form]
        optimizer = optimizers[fused]
        begin, used = time.monotonic(), time.process_time()
        for i in range(first, first + steps):
            optimizer.zero_grad(set_to_none=True)
            model.loss(batches[i % BATCHES], packed).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        seconds, used = time.monotonic() - begin, time.process_time() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{seconds:.9f} {used:.9f} {peak} {'packed' if packed else 'padded'}"
              f"{', fused Adam' if fused else ''}", flush=True)


# --- the comparison -------------------------------------------------------------------------------

class Side:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        seconds, used, peak, *form = self.process.stdout.readline().split(maxsplit=3)
        self.peak = int(peak) // 1024
        self.form = form[0].strip() if form else ""
        return float(seconds), float(used)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def best_form(theirs):
    """The fastest form: all take the same 32 batches, in turn, three times."""
    forms = int(theirs.process.stdout.readline())
    for form in range(forms):
        theirs.ask(f"{form} 2 0")
    times = {form: [] for form in range(forms)}
    for at in range(3):
        steps = 8
        for form in range(forms):
            times[form].append(theirs.ask(f"{form} {steps} {at * steps}")[0] / steps)
    form = min(times, key=lambda f: statistics.median(times[f]))
    return form, statistics.median(times[form])


def interval(ratios):
    generator = random.Random(1)
    medians = sorted(statistics.median(generator.choices(ratios, k=len(ratios)))
                     for _ in range(2000))
    return medians[50], medians[1949]


def compare(name, options):
    theirs = Side([sys.executable, __file__, "--torch", options.program, name])
    form, expected = best_form(theirs)
    steps = max(1, min(8 * BATCHES, round(options.block / expected)))
    ours = Side([options.program, name])
    ours.ask(f"{BATCHES} 0")
    a, b, ratios, used = [], [], [], []
    for pair in range(options.pairs):
        first = pair * steps % BATCHES
        took = {}
        for side in (ours, theirs) if pair % 2 == 0 else (theirs, ours):
            time.sleep(0.02)
            took[side] = side.ask(f"{steps} {first}" if side is ours
                                  else f"{form} {steps} {first}")
        a.append(1e3 * took[ours][0] / steps)
        b.append(1e3 * took[theirs][0] / steps)
        ratios.append(a[-1] / b[-1])
        used.append(took[ours][1] / took[theirs][1])
    low, high = interval(ratios)
    print(f"{name:15} Elman {statistics.median(a):7.2f} ms a step {ours.peak:4} MiB   "
          f"PyTorch {statistics.median(b):7.2f} ms {theirs.peak:4} MiB ({theirs.form})   "
          f"ratio {statistics.median(ratios):.2f} [{low:.2f}, {high:.2f}]   "
          f"processor time {statistics.median(used):.2f}", flush=True)
    ours.close()
    theirs.close()


def main():
    if sys.argv[1:2] == ["--torch"]:
        torch_side(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--block", type=float, default=0.4, help="seconds of PyTorch's in a pair")
    parser.add_argument("program")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    for name in options.names or NAMES:
        if name not in NAMES:
            parser.error(f"{name}: expected one of {' '.join(NAMES)}")
        compare(name, options)


main()
