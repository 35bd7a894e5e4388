//! A predecessor's register: who was told what when, and who said no, as two lists with planted faults and their truth.
//!
//! Rows are drawn one by one from their own streams, so a register of any length streams in constant memory. Ids are
//! numbers of nobody.

use std::{collections::BTreeMap, path::Path};

use jiff::civil::Date;

use crate::{
    chance::{Chance, Purpose, Streams},
    day::Day,
    error::CountryError,
    file::{Style, TextFile, folder},
};

/// Header of `persons.csv`.
pub const PERSON_COLUMNS: &str =
    "holder,local_id,regimes,notice_version,notified_on,channel,guardian,birth_on,died_on";
/// Header of `stops.csv`.
pub const STOP_COLUMNS: &str = "holder,local_id,regimes,requested_on,receipt_no,requester,evidence,withdrawn_on,withdrawal_receipt_no";

/// What a register is made from; the same parameters give the same files.
#[derive(Debug, Clone)]
pub struct PredecessorParams {
    /// Seed of all chance.
    pub seed: u64,
    /// Rows of persons.
    pub persons: u64,
    /// Of so many persons one asked to stop.
    pub stop_one_in: u64,
    /// Key and version of the notice of each holder.
    pub holders: Vec<(String, String)>,
    /// First day of notices.
    pub from: Date,
    /// Last day of notices.
    pub until: Date,
    /// Of so many rows one has a fault; 0: none has.
    pub fault_one_in: u64,
}

/// What the files hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PredecessorTruth {
    /// Rows of persons.
    pub rows: u64,
    /// Rows without a fault whose person did not stop.
    pub good: u64,
    /// Rows that say again what the row before them said.
    pub twice: u64,
    /// Rows of persons who stopped.
    pub stopped: u64,
    /// Rows by fault.
    pub faults: BTreeMap<&'static str, u64>,
    /// Good rows told under the first regime, and under the second.
    pub told: [u64; 2],
    /// Rows of stops.
    pub stops: u64,
}

const FAULTS: [&str; 8] =
    ["holder", "person", "regime", "version", "date", "guardian", "death", "twice"];

impl PredecessorParams {
    /// Writes `persons.csv` and `stops.csv` into `dir`, UTF-8 with LF.
    ///
    /// # Errors
    /// What the machine refuses.
    pub fn write(&self, dir: &Path) -> Result<PredecessorTruth, CountryError> {
        folder(dir)?;
        let mut truth = PredecessorTruth::default();
        let streams = Streams::new(self.seed, Purpose::Predecessor);
        let (from, until) = (Day::of(self.from), Day::of(self.until));
        let mut persons = TextFile::create(dir, "persons.csv", Style::Plain, PERSON_COLUMNS)?;
        let mut stops = TextFile::create(dir, "stops.csv", Style::Plain, STOP_COLUMNS)?;
        let mut last: Option<[String; 9]> = None;
        for n in 0..self.persons {
            let chance = &mut streams.of(n);
            let (holder, version) = chance.pick(&self.holders).clone();
            let both = !chance.chance(1.0 / 3.0);
            let told = from.plus(chance.between(0, until.days_since(from)));
            let born = told.plus(-chance.between(18 * 366, 95 * 365));
            let id = format!("{n:09}");
            let mut row = [
                holder.clone(),
                id.clone(),
                if both { "anon52;pseudo57" } else { "anon52" }.to_owned(),
                version,
                told.to_string(),
                (*chance.pick(&["counter", "post", "portal"])).to_owned(),
                "0".to_owned(),
                born.to_string(),
                String::new(),
            ];
            truth.rows += 1;
            let faulty = self.fault_one_in > 0 && n % self.fault_one_in == self.fault_one_in - 1;
            let fault = if faulty { Some(*chance.pick(&FAULTS)) } else { None };
            match (fault, &last) {
                (Some("twice"), Some(before)) => {
                    row.clone_from(before);
                    truth.twice += 1;
                }
                (Some("twice"), None) | (None, _) => {
                    if self.stop_one_in > 0 && n % self.stop_one_in == 7 {
                        truth.stopped += 1;
                        truth.stops += 1;
                        stops.row(&stop(&holder, &id, n, told, chance))?;
                    } else {
                        truth.good += 1;
                        truth.told[0] += 1;
                        truth.told[1] += u64::from(both);
                        last = Some(row.clone());
                    }
                }
                (Some(name), _) => {
                    break_row(&mut row, name, told);
                    *truth.faults.entry(name).or_default() += 1;
                }
            }
            persons.row(&row)?;
        }
        persons.finish()?;
        stops.finish()?;
        Ok(truth)
    }
}

fn break_row(row: &mut [String; 9], fault: &str, told: Day) {
    match fault {
        "holder" => "nobody_knows".clone_into(&mut row[0]),
        "person" => row[1].clear(),
        "regime" => "both".clone_into(&mut row[2]),
        "version" => "no-such-version".clone_into(&mut row[3]),
        "date" => "2025-13-45".clone_into(&mut row[4]),
        "guardian" => row[7] = told.plus(-9 * 365).to_string(),
        _ => row[8] = told.plus(-40).to_string(),
    }
}

fn stop(holder: &str, id: &str, n: u64, told: Day, chance: &mut Chance) -> [String; 9] {
    [
        holder.to_owned(),
        id.to_owned(),
        "anon52;pseudo57".to_owned(),
        told.plus(chance.between(0, 20)).to_string(),
        format!("R-{n:09}"),
        (*chance.pick(&["person", "guardian", "bereaved_family"])).to_owned(),
        format!("E-{n:09}"),
        String::new(),
        String::new(),
    ]
}
