//! First pass at the holder: who occurs in the files, who died when, and how many bytes of each file are
//! about whom. Then the gate: which kinds of items of which person may be sent.

use std::collections::{BTreeMap, HashMap};

use kiban_formats::{Format, Parsed, Record, source};
use kiban_govern::gate::{self, GateFacts, NoticeBar, NoticeFact, Reason, StopFact};
use kiban_kernel::{Date, PartialDate, Regime, Rules, parse_partial};

use super::{
    Profile, SealError,
    inputs::{InputFile, input_error},
    sealing::Tick,
};
use crate::{
    limits::Limits,
    notices::{NoticeRow, StopRow},
    quality::Quality,
    segment::{self, CutError, Piece},
};

/// A set of canonical tables as bits.
pub(crate) type Kinds = u32;

/// The canonical tables whose records stand in a segment.
pub(crate) fn kinds_of(parsed: &Parsed<'_>) -> Kinds {
    parsed.records.iter().fold(0, |set, record| set | 1 << record.table_index())
}

/// Rule of a FHIR bundle of deletions, which travels as rows of the list of retractions.
pub(crate) const DELETION: &str = "intake.deletion";

/// What the files say about one person.
pub(crate) struct PersonFacts {
    pub local_id: Box<str>,
    pub died: Option<PartialDate>,
    pub birth: Option<PartialDate>,
}

/// Segments of one person and one set of kinds in one file.
pub(crate) struct Tally {
    pub person: u32,
    pub kinds: Kinds,
    pub segments: u64,
    pub bytes: u64,
}

/// What one file holds.
#[derive(Default)]
pub(crate) struct FileFacts {
    pub header_bytes: u64,
    pub tallies: Vec<Tally>,
    /// Segments and bytes of nobody, or defective.
    pub others: (u64, u64),
}

/// What all files hold.
#[derive(Default)]
pub(crate) struct Facts {
    pub persons: Vec<PersonFacts>,
    pub index: HashMap<Box<str>, u32>,
    pub files: Vec<FileFacts>,
    /// Segments that cannot be sent whosever they are, by rule.
    pub defective: BTreeMap<String, u64>,
    /// Names of what no reader reads.
    pub unread: BTreeMap<String, u64>,
    /// Names of FHIR resources that a bundle of deletions names.
    pub deleted: Vec<String>,
    /// Defects, with positions.
    pub quality: Quality,
    pub bytes: u64,
}

impl Facts {
    /// Defects and names of what is unread.
    fn note(&mut self, file: &InputFile, parsed: &Parsed<'_>) {
        self.quality.add_issues(&file.file, &parsed.issues);
        for name in &parsed.unread {
            count_name(&mut self.unread, name);
        }
    }
}

/// Why a segment cannot be sent whosever it is.
pub(crate) fn unsendable(parsed: &Parsed<'_>) -> Option<&'static str> {
    if parsed.rejected {
        Some(parsed.issues.first().map_or("intake.rejected", |i| i.rule))
    } else if parsed.person.is_none_or(str::is_empty) {
        Some("intake.no-person")
    } else if parsed.records.is_empty() {
        Some("intake.nothing-read")
    } else {
        None
    }
}

pub(crate) fn cut_error(e: CutError, file: &InputFile, limits: &Limits) -> SealError {
    match e {
        CutError::Io(e) => input_error(e, &file.file, limits),
        CutError::TooLong { line } => SealError::SegmentTooLong {
            file: file.file.clone(),
            line,
            max_bytes: limits.max_segment_bytes,
        },
        _ => SealError::UnknownHeader { file: file.file.clone() },
    }
}

pub(crate) fn gather(
    files: &[InputFile],
    limits: &Limits,
    tick: &mut Tick<'_>,
) -> Result<Facts, SealError> {
    let mut facts = Facts::default();
    for file in files {
        let input = file.open(limits).map_err(|e| input_error(e, &file.file, limits))?;
        let mut header_bytes = 0;
        let mut others = (0, 0);
        let mut tallies: HashMap<(u32, Kinds), (u64, u64)> = HashMap::new();
        let mut total = 0_u64;
        let cut: Result<(), Cut> = segment::cut(
            file.format,
            segment::keyed(file.insured),
            &file.path,
            input,
            limits.max_segment_bytes,
            segment::Want::All,
            |piece| {
                let unit = match piece {
                    Piece::Header(lines) => {
                        header_bytes += lines.len() as u64;
                        return Ok(());
                    }
                    Piece::Remark(parsed) => {
                        facts.note(file, &parsed);
                        return Ok(());
                    }
                    Piece::Segment(unit) => unit,
                };
                let bytes = unit.bytes.len() as u64;
                total += bytes;
                tick.bytes(bytes);
                if unit.parsed.rejected
                    && matches!(file.format, Format::FhirNdjson | Format::FhirJson)
                    && let Some(names) = source::deleted(unit.bytes)
                {
                    // It says what is gone, of nobody: its names travel in the list of retractions.
                    *facts.defective.entry(DELETION.to_owned()).or_default() += 1;
                    facts.deleted.extend(names);
                    others = (others.0 + 1, others.1 + bytes);
                    return Ok(());
                }
                facts.note(file, &unit.parsed);
                if let Some(rule) = unsendable(&unit.parsed) {
                    *facts.defective.entry(rule.to_owned()).or_default() += 1;
                    others = (others.0 + 1, others.1 + bytes);
                    return Ok(());
                }
                let person = facts_of(&mut facts.persons, &mut facts.index, &unit.parsed);
                let tally = tallies.entry((person, kinds_of(&unit.parsed))).or_default();
                *tally = (tally.0 + 1, tally.1 + bytes);
                Ok(())
            },
        );
        cut.map_err(|Cut(e)| cut_error(e, file, limits))?;
        facts.bytes += total + header_bytes;
        if total > limits.max_file_bytes {
            return Err(SealError::FileTooLarge {
                file: file.file.clone(),
                max_bytes: limits.max_file_bytes,
            });
        }
        let tallies = tallies
            .into_iter()
            .map(|((person, kinds), (segments, bytes))| Tally { person, kinds, segments, bytes })
            .collect();
        facts.files.push(FileFacts { header_bytes, tallies, others });
        tick.file();
    }
    Ok(facts)
}

struct Cut(CutError);
impl From<CutError> for Cut {
    fn from(e: CutError) -> Self {
        Self(e)
    }
}

/// Counts a name that no reader reads; what does not look like a name is counted without showing it.
pub(crate) fn count_name(counts: &mut BTreeMap<String, u64>, name: &str) {
    let plain = name.len() <= 64
        && name.chars().all(|c| c.is_alphanumeric() || "-_.:/[]()（）・".contains(c));
    let name =
        if plain && (counts.len() < 500 || counts.contains_key(name)) { name } else { "(other)" };
    match counts.get_mut(name) {
        Some(n) => *n += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

fn facts_of(
    persons: &mut Vec<PersonFacts>,
    index: &mut HashMap<Box<str>, u32>,
    parsed: &Parsed<'_>,
) -> u32 {
    let id = parsed.person.unwrap_or_default();
    let at = match index.get(id) {
        Some(at) => *at,
        None => {
            let at = persons.len() as u32;
            persons.push(PersonFacts { local_id: id.into(), died: None, birth: None });
            index.insert(id.into(), at);
            at
        }
    };
    let facts = &mut persons[at as usize];
    let read = |text: Option<&str>| text.and_then(|t| parse_partial(t).ok());
    for record in &parsed.records {
        match record {
            Record::Person(p) => {
                facts.died = earlier(facts.died, read(p.death_on));
                // The youngest reading: a guardian is asked for rather than not.
                let birth = read(p.birth_on);
                if birth
                    .is_some_and(|b| facts.birth.is_none_or(|known| known.latest() < b.latest()))
                {
                    facts.birth = birth;
                }
            }
            Record::Death(d) => facts.died = earlier(facts.died, read(d.died_on)),
            _ => {}
        }
    }
    at
}

/// Of two statements of a day of death the one that may be earlier: the gate must not pass on the later.
fn earlier(a: Option<PartialDate>, b: Option<PartialDate>) -> Option<PartialDate> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.earliest() < a.earliest() { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// What the gate says of one person.
pub(crate) struct Decided {
    /// Kinds that may be sent under each regime, in [`Regime::ALL`]'s order.
    pub kinds: [Kinds; 2],
    /// Why nothing may, per regime.
    pub refused: [Option<Reason>; 2],
    /// Which of the notices (indices) stand behind it.
    pub notices: Vec<usize>,
}

impl Decided {
    /// May a segment with these kinds be sent? Some regime must clear every kind in it.
    pub(crate) fn clears(&self, kinds: Kinds) -> bool {
        self.kinds.iter().any(|k| *k != 0 && kinds & !k == 0)
    }
    /// Is nothing of the person sent?
    pub(crate) fn is_withheld(&self) -> bool {
        self.kinds == [0, 0]
    }
    /// The one reason to count a withheld person under: of two, the one that got further.
    pub(crate) fn reason(&self) -> Option<Reason> {
        let rank = |r: &Reason| match r {
            Reason::Stopped => 9,
            Reason::Waiting { .. } => 8,
            Reason::DiedBeforeNotice => 7,
            Reason::DeathOrderUnclear | Reason::GuardianMissing => 6,
            Reason::ItemNotListed | Reason::NotMedicalInformation => 5,
            Reason::NoticeVersionUnknown | Reason::NoticeReturned { .. } => 4,
            Reason::AcquisitionUnlawful => 3,
            Reason::NotNotified => 2,
            Reason::FilingEnded { .. } | Reason::FilingNotYet { .. } => 1,
            _ => 0,
        };
        self.refused.iter().flatten().copied().max_by_key(rank)
    }
}

/// Applies the gate to everybody who occurs in the files.
pub(crate) fn decide_all(
    facts: &Facts,
    profile: &Profile,
    notices: &[NoticeRow],
    stops: &[StopRow],
    on: Date,
    rules: &Rules,
) -> Vec<Decided> {
    let mut notices_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (i, n) in notices.iter().enumerate() {
        notices_of.entry(&n.local_id).or_default().push(i);
    }
    let mut stops_of: HashMap<&str, Vec<&StopRow>> = HashMap::new();
    for s in stops {
        stops_of.entry(&s.local_id).or_default().push(s);
    }
    let mut listed: HashMap<(Regime, &str), Kinds> = HashMap::new();
    let mut decided = Vec::with_capacity(facts.persons.len());
    for person in &facts.persons {
        let own: &[usize] = notices_of.get(&*person.local_id).map_or(&[], Vec::as_slice);
        let died = own.iter().fold(person.died, |d, i| earlier(d, notices[*i].died_on));
        let mut d = Decided { kinds: [0, 0], refused: [None, None], notices: Vec::new() };
        for (r, regime) in Regime::ALL.into_iter().enumerate() {
            let stop = stops_of
                .get(&*person.local_id)
                .and_then(|s| s.iter().find(|s| s.regimes.contains(regime)))
                .map(|s| StopFact { requested_on: s.requested_on });
            let base = GateFacts {
                filing: profile.deciding_filing(regime, on),
                notice: None,
                stop,
                died_on: died,
                kind: "encounter",
                acquisition_lawful: !profile.provider.acquisition.trim().is_empty(),
            };
            let mut under: Vec<usize> =
                own.iter().copied().filter(|i| notices[*i].regime == regime).collect();
            under.sort_by_key(|i| notices[*i].notified_on);
            let mut reason = None;
            for i in under {
                let row = &notices[i];
                let old_enough = person
                    .birth
                    .is_none_or(|b| gate::of_age(b, row.notified_on, rules).unwrap_or(false));
                let items = profile.items(regime, &row.notice_version);
                let notice = NoticeFact {
                    version: &row.notice_version,
                    notified_on: row.notified_on,
                    items,
                    guardian: row.guardian,
                    person_age_ok: old_enough,
                    bar: row.returned_on.map(|on| NoticeBar::Returned { on }),
                };
                let facts = GateFacts { notice: Some(notice), ..base };
                let first =
                    items.and_then(|l| l.iter().find(|k| Record::TABLES.contains(&k.as_str())));
                let facts = GateFacts { kind: first.map_or("encounter", String::as_str), ..facts };
                match gate::decide(&facts, regime, on, rules) {
                    Ok(()) => {
                        let set = *listed
                            .entry((regime, row.notice_version.as_str()))
                            .or_insert_with(|| {
                                Record::TABLES.iter().enumerate().fold(0, |set, (bit, kind)| {
                                    let one = GateFacts { kind, ..facts };
                                    set | (Kinds::from(
                                        gate::decide(&one, regime, on, rules).is_ok(),
                                    ) << bit)
                                })
                            });
                        d.kinds[r] |= set;
                        d.notices.push(i);
                    }
                    Err(e) => reason = Some(e),
                }
            }
            if d.kinds[r] == 0 {
                d.refused[r] = reason.or_else(|| gate::decide(&base, regime, on, rules).err());
            }
        }
        decided.push(d);
    }
    decided
}
