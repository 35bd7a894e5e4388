#!/usr/bin/env python3
"""How fast other parsers read the same inputs: one run, one thread, processor seconds.

    python3 -m venv v && v/bin/pip install hl7apy fhir.resources lxml
    v/bin/python benches/peers.py [KIBAN_BENCHES]

Inputs are the shipped fixtures: the messages of the SS-MIX2 storage, the FHIR lines of the cohort, the largest check-up
file with its items repeated to a hundred. With the path of the built `kiban-benches` the ratio is shown beside: its
`*-parse` workloads read the same inputs. hl7apy and fhir.resources make and validate a model of each message or resource;
lxml makes a tree of the XML and no more. Kiban makes records of canonical tables.
"""

import json
import lzma
import pathlib
import re
import subprocess
import sys
import tarfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHECKUP = ROOT / (
    "toolkit/formats/tests/fixtures_b/checkup/1310000001_00990001_202407010_1/DATA/"
    "h13100000012024070100001.xml"
)


def messages():
    with tarfile.open(ROOT / "fixtures/ssmix2/generated/storage_20patients.tar.xz") as tree:
        for entry in tree:
            if entry.isfile():
                yield tree.extractfile(entry).read()


def lines():
    for path in sorted((ROOT / "fixtures/fhir/clinosim_jp").glob("*.ndjson.xz")):
        with lzma.open(path) as text:
            yield from (line for line in text if line.strip())


def checkups():
    text = CHECKUP.read_text(encoding="utf-8")
    start, end = text.index("<entry>"), text.rindex("</entry>") + len("</entry>")
    file = (text[:start] + text[start:end] * 10 + text[end:]).encode()
    return [file] * 200


def hl7apy():
    from hl7apy.parser import parse_message

    return lambda data: parse_message(data.decode("iso2022_jp", "replace"), find_groups=False)


def fhir_resources():
    from fhir.resources.R4B import get_fhir_model_class

    def model(line):
        body = json.loads(line)
        return get_fhir_model_class(body["resourceType"]).model_validate(body)

    return model


def lxml():
    from lxml import etree

    return etree.fromstring


def measured(read, inputs, most):
    """Bytes and processor seconds, and how many were refused; stops after some ten seconds."""
    done = refused = count = 0
    begun = time.process_time()
    for data in inputs[:most]:
        try:
            read(data)
        except Exception:  # whatever a peer raises on what it cannot read
            refused += 1
        done += len(data)
        count += 1
        if time.process_time() - begun > 10:
            break
    return done, count, time.process_time() - begun, refused


def ours(program, workload, size):
    text = subprocess.run(
        [program, workload, "--size", str(size)], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"cpu\s+([\d.]+) s.*?\| ([\d.]+)( k| M)? MB", text)
    if found:
        return float(found[2]) * {None: 1, " k": 1e3, " M": 1e6}[found[3]] / float(found[1])
    found = re.search(r"cpu\s+([\d.]+) s.*? ([\d.]+) MB:", text)
    return float(found[2]) / float(found[1])


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else None
    for peer, make, inputs, workload, size in [
        ("hl7apy", hl7apy, messages, "ssmix2-parse", 20_000),
        ("fhir.resources", fhir_resources, lines, "fhir-parse", 50),
        ("lxml (tree only)", lxml, checkups, "checkup-parse", 20),
    ]:
        try:
            read = make()
        except ImportError:
            print(f"{peer}: not installed")
            continue
        done, count, seconds, refused = measured(read, list(inputs()), 50_000)
        rate = done / 1e6 / max(seconds, 1e-9)
        line = f"{peer}: {rate:.2f} MB/s, {count / max(seconds, 1e-9):.0f} inputs/s, {refused} of {count} refused"
        if program:
            kiban = ours(program, workload, size)
            line += f"; kiban {workload} {kiban:.0f} MB/s, {kiban / rate:.0f} times"
        print(line)


if __name__ == "__main__":
    main()
