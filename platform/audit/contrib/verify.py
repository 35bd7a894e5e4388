#!/usr/bin/env python3
"""Verify a published audit log (C2SP tlog-tiles) without any of Kiban's code.

    python3 verify.py AUDIT_DIR [--key VERIFIER_KEY] [--against CHECKPOINT_FILE]...

Checks the signature of the checkpoint (Ed25519, RFC 8032), recomputes the Merkle tree (RFC 6962) from
the entries, compares every hash tile, and holds the log against checkpoints found elsewhere, such as
those on a data holder's receipts. Standard library only. Exit status 0: the log is whole.
"""

import argparse
import base64
import hashlib
import pathlib
import struct
import sys

# Ed25519 by the reference equations of RFC 8032, section 6: slow and plain.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = add(q, p)
        p = add(p, p)
        n >>= 1
    return q


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if y >= P or (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(public, message, signature):
    a, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L or len(signature) != 64:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(h, a))
    return not (left[0] * right[2] - right[0] * left[2]) % P and not (left[1] * right[2] - right[1] * left[2]) % P


def checkpoint(note, key):
    """(size, root) of a signed checkpoint, or exit."""
    name, key_id, data = key.split("+", 2)
    data = base64.b64decode(data)
    if data[0] != 1 or hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8] != key_id:
        sys.exit("the verifier key is malformed")
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, who, value = line.split(" ")
        value = base64.b64decode(value)
        if who == name and value[:4].hex() == key_id and ed25519(data[1:], text.encode(), value[4:]):
            origin, size, root = text.splitlines()[:3]
            if origin != name:
                sys.exit("the checkpoint is of another log")
            return int(size), base64.b64decode(root)
    sys.exit("the checkpoint is not signed by the key")


def leaf(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node(root_of(hashes[:split]), root_of(hashes[split:]))


def tile(folder, level, index, width):
    path = f"{index % 1000:03}"
    while index >= 1000:
        index //= 1000
        path = f"x{index % 1000:03}/{path}"
    return (folder / "tile" / level / (path if width == 256 else f"{path}.p/{width}")).read_bytes()


def tiles(folder, level, count):
    for index in range((count + 255) // 256):
        yield tile(folder, level, index, min(256, count - 256 * index))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--key")
    arguments.add_argument("--against", type=pathlib.Path, action="append", default=[])
    given = arguments.parse_args()
    key = (given.key or (given.folder / "key").read_text(encoding="utf-8")).strip()
    size, root = checkpoint((given.folder / "checkpoint").read_text(encoding="utf-8"), key)
    leaves = []
    for bundle in tiles(given.folder, "entries", size):
        while bundle:
            (length,) = struct.unpack(">H", bundle[:2])
            leaves.append(leaf(bundle[2 : 2 + length]))
            bundle = bundle[2 + length :]
    if len(leaves) != size:
        sys.exit(f"{size} events are signed, {len(leaves)} are there")
    level, hashes = 0, leaves
    while hashes:
        stored = b"".join(tiles(given.folder, str(level), len(hashes)))
        for i, expected in enumerate(hashes):
            if stored[32 * i : 32 * i + 32] != expected:
                sys.exit(f"event {i << 8 * level} or its hash in tile level {level} was changed")
        level += 1
        hashes = [root_of(hashes[i : i + 256]) for i in range(0, len(hashes) - 255, 256)]
    for other in given.against:
        held, held_root = checkpoint(other.read_text(encoding="utf-8"), key)
        if held > size:
            sys.exit(f"rolled back: {other.name} covers {held} events, {size} are there")
        if root_of(leaves[:held]) != held_root:
            sys.exit(f"forked: {other.name} has another past")
    if root_of(leaves) != root:
        sys.exit("the events are not those that were signed")
    print(f"{size} events, root {base64.b64encode(root).decode()}")


main()
