#!/usr/bin/env python3
"""Makes the first inputs of the fuzz targets that have theirs below: python3 make_corpus.py"""
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

# The first byte: delimiter (found , ; tab) and header (auto yes no).
TABLE = {
    "dates": b"\x00date,HUFL,OT\n2016-07-01 00:00:00,5.8,30.5\n2016-07-01 01:00:00,,NaN\n",
    "quotes": b'\x01"a ""b""","c\r\nd"\r\n"",x y \r\n',
    "semicolons": b"\x00\xef\xbb\xbfa;b\n1,5;2\n\n3;4",
    "tabs": b'\x03a "film\t1\nno film \t0',
    "words": b"\x03sentence\tlabel\na film\tgood\nno film\tgood\n",
    "ragged": b"\x05a,b\n1,2\n3\n",
    "unclosed": b'\x01a,b\n1,"2\n3,4\n',
    "misplaced": b'\x09a"b,c\n',
    "zero": b"\x01a,b\n1,\x00\n",
    "not_utf8": b"\x02a;b\n1;\xe2\x82\n",
    "old_line_ends": b"\x04a,b\r1,2\r\r3,4\r",
    "line": b'\x08"a, ""b""",, 7 \r\n',
}

ROW = b"\t_" * 8 + b"\n"
# The first byte: the form (auto, CoNLL-U, columns).
CONLL = {
    "universal": b"\x00# text = vamonos al mar\n1-2\tvamonos" + ROW + b"1\tvamos" + ROW +
                 b"2\tnos" + ROW + b"2.1\tgo" + ROW + b"3\tel mar" + ROW + b"\n# alone\n\n",
    "columns": b"\x00-DOCSTART- -X- -X- O\n\nEU NNP I-NP  B-ORG \nrejects VBZ I-VP O\n\n"
               b"# NN O O\n",
    "words": b"\x02one\r\ntwo\r\n\r\n",
    "order": b"\x011\ta\n3\tb\n",
    "ragged": b"\x02a b\nc d e\n",
    "no_word": b"\x011\t\n",
    "not_utf8": b"\x00a\xff\n",
}

# The first byte: whether folded.
WORDS = {
    "raw": "\x01It\u2019s a well-made \u201cCaf\u0065\u0301\u201d, don't you think?".encode(),
    "treebank": b"\x01`` do n't '' -LRB- the film 's -RRB- shouldn't've o'clock ' `",
    "many": "\x00\u4e2d\u6587 \u3042 \ud55c\uae00 \U0001f600\ufe0f stra\u00dfe \u0130 =\u0338 "
            "so\u00adme\u200d".encode(),
    "cut": b"\x01ab \xe2\x28",
    "zero": b"\x01ab\x00c",
}

WORD_VECTORS = {
    "glove": b"the 0.418 0.24968 -0.41242\nA 0.1 1e-3 .5\nat the 1 2 3\nSTRASS 1 2 3\n",
    "mark_alone": b"\xef\xbb\xbf",
    "word2vec": b"3 2\n</s> 0.1 0.2 \nthe -1 2 \n1 5 6 ",
    "ragged": b"the 1 2\na 1\n",
    "not_finite": b"the 1 nan\n",
    "large": b"the 1 1e39\n",
    "count": b"2 2\nthe 1 2\n",
    "not_utf8": b"\xff\xfe 1 2\r\nthe\t1\t2\r\n",
}

HISTORY = {
    "interval": b'{"event":"interval","step":100,"epoch":0.5,"loss":1.25,"gradient_norm":3,'
                b'"lr":0.001,"tokens_per_second":null,"seconds":2.5}\n',
    "validation": b'{"event":"validation","step":100,"epoch":0.5,"loss":0.3,"accuracy":0.75,'
                  b'"score":0.25,"best":true,"reached":true,"seconds":2.5}\n',
    "gradients": b'{"event":"gradients","step":5,"layers":[{"layer":"rnn.l0","horizon":2,'
                 b'"factor":0.7,"norm":[1,0.5,null]},{"layer":"rnn.l1","horizon":null,'
                 b'"norm":[1]}]}\n',
    "not_measured": b'{"event":"gradients","step":5,"layers":[{"layer":"a","norm":[]},'
                    b'{"layer":"b","norm":[null,-1,1e999]},{"layer":"c","norm":[null,2]}]}\n',
    "others": b'{"event":"of another version","x":[]}\n{"event":"interval","step":6',
    "no_layer": b'{"event":"gradients","step":1,"layers":[{"norm":[1]}]}\n',
    "no_step": b'{"event":"interval","step":-1}\n',
    "no_event": b'{"event":"interval","step":1}\n[1]\n',
    "long_names": b'{"event":"validation","step":1,"' + b"m" * 200 + b'":1}\n{"event":"gradients",'
                  b'"step":1,"layers":[{"layer":"' + b"l" * 200 + b'","norm":[0]}]}\n',
    "many": b'{"event":"gradients","step":9,"layers":[{"layer":"a","norm":[1' + b",1" * 2000 +
            b"]}]}\n",
}

if __name__ == "__main__":
    for name, data in JSON.items():
        write("json", name, data)
    for name, data in SAFETENSORS.items():
        write("safetensors", name, data)
    for subject, inputs in (("table", TABLE), ("conll", CONLL), ("words", WORDS),
                            ("word_vectors", WORD_VECTORS), ("history", HISTORY)):
        for name, data in inputs.items():
            write(subject, name, data)
