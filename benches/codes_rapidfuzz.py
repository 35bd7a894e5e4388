"""Peer of `kiban_codes::candidate`: RapidFuzz on the names that `examples/speed.rs` writes.

    cargo run --release -p kiban-codes --example speed -- names.tsv
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install rapidfuzz
    /tmp/venv/bin/python benches/codes_rapidfuzz.py names.tsv 200

Prints, for each scorer, how often the best of all master names is the right one, and the seconds for 5,000 items on one core
(scaled from the sample). Both sides are folded by NFKC and lower case, which RapidFuzz does not do by itself.
"""

import sys
import time
import unicodedata

from rapidfuzz import fuzz, process


def fold(text):
    return unicodedata.normalize("NFKC", text).lower()


def main():
    master, local = [], []
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            cells = line.rstrip("\n").split("\t")
            if cells[0] == "M":
                master.append(cells[1])
            else:
                local.append((cells[1], cells[2]))
    local = local[: int(sys.argv[2])]
    folded = [fold(name) for name in master]
    for scorer in (fuzz.ratio, fuzz.token_set_ratio, fuzz.WRatio):
        began = time.process_time()
        right = 0
        for name, truth in local:
            _, _, at = process.extractOne(fold(name), folded, scorer=scorer)
            right += master[at] == truth
        seconds = (time.process_time() - began) * 5000 / len(local)
        print(f"{scorer.__name__}: right at 1 {right / len(local):.3f}, {seconds:.0f} s for 5,000 items")


if __name__ == "__main__":
    main()
