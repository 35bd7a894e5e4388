"""Score clusters against the truth of a person list of `kiban-country`; no code of the linker.

    python3 linkage_score.py DIR CLUSTERS.csv [hard]

DIR holds truth.csv, persons.csv and perhaps hard_pairs.csv; CLUSTERS.csv has `record_id,cluster_id`.
Prints pairwise precision, recall and F1 of the clusters (every true pair in the denominator), people
recovered exactly, people merged wrongly by cause, recall by tag (pairs of which exactly one record
has the tag), and the share of right hard pairs by class.
"""

import collections
import csv
import sys


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def pairs(n):
    return n * (n - 1) // 2


def main():
    folder, path = sys.argv[1:3]
    truth = {r["record_id"]: (r["person_id"], r["household_id"], frozenset(filter(None, r["tags"].split("|"))))
             for r in rows(f"{folder}/truth.csv")}
    cluster = {r["record_id"]: r["cluster_id"] for r in rows(path)}
    missing = truth.keys() - cluster.keys()
    print(f"records {len(truth)}, without a cluster {len(missing)}, unknown {len(cluster.keys() - truth.keys())}")
    for record in missing:
        cluster[record] = ("alone", record)
    people, clusters = collections.defaultdict(list), collections.defaultdict(list)
    both = collections.Counter()
    for record, (person, _, _) in truth.items():
        people[person].append(record)
        clusters[cluster[record]].append(record)
        both[person, cluster[record]] += 1
    right = sum(map(pairs, both.values()))
    made = sum(pairs(len(c)) for c in clusters.values())
    true = sum(pairs(len(p)) for p in people.values())
    precision, recall = right / max(made, 1), right / max(true, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-12)
    print(f"pairwise P {precision:.4f} R {recall:.4f} F1 {f1:.4f} (true pairs {true}, made {made})")
    exact = sum(len({cluster[r] for r in p}) == 1 and len(clusters[cluster[p[0]]]) == len(p) for p in people.values())
    print(f"people {len(people)}, recovered exactly {exact / len(people):.4f}")

    births, names = {}, {}
    for r in rows(f"{folder}/people.csv"):
        births[r["person_id"]], names[r["person_id"]] = r["born"], r["name_kana"]
    for person in people.keys() - births.keys():  # hard pairs
        births[person] = names[person] = None
    house = {p: h for p, h, _ in truth.values()}
    merged, causes = 0, collections.Counter()
    for records in clusters.values():
        who = sorted({truth[r][0] for r in records})
        if len(who) < 2:
            continue
        merged += len(who)
        a, b = who[:2]
        if house[a] == house[b]:
            causes["twins" if births[a] == births[b] else "family"] += 1
        else:
            causes["namesakes" if names[a] == names[b] else "strangers"] += 1
    print(f"people merged wrongly {merged}; clusters by cause {dict(causes)}")

    seen, found = collections.Counter(), collections.Counter()
    for records in people.values():
        for n, a in enumerate(records):
            for b in records[:n]:
                for tag in truth[a][2] ^ truth[b][2]:
                    seen[tag] += 1
                    found[tag] += cluster[a] == cluster[b]
    for tag in sorted(seen, key=lambda t: found[t] / seen[t]):
        print(f"  {tag:18} pairs {seen[tag]:7}  recall {found[tag] / seen[tag]:.3f}")

    if len(sys.argv) > 3:
        right, of, target = collections.Counter(), collections.Counter(), {}
        for r in rows(f"{folder}/hard_pairs.csv"):
            target[r["class"]] = float(r["target"])
            together = cluster[r["record_id_l"]] == cluster[r["record_id_r"]]
            of[r["class"], r["same"]] += 1
            right[r["class"], r["same"]] += together == (r["same"] == "1")
        print(f"hard pairs right {sum(right.values())} of {sum(of.values())}")
        for (name, same), n in of.items():
            kind = "same" if same == "1" else "different"
            share = right[name, same] / n
            under = "  UNDER ITS TARGET" if share < target[name] else ""
            print(f"  {name:18} {kind:9} {right[name, same]:3} of {n}, target {target[name]:.2f}{under}")


if __name__ == "__main__":
    main()
