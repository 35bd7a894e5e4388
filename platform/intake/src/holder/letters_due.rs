//! Who is to be written to: never told, told under Art. 52 alone, sixteen by now, or the letter came back.
//!
//! Enters: the holder's list of addresses (`recipients.csv`), of notices, of stops and of letters that came back. Leaves:
//! a list for each kind of letter, by local id. Refuses: nothing; who cannot be written to is counted with the reason.
//! Names and addresses are on the holder's side alone.
//!
//! # Law
//! `notice.anonymized`, `notice.pseudonymized`, `notice.guardian`, `notice.death`

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use kiban_govern::gate;
use kiban_kernel::{Bases, Date, PartialDate, Regime, RuleError, Rules, parse_partial};

use super::{
    Profile, SealError,
    lists::{RETURNED_NAME, optional},
};
use crate::notices::{
    ListError, NoticeRow, each, mark_returned, open, parse_notices, parse_returned, parse_stops,
};

/// The list of addresses, beside the profile.
pub(super) const RECIPIENTS_NAME: &str = "recipients.csv";

/// Why somebody is to be written to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// Was never told under any regime.
    First,
    /// Was told under Art. 52 alone: a notice under Art. 57 with its own wait.
    Upgrade57,
    /// Was told through a guardian and has come of the age at which he or she is told in person.
    At16,
    /// The last letter came back.
    Again,
}

impl LetterKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::First, Self::Upgrade57, Self::At16, Self::Again];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Upgrade57 => "upgrade57",
            Self::At16 => "at16",
            Self::Again => "again",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::First => "はじめての通知",
            Self::Upgrade57 => "仮名加工（法57条）の新たな通知",
            Self::At16 => "16歳到達後の本人への通知",
            Self::Again => "返送後の再通知",
        }
    }
}

/// Somebody on the list of addresses. No `Debug`: it names a person.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Recipient {
    pub(super) local_id: String,
    pub(super) name: String,
    pub(super) postal_code: String,
    pub(super) address: String,
    pub(super) guardian: String,
    pub(super) birth: Option<PartialDate>,
    pub(super) died: Option<PartialDate>,
}

/// Somebody to be written to.
#[derive(Clone, PartialEq, Eq)]
pub struct Due {
    /// The holder's key of the person.
    pub local_id: String,
    /// Regimes of which the letter is to carry the notice.
    pub regimes: Bases,
    /// Since when it is due: the sixteenth birthday, the day on which the letter came back.
    pub since: Option<Date>,
    /// Under age today: the letter goes to the guardian too.
    pub guardian: bool,
}

impl std::fmt::Debug for Due {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Due({:?}, {:?})", self.regimes, self.since)
    }
}

/// Who is due on a day.
#[derive(Debug, Default)]
pub struct DueLists {
    /// By kind, in the order of the local ids. One person stands in one list.
    pub lists: BTreeMap<LetterKind, Vec<Due>>,
    /// Persons of the list of addresses who need no letter.
    pub settled: u64,
    /// Who cannot be written to, by rule: `letters.dead`, `letters.stopped`, `letters.no-address`, `letters.no-birth` (due
    /// at sixteen, and the list says no full birth date), `letters.no-guardian`.
    pub left_out: BTreeMap<String, u64>,
    /// Notices of persons whom the list of addresses does not name.
    pub unlisted: u64,
}

/// The Japanese sentence of a rule of [`DueLists::left_out`].
pub fn left_out_ja(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "letters.dead" => "死亡しているため通知の対象になりません。",
        "letters.stopped" => "提供停止の求めがあるため通知しません。",
        "letters.no-address" => "氏名または住所がありません。宛先の一覧を補ってください。",
        "letters.no-birth" => "生年月日がそろわず、16歳に達した日を判断できません。",
        "letters.no-guardian" => {
            "16歳未満ですが保護者等の氏名がありません。宛先の一覧を補ってください。"
        }
        _ => return None,
    })
}

fn rule_error(_: RuleError) -> SealError {
    SealError::Letters(super::LettersRefused::Rule)
}

/// The holder's lists as letters need them.
pub(super) struct Lists {
    pub(super) recipients: Vec<Recipient>,
    pub(super) notices: Vec<NoticeRow>,
    stops: HashMap<String, Bases>,
}

pub(super) fn lists(home: &Path, profile: &Profile) -> Result<Lists, SealError> {
    let missing = ListError { line: 0, column: "" };
    let read = |name: &Path, e: fn(ListError) -> SealError| {
        fs::read(home.join(name)).map_err(|_| e(missing))
    };
    let recipients = read(Path::new(RECIPIENTS_NAME), SealError::Recipients)?;
    let mut notices =
        parse_notices(&read(&profile.notices, SealError::Notices)?).map_err(SealError::Notices)?;
    let returned = optional(&home.join(RETURNED_NAME), parse_returned);
    mark_returned(&mut notices, &returned.map_err(SealError::Returned)?);
    let mut stops: HashMap<String, Bases> = HashMap::new();
    for s in parse_stops(&read(&profile.stops, SealError::Stops)?).map_err(SealError::Stops)? {
        let all = stops.entry(s.local_id).or_insert(Bases::NONE);
        *all = Bases::from_bits(all.bits() | s.regimes.bits());
    }
    let recipients = parse_recipients(&recipients).map_err(SealError::Recipients)?;
    Ok(Lists { recipients, notices, stops })
}

/// Reads `recipients.csv`: `local_id,name,postal_code,address,birth_on` and, if they are there, `died_on` and
/// `guardian_name`. A person twice is an error: it would be written to twice.
fn parse_recipients(bytes: &[u8]) -> Result<Vec<Recipient>, ListError> {
    let mut out: Vec<Recipient> = Vec::new();
    let needed = ["local_id", "name", "postal_code", "address", "birth_on"];
    let mut seen = std::collections::HashSet::new();
    each(open(bytes, &needed, &["died_on", "guardian_name"])?, |row| {
        let text = |column| row.text(column).map(std::borrow::Cow::into_owned);
        let date = |column| match &*row.text(column)? {
            "" => Ok(None),
            text => parse_partial(text).map(Some).map_err(|_| row.error(column)),
        };
        let local_id = text("local_id")?;
        if local_id.is_empty() || !seen.insert(local_id.clone()) {
            return Err(row.error("local_id"));
        }
        out.push(Recipient {
            local_id,
            name: text("name")?,
            postal_code: text("postal_code")?,
            address: text("address")?,
            guardian: text("guardian_name")?,
            birth: date("birth_on")?,
            died: date("died_on")?,
        });
        Ok(())
    })?;
    out.sort_by(|a, b| a.local_id.cmp(&b.local_id));
    Ok(out)
}

/// Who of the list of addresses is to be written to on a day.
///
/// # Errors
/// A list cannot be read, or no rule is in force.
pub fn due(home: &Path, on: Date, rules: &Rules) -> Result<DueLists, SealError> {
    let profile = Profile::load(home)?;
    judged(&lists(home, &profile)?, &profile, on, rules)
}

pub(super) fn judged(
    lists: &Lists,
    profile: &Profile,
    on: Date,
    rules: &Rules,
) -> Result<DueLists, SealError> {
    let mut of: HashMap<&str, Vec<&NoticeRow>> = HashMap::new();
    for n in &lists.notices {
        of.entry(&n.local_id).or_default().push(n);
    }
    // What the holder may write at all: regimes with a filing that is, or will be, in effect.
    let filed = Regime::ALL.into_iter().filter(|r| {
        profile.deciding_filing(*r, on).is_some_and(|f| f.ended.is_none_or(|e| on < e))
    });
    let filed: Bases = filed.collect();
    let mut out = DueLists::default();
    for person in &lists.recipients {
        let own = of.remove(person.local_id.as_str()).unwrap_or_default();
        let stopped = lists.stops.get(&person.local_id).copied().unwrap_or(Bases::NONE);
        let wanted = Bases::from_bits(filed.bits() & !stopped.bits());
        let mut left_out = |rule: &str| *out.left_out.entry(rule.to_owned()).or_default() += 1;
        if person.died.is_some() || own.iter().any(|n| n.died_on.is_some()) {
            left_out("letters.dead");
            continue;
        }
        if wanted.is_empty() {
            left_out("letters.stopped");
            continue;
        }
        let young = match person.birth {
            Some(b) => !gate::of_age(b, on, rules).map_err(rule_error)?,
            None => false,
        };
        let Some((kind, regimes, since)) =
            needs(person, &own, wanted, on, rules, young).map_err(rule_error)?
        else {
            let roughly = person.birth.is_some_and(|b| b.full().is_none());
            let waits_for_age = !own.is_empty() && own.iter().all(|n| n.guardian);
            if waits_for_age && (person.birth.is_none() || roughly) {
                left_out("letters.no-birth");
            } else {
                out.settled += 1;
            }
            continue;
        };
        if person.name.is_empty() || person.address.is_empty() {
            left_out("letters.no-address");
        } else if young && person.guardian.is_empty() {
            left_out("letters.no-guardian");
        } else {
            out.lists.entry(kind).or_default().push(Due {
                local_id: person.local_id.clone(),
                regimes,
                since,
                guardian: young,
            });
        }
    }
    out.unlisted = of.len() as u64;
    Ok(out)
}

/// The letter that a person needs, with its regimes and since when; `None`: none.
fn needs(
    person: &Recipient,
    own: &[&NoticeRow],
    wanted: Bases,
    on: Date,
    rules: &Rules,
    young: bool,
) -> Result<Option<(LetterKind, Bases, Option<Date>)>, RuleError> {
    let live = |r: Regime| own.iter().filter(move |n| n.regime == r && n.returned_on.is_none());
    let told: Bases = Regime::ALL.into_iter().filter(|r| live(*r).next().is_some()).collect();
    let lacking = Bases::from_bits(wanted.bits() & !told.bits());
    let came_back = own
        .iter()
        .filter(|n| n.returned_on.is_some() && lacking.contains(n.regime))
        .filter_map(|n| n.returned_on)
        .max();
    if let Some(day) = came_back {
        return Ok(Some((LetterKind::Again, lacking, Some(day))));
    }
    if told.is_empty() {
        return Ok(Some((LetterKind::First, lacking, None)));
    }
    // Told through a guardian: again in person once of age.
    if !young && let Some(birth) = person.birth.and_then(|b| b.full()) {
        let day = gate::of_age_on(birth.into(), on, rules)?;
        let in_person = |r: Regime| live(r).any(|n| n.notified_on >= day);
        let regimes: Bases = Regime::ALL
            .into_iter()
            .filter(|r| wanted.contains(*r) && told.contains(*r) && !in_person(*r))
            .filter(|r| live(*r).any(|n| n.guardian || n.notified_on < day))
            .collect();
        if !regimes.is_empty() {
            let regimes = Bases::from_bits(regimes.bits() | lacking.bits());
            return Ok(Some((LetterKind::At16, regimes, Some(day))));
        }
    }
    if lacking.contains(Regime::Pseudo57) && told.contains(Regime::Anon52) {
        return Ok(Some((LetterKind::Upgrade57, lacking, None)));
    }
    Ok(if lacking.is_empty() { None } else { Some((LetterKind::First, lacking, None)) })
}
