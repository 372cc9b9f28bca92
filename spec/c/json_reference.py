"""What is JSON, by Python's reader in its strictest settings: the reference for csrc/json/grammar.c.

Reads texts from standard input, each as its length in four bytes (big endian) and its bytes, and
answers each with "y" or "n". A byte order mark is ignored and nesting is limited as by the grammar;
all else is the reader's own judgement.
"""

import json
import re
import struct
import sys

DEPTH_MAX = 1000
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def refuse(constant):
    raise ValueError(constant)


def depth(text):
    deepest = level = 0
    for bracket in re.findall(r"[\[\]{}]", STRING.sub("", text)):
        level += 1 if bracket in "[{" else -1
        deepest = max(deepest, level)
    return deepest


def is_json(raw):
    try:
        text = raw.decode("utf-8-sig")
        json.loads(text, strict=True, parse_constant=refuse, parse_int=str, parse_float=str)
        return depth(text) <= DEPTH_MAX
    except (ValueError, RecursionError):
        return False


def main():
    sys.setrecursionlimit(20000)
    while True:
        head = sys.stdin.buffer.read(4)
        if len(head) < 4:
            return
        raw = sys.stdin.buffer.read(struct.unpack(">I", head)[0])
        sys.stdout.buffer.write(b"y" if is_json(raw) else b"n")
        sys.stdout.buffer.flush()


main()
