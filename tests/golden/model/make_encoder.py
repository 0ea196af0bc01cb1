#!/usr/bin/env python3
"""Figures for tests/model/test_encoder.c, made with PyTorch 2.15 in double precision from float32
inputs:

    python3 make_encoder.py        writes encoder.safetensors beside itself

Each sequence goes through the network alone (PackedSequence has no sequence of length zero); rows
are packed afterwards, longest first, ties as given. config: cell (0 rnn, 1 rnn-relu, 2 lstm, 3
gru), layers, hidden, bidirectional, vocabulary, embedding, inputs, char_hidden, char_embedding,
characters, outputs, dense, extras; pools: 0 last, 1 mean, 2 max, 3 attention, in order, then -1. The loss is the
sum of the logits weighed by 0.5 + (37 i mod 64)/64; gradients are "d.NAME"."""
import os

import torch
from safetensors.torch import save_file
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(20240302)
LENGTHS = [3, 0, 6, 1, 6, 2, 5]
WORDS = [4, 1, 7, 3, 1]  # characters of each distinct word
ATTENTION = 100
KEYS = ("cell", "layers", "hidden", "bidirectional", "vocabulary", "embedding", "inputs",
        "char_hidden", "char_embedding", "characters", "outputs", "dense", "extras")


def weigh(y):
    i = torch.arange(y.numel(), dtype=torch.int64)
    return ((0.5 + (i * 37 % 64).double() / 64) * y.reshape(-1)).sum()


def layer(cell, I, H, layers, both):
    if cell < 2:
        return nn.RNN(I, H, layers, nonlinearity=["tanh", "relu"][cell], bidirectional=both)
    return [nn.LSTM, nn.GRU][cell - 2](I, H, layers, bidirectional=both)


def run(rnn, x):
    """x [T,I] -> y [T,D*H], the last layer's final states side by side."""
    y, end = rnn(x[:, None])
    h = end[0] if isinstance(end, tuple) else end
    both = rnn.bidirectional
    return y[:, 0], torch.cat([h[-2, 0], h[-1, 0]]) if both else h[-1, 0]


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(ATTENTION, width))
        self.bias = nn.Parameter(torch.empty(ATTENTION))
        self.context = nn.Parameter(torch.empty(ATTENTION))

    def forward(self, y):
        scores = torch.tanh(y @ self.weight.T + self.bias) @ self.context
        return torch.softmax(scores, 0) @ y


class Encoder(nn.Module):
    def __init__(self, c, pools):
        super().__init__()
        self.c, self.pools = c, pools
        I = c["inputs"]
        if c["vocabulary"]:
            I = c["embedding"]
            self.embedding = nn.Embedding(c["vocabulary"], I)
        if c["char_hidden"]:
            self.char_embedding = nn.Embedding(c["characters"], c["char_embedding"])
            self.char_rnn = layer(c["cell"], c["char_embedding"], c["char_hidden"], 1, True)
            I += 2 * c["char_hidden"]
        if c["dense"]:
            self.dense = nn.Linear(I, c["dense"])
            I = c["dense"]
        both = bool(c["bidirectional"])
        self.rnn = layer(c["cell"], I, c["hidden"], c["layers"], both)
        width = c["hidden"] * (1 + both)
        if 3 in pools:
            self.attention = Attention(width)
        self.width = width
        self.output = nn.Linear(width * max(1, len(pools)) + c["extras"], c["outputs"])

    def pool(self, kind, y, end):
        if len(y) == 0:
            return torch.zeros(self.width, dtype=torch.float64)
        return [lambda: end, lambda: y.mean(0), lambda: y.max(0).values,
                lambda: self.attention(y)][kind]()

    def read(self, b, vectors, tokens, words, spelt):
        x = self.rows(b, vectors, tokens, words, spelt)
        return torch.relu(self.dense(x)) if self.c["dense"] else x

    def rows(self, b, vectors, tokens, words, spelt):
        if not self.c["vocabulary"]:
            return vectors[:LENGTHS[b], b]
        x = self.embedding(tokens[:LENGTHS[b], b])
        if not self.c["char_hidden"]:
            return x
        zero = torch.zeros(2 * self.c["char_hidden"], dtype=torch.float64)
        return torch.cat([x, torch.stack([spelt[w] if w >= 0 else zero
                                          for w in words[:LENGTHS[b], b].tolist()])], 1)

    def forward(self, vectors, tokens, words, spellings, extras):
        spelt = None
        if self.c["char_hidden"]:
            spelt = [run(self.char_rnn, self.char_embedding(s))[1] for s in spellings]
        ys, zs = [], []
        for b, length in enumerate(LENGTHS):
            y, end = torch.zeros(0, self.width, dtype=torch.float64), None
            if length:
                y, end = run(self.rnn, self.read(b, vectors, tokens, words, spelt))
            ys.append(y)
            if self.pools:
                zs.append(torch.cat([self.pool(k, y, end) for k in self.pools] + [extras[b]]))
        return self.output(torch.stack(zs) if self.pools else packed(ys, LENGTHS))


def packed(rows, lengths):
    """rows[b] [length_b,...] -> [N,...]."""
    order = sorted(range(len(lengths)), key=lambda b: -lengths[b])
    return torch.stack([rows[b][t] for t in range(max(lengths)) for b in order if lengths[b] > t])


def main():
    tensors = {}
    # cell, layers, hidden, both, vocabulary, embedding, inputs, char_hidden, pools, dense, extras
    cases = [
        (2, 1, 9, 1, 13, 6, 0, 0, [2]),
        (3, 2, 7, 0, 13, 5, 0, 0, [0]),
        (0, 2, 8, 1, 11, 4, 0, 0, [1, 0]),
        (2, 1, 6, 1, 13, 5, 0, 4, [3]),
        (3, 2, 5, 1, 12, 6, 0, 3, []),
        (2, 1, 17, 0, 0, 0, 3, 0, [0, 2]),
        (3, 2, 6, 1, 0, 0, 5, 0, [3, 1]),
        (0, 1, 7, 1, 0, 0, 1, 0, []),
        (1, 1, 5, 0, 0, 0, 4, 0, [2, 3, 0, 1]),
        (2, 2, 5, 1, 1200, 3, 0, 0, [0]),
        (2, 1, 5, 1, 11, 4, 0, 2, [2], 7, 0),
        (3, 1, 6, 0, 0, 0, 3, 0, [0, 1], 5, 4),
        (3, 1, 4, 1, 9, 5, 0, 0, [2], 0, 3),
        (2, 1, 4, 1, 0, 0, 2, 0, [], 3, 0),
    ]
    for number, case in enumerate(cases):
        cell, layers, hidden, both, V, E, I, char_hidden, pools = case[:9]
        dense, extra = case[9:] or (0, 0)
        c = dict(zip(KEYS, (cell, layers, hidden, both, V, E, I, char_hidden,
                            3 if char_hidden else 25, 8 if char_hidden else 0, 4, dense, extra)))
        net = Encoder(c, pools)
        with torch.no_grad():
            for p in net.parameters():
                p.copy_(torch.randn_like(p) * 0.5)
        net = net.double()
        T, B = max(LENGTHS), len(LENGTHS)
        vectors = torch.randn(T, B, max(I, 1)).double()
        tokens = torch.randint(0, max(V, 1), (T, B))
        words = torch.randint(-1, len(WORDS), (T, B))
        spellings = [torch.randint(0, 8, (n,)) for n in WORDS]
        extras = torch.zeros(B, 0).double()
        if extra:
            extras = torch.randn(B, extra).double()
        logits = net(vectors, tokens, words, spellings, extras)
        weigh(logits).backward()

        def of(x):
            return packed([x[:LENGTHS[b], b] for b in range(B)], LENGTHS)

        found = {"config": torch.tensor([c[k] for k in KEYS]), "pools": torch.tensor((pools + [-1] * 4)[:4]),
                 "lengths": torch.tensor(LENGTHS), "logits": logits}
        if V:
            found["tokens"] = of(tokens)
        else:
            found["vectors"] = of(vectors)
        if extra:
            found["extras"] = extras
        if char_hidden:
            found.update(word_rows=of(words), word_lengths=torch.tensor(WORDS),
                         characters=packed(spellings, WORDS))
        for name, p in net.named_parameters():
            found[name] = p
            found["d." + name] = torch.zeros_like(p) if p.grad is None else p.grad
        for name, v in found.items():
            v = v.detach()
            v = v.to(torch.float32 if v.is_floating_point() else torch.int32)
            tensors[f"encoder.{number}.{name}"] = v.contiguous().clone()
    save_file(tensors, os.path.join(HERE, "encoder.safetensors"))


if __name__ == "__main__":
    main()
