//! The proof sheet of a stop: what a person can be shown, signed by the producer, checked from the file alone.
//!
//! [`verify`] needs the sheet and the producer's public key, nothing else: no database, no deployment. It reads sheets of
//! one person's case and sheets of a day.
//!
//! A sheet names, for each store, what was erased, when the store acknowledged, and at which place of the producer's log
//! that stands; the checkpoint it carries lets a later auditor hold the log to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use kiban_audit::{
    Log, LogError,
    note::{self, NoteError, SigningKey, VerifyKey},
};
use kiban_kernel::{Date, Id, Regime, Timestamp, jst_date, kinds};

use super::{Stop, StoreState, VAULT};

/// First line of a sheet of one case.
const CASE_TITLE: &str = "医療情報の提供停止 処理完了証";
/// First line of a sheet of an erasure that nobody asked for.
const ERASURE_TITLE: &str = "医療情報の消去 処理完了証";
const CASE: &str = "kiban.stop-proof/2";
/// First line of a sheet of a day.
pub(super) const DAY_TITLE: &str = "医療情報の提供停止 日次証";
pub(super) const DAY: &str = "kiban.stop-day/1";
const NOTHING: &str = "保管なし";

/// What a sheet is closed with.
pub(super) struct Closing<'a> {
    pub(super) at: Timestamp,
    /// By store, the place of its acknowledgement in the log.
    pub(super) answers: &'a BTreeMap<String, u64>,
    /// The signed checkpoint that covers them.
    pub(super) checkpoint: &'a str,
}

/// Where in the log each store acknowledged a stop.
pub(super) async fn answers(
    log: &Log,
    stop: Id<kinds::Stop>,
    stores: &[StoreState],
) -> Result<BTreeMap<String, u64>, LogError> {
    if stores.iter().all(|s| s.event.is_some()) {
        return Ok(stores.iter().filter_map(|s| Some((s.store.clone(), s.event?))).collect());
    }
    let events = log.about(&stop.to_string()).await?;
    Ok(events
        .into_iter()
        .filter(|e| e.kind == "stop.acknowledged")
        .filter_map(|e| Some((e.body.get("store")?.as_str()?.to_owned(), e.index)))
        .collect())
}

/// Size and root of a checkpoint's text; empty if there is none.
pub(super) fn size_and_root(checkpoint: &str) -> (u64, String) {
    let mut lines = checkpoint.lines().skip(1);
    let size = lines.next().and_then(|l| l.parse().ok()).unwrap_or_default();
    (size, lines.next().unwrap_or_default().to_owned())
}

/// The sheet as a signed note. It names no person: the receipt number is what the person holds.
pub(super) fn sign(
    stop: &Stop,
    stores: &[StoreState],
    closing: &Closing<'_>,
    signer: &SigningKey,
) -> Result<String, NoteError> {
    let mut text = String::new();
    let regimes: Vec<&str> = Regime::ALL
        .into_iter()
        .filter(|r| stop.regimes.contains(*r))
        .map(Regime::label_ja)
        .collect();
    let at = closing.at;
    let (size, root) = size_and_root(closing.checkpoint);
    // Writing to a String does not fail.
    let asked = stop.requester.is_request();
    let _ = writeln!(text, "{}", if asked { CASE_TITLE } else { ERASURE_TITLE });
    let _ = writeln!(text, "format: {CASE}");
    let _ = writeln!(text, "stop: {}", stop.id);
    let _ = writeln!(text, "holder: {}", stop.holder);
    let _ = writeln!(text, "受付番号: {}", plain(&stop.receipt_number));
    let _ = writeln!(text, "求めの日: {}", stop.requested_on);
    let _ = writeln!(text, "求めた者: {}", stop.requester.label_ja());
    let _ = writeln!(text, "対象: {}", regimes.join("、"));
    let _ = writeln!(text, "番号の数: {}", stop.persons.len());
    let _ = writeln!(text, "受領: {} ({})", jst_date(stop.received_at), stop.received_at);
    let _ = writeln!(text, "完了: {} ({at})", jst_date(at));
    let _ = writeln!(text, "検査点: {size} {root}");
    let _ = writeln!(text, "保管先ごとの消去:");
    for store in stores {
        let counts: Vec<String> =
            store.ack.counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let counts = if counts.is_empty() { NOTHING.to_owned() } else { counts.join(", ") };
        let at = store.acknowledged_at.map(|t| t.to_string()).unwrap_or_default();
        let event = closing.answers.get(&store.store).map(|n| format!(" #{n}")).unwrap_or_default();
        let _ = writeln!(text, "- {}: {counts} ({at}){event}", store.store);
    }
    let last = if asked {
        "今後この提供元から送られる同じ方の情報は受け入れません。"
    } else {
        "あらためて本人に通知し、待機期間を経るまで、同じ方の情報は受け入れません。"
    };
    let _ = writeln!(text, "{last}");
    note::sign(&text, signer)
}

/// A note holds no control characters.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// What one store acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreLine {
    /// Its name.
    pub store: String,
    /// What it erased, by name of the thing counted; none is "held nothing".
    pub counts: BTreeMap<String, u64>,
    /// When it acknowledged.
    pub at: Timestamp,
    /// The place of its acknowledgement in the producer's log.
    pub event: u64,
}

/// A verified sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sheet {
    /// Of one case.
    Case {
        /// The stop.
        stop: Id<kinds::Stop>,
        /// Number of the holder's receipt.
        receipt_number: String,
        /// When it reached the producer.
        received_at: Timestamp,
        /// When the last store had acknowledged.
        closed_at: Timestamp,
        /// Number of events that the checkpoint covers.
        log_size: u64,
        /// The stores.
        stores: Vec<StoreLine>,
    },
    /// Of a day.
    Day {
        /// The day.
        day: Date,
        /// Cases that were closed by the end of the day.
        closed: u64,
        /// Cases that were open.
        open: u64,
        /// Of these, past their day.
        overdue: u64,
    },
}

/// Why a sheet proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Not signed by the key, or changed since.
    #[error("the signature does not hold")]
    Note(#[from] NoteError),
    /// Not a sheet of a known kind.
    #[error("this is no proof sheet of a known kind")]
    Kind,
    /// A line is missing or cannot be read.
    #[error("line {line} of the sheet is missing or cannot be read")]
    Line {
        /// Which.
        line: &'static str,
    },
    /// The signature holds, but what is signed does not add up.
    #[error("the sheet contradicts itself: {what}")]
    Contradiction {
        /// What.
        what: &'static str,
    },
}

impl ProofError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Note(e) => {
                format!("署名を確認できません。内容が変えられたか、鍵が違います。{}", e.ja())
            }
            Self::Kind => "提供停止の証（処理完了証・日次証）ではありません。".to_owned(),
            Self::Line { line } => format!("証の「{line}」の行を読み取れません。"),
            Self::Contradiction { what } => {
                format!("署名は正しいものの、証の内容が矛盾しています（{what}）。")
            }
        }
    }
}

/// Verify a sheet from its text and the producer's public keys alone.
///
/// # Errors
/// The signature does not hold, it is no sheet, or what is signed does not add up.
pub fn verify(sheet: &str, keys: &[VerifyKey]) -> Result<Sheet, ProofError> {
    let text = note::verify(sheet, keys)?;
    let lines = Lines(text.lines().collect());
    match (lines.0.first().copied(), lines.value("format")) {
        (Some(CASE_TITLE | ERASURE_TITLE), Ok(CASE)) => case(&lines),
        (Some(DAY_TITLE), Ok(DAY)) => day(&lines),
        _ => Err(ProofError::Kind),
    }
}

struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    fn value(&self, name: &'static str) -> Result<&'a str, ProofError> {
        let mut found =
            self.0.iter().filter_map(|l| l.strip_prefix(name).and_then(|l| l.strip_prefix(": ")));
        match (found.next(), found.next()) {
            (Some(value), None) => Ok(value),
            _ => Err(ProofError::Line { line: name }),
        }
    }

    fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, ProofError> {
        self.value(name)?.parse().map_err(|_| ProofError::Line { line: name })
    }

    /// `2026-04-01 (2026-03-31T15:00:00Z)`
    fn moment(&self, name: &'static str) -> Result<Timestamp, ProofError> {
        let bad = || ProofError::Line { line: name };
        let (on, at) = self.value(name)?.split_once(" (").ok_or_else(bad)?;
        let at: Timestamp = at.strip_suffix(')').ok_or_else(bad)?.parse().map_err(|_| bad())?;
        if jst_date(at).to_string() == on { Ok(at) } else { Err(bad()) }
    }
}

fn case(lines: &Lines<'_>) -> Result<Sheet, ProofError> {
    let contradiction = |what| Err(ProofError::Contradiction { what });
    let (received_at, closed_at) = (lines.moment("受領")?, lines.moment("完了")?);
    let log_size = lines
        .value("検査点")?
        .split(' ')
        .next()
        .and_then(|n| n.parse::<u64>().ok())
        .ok_or(ProofError::Line { line: "検査点" })?;
    let mut stores = Vec::new();
    let mut names = BTreeSet::new();
    for line in lines.0.iter().filter_map(|l| l.strip_prefix("- ")) {
        let store = store_line(line).ok_or(ProofError::Line { line: "保管先" })?;
        if store.at < received_at || store.at > closed_at {
            return contradiction("保管先の回答の時刻");
        }
        if store.event >= log_size {
            return contradiction("検査点に含まれない回答");
        }
        if !names.insert(store.store.clone()) {
            return contradiction("保管先の重複");
        }
        stores.push(store);
    }
    if !names.contains(VAULT) {
        return contradiction("保管庫の回答がない");
    }
    Ok(Sheet::Case {
        stop: lines.parsed("stop")?,
        receipt_number: lines.value("受付番号")?.to_owned(),
        received_at,
        closed_at,
        log_size,
        stores,
    })
}

/// `vault: rows 3, files 2 (2026-03-31T15:00:00Z) #12`
fn store_line(line: &str) -> Option<StoreLine> {
    let (store, rest) = line.split_once(": ")?;
    let (rest, event) = rest.rsplit_once(" #")?;
    let (counts, at) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let mut found = BTreeMap::new();
    if counts != NOTHING {
        for part in counts.split(", ") {
            let (name, n) = part.rsplit_once(' ')?;
            found.insert(name.to_owned(), n.parse().ok()?);
        }
    }
    Some(StoreLine {
        store: store.to_owned(),
        counts: found,
        at: at.parse().ok()?,
        event: event.parse().ok()?,
    })
}

fn day(lines: &Lines<'_>) -> Result<Sheet, ProofError> {
    let (closed, open, overdue): (u64, u64, u64) =
        (lines.parsed("完了")?, lines.parsed("未完了")?, lines.parsed("期限超過")?);
    let listed =
        |mark: &str| lines.0.iter().filter(|l| l.starts_with("- ") && l.contains(mark)).count();
    if listed("：完了") as u64 != closed || listed("：未完了") as u64 != open || overdue > open
    {
        return Err(ProofError::Contradiction { what: "件数" });
    }
    Ok(Sheet::Day { day: lines.parsed("日")?, closed, open, overdue })
}
