//! Letters in batches: printed by the holder, put on record when posted, taken off when they come back.
//!
//! Enters: who is due ([`super::due`]) and the words of a version. Leaves: in `letters/BATCH/` one print-ready page file,
//! one list of recipients, the batch's record. [`record_sent`] adds the notices to the holder's list; a letter that comes
//! back is marked by [`mark_letters_returned`] and counts for nothing from then on, at this gate and the producer's.
//! Refuses: a version without words or not yet in use, a second record of one posting with another day.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`, `notice.guardian`

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use kiban_kernel::{Bases, Date, Digest, Regime, Rules};

use super::{
    LetterKind, NoticeVersion, Profile, SealError,
    folder::lock,
    letters_due::{Due, Recipient, judged, lists},
    letters_page::{FOOT, head, letter},
    lists::{RETURNED_NAME, optional},
    records::write_whole,
};
use crate::notices::{
    NoticeRow, ReturnedRow, field, parse_notices, parse_returned, write_notices, write_returned,
};

/// Channel of a posted letter in `notices.csv`.
pub(super) const POST: &str = "post";
const RECORD: &str = "batch.json";
const PAGES: &str = "letters.html";
const ADDRESSES: &str = "recipients.csv";

/// Why letters are not made or not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LettersRefused {
    /// Nobody is due.
    #[error("nobody is due")]
    Nobody,
    /// The profile knows no such version under a regime that somebody needs.
    #[error("no such version of the notice")]
    NoVersion,
    /// The version has no words.
    #[error("the version of the notice has no words")]
    NoText,
    /// The version is not yet in use on the day.
    #[error("the version of the notice is not yet in use")]
    NotYet,
    /// There is no such batch, or its record cannot be read.
    #[error("no such batch")]
    NoBatch,
    /// The batch is on record as posted on another day.
    #[error("the batch is on record with another day")]
    OtherDay,
    /// The batch was not posted.
    #[error("the batch was not posted")]
    NotSent,
    /// A day before the batch was made, or in the future.
    #[error("the day does not fit")]
    Day,
    /// A person is none of the batch's.
    #[error("a person is not of this batch")]
    NotOfBatch,
    /// A dated rule is missing.
    #[error("a rule is not in force on this day")]
    Rule,
}

impl LettersRefused {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Nobody => "通知すべき人がいません。",
            Self::NoVersion => {
                "この版の通知文書が profile.toml にありません。版と制度を確かめてください。"
            }
            Self::NoText => {
                "この版の通知文書の文面（text）が profile.toml にありません。文面を書いてください。"
            }
            Self::NotYet => "この版の通知文書はまだ使えません。使い始める日を確かめてください。",
            Self::NoBatch => "該当する通知の束がありません。束の番号を確かめてください。",
            Self::OtherDay => {
                "この束は別の日に発送したと記録されています。日付を確かめてください。"
            }
            Self::NotSent => "この束は発送が記録されていません。先に発送を記録してください。",
            Self::Day => "日付が合いません（束を作った日より前、または先の日です）。",
            Self::NotOfBatch => "この束に含まれない番号があります。何も記録していません。",
            Self::Rule => "その日に効力のある規則値がありません。",
        }
    }
}

/// The record of a batch. It names persons by local id alone.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Its id: day, kind and a digest of who is in it.
    pub id: String,
    /// Why they are written to.
    pub kind: LetterKind,
    /// Version of the notice.
    pub version: String,
    /// Day for which it was made.
    pub made_on: Date,
    /// Day on which it was posted.
    pub sent_on: Option<Date>,
    /// Local id, regimes (bits), whether a guardian is told too.
    persons: Vec<(String, u8, bool)>,
}

impl Batch {
    /// Persons in it.
    pub fn persons(&self) -> usize {
        self.persons.len()
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({}, {} persons)", self.id, self.persons.len())
    }
}

/// A batch that was written.
#[derive(Debug)]
pub struct MadeBatch {
    /// Its record.
    pub batch: Batch,
    /// The print-ready pages.
    pub pages: PathBuf,
    /// The list of recipients.
    pub addresses: PathBuf,
}

/// What became of letters reported as returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarkedReturned {
    /// Marked now.
    pub marked: u64,
    /// Marked before.
    pub known: u64,
}

fn folder(home: &Path, id: &str) -> PathBuf {
    home.join("letters").join(id)
}

/// The version under each regime that somebody needs.
fn versions<'a>(
    profile: &'a Profile,
    version: &str,
    regimes: Bases,
    on: Date,
) -> Result<Vec<&'a NoticeVersion>, LettersRefused> {
    let mut out = Vec::new();
    for regime in Regime::ALL.into_iter().filter(|r| regimes.contains(*r)) {
        let found = profile.notice.iter().find(|n| n.version == version && n.regime == regime);
        let found = found.ok_or(LettersRefused::NoVersion)?;
        if found.effective_from.is_none_or(|from| on < from) {
            return Err(LettersRefused::NotYet);
        }
        if found.text.is_none() {
            return Err(LettersRefused::NoText);
        }
        out.push(found);
    }
    Ok(out)
}

/// Writes a batch of letters to everybody who is due for one kind. Made again on the same day for the same persons it is
/// the same batch. Nothing is on record as told before [`record_sent`].
///
/// # Errors
/// Nobody is due, the version cannot be used, a list cannot be read, or the disk failed.
pub fn make_letters(
    home: &Path,
    kind: LetterKind,
    version: &str,
    on: Date,
    rules: &Rules,
) -> Result<MadeBatch, SealError> {
    let _lock = lock(home)?;
    let profile = Profile::load(home)?;
    let all = lists(home, &profile)?;
    let mut found = judged(&all, &profile, on, rules)?;
    let open: BTreeSet<String> = batches(home)?
        .into_iter()
        .filter(|b| b.sent_on.is_none() && b.made_on != on)
        .flat_map(|b| b.persons.into_iter().map(|p| p.0))
        .collect();
    let mut due: Vec<Due> = found.lists.remove(&kind).unwrap_or_default();
    // Who lies in a batch that waits for the post is not written to twice.
    due.retain(|d| !open.contains(&d.local_id));
    if due.is_empty() {
        return Err(LettersRefused::Nobody.into());
    }
    let needed = due.iter().fold(0, |bits, d| bits | d.regimes.bits());
    let texts = versions(&profile, version, Bases::from_bits(needed), on)?;
    let persons: Vec<(String, u8, bool)> =
        due.iter().map(|d| (d.local_id.clone(), d.regimes.bits(), d.guardian)).collect();
    let content = serde_json::to_vec(&(version, &persons)).map_err(|_| SealError::Record)?;
    let digest = Digest::of(&content).to_string();
    let id = format!("{on}-{}-{}", kind.as_str(), &digest[..8]);
    let recipients: HashMap<&str, &Recipient> =
        all.recipients.iter().map(|r| (r.local_id.as_str(), r)).collect();
    let mut pages = head(&id);
    let mut list = String::from("no,local_id,postal_code,address,name,guardian_name,regimes\n");
    for (no, d) in (1..).zip(&due) {
        let Some(to) = recipients.get(d.local_id.as_str()) else { continue };
        let number = format!("{id}-{no:05}");
        let own: Vec<&NoticeVersion> =
            texts.iter().copied().filter(|v| d.regimes.contains(v.regime)).collect();
        pages.push_str(&letter(&profile, &own, to, d.guardian, on, &number));
        let regimes: Vec<&str> = own.iter().map(|v| v.regime.as_str()).collect();
        let guardian = if d.guardian { to.guardian.as_str() } else { "" };
        let cells = [
            number.as_str(),
            &to.local_id,
            &to.postal_code,
            &to.address,
            &to.name,
            guardian,
            &regimes.join(";"),
        ];
        list.push_str(&cells.map(|c| field(c).into_owned()).join(","));
        list.push('\n');
    }
    pages.push_str(FOOT);
    let batch =
        Batch { id, kind, version: version.to_owned(), made_on: on, sent_on: None, persons };
    let place = folder(home, &batch.id);
    let batch = match read(home, &batch.id) {
        Ok(before) => before,
        Err(_) => batch,
    };
    fs::create_dir_all(&place).map_err(SealError::Write)?;
    let made = MadeBatch { pages: place.join(PAGES), addresses: place.join(ADDRESSES), batch };
    write_whole(&made.pages, pages.as_bytes()).map_err(SealError::Write)?;
    write_whole(&made.addresses, list.as_bytes()).map_err(SealError::Write)?;
    write(home, &made.batch)?;
    Ok(made)
}

fn write(home: &Path, batch: &Batch) -> Result<(), SealError> {
    let text = serde_json::to_vec_pretty(batch).map_err(|_| SealError::Record)?;
    write_whole(&folder(home, &batch.id).join(RECORD), &text).map_err(SealError::Write)
}

fn read(home: &Path, id: &str) -> Result<Batch, SealError> {
    let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if id.is_empty() || !plain {
        return Err(LettersRefused::NoBatch.into());
    }
    let bytes = fs::read(folder(home, id).join(RECORD)).map_err(|_| LettersRefused::NoBatch)?;
    Ok(serde_json::from_slice(&bytes).map_err(|_| LettersRefused::NoBatch)?)
}

/// All batches, the oldest first.
///
/// # Errors
/// The disk failed, or a record does not parse.
pub fn batches(home: &Path) -> Result<Vec<Batch>, SealError> {
    let entries = match fs::read_dir(home.join("letters")) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(SealError::Write(e)),
    };
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry.map_err(SealError::Write)?;
        if entry.path().join(RECORD).exists() {
            out.push(read(home, &entry.file_name().to_string_lossy())?);
        }
    }
    out.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(out)
}

/// Puts on record that a batch was posted: a notice for each person and regime, by post, on that day. The waits run from
/// it. Said twice it changes nothing.
///
/// # Errors
/// No such batch, another day is on record, a day before the batch was made or after `today`, or the disk failed.
pub fn record_sent(home: &Path, id: &str, sent_on: Date, today: Date) -> Result<Batch, SealError> {
    let _lock = lock(home)?;
    let profile = Profile::load(home)?;
    let mut batch = read(home, id)?;
    if batch.sent_on.is_some_and(|on| on != sent_on) {
        return Err(LettersRefused::OtherDay.into());
    }
    if sent_on < batch.made_on || sent_on > today {
        return Err(LettersRefused::Day.into());
    }
    let path = home.join(&profile.notices);
    let bytes = fs::read(&path).map_err(SealError::Write)?;
    let mut notices = parse_notices(&bytes).map_err(SealError::Notices)?;
    let key =
        |n: &NoticeRow| (n.local_id.clone(), n.regime, n.notice_version.clone(), n.notified_on);
    let known: BTreeSet<_> = notices.iter().map(key).collect();
    let before = notices.len();
    for (local_id, bits, guardian) in &batch.persons {
        let regimes = Bases::from_bits(*bits);
        for regime in Regime::ALL.into_iter().filter(|r| regimes.contains(*r)) {
            let notice = NoticeRow {
                local_id: local_id.clone(),
                regime,
                notice_version: batch.version.clone(),
                notified_on: sent_on,
                channel: POST.to_owned(),
                guardian: *guardian,
                died_on: None,
                returned_on: None,
            };
            if !known.contains(&key(&notice)) {
                notices.push(notice);
            }
        }
    }
    // The list first: a crash between the two is mended by saying it again.
    if notices.len() > before {
        write_whole(&path, write_notices(&notices).as_bytes()).map_err(SealError::Write)?;
    }
    batch.sent_on = Some(sent_on);
    write(home, &batch)?;
    Ok(batch)
}

/// Marks letters of a batch as returned on a day, by local id or by the number printed on the letter (`BATCH-00001`).
/// All or none.
///
/// # Errors
/// No such batch, it was not posted, a person is not of it, the day does not fit, or the disk failed.
pub fn mark_letters_returned(
    home: &Path,
    id: &str,
    persons: &[String],
    returned_on: Date,
    today: Date,
) -> Result<MarkedReturned, SealError> {
    let _lock = lock(home)?;
    let batch = read(home, id)?;
    let sent = batch.sent_on.ok_or(LettersRefused::NotSent)?;
    if returned_on < sent || returned_on > today {
        return Err(LettersRefused::Day.into());
    }
    let numbered: BTreeMap<String, &str> =
        (1..).zip(&batch.persons).map(|(no, p)| (format!("{id}-{no:05}"), p.0.as_str())).collect();
    let of_batch: BTreeSet<&str> = batch.persons.iter().map(|p| p.0.as_str()).collect();
    let path = home.join(RETURNED_NAME);
    let mut returned = optional(&path, parse_returned).map_err(SealError::Returned)?;
    let known: BTreeSet<(String, String, Date)> = returned
        .iter()
        .map(|r| (r.local_id.clone(), r.notice_version.clone(), r.notified_on))
        .collect();
    let mut out = MarkedReturned::default();
    let mut fresh = BTreeSet::new();
    for person in persons.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
        let local = match numbered.get(person) {
            Some(local) => *local,
            None => *of_batch.get(person).ok_or(LettersRefused::NotOfBatch)?,
        };
        if known.contains(&(local.to_owned(), batch.version.clone(), sent)) {
            out.known += 1;
        } else {
            fresh.insert(local);
        }
    }
    out.marked = fresh.len() as u64;
    returned.extend(fresh.into_iter().map(|local| ReturnedRow {
        local_id: local.to_owned(),
        notice_version: batch.version.clone(),
        notified_on: sent,
        returned_on,
    }));
    if out.marked > 0 {
        write_whole(&path, write_returned(&returned).as_bytes()).map_err(SealError::Write)?;
    }
    Ok(out)
}
