//! Long fuzzing of the readers, with knowledge of each format's marks.
//!
//! `cargo run --release -p kiban-formats --example fuzz_long -- PARSER|all SECONDS [SEED] [FOLDER]`
//!
//! Enters: the conformance files, the kept corpora and, if they stand beside the repository, the sample data.
//! Files are cut at the marks of formats (tags, delimiters, line ends); pieces are dropped, doubled, exchanged,
//! filled with what hurts, taken from other files of the format; bytes are flipped, inserted, cut off. Each result is cut
//! and read as the format and by what `detect` takes it for. Leaves: a line per parser with runs and findings; the
//! input of each finding (a panic, a broken promise) in FOLDER, by default `tests/corpus_found`.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use kiban_formats::{
    Arena, CutError, Format, Parsed, Piece, Want, cut, delimited::Document, detect, mapped, mml,
    rule_ja, ssmix2, xml,
};

type Seeds = BTreeMap<&'static str, Vec<(Format, String, Vec<u8>)>>;

/// Numbers without a library: a linear congruential generator.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % n.max(1)
    }
}

const MARKS: &[u8] = b"<>,|\"\n\r^&~\\{}[]:;=\t";

/// What formats are made of, or stumble over.
const HURTS: [&[u8]; 40] = [
    b"",
    b"0",
    b"-1",
    b"-9999999999999999999",
    b"99999999999999999999999",
    b"1e999",
    b"0.0000000000000000001",
    b"00000000",
    b"99999999",
    b"20240230",
    b"5060431",
    b"123456789018",
    b"\x00",
    b"\x1a",
    b"\x1b$B",
    b"\x1b(B",
    b"\x1b$(D",
    b"\x81",
    b"\x82\xa0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    "髙﨑".as_bytes(),
    "\u{e000}".as_bytes(),
    "\u{3000}".as_bytes(),
    b"<",
    b"</",
    b"/>",
    b"<![CDATA[",
    b"<!DOCTYPE x [",
    b"&#x10FFFF;",
    b"&x;",
    b"\"",
    b"\"\"",
    b"null",
    b"true",
    b"[",
    b"{",
    b"\\u0000",
    b"\\ud800",
    b"\r\n",
];

fn mutate(n: &mut Numbers, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let cut = |bytes: &[u8]| {
        let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
        for byte in bytes {
            if MARKS.contains(byte) {
                parts.push(vec![*byte]);
                parts.push(Vec::new());
            } else if let Some(last) = parts.last_mut() {
                last.push(*byte);
            }
        }
        parts
    };
    let lines = |bytes: &[u8]| -> Vec<Vec<u8>> {
        bytes.split_inclusive(|b| *b == b'\n' || *b == b'\r').map(<[u8]>::to_vec).collect()
    };
    let by_line = n.below(4) == 0;
    let (mut parts, donor) =
        if by_line { (lines(bytes), lines(other)) } else { (cut(bytes), cut(other)) };
    for _ in 0..=n.below(6) {
        if parts.is_empty() {
            break;
        }
        let (a, b) = (n.below(parts.len()), n.below(parts.len()));
        match n.below(10) {
            0 => parts.swap(a, b),
            1 => parts[a].clear(),
            2 => {
                let double = parts[a].clone();
                parts.insert(b, double);
            }
            3 | 4 => parts[a] = HURTS[n.below(HURTS.len())].to_vec(),
            5 => {
                let hurt = HURTS[n.below(HURTS.len())];
                let at = n.below(parts[a].len() + 1);
                parts[a].splice(at..at, hurt.iter().copied());
            }
            6 if !donor.is_empty() => {
                let from = n.below(donor.len());
                let to = (from + 1 + n.below(6)).min(donor.len());
                parts.splice(a..a, donor[from..to].iter().cloned());
            }
            7 => {
                // A run of one piece: depth, width.
                let times = 1 << n.below(9);
                let run = parts[a].repeat(times);
                if run.len() < 1 << 16 {
                    parts[a] = run;
                }
            }
            8 => {
                let to = (a + 1 + n.below(8)).min(parts.len());
                parts.drain(a..to);
            }
            _ if !parts[a].is_empty() => {
                let at = n.below(parts[a].len());
                parts[a][at] = n.below(256) as u8;
            }
            _ => {}
        }
    }
    let mut bytes = parts.concat();
    if n.below(12) == 0 && !bytes.is_empty() {
        bytes.truncate(n.below(bytes.len()));
    }
    bytes
}

fn check(parsed: &Parsed<'_>) {
    assert!(
        !parsed.rejected || (parsed.records.is_empty() && parsed.person.is_none()),
        "rejected, but kept"
    );
    assert!(!parsed.rejected || !parsed.issues.is_empty(), "rejected without a reason");
    assert!(parsed.records.is_empty() || parsed.person.is_some(), "records of nobody");
    for issue in &parsed.issues {
        assert_ne!(rule_ja(issue.rule), rule_ja(""), "a rule without a sentence: {}", issue.rule);
    }
}

/// Reads as a file of the format; every piece must stand in the file, in order. A first look at the persons alone finds
/// nobody whom the whole, if it is kept, does not name.
fn read(format: Format, path: &str, bytes: &[u8]) {
    let mut seen = 0;
    let mut named = BTreeMap::new();
    let looked = cut::<CutError>(format, path, bytes, 1 << 22, Want::Persons, |piece| {
        if let Piece::Segment(unit) = piece
            && let Some(person) = unit.parsed.person
        {
            named.insert(unit.line, person.to_owned());
        }
        Ok(())
    });
    let done = cut::<CutError>(format, path, bytes, 1 << 22, Want::All, |piece| {
        match piece {
            Piece::Header(header) => seen += header.len(),
            Piece::Segment(unit) => {
                seen += unit.bytes.len();
                if let (Some(first), Some(person)) = (named.get(&unit.line), &unit.parsed.person) {
                    assert_eq!(first, person, "another person at the first look");
                }
                // A telephone's export names nobody.
                if format != Format::HealthKit {
                    check(&unit.parsed);
                }
                let _ = format!("{:?}", unit.parsed);
            }
            Piece::Remark(parsed) => check(&parsed),
        }
        Ok(())
    });
    assert!(seen <= bytes.len(), "more pieces than bytes");
    assert_eq!(looked.is_ok(), done.is_ok(), "cut otherwise at the first look");
    if let Err(e) = done {
        assert!(!e.ja().is_empty());
    }
}

fn run(parser: &str, format: Format, path: &str, bytes: &[u8]) {
    match parser {
        "mapped" => {
            let text = String::from_utf8_lossy(bytes);
            let _ = mapped::Mapping::from_json(&text);
            if let Ok(mapping) = mapped::Mapping::from_toml(&text) {
                let line = HURTS.map(|h| String::from_utf8_lossy(h).into_owned()).join(",");
                if let Ok(reader) = mapped::Reader::new(&mapping, line.as_bytes()) {
                    check(&reader.parse_row(line.as_bytes(), 2, &Arena::new()));
                }
            }
        }
        "xml" => {
            let _ = (xml::root_name(bytes), xml::decode(bytes).is_ok());
            check(&mml::parse_module(bytes, "p", &Arena::new()));
        }
        "delimited" => {
            assert!(
                Document::parse(bytes, b',').to_bytes() == bytes,
                "a document is not what it was"
            );
        }
        "ssmix2" => {
            read(format, path, bytes);
            for kind in [
                "ADT-00", "ADT-22", "ADT-61", "PPR-01", "OMP-01", "OMP-11", "OML-11", "OMG-12",
                "OMG-13",
            ] {
                let name =
                    format!("0012345_20240401_{kind}_000000000000001_20240401110000001_01_1");
                check(&ssmix2::parse_file(&name, bytes, &Arena::new()));
            }
        }
        _ => {
            read(format, path, bytes);
            if let Some(other) = detect(path, &bytes[..bytes.len().min(65_536)])
                && other != format
            {
                read(other, path, bytes);
            }
        }
    }
}

fn tree(root: &Path, each: &mut dyn FnMut(String, Vec<u8>)) {
    let Ok(entries) = fs::read_dir(root) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            tree(&path, &mut |name, bytes| {
                let folder = path.file_name().unwrap_or_default().to_string_lossy();
                each(format!("{folder}/{name}"), bytes);
            });
        } else if let Ok(bytes) = fs::read(&path) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            each(name, bytes);
        }
    }
}

fn parser_of(format: Format) -> &'static str {
    format.as_str()
}

fn seeds(found: &Path) -> Seeds {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    let mut seeds = Seeds::new();
    let mut take = |name: String, bytes: Vec<u8>| {
        if bytes.len() > 60_000 {
            return;
        }
        let named = match name.rsplit('.').next() {
            Some("hl7") => Some(Format::SsMix2),
            Some("cda") => Some(Format::CheckupXml),
            Some("mml") => Some(Format::Mml),
            Some("care") => Some(Format::CareClaims),
            Some("phr") => Some(Format::HealthKit),
            _ => detect(&name, &bytes[..bytes.len().min(65_536)]),
        };
        let Some(format) = named else { return };
        for also in ["delimited", "xml"] {
            let fits = match also {
                "xml" => matches!(format, Format::Mml | Format::CheckupXml),
                _ => matches!(format, Format::Uke | Format::Jahis | Format::CareClaims),
            };
            if fits {
                seeds.entry(also).or_default().push((format, name.clone(), bytes.clone()));
            }
        }
        seeds.entry(parser_of(format)).or_default().push((format, name, bytes));
    };
    for folder in ["corpus", "corpus_b", "fixtures", "fixtures_b"] {
        tree(&tests.join(folder), &mut take);
    }
    tree(found, &mut take);
    for folder in ["ssmix2", "uke", "jahis_tc", "mml", "fhir_jpclins"] {
        tree(&samples.join(folder), &mut take);
    }
    let toml = "person = [\"id\", \"番号\"]\n[[record]]\ntable = \"person\"\n[record.columns]\nsex = { column = \"性別\", \
                codes = { \"1\" = \"M\" } }\nbirth_on = { column = \"生年月日\", date = \"GYYMMDD\", empty = [\"0000000\"] }\n\
                [[record]]\ntable = \"measurement\"\nwhen = { column = \"種別\", is = [\"K\"] }\n[record.columns]\n\
                value_num = { column = \"0\", number = true }\n";
    let json = br#"{"encoding":"auto","person":["0"],"record":[{"table":"death","columns":{"died_on":{"column":"20240230","date":"YYYYMMDD"}}}]}"#;
    for text in [&json[..], toml.as_bytes()] {
        seeds.entry("mapped").or_default().push((
            Format::MunicipalCsv,
            "mapping".into(),
            text.to_vec(),
        ));
    }
    seeds
}

#[expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures time and shows")]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let wanted = args.first().map_or("all", String::as_str);
    let seconds: u64 = args.get(1).and_then(|s| s.parse().ok()).unwrap_or(10);
    let seed: u64 = args.get(2).and_then(|s| s.parse().ok()).unwrap_or(1);
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus_found");
    let found = args.get(3).map_or(default, PathBuf::from);
    let seeds = seeds(&found);
    if wanted == "list" {
        for (parser, files) in &seeds {
            println!("{parser} {}", files.len());
        }
        return;
    }
    // A finding is told once, by the line below.
    panic::set_hook(Box::new(|_| {}));
    for (parser, files) in seeds.iter().filter(|(p, _)| wanted == "all" || wanted == **p) {
        let mut n = Numbers(seed);
        let (mut runs, mut findings, mut longest) = (0u64, 0u64, Duration::ZERO);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(seconds) {
            let (format, path, bytes) = &files[n.below(files.len())];
            let other = &files[n.below(files.len())].2;
            let mut input = mutate(&mut n, bytes, other);
            if n.below(3) == 0 {
                input = mutate(&mut n, &input, other);
            }
            let start = Instant::now();
            let fine = panic::catch_unwind(AssertUnwindSafe(|| run(parser, *format, path, &input)));
            runs += 1;
            let took = start.elapsed();
            longest = longest.max(took);
            // What takes so long for so few bytes does not scale.
            if fine.is_err() || took > Duration::from_secs(5) {
                findings += 1;
                if findings <= 20 {
                    let _ = fs::create_dir_all(&found);
                    let base = path.rsplit('/').next().unwrap_or(path);
                    let name = found.join(format!("{parser}-{seed}-{runs}-{base}"));
                    let written = fs::File::create(&name).and_then(|mut f| f.write_all(&input));
                    println!("FINDING {parser} {} {}", name.display(), written.is_ok());
                }
            }
        }
        println!(
            "{parser}: {} seeds, {runs} runs in {} s, longest {} ms, {findings} findings",
            files.len(),
            begun.elapsed().as_secs(),
            longest.as_millis()
        );
    }
}
