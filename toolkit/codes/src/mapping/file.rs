//! A mapping set as a file: its acts, one a row, in CSV or JSON.
//!
//! Reading replays the acts, so that a file which breaks a rule of the set is refused at its line.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{Act, ActError, By, Key, MappingId, MappingSet, Meaning, UnitRule};

/// The columns, in order.
const COLUMNS: [&str; 16] = [
    "act",
    "id",
    "system",
    "holder",
    "local",
    "code",
    "unit_from",
    "unit_to",
    "analyte",
    "target_analyte",
    "from",
    "until",
    "replaces",
    "person",
    "at",
    "reason",
];

/// Why a file is refused. Holds no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column:?}: {rule}")]
pub struct FileError {
    /// 1-based line.
    pub line: u64,
    /// The column (of JSON: the name), where one is at fault.
    pub column: Option<&'static str>,
    /// What is wrong: `file.…` or a rule of [`ActError`].
    pub rule: &'static str,
}

impl FileError {
    /// The sentence shown to staff.
    pub fn japanese(&self) -> String {
        let sentence = match self.rule {
            "file.syntax" => "書式が正しくありません。",
            "file.heading" => "見出しが規定と異なります。",
            "file.columns" => "列の数が見出しと異なります。",
            "file.not-utf8" => "UTF-8の文字ではありません。",
            "file.act" => "操作の種類が規定のものではありません。",
            "file.number" => "番号が正しくありません。",
            "file.date" => "日付が正しくありません（例: 2026-04-01）。",
            "file.instant" => "日時が正しくありません（例: 2026-04-01T09:00:00Z）。",
            "file.missing" => "必要な欄が空です。",
            "file.surplus" => "この操作では使わない欄に記入があります。",
            rule => act_sentence(rule),
        };
        let column = self.column.map_or(String::new(), |column| format!("（{column}欄）"));
        format!("{}行目{column}: {sentence}", self.line)
    }
}

const ACT_ERRORS: [ActError; 12] = [
    ActError::NoPerson,
    ActError::Backwards,
    ActError::EmptyCode,
    ActError::Period,
    ActError::Unit,
    ActError::Unknown,
    ActError::Replaces,
    ActError::NotProposed,
    ActError::Ended,
    ActError::SamePerson,
    ActError::Overlap,
    ActError::NoReason,
];

fn act_sentence(rule: &str) -> &'static str {
    ACT_ERRORS.iter().find(|e| e.id() == rule).map_or("読めません。", |e| e.japanese())
}

/// One act, flat. Empty is absent.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    act: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    system: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    holder: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    local: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    unit_from: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    unit_to: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    analyte: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    target_analyte: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    from: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    until: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    replaces: String,
    person: String,
    at: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
}

impl Row {
    fn cells(&self) -> [&String; 16] {
        [
            &self.act,
            &self.id,
            &self.system,
            &self.holder,
            &self.local,
            &self.code,
            &self.unit_from,
            &self.unit_to,
            &self.analyte,
            &self.target_analyte,
            &self.from,
            &self.until,
            &self.replaces,
            &self.person,
            &self.at,
            &self.reason,
        ]
    }

    fn of_cells(cells: &csv::StringRecord) -> Self {
        let cell = |at: usize| cells.get(at).unwrap_or_default().to_owned();
        Self {
            act: cell(0),
            id: cell(1),
            system: cell(2),
            holder: cell(3),
            local: cell(4),
            code: cell(5),
            unit_from: cell(6),
            unit_to: cell(7),
            analyte: cell(8),
            target_analyte: cell(9),
            from: cell(10),
            until: cell(11),
            replaces: cell(12),
            person: cell(13),
            at: cell(14),
            reason: cell(15),
        }
    }

    fn of_act(act: &Act) -> Self {
        let By { person, at } = act.by().clone();
        let mut row = Self { person, at: at.to_string(), ..Self::default() };
        match act {
            Act::Propose { key, meaning, from, until, replaces, .. } => {
                "propose".clone_into(&mut row.act);
                row.system.clone_from(&key.system);
                row.holder.clone_from(&key.holder);
                row.local.clone_from(&key.local);
                row.code.clone_from(&meaning.code);
                if let Some(unit) = &meaning.unit {
                    row.unit_from.clone_from(&unit.from);
                    row.unit_to.clone_from(&unit.to);
                    row.analyte = unit.analyte.clone().unwrap_or_default();
                    row.target_analyte = unit.target_analyte.clone().unwrap_or_default();
                }
                row.from = from.to_string();
                row.until = until.map(|d| d.to_string()).unwrap_or_default();
                row.replaces = replaces.map(|id| id.0.to_string()).unwrap_or_default();
            }
            Act::Sign { id, .. } => {
                "sign".clone_into(&mut row.act);
                row.id = id.0.to_string();
            }
            Act::Refuse { id, reason, .. } => {
                "refuse".clone_into(&mut row.act);
                row.id = id.0.to_string();
                row.reason.clone_from(reason);
            }
            Act::Withdraw { id, reason, .. } => {
                "withdraw".clone_into(&mut row.act);
                row.id = id.0.to_string();
                row.reason.clone_from(reason);
            }
        }
        row
    }

    /// The act, or the column and the rule.
    fn act(&self) -> Result<Act, (&'static str, &'static str)> {
        let used: &[&str] = match self.act.as_str() {
            "propose" => &[
                "system",
                "holder",
                "local",
                "code",
                "unit_from",
                "unit_to",
                "analyte",
                "target_analyte",
                "from",
                "until",
                "replaces",
            ],
            "sign" => &["id"],
            "refuse" | "withdraw" => &["id", "reason"],
            _ => return Err(("act", "file.act")),
        };
        for (column, cell) in COLUMNS.into_iter().zip(self.cells()) {
            if !cell.is_empty()
                && !["act", "person", "at"].contains(&column)
                && !used.contains(&column)
            {
                return Err((column, "file.surplus"));
            }
        }
        let at: Timestamp = self.at.parse().map_err(|_| ("at", "file.instant"))?;
        let by = By { person: self.person.clone(), at };
        let id =
            |text: &str, column| text.parse().map(MappingId).map_err(|_| (column, "file.number"));
        let day = |text: &str, column| text.parse::<Date>().map_err(|_| (column, "file.date"));
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(match self.act.as_str() {
            "sign" => Act::Sign { by, id: id(&self.id, "id")? },
            "refuse" => Act::Refuse { by, id: id(&self.id, "id")?, reason: self.reason.clone() },
            "withdraw" => {
                Act::Withdraw { by, id: id(&self.id, "id")?, reason: self.reason.clone() }
            }
            _ => {
                let unit = match (self.unit_from.is_empty(), self.unit_to.is_empty()) {
                    (true, true) => {
                        if !self.analyte.is_empty() || !self.target_analyte.is_empty() {
                            return Err(("unit_from", "file.missing"));
                        }
                        None
                    }
                    (true, false) => return Err(("unit_from", "file.missing")),
                    (false, true) => return Err(("unit_to", "file.missing")),
                    (false, false) => Some(UnitRule {
                        from: self.unit_from.clone(),
                        to: self.unit_to.clone(),
                        analyte: some(&self.analyte),
                        target_analyte: some(&self.target_analyte),
                    }),
                };
                let key = Key {
                    system: self.system.clone(),
                    holder: self.holder.clone(),
                    local: self.local.clone(),
                };
                let until = some(&self.until).map(|text| day(&text, "until")).transpose()?;
                let replaces =
                    some(&self.replaces).map(|text| id(&text, "replaces")).transpose()?;
                let meaning = Meaning { code: self.code.clone(), unit };
                Act::Propose { by, key, meaning, from: day(&self.from, "from")?, until, replaces }
            }
        })
    }
}

fn add(set: &mut MappingSet, row: &Row, line: u64) -> Result<(), FileError> {
    let act = row.act().map_err(|(column, rule)| FileError { line, column: Some(column), rule })?;
    set.apply(act).map_err(|error| FileError { line, column: None, rule: error.id() })?;
    Ok(())
}

/// Write the acts as CSV (UTF-8, heading row).
pub fn write_csv(set: &MappingSet) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(COLUMNS);
    for act in set.acts() {
        let _ = writer.write_record(Row::of_act(act).cells());
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// Read acts from CSV and replay them.
pub fn read_csv(bytes: &[u8]) -> Result<MappingSet, FileError> {
    let fault = |line, rule| FileError { line, column: None, rule };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| fault(lines(&bytes[..error.valid_up_to()]), "file.not-utf8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut set = MappingSet::new();
    let mut heading = true;
    for record in reader.records() {
        let record = record.map_err(|_| fault(0, "file.syntax"))?;
        let line = record.position().map_or(0, csv::Position::line);
        if heading {
            if !record.iter().eq(COLUMNS) {
                return Err(fault(line, "file.heading"));
            }
            heading = false;
            continue;
        }
        if record.len() != COLUMNS.len() {
            return Err(fault(line, "file.columns"));
        }
        add(&mut set, &Row::of_cells(&record), line)?;
    }
    if heading { Err(fault(1, "file.heading")) } else { Ok(set) }
}

/// Write the acts as a JSON array, one act a line.
pub fn write_json(set: &MappingSet) -> String {
    let rows: Vec<String> = set.acts().iter().map(write_act).collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

/// One act as a JSON object on one line, for a store that keeps a row per act.
pub fn write_act(act: &Act) -> String {
    // A row of texts always serialises.
    serde_json::to_string(&Row::of_act(act)).unwrap_or_default()
}

/// The set that stored acts make, each as [`write_act`] wrote it.
///
/// # Errors
/// The first act that cannot be read or is refused; `line` is its number, from 1.
pub fn read_acts<'a>(acts: impl IntoIterator<Item = &'a str>) -> Result<MappingSet, FileError> {
    let mut set = MappingSet::new();
    for (act, line) in acts.into_iter().zip(1..) {
        let row: Row = serde_json::from_str(act).map_err(|_| FileError {
            line,
            column: None,
            rule: "file.syntax",
        })?;
        add(&mut set, &row, line)?;
    }
    Ok(set)
}

/// Read acts from a JSON array, however it is broken into lines, and replay them.
pub fn read_json(bytes: &[u8]) -> Result<MappingSet, FileError> {
    let fault = |line, rule| FileError { line, column: None, rule };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| fault(lines(&bytes[..error.valid_up_to()]), "file.not-utf8"))?;
    let rows: Vec<&serde_json::value::RawValue> =
        serde_json::from_str(text).map_err(|error| fault(error.line() as u64, "file.syntax"))?;
    let mut set = MappingSet::new();
    let (mut line, mut seen) = (1, 0);
    for raw in rows {
        // The element is borrowed from the text: its place there is its line.
        let place = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        line += lines(&bytes[seen..place]) - 1;
        seen = place;
        let row: Row = serde_json::from_str(raw.get())
            .map_err(|error| fault(line + error.line() as u64 - 1, "file.syntax"))?;
        add(&mut set, &row, line)?;
    }
    Ok(set)
}

/// The line, from 1, on which `bytes` end.
fn lines(bytes: &[u8]) -> u64 {
    bytes.split(|b| *b == b'\n').count() as u64
}
