#!/usr/bin/env python3
"""Makes the first inputs of fuzz_json and fuzz_safetensors: python3 make_corpus.py"""
import os
import struct

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def write(subject, name, data):
    folder = os.path.join(HERE, subject)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def safetensors(header, data=b"", length=None):
    text = header.encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(name, dtype, shape, begin, end):
    return '"%s":{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}' % (
        name, dtype, shape, begin, end)


JSON = {
    "record": b'{"step":100,"loss":1.446,"rate":2e-3,"note":null,"best":true}\n',
    "config": b'{\n  "version": 1,\n  "network": {"cell": "lstm", "hidden": [512, 512]},\n'
              b'  "init": "uniform:0.1"\n}\n',
    "letters": b'["\\u00e4\\n","\\ud83d\\ude00","\xe4\xb8\xad","\\"\\\\\\/\\b\\f\\r\\t\\u0000"]',
    "numbers": b"[0,-0,-1.5e+300,0.1,1E-400,9223372036854775807,-9223372036854775808]",
    "deep": b'[[{"a":[{"b":[[[[[]]]]]}]}]]',
    "duplicate": b'{"a":1,"b":{},"\\u0061":2}',
    "surrogate": b'"\\ud800"',
    "overlong": b'"\xc0\x80"',
    "large": b"[1e999,99999999999999999999]",
    "cut": b'{"a":[1,2,',
}

F32 = tensor("weight_ih_l0", "F32", "[2,2]", 0, 16)
SAFETENSORS = {
    "none": safetensors("{}"),
    "one": safetensors("{%s}" % F32, bytes(16)),
    "several": safetensors(
        '{"__metadata__":{"format":"pt","step":"3"},%s,%s,%s,%s,%s}' % (
            tensor("step", "I64", "[]", 0, 8), tensor("w", "F32", "[1,2]", 8, 16),
            tensor("empty", "F16", "[0,3]", 16, 16), tensor("b", "BF16", "[1]", 16, 18),
            tensor("mask", "BOOL", "[3]", 18, 21)), bytes(21)),
    "metadata": safetensors('{"__metadata__":{"k":1}}'),
    "overlap": safetensors("{%s,%s}" % (F32, tensor("b", "U8", "[2]", 15, 17)), bytes(17)),
    "gap": safetensors("{%s,%s}" % (F32, tensor("b", "U8", "[1]", 17, 18)), bytes(18)),
    "past_the_end": safetensors("{%s}" % F32, bytes(15)),
    "overflow": safetensors("{%s}" % tensor("w", "F64", "[4294967296,4294967296,0]", 0, 0)),
    "misaligned": safetensors(
        "{%s,%s}" % (tensor("a", "U8", "[1]", 0, 1), tensor("b", "I16", "[1]", 1, 3)), bytes(3)),
    "unknown_dtype": safetensors("{%s}" % tensor("w", "F8_E4M3", "[1]", 0, 1), bytes(1)),
    "duplicate": safetensors("{%s,%s}" % (F32, F32), bytes(16)),
    "long_header": safetensors("{}", length=2**63),
    "cut": safetensors("{%s}" % F32, bytes(16))[:40],
}

if __name__ == "__main__":
    for name, data in JSON.items():
        write("json", name, data)
    for name, data in SAFETENSORS.items():
        write("safetensors", name, data)
