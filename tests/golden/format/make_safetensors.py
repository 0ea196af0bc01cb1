#!/usr/bin/env python3
"""Makes reference.safetensors with the reference implementation (safetensors 0.8, PyTorch 2.15).

    python3 make_safetensors.py [FILE]

Byte i of tensor number t (in the order of TENSORS) is (31*t + 7*i) mod 256, in a
BOOL its lowest bit."""
import os
import sys

import torch
from safetensors.torch import save_file

TENSORS = [
    ("bool", "bool", 1, [3]),
    ("uint8", "uint8", 1, [2, 3]),
    ("int8", "int8", 1, [5]),
    ("int16", "int16", 2, [2, 2]),
    ("uint16", "uint16", 2, [1]),
    ("float16", "float16", 2, [3]),
    ("bfloat16", "bfloat16", 2, [7]),
    ("int32", "int32", 4, [2, 1, 2]),
    ("uint32", "uint32", 4, [3]),
    ("weight_ih_l0", "float32", 4, [4, 3]),
    ("bias_ih_l0", "float32", 4, [4]),
    ("float64", "float64", 8, [2]),
    ("int64", "int64", 8, [1, 1, 1, 1, 1, 1, 1, 2]),
    ("uint64", "uint64", 8, [3]),
    ("scalar", "float32", 4, []),
    ("empty", "float32", 4, [0, 4]),
    ("Gewicht \u00e4\u4e2d\U0001f600 \"\\\n\x01", "float32", 4, [1]),
]


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "reference.safetensors")
    tensors = {}
    for t, (name, dtype, size, shape) in enumerate(TENSORS):
        count = size
        for dimension in shape:
            count *= dimension
        mask = 1 if dtype == "bool" else 255
        data = bytearray((31 * t + 7 * i) & mask for i in range(count))
        kind = getattr(torch, dtype)
        flat = torch.frombuffer(data, dtype=kind) if data else torch.empty(0, dtype=kind)
        tensors[name] = flat.reshape(shape)
    save_file(tensors, path, {"made by": "caf\u00e9 \"safetensors\"\t/\x7f"})


if __name__ == "__main__":
    main()
