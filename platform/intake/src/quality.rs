//! Quality of a delivery: defects counted by rule, each with its first five positions; never a value.
//!
//! And the grid of data quality (適合性 conformance, 完全性 completeness, 妥当性 plausibility) with counts.

#[cfg(test)]
mod tests;
mod visits;

use std::collections::{BTreeMap, HashMap};

use kiban_formats::Issue;
use kiban_kernel::Date;
use kiban_lake::id_table::{Beside, Place as Person};

use self::visits::{Noted, Visit};
use crate::place::FileRef;

/// How many positions of a rule are kept.
pub const FIRST_PLACES: usize = 5;

/// Where a defect is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// Which file.
    pub file: FileRef,
    /// Where in it.
    pub position: String,
}

/// How often a rule was broken, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RuleCount {
    /// How often.
    pub count: u64,
    /// The first places.
    pub places: Vec<Place>,
}

/// The three questions of the grid.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// Can the value be read as what it should be?
    Conformance,
    /// Is there a value?
    Completeness,
    /// Can it be true?
    Plausibility,
}

impl Aspect {
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Conformance => "適合性",
            Self::Completeness => "完全性",
            Self::Plausibility => "妥当性",
        }
    }
}

/// What a cell is held against.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// The data themselves and their own constraints.
    #[default]
    Verification,
    /// Something outside ([`crate::validation`]).
    Validation,
}

impl Context {
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Verification => "検証（データ自体）",
            Self::Validation => "照合（外部の基準）",
        }
    }
    /// Is it the usual one?
    pub fn is_verification(&self) -> bool {
        *self == Self::Verification
    }
}

/// One cell of the grid: of so many checked, so many failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GridCell {
    /// Canonical table.
    pub table: String,
    /// Column, or the rule of a plausibility check.
    pub check: String,
    /// Aspect.
    pub aspect: Aspect,
    /// Context.
    #[serde(default, skip_serializing_if = "Context::is_verification")]
    pub context: Context,
    /// Checked.
    pub checked: u64,
    /// Failed.
    pub failed: u64,
}

impl GridCell {
    /// Share that failed, in percent.
    pub fn percent(&self) -> f64 {
        if self.checked == 0 { 0.0 } else { self.failed as f64 * 100.0 / self.checked as f64 }
    }
}

/// Collects defects while segments stream by. Its size does not grow with the number of defects, but by 8 to 10 bytes a person,
/// and by the visits that wait for a birth. Persons are named by their places in a table that whoever collects has.
#[derive(Debug, Clone, Default)]
pub struct Quality {
    rules: BTreeMap<String, RuleCount>,
    /// Few cells; who asks for one at every date keeps its place.
    checks: Vec<Cell>,
    persons: Beside<Noted>,
    /// Visits seen before their person's birth.
    waiting: HashMap<Person, Vec<Visit>>,
    /// The person of the last visit, if the birth is known: a person's visits mostly stand together.
    last_born: Option<(Person, Date)>,
    /// Visits of one person whose birth is not known yet: they mostly stand together too.
    last_waiting: Option<(Person, Vec<Visit>)>,
    /// The check of visits against births.
    before_birth: Option<Tally>,
    /// Classes of sex and age, each with its number from 1; few.
    classes: BTreeMap<String, u16>,
}

#[derive(Debug, Clone)]
struct Cell {
    table: &'static str,
    rule: &'static str,
    checked: u64,
    failed: u64,
}

/// One check of a table, and where its cell was last found.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    table: &'static str,
    rule: &'static str,
    at: usize,
}

impl Tally {
    pub(crate) fn new(table: &'static str, rule: &'static str) -> Self {
        Self { table, rule, at: 0 }
    }
}

/// Plausibility: an event before the person's birth.
pub const BEFORE_BIRTH: &str = "plausible.before-birth";
/// Plausibility: an end before its beginning.
pub const END_BEFORE_START: &str = "plausible.end-before-start";
/// Plausibility: a date after the day of receipt.
pub const FUTURE: &str = "plausible.future";

impl Quality {
    /// Counts the defects a reader found in a segment of `file`.
    pub fn add_issues(&mut self, file: &FileRef, issues: &[Issue<'_>]) {
        for issue in issues {
            self.add(issue.rule, u64::from(issue.count), || {
                (file.clone(), issue.position.to_string())
            });
        }
    }

    /// Counts a defect; `place` is asked for only while fewer than five are known.
    pub fn add(&mut self, rule: &str, count: u64, place: impl FnOnce() -> (FileRef, String)) {
        let slot = match self.rules.get_mut(rule) {
            Some(slot) => slot,
            None => self.rules.entry(rule.to_owned()).or_default(),
        };
        slot.count += count;
        if slot.places.len() < FIRST_PLACES {
            let (file, position) = place();
            slot.places.push(Place { file, position });
        }
    }

    /// Counts checks of the plausibility part of the grid, and those that failed.
    #[inline]
    pub(crate) fn tally(&mut self, tally: &mut Tally, checked: u64, failed: u64) {
        if checked == 0 {
            return;
        }
        let there =
            |c: &Cell| std::ptr::eq(c.table, tally.table) && std::ptr::eq(c.rule, tally.rule);
        if !self.checks.get(tally.at).is_some_and(there) {
            tally.at = self.cell(tally.table, tally.rule);
        }
        let cell = &mut self.checks[tally.at];
        cell.checked += checked;
        cell.failed += failed;
    }

    /// The place of a check's cell.
    fn cell(&mut self, table: &'static str, rule: &'static str) -> usize {
        let same = |c: &Cell| c.table == table && c.rule == rule;
        self.checks.iter().position(same).unwrap_or_else(|| {
            self.checks.push(Cell { table, rule, checked: 0, failed: 0 });
            self.checks.len() - 1
        })
    }

    /// Notes the class of sex and age of somebody whose basics were kept; the last word counts.
    pub(crate) fn class(&mut self, person: Person, class: &str) {
        let number = self.class_number(class);
        self.persons.at(person).class = number;
    }

    fn class_number(&mut self, class: &str) -> u16 {
        if let Some(number) = self.classes.get(class) {
            return *number;
        }
        let next = self.classes.len() as u16 + 1;
        self.classes.insert(class.to_owned(), next);
        next
    }

    /// Persons by class of sex and age.
    pub fn population(&self) -> BTreeMap<String, u64> {
        let mut persons = vec![0; self.classes.len() + 1];
        for (_, noted) in self.persons.iter() {
            persons[usize::from(noted.class)] += 1;
        }
        let found = self.classes.iter().map(|(c, n)| (c.clone(), persons[usize::from(*n)]));
        found.filter(|(_, persons)| *persons > 0).collect()
    }

    /// Adds what another collected, which saw other things of the same delivery and names persons by the same table.
    pub fn absorb(&mut self, other: Self) {
        for (rule, found) in other.rules {
            let slot = self.rules.entry(rule).or_default();
            slot.count += found.count;
            let room = FIRST_PLACES.saturating_sub(slot.places.len());
            slot.places.extend(found.places.into_iter().take(room));
        }
        for cell in other.checks {
            let at = self.cell(cell.table, cell.rule);
            self.checks[at].checked += cell.checked;
            self.checks[at].failed += cell.failed;
        }
        self.waiting.extend(other.waiting);
        if self.persons.is_empty() {
            // One table that is moved, not two.
            (self.persons, self.classes) = (other.persons, other.classes);
            return;
        }
        let mut classes = vec![0; other.classes.len() + 1];
        for (class, number) in &other.classes {
            classes[usize::from(*number)] = self.class_number(class);
        }
        for (person, noted) in other.persons.iter() {
            let own = self.persons.at(person);
            own.birth = noted.birth.or(own.birth);
            if noted.class > 0 {
                own.class = classes[usize::from(noted.class)];
            }
        }
    }

    /// Is there no defect?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Counts by rule.
    pub fn rules(&self) -> &BTreeMap<String, RuleCount> {
        &self.rules
    }

    /// The plausibility cells of the grid.
    pub fn plausibility(&self) -> Vec<GridCell> {
        self.checks
            .iter()
            .map(|c| GridCell {
                table: c.table.to_owned(),
                check: c.rule.to_owned(),
                aspect: Aspect::Plausibility,
                context: Context::Verification,
                checked: c.checked,
                failed: c.failed,
            })
            .collect()
    }
}

/// The Japanese sentence of a rule, of this crate, of the readers, or of the gate.
pub fn rule_ja(rule: &str) -> &'static str {
    match rule {
        "date.unreadable" => "日付として読めない値です。原文のまま保存しました。",
        "date.partial" => "年または年月までしか分からない日付です。原文のまま保存しました。",
        "number.unreadable" => "数値として読めない値です。原文のまま保存しました。",
        BEFORE_BIRTH => "受診日が生年月日より前です。",
        END_BEFORE_START => "終了が開始より前です。",
        FUTURE => "受領日より後の日付です。",
        "intake.rejected" => "読み取れないため隔離しました。",
        "intake.deletion" => "削除の通知です。取消の一覧として送付します。",
        "never_sent" => "送付したことのない人についての行のため送付しません。",
        "intake.no-person" => "誰の記録か分からないため送付・保存しません。",
        "intake.nothing-read" => "読み取れる項目がないため、通知に記載の項目か確かめられません。",
        "nothing_read" => "読み取れる項目がありません。",
        "not_a_file" => "通常のファイルではありません（リンクなど）。",
        "archive" => "圧縮ファイルは展開してから指定してください（.xz を除く）。",
        "unknown_format" => {
            "送付できる形式（SS-MIX2、FHIR、自治体CSV、レセプト、DPC、JAHIS、特定健診XML、介護、MML）ではありません。"
        }
        "person_unnamed" => {
            "本人の番号がファイルにない形式（PHRの書出しなど）のため送付できません。"
        }
        "other_format" => "設定（input_format）と異なる形式です。",
        "notice.register-version" => {
            "通知の版が、引き継いだ登録簿と異なります。どちらが正しいか確かめ、通知の記録を直してください。"
        }
        "notice.register-date" => {
            "通知の日が、引き継いだ登録簿と異なります。待機期間に関わります。どちらが正しいか確かめてください。"
        }
        "notice.register-regime" => {
            "通知の制度（法52条・法57条）が、引き継いだ登録簿と異なります。通知の記録を確かめてください。"
        }
        "notice.register-unknown" => {
            "引継ぎより前の通知ですが、引き継いだ登録簿にありません。通知の記録を確かめてください。"
        }
        "intake.duplicate" => "同じ内容を既に受領しています。",
        rule if rule.starts_with(crate::validation::SEX_AGE) => {
            "性別・年齢階級の構成が基準と異なる人数です（基準どおりなら属する階級が変わる人数）。"
        }
        rule => kiban_govern::gate::Reason::ja_of_code(rule)
            .unwrap_or_else(|| kiban_formats::rule_ja(rule)),
    }
}
