//! Claims, survey files and check-ups made from a seed: the shapes of real ones, with nobody behind them.
//!
//! Written as a stream, so that a file may be larger than the memory.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use anyhow::Context as _;
use encoding_rs::SHIFT_JIS;

/// Bytes of text that are collected before they are encoded and written.
const CHUNK: usize = 1 << 20;

/// Which files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Uke,
    Ef,
    D,
    Checkup,
}

impl Kind {
    /// Name of the file in the holder's folder (of check-ups: of each file's folder).
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::Uke => "RECEIPTC.UKE",
            Self::Ef => "EFn_131234567_2404.txt",
            Self::D => "Dn_131234567_2404.txt",
            Self::Checkup => "checkup",
        }
    }
    /// Writes about so many bytes; returns the keys of the persons in it.
    pub(crate) fn write(
        self,
        bytes: u64,
        seed: u64,
        out: &mut dyn Write,
    ) -> io::Result<Vec<String>> {
        let mut text = Text { out, buffer: String::with_capacity(CHUNK * 2), left: bytes };
        match self {
            Self::Uke => claims(&mut text, seed),
            Self::Ef | Self::D => costs(&mut text, seed, self == Self::D),
            Self::Checkup => Ok(Vec::new()),
        }
    }
}

/// Numbers without a library: a linear congruential generator.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
    /// One of so many, as codes are used: a hundredth of them makes up a third of what is billed, a tenth more than a half.
    fn used(&mut self, n: u64) -> u64 {
        let part = u128::from(self.below(1 << 16));
        ((part * part * part * part * u128::from(n)) >> 64) as u64
    }
}

/// Codes of the masters: acts, drugs, diseases.
const ACTS: u64 = 10_000;
const DRUGS: u64 = 20_000;
const DISEASES: u64 = 27_000;

/// CP932 text on its way out.
struct Text<'w> {
    out: &'w mut dyn Write,
    buffer: String,
    left: u64,
}

impl Text<'_> {
    /// Is there room for more?
    fn more(&mut self) -> io::Result<bool> {
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(self.left > self.buffer.len() as u64)
    }
    fn flush(&mut self) -> io::Result<()> {
        let (bytes, ..) = SHIFT_JIS.encode(&self.buffer);
        self.left = self.left.saturating_sub(bytes.len() as u64);
        self.out.write_all(&bytes)?;
        self.buffer.clear();
        Ok(())
    }
}

macro_rules! put {
    ($text:expr, $($arg:tt)*) => { write!($text.buffer, $($arg)*).map_err(io::Error::other)? };
}

/// A claims file: of ten claims one is of a stay; two claims a person.
fn claims(text: &mut Text<'_>, seed: u64) -> io::Result<Vec<String>> {
    let mut n = Numbers(seed + 7);
    let mut persons = Vec::new();
    put!(text, "IR,1,13,1,1234567,,見本病院,202405,00,0300000000\r\n");
    let (mut claim, mut total) = (0_u64, 0_u64);
    while text.more()? {
        claim += 1;
        let person = format!("{:010}", claim / 2);
        if persons.last() != Some(&person) {
            persons.push(person.clone());
        }
        let stay = claim.is_multiple_of(10);
        let kind = if stay { "1111" } else { "1112" };
        let admitted = if stay { "20240402" } else { "" };
        let mut rows = String::with_capacity(4096);
        let mut points = 0;
        // Who comes, comes on one to three days; who stays is treated on any.
        let visits: [u64; 3] = std::array::from_fn(|_| n.below(30));
        let visits = if stay { &[][..] } else { &visits[..=n.below(3) as usize] };
        for _ in 0..3 + n.below(5) {
            let _ = write!(rows, "SY,{:07},20230401,1,,,,\r\n", 2_500_000 + n.used(DISEASES));
        }
        rows.push_str("SY,0000999,20230401,1,8002,長い名前の病気の疑い,,\r\n");
        for _ in 0..12 + n.below(12) {
            let every = stay && n.below(8) == 0;
            let (code, score) = (160_000_000 + n.used(ACTS), n.below(500));
            points += score;
            let _ =
                write!(rows, "SI,60,1,{code},,{score},1,,,,,,,{}\r\n", days(&mut n, visits, every));
            if n.below(3) == 0 {
                let (code, dose, score) =
                    (620_000_000 + n.used(DRUGS), 1 + n.below(3), n.below(90));
                points += score * 7;
                let _ = write!(
                    rows,
                    "IY,21,1,{code},{dose},{score},7,,,,,,,{}\r\n",
                    days(&mut n, visits, false)
                );
            }
            if n.below(6) == 0 {
                rows.push_str("CO,99,1,810000001,１日３回食後に服用\r\n");
            }
        }
        total += points;
        put!(
            text,
            "RE,{claim},{kind},202404,見本　花子,2,19600401,,{admitted},,,,,{person},,,,,,,,,,,,,,,,,,,,,,,ミホン　ハナコ,\r\n\
             HO,06139999,１２,{},2,{points},,,,,,,,,\r\n{rows}",
            claim / 2
        );
    }
    put!(text, "GO,{claim},{total},99\r\n");
    text.flush()?;
    Ok(persons)
}

/// The 31 fields of a month: a row's day is one of the visits, or any.
fn days(n: &mut Numbers, visits: &[u64], every: bool) -> String {
    let mut days = [if every { "1" } else { "" }; 31];
    let day = n.below(30);
    let visit = visits.get(day as usize % visits.len().max(1));
    days[*visit.unwrap_or(&day) as usize] = "1";
    days.join(",")
}

/// A joined EF file, or a D file.
fn costs(text: &mut Text<'_>, seed: u64, bundle: bool) -> io::Result<Vec<String>> {
    const NAMES: [&str; 4] =
        ["末梢血液一般検査", "初診料", "アムロジピン錠２．５ｍｇ「見本」", "点滴注射"];
    let mut n = Numbers(seed + 9);
    let mut persons = Vec::new();
    while text.more()? {
        let person = format!("{:010}", persons.len() + 1);
        for act in 1..20 + n.below(100) {
            for item in 0..=1 + n.below(3) {
                let code =
                    if item < 2 { 160_000_000 + n.used(ACTS) } else { 620_000_000 + n.used(DRUGS) };
                let name = NAMES[n.below(4) as usize];
                let (a, b, c) = (n.below(3000), n.below(300), n.below(300));
                if bundle {
                    put!(
                        text,
                        "131234567\t{person}\t20240412\t20240401\t93\t{act:04}\tX{code}\t{code}\t0\t{name}\t{a}\t0\t0\t0\t1\t06139999\t1111\t20240403\t01\t010\t000123\tE5\t1\t1\t000\t20240401\t20240412\t20240401\t060020xx02x00x\t1.2345\t\r\n"
                    );
                } else {
                    put!(
                        text,
                        "131234567\t{person}\t20240412\t20240401\t60\t{act:04}\t{item:03}\tX{code}\t{code}\t0\t{name}\t{}\t000\t{}\t0\t{b}\t010000000000\t{c}\t0\t0\t1\t06139999\t1111\t20240403\t01\t010\t000123\tE5\t1\t1\t000\r\n",
                        1 + a % 3,
                        a % 300
                    );
                }
            }
        }
        persons.push(person);
    }
    text.flush()?;
    Ok(persons)
}

/// A check-up of the conformance files with a hundred items, under other insured numbers.
pub(crate) struct Checkups {
    parts: [String; 3],
}

impl Checkups {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let text = include_str!(
            "../../toolkit/formats/tests/fixtures_b/checkup/1310000001_00990001_202407010_1/DATA/h13100000012024070100001.xml"
        );
        let number = "extension=\"３４５６\"";
        let at = text.find(number).context("no insured number")?;
        let from = text.find("<entry>").context("no entry")?;
        let until = text.rfind("</entry>").context("no entry")? + "</entry>".len();
        let entries = text[from..until].repeat(10);
        Ok(Self {
            parts: [
                text[..at].to_owned(),
                text[at + number.len()..from].to_owned(),
                entries + &text[until..],
            ],
        })
    }
    /// One person's file.
    pub(crate) fn file(&self, number: u64) -> String {
        let [head, middle, rest] = &self.parts;
        format!("{head}extension=\"{number:08}\"{middle}{rest}")
    }
}
