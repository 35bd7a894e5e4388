//! Parse speed of the formats on one core: `cargo run --release -p kiban-formats --example parse_speed
//! [uke|ef|d|form1|jahis] [MiB]`. The data are made here, in memory; the time is that of cutting into
//! segments and parsing alone, the best of many runs (on a busy machine a short run may be left alone).

use std::{fmt::Write as _, io::Write as _, time::Duration};

use encoding_rs::SHIFT_JIS;
use kiban_formats::{Arena, dpc, jahis, uke};

/// Numbers without a library: a linear congruential generator.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

fn claims(mib: usize) -> Vec<u8> {
    let mut n = Numbers(7);
    let mut text = String::from("IR,1,13,1,1234567,,見本病院,202405,00,0300000000\r\n");
    let mut claim = 0;
    while text.len() < mib << 20 {
        claim += 1;
        let stay = claim % 10 == 0;
        let kind = if stay { "1111" } else { "1112" };
        let admitted = if stay { "20240402" } else { "" };
        let _ = write!(
            text,
            "RE,{claim},{kind},202404,見本　花子,2,19600401,,{admitted},,,,,{:010},,,,,,,,,,,,,,,,,,,,,,,ミホン　ハナコ,\r\nHO,06139999,１２,３４５,2,,,,,,,,,,\r\n",
            claim / 2
        );
        for _ in 0..3 + n.below(5) {
            let _ = write!(text, "SY,{:07},20230401,1,,,,\r\n", 2500000 + n.below(90000));
        }
        let _ = write!(text, "SY,0000999,20230401,1,8002,長い名前の病気の疑い,,\r\n");
        let days = |n: &mut Numbers, every: bool| {
            let mut days = [""; 31];
            for day in &mut days {
                if every {
                    *day = "1";
                }
            }
            days[n.below(30) as usize] = "1";
            days.join(",")
        };
        for _ in 0..12 + n.below(12) {
            let every = stay && n.below(8) == 0;
            let _ = write!(
                text,
                "SI,60,1,{},,{},1,,,,,,,{}\r\n",
                160000000 + n.below(99999),
                n.below(500),
                days(&mut n, every)
            );
            if n.below(3) == 0 {
                let _ = write!(
                    text,
                    "IY,21,1,{},{},{},7,,,,,,,{}\r\n",
                    620000000 + n.below(99999),
                    1 + n.below(3),
                    n.below(90),
                    days(&mut n, false)
                );
            }
            if n.below(6) == 0 {
                text.push_str("CO,99,1,810000001,１日３回食後に服用\r\n");
            }
        }
    }
    text.push_str("GO,1,1,99\r\n");
    SHIFT_JIS.encode(&text).0.into_owned()
}

fn cost(mib: usize, bundle: bool) -> Vec<u8> {
    let mut n = Numbers(9);
    let mut text = String::new();
    let mut person = 0;
    while text.len() < mib << 20 {
        person += 1;
        for act in 1..20 + n.below(100) {
            for item in 0..=1 + n.below(3) {
                let code =
                    if item < 2 { 160000000 + n.below(99999) } else { 620000000 + n.below(99999) };
                let name =
                    ["末梢血液一般検査", "初診料", "アムロジピン錠２．５ｍｇ「見本」", "点滴注射"]
                        [n.below(4) as usize];
                if bundle {
                    let _ = write!(
                        text,
                        "131234567\t{person:010}\t20240412\t20240401\t93\t{act:04}\tX{code}\t{code}\t0\t{name}\t{}\t0\t0\t0\t1\t06139999\t1111\t20240403\t01\t010\t000123\tE5\t1\t1\t000\t20240401\t20240412\t20240401\t060020xx02x00x\t1.2345\t\r\n",
                        n.below(3000)
                    );
                } else {
                    let _ = write!(
                        text,
                        "131234567\t{person:010}\t20240412\t20240401\t60\t{act:04}\t{item:03}\tX{code}\t{code}\t0\t{name}\t{}\t000\t{}\t0\t{}\t010000000000\t{}\t0\t0\t1\t06139999\t1111\t20240403\t01\t010\t000123\tE5\t1\t1\t000\r\n",
                        1 + n.below(3),
                        n.below(300),
                        n.below(300),
                        n.below(300)
                    );
                }
            }
        }
    }
    SHIFT_JIS.encode(&text).0.into_owned()
}

fn form1(mib: usize) -> Vec<u8> {
    let mut text = String::new();
    let mut person = 0;
    while text.len() < mib << 20 {
        person += 1;
        let mut row = |code: &str, rest: &str| {
            let _ = write!(
                text,
                "131234567\t{person:010}\t20240401\t0\t0\t{code}\t20240401\t0\t{rest}\r\n"
            );
        };
        row("A000010", "19600401\t1\t1000001\t\t\t\t\t\t");
        row("A000020", "20240401\t1\t1\t0\t200\t0\t0\t0\t0");
        row("A000030", "20240412\t1\t1\t0\t0\t\t\t\t");
        row("A006010", "\tC169\t\t1519008\t2057\t\t\t\t胃癌");
        row("A006040", "\tE14\t\t2500013\t\t\t\t\t糖尿病");
        row("A007010", "20240404\tK6552\tABC\t1\t3\t1\t\t\t胃切除術");
        row("ADL0010", "\t2222222222\t\t\t\t\t\t\t");
    }
    SHIFT_JIS.encode(&text).0.into_owned()
}

fn notebooks(mib: usize) -> Vec<u8> {
    let one = include_bytes!("../tests/fixtures/jahis/notebook_201.txt");
    one.repeat((mib << 20) / one.len() + 1)
}

fn measure(name: &str, bytes: &[u8], mut run: impl FnMut(&[u8]) -> (u64, u64)) {
    let mut best = Duration::MAX;
    let mut counts = (0, 0);
    for _ in 0..(4_096 >> (bytes.len() >> 20).max(1).ilog2()).clamp(3, 400) {
        #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
        let start = std::time::Instant::now();
        counts = run(bytes);
        best = best.min(start.elapsed());
    }
    let speed = bytes.len() as f64 / 1e6 / best.as_secs_f64();
    let _ = writeln!(
        std::io::stdout(),
        "{name}: {speed:.0} MB/s, {} segments, {} records, {} MB",
        counts.0,
        counts.1,
        bytes.len() / 1_000_000
    );
}

fn main() {
    let mut args = std::env::args().skip(1);
    let which = args.next().unwrap_or_else(|| "all".into());
    let mib = args.next().and_then(|m| m.parse().ok()).unwrap_or(8);
    let wanted = |name: &str| which == "all" || which == name;
    if wanted("uke") {
        measure("uke", &claims(mib), |bytes| {
            let mut file = uke::Claims::new(bytes, uke::Keyed::Institution);
            let mut counts = (0, 0);
            while let Ok(Some((_, parsed))) = file.next_claim() {
                counts = (counts.0 + 1, counts.1 + parsed.records.len() as u64);
            }
            counts
        });
    }
    let survey = |name: &str, file: &str, bytes: Vec<u8>| {
        measure(name, &bytes, |bytes| {
            let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(0);
            let Ok(reader) = dpc::Reader::new(file, &bytes[..end]) else { return (0, 0) };
            let mut segments = reader.segments(bytes);
            let mut counts = (0, 0);
            let mut arena = Arena::new();
            while let Ok(Some(segment)) = segments.next_segment() {
                arena.reset();
                let parsed = reader.parse_segment(segment.bytes, segment.first_line, &arena);
                counts = (counts.0 + 1, counts.1 + parsed.records.len() as u64);
            }
            counts
        });
    };
    if wanted("ef") {
        survey("ef", "EFn_1_2404.txt", cost(mib, false));
    }
    if wanted("d") {
        survey("d", "Dn_1_2404.txt", cost(mib, true));
    }
    if wanted("form1") {
        survey("form1", "FF1_1_2404.txt", form1(mib));
    }
    if wanted("jahis") {
        measure("jahis", &notebooks(mib), |bytes| {
            let mut segments = jahis::segments(bytes);
            let mut counts = (0, 0);
            let mut arena = Arena::new();
            while let Ok(Some(segment)) = segments.next_segment() {
                arena.reset();
                let parsed = jahis::parse_segment(segment.bytes, segment.first_line, &arena);
                counts = (counts.0 + 1, counts.1 + parsed.records.len() as u64);
            }
            counts
        });
    }
}
