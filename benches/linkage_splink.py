"""Splink 5 on a person list of `kiban-country`, as the measure of how hard the list is.

    python3 -m venv v && v/bin/pip install splink==5.0.0 duckdb pyarrow
    v/bin/python linkage_splink.py DIR      # DIR holds persons.csv and truth.csv

A competent first model: the list is cleaned (width, kana, eras, addresses, numbers), 13 blocking
rules, term frequencies, one insurance level and a branch level that counts only under one policy.
Prints the exact-key figures, pairs and clusters at their best threshold (chosen on the truth: an
upper bound), and who was merged.
"""

import collections
import csv
import datetime
import re
import sys
import time
import unicodedata

SMALL = str.maketrans("ァィゥェォッャュョヮヂヅヲヰヱ", "アイウエオツヤユヨワジズオイエ")
ERAS = {"R": 2018, "H": 1988, "S": 1925, "T": 1911, "M": 1867,
        "令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867}
KANJI_DIGITS = dict(zip("一二三四五六七八九", "123456789"))
UNKNOWN = {"不明", "フメイ", "氏名不詳"}
NO_NAME = {"ベビー", "乳児", "ニユウジ"}


def nfkc(text):
    return unicodedata.normalize("NFKC", text).strip()


def kana(text):
    text = nfkc(text)
    text = "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in text)
    return re.sub(r"[‐－-]", "ー", text).translate(SMALL)


def birth(text):
    text = nfkc(text).replace("元年", "1年")
    if not text:
        return None
    m = re.match(r"([RHSTM]|令和|平成|昭和|大正|明治)(.*)", text)
    if m:
        parts = re.findall(r"\d+", m[2])
        year = int(parts[0]) + ERAS[m[1]]
        out = f"{year:04}-{int(parts[1]):02}-{int(parts[2]):02}"
    elif re.fullmatch(r"\d{8}", text):
        out = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    else:
        out = "-".join(p.zfill(2) for p in re.findall(r"\d+", text))
    return None if out == "1900-01-01" else out


def split(names):
    """Family and given by the separator, else by the commonest prefix met elsewhere."""
    families = collections.Counter(n.split(" ", 1)[0] for n in names if " " in n)

    def one(name):
        if not name or name in UNKNOWN:
            return None, None
        if " " in name:
            family, given = name.split(" ", 1)
            return family, given.replace(" ", "") or None
        best = max((name[:i] for i in range(1, len(name))), key=lambda p: (families[p], len(p)), default=name)
        if families[best] == 0:
            return name, None
        return best, name[len(best):]

    return one


def address(text):
    text = nfkc(text)
    if not text or text in UNKNOWN:
        return None, None
    text = re.sub(r"^(北海道|東京都|京都府|大阪府|..県|...県)", "", text)
    text = text.split(" ")[0]
    text = re.sub("([一二三四五六七八九])丁目", lambda m: KANJI_DIGITS[m[1]] + "丁目", text)
    text = re.sub(r"(丁目|番地|番)", "-", text).replace("号", "")
    text = re.sub("[ヶケがガ]", "ケ", text).replace("大字", "")
    m = re.match(r"(.*?)(\d.*)$", text)
    town = m[1] if m else text
    numbers = "-".join(re.findall(r"\d+", m[2])[:3]) if m else ""
    return town, town + numbers


def digits(text):
    out = re.sub(r"\D", "", nfkc(text))
    return None if not out or set(out) <= {"0"} else out


def clean(folder):
    rows = list(csv.DictReader(open(f"{folder}/persons.csv", encoding="utf-8")))
    kanas = [re.sub(r"[\s・]+", " ", kana(r["name_kana"])) for r in rows]
    kanjis = [re.sub(r"\s+", " ", nfkc(r["name_kanji"])) for r in rows]
    by_kana, by_kanji = split(kanas), split(kanjis)
    out = []
    for row, name_kana, name_kanji in zip(rows, kanas, kanjis):
        family, given = by_kana(name_kana)
        family_kanji, given_kanji = by_kanji(name_kanji)
        if given in NO_NAME:
            given = None
        if given_kanji in NO_NAME:
            given_kanji = None
        town, whole = address(row["address"])
        number = nfkc(row["number"])
        insurer = digits(row["insurer_no"])
        branch = digits(row["branch"]) if set(row["branch"]) - {"0"} else ("0" if row["branch"] else None)
        born = birth(row["birth_date"])
        out.append({
            "unique_id": row["record_id"],
            "family": family, "given": given,
            "kana": family + given if family and given else None,
            "sorted_kana": "".join(sorted([family, given])) if family and given else None,
            "family_kanji": family_kanji, "given_kanji": given_kanji,
            "kanji": family_kanji + given_kanji if family_kanji and given_kanji else None,
            "sex": {"1": "1", "2": "2", "M": "1", "F": "2", "男": "1", "女": "2"}.get(nfkc(row["sex"])),
            "birth": born, "year": born[:4] if born else None, "month_day": born[5:] if born else None,
            "postal": digits(row["postal_code"]), "town": town, "address": whole,
            "phone": digits(row["phone"]),
            "insurer": insurer.zfill(6 if len(insurer) <= 6 else 8) if insurer else None,
            "symbol": nfkc(row["symbol"]),
            "number": None if not number or set(number) == {"9"} else number.lstrip("0"),
            "branch": str(int(branch)) if branch else None,
            "raw": (row["name_kana"], row["birth_date"], row["sex"]),
        })
    truth = {r["record_id"]: (r["person_id"], set(filter(None, r["tags"].split("|"))))
             for r in csv.DictReader(open(f"{folder}/truth.csv", encoding="utf-8"))}
    return out, truth


def pairs(n):
    return n * (n - 1) // 2


class Clusters:
    """Union-find that keeps the counts of the pairwise score."""

    def __init__(self, ids, person):
        self.up = {i: i for i in ids}
        self.who = {i: collections.Counter([person[i]]) for i in ids}
        self.size = dict.fromkeys(ids, 1)
        self.right = self.made = 0

    def find(self, i):
        while self.up[i] != i:
            self.up[i] = self.up[self.up[i]]
            i = self.up[i]
        return i

    def join(self, a, b):
        a, b = self.find(a), self.find(b)
        if a == b:
            return
        if self.size[a] < self.size[b]:
            a, b = b, a
        self.made += self.size[a] * self.size[b]
        self.right += sum(n * self.who[a][p] for p, n in self.who[b].items() if p in self.who[a])
        self.up[b] = a
        self.size[a] += self.size[b]
        self.who[a].update(self.who[b])
        del self.who[b]


def score(right, made, true):
    p, r = right / max(made, 1), right / max(true, 1)
    return p, r, 2 * p * r / max(p + r, 1e-12)


def exact_keys(rows, person, true):
    keys = {
        "kana+birth+sex as written": [lambda r: r["raw"] if all(r["raw"]) else None],
        "kana+birth+sex": [lambda r: key(r, "kana", "birth", "sex")],
        "insurer+symbol+number+birth+sex": [lambda r: policy(r, "birth", "sex")],
        "insurer+symbol+number+branch": [lambda r: policy(r, "branch")],
        "kanji+birth+sex": [lambda r: key(r, "kanji", "birth", "sex")],
    }
    keys["kana or policy"] = keys["kana+birth+sex"] + keys["insurer+symbol+number+birth+sex"]
    keys["kana or kanji"] = keys["kana+birth+sex"] + keys["kanji+birth+sex"]
    for name, made_of in keys.items():
        clusters = Clusters([r["unique_id"] for r in rows], person)
        for make in made_of:
            first = {}
            for row in rows:
                if (value := make(row)) is not None:
                    clusters.join(first.setdefault(value, row["unique_id"]), row["unique_id"])
        print(f"key {name:34} P {{:.3f}} R {{:.3f}} F1 {{:.3f}}".format(*score(clusters.right, clusters.made, true)))


def key(row, *columns):
    value = tuple(row[c] for c in columns)
    return value if all(value) else None


def policy(row, *columns):
    if not row["insurer"] or not row["number"]:
        return None
    rest = key(row, *columns)
    return rest and (row["insurer"], row["symbol"], row["number"], *rest)


def model(rows):
    import pyarrow
    import splink.comparison_level_library as level
    import splink.comparison_library as compare
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    def name(column):
        return compare.CustomComparison(output_column_name=column, comparison_levels=[
            level.NullLevel(column),
            level.ExactMatchLevel(column, term_frequency_adjustments=True),
            level.DamerauLevenshteinLevel(column, 1),
            level.JaroWinklerLevel(column, 0.8),
            level.ElseLevel()])

    def sql(text, label, **more):
        return level.CustomLevel(text, label_for_charts=label).configure(**more)

    same_policy = "insurer_l = insurer_r and symbol_l = symbol_r and number_l = number_r"
    comparisons = [
        name("family"), name("given"),
        compare.CustomComparison(output_column_name="kanji", comparison_levels=[
            level.NullLevel("kanji"),
            level.ExactMatchLevel("kanji", term_frequency_adjustments=True),
            sql("given_kanji_l = given_kanji_r", "given equal"),
            sql("family_kanji_l = family_kanji_r", "family equal"),
            level.ElseLevel()]),
        compare.CustomComparison(output_column_name="birth", comparison_levels=[
            level.NullLevel("birth"),
            level.ExactMatchLevel("birth"),
            level.DamerauLevenshteinLevel("birth", 1),
            sql("month_day_l = month_day_r", "month and day equal"),
            sql("year_l = year_r", "year equal"),
            level.ElseLevel()]),
        compare.ExactMatch("sex"),
        compare.CustomComparison(output_column_name="postal", comparison_levels=[
            level.NullLevel("postal"),
            level.ExactMatchLevel("postal", term_frequency_adjustments=True),
            level.DamerauLevenshteinLevel("postal", 1),
            sql("substr(postal_l, 1, 3) = substr(postal_r, 1, 3)", "first three equal"),
            level.ElseLevel()]),
        compare.CustomComparison(output_column_name="address", comparison_levels=[
            level.NullLevel("address"),
            level.ExactMatchLevel("address"),
            level.JaroWinklerLevel("address", 0.92),
            sql("town_l = town_r", "town equal"),
            level.ElseLevel()]),
        compare.CustomComparison(output_column_name="phone", comparison_levels=[
            level.NullLevel("phone"),
            level.ExactMatchLevel("phone"),
            level.DamerauLevenshteinLevel("phone", 1),
            level.ElseLevel()]),
        compare.CustomComparison(output_column_name="insurance", comparison_levels=[
            sql("insurer_l is null or insurer_r is null or number_l is null or number_r is null",
                "missing", is_null_level=True),
            sql(same_policy, "policy equal"),
            sql("insurer_l = insurer_r and damerau_levenshtein(number_l, number_r) <= 1", "one digit off"),
            sql("insurer_l = insurer_r", "insurer equal"),
            level.ElseLevel()]),
        compare.CustomComparison(output_column_name="branch", comparison_levels=[
            sql(f"branch_l is null or branch_r is null or not coalesce({same_policy}, false)",
                "missing or another policy", is_null_level=True),
            sql("branch_l = branch_r", "branch equal"),
            level.ElseLevel()]),
    ]
    rules = [
        ("birth", "given"), ("birth", "family"), ("kana", "year"), ("kana", "postal"),
        ("kana", "month_day"), ("given", "postal", "sex"), ("insurer", "number", "birth"),
        ("insurer", "number", "given"), ("phone", "given"), ("phone", "birth"), ("kanji", "birth"),
        ("sorted_kana", "birth"), ("address", "birth"),
    ]
    settings = SettingsCreator(
        link_type="dedupe_only", comparisons=comparisons, retain_matching_columns=False,
        blocking_rules_to_generate_predictions=[block_on(*r) for r in rules])
    columns = [c for c in rows[0] if c != "raw"]
    table = pyarrow.table({c: pyarrow.array([r[c] for r in rows], pyarrow.string()) for c in columns})
    api = DuckDBAPI()
    linker = Linker(api.register(table), settings, log_level="ERROR")
    begun, cpu = time.perf_counter(), time.process_time()
    linker.training.estimate_probability_two_random_records_match(
        [block_on("kana", "birth", "sex"), block_on("insurer", "symbol", "number", "birth", "sex")], recall=0.92)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6)
    for rule in (("birth", "sex"), ("kana",), ("phone",), ("insurer", "number")):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    edges = linker.inference.predict(threshold_match_weight=-10)
    print(f"splink train and predict: {time.perf_counter() - begun:.1f} s wall, {time.process_time() - cpu:.1f} CPU s")
    found = edges.as_duckdbpyrelation().project("match_weight, unique_id_l, unique_id_r").fetchall()
    found.sort(key=lambda e: (-e[0], e[1], e[2]))
    return found


def kinds(clusters, person, tags_of, kin):
    """Wrongly merged people by what they are to each other (from the cleaned records)."""
    out = collections.Counter()
    merged = 0
    members = collections.defaultdict(set)
    for who in clusters.who.values():
        if len(who) > 1:
            merged += len(who)
            out[kin(list(who))] += 1
    return merged, out


def kinship(rows, truth, folder):
    """Twins, family, namesakes or strangers, from households and true majority values."""
    house, birth_of, kana_of = {}, {}, {}
    for r in csv.DictReader(open(f"{folder}/truth.csv", encoding="utf-8")):
        house[r["person_id"]] = r["household_id"]
    values = collections.defaultdict(lambda: (collections.Counter(), collections.Counter()))
    for row in rows:
        births, names = values[truth[row["unique_id"]][0]]
        births[row["birth"]] += 1
        names[row["kana"]] += 1
    for p, (births, names) in values.items():
        birth_of[p], kana_of[p] = births.most_common(1)[0][0], names.most_common(1)[0][0]

    def kin(people):
        a, b = people[0], people[1]
        if house[a] == house[b]:
            return "twins" if birth_of[a] == birth_of[b] else "family"
        return "namesakes" if kana_of[a] == kana_of[b] else "strangers"

    return kin


def main():
    folder = sys.argv[1]
    rows, truth = clean(folder)
    person = {i: p for i, (p, _) in truth.items()}
    true = sum(pairs(n) for n in collections.Counter(person.values()).values())
    print(f"{len(rows)} records, {len(set(person.values()))} people, {true} true pairs")
    exact_keys(rows, person, true)
    if "--keys" in sys.argv:
        return
    edges = model(rows)
    reach = sum(person[a] == person[b] for _, a, b in edges)
    print(f"edges {len(edges)}, reach of the rules {reach / true:.4f}")
    right, best = 0, (0,)
    for n, (weight, a, b) in enumerate(edges, 1):
        right += person[a] == person[b]
        if n % 100 == 0 and (f1 := score(right, n, true)[2]) > best[0]:
            best = (f1, weight, *score(right, n, true)[:2])
    print("pairs    best F1 {:.4f} at w {:.1f}: P {:.4f} R {:.4f}".format(*best))
    best = (0,)
    clusters = Clusters(person, person)
    for n, (weight, a, b) in enumerate(edges):
        clusters.join(a, b)
        if n % 200 == 0 and (f1 := score(clusters.right, clusters.made, true)[2]) > best[0]:
            best = (f1, weight, *score(clusters.right, clusters.made, true)[:2])
    print("clusters best F1 {:.4f} at w {:.1f}: P {:.4f} R {:.4f}".format(*best))
    clusters = Clusters(person, person)
    for weight, a, b in edges:
        if weight >= best[1]:
            clusters.join(a, b)
    merged, causes = kinds(clusters, person, truth, kinship(rows, truth, folder))
    print(f"people merged wrongly {merged}, clusters by cause {dict(causes)}")
    by_tag(clusters, truth)


def by_tag(clusters, truth):
    """Recall of true pairs of which exactly one record has the tag."""
    of = collections.defaultdict(list)
    for i, (p, _) in truth.items():
        of[p].append(i)
    seen, found = collections.Counter(), collections.Counter()
    for records in of.values():
        for n, a in enumerate(records):
            for b in records[:n]:
                joined = clusters.find(a) == clusters.find(b)
                for tag in truth[a][1] ^ truth[b][1]:
                    seen[tag] += 1
                    found[tag] += joined
    for tag, n in sorted(seen.items(), key=lambda t: found[t[0]] / t[1]):
        print(f"  {tag:18} {n:7} pairs, recall {found[tag] / n:.3f}")


if __name__ == "__main__":
    main()
