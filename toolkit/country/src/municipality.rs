//! The municipality's four files, each in its own encoding and style.

use std::path::Path;

use crate::{
    chance::{Purpose, Streams},
    country::Country,
    day::Day,
    details::{Detailer, Details, date_style, kana_style},
    error::CountryError,
    file::{Style, TextFile},
    health::{CHECKUP_ITEMS, Constitution, Extreme},
    people::{Part, Resident},
    progress::{Progress, Stage},
};

const PERSONS: &str =
    "宛名番号,氏名漢字,氏名カナ,生年月日,性別,郵便番号,住所,電話番号,職業,異動年月日,死亡年月日";
const COVERAGE: &str =
    "宛名番号,保険者番号,保険者名,記号,番号,枝番,本人家族区分,資格取得年月日,資格喪失年月日";
const CHECKUP: &str = "宛名番号,氏名カナ,生年月日,性別,実施年月日,機関番号";
const DEATH: &str = "宛名番号,死亡年月日,死因コード,死因,死亡場所";

/// Rows written per file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MunicipalRows {
    /// Rows of `persons.csv`.
    pub persons: u64,
    /// Rows of `coverage.csv`.
    pub coverage: u64,
    /// Rows of `checkup.csv`.
    pub checkup: u64,
    /// Rows of `death.csv`.
    pub death: u64,
}

pub(crate) struct Municipality<'a> {
    country: &'a Country,
    detailer: Detailer<'a>,
    spelling: Streams,
    health: Streams,
    years: Streams,
    deaths: Streams,
}

impl<'a> Municipality<'a> {
    pub(crate) fn new(country: &'a Country) -> Self {
        let streams = |purpose| Streams::new(country.params.seed, purpose);
        Self {
            country,
            detailer: Detailer::new(country),
            spelling: streams(Purpose::Coverage),
            health: streams(Purpose::Health),
            years: streams(Purpose::Checkup),
            deaths: streams(Purpose::Death),
        }
    }

    pub(crate) fn write(
        &self,
        dir: &Path,
        progress: &mut dyn Progress,
    ) -> Result<MunicipalRows, CountryError> {
        let mut persons = TextFile::create(dir, "persons.csv", Style::Cp932, PERSONS)?;
        let mut coverage = TextFile::create(dir, "coverage.csv", Style::Marked, COVERAGE)?;
        let header = format!("{CHECKUP},{}", CHECKUP_ITEMS.join(","));
        let mut checkup = TextFile::create(dir, "checkup.csv", Style::Cp932, &header)?;
        let mut death = TextFile::create(dir, "death.csv", Style::Marked, DEATH)?;

        let count = self.country.residents.len() as u64;
        progress.begin(Stage::Municipality, count);
        for n in 0..count {
            let place = self.country.order.at(n) as usize;
            let resident = &self.country.residents[place];
            let details = self.detailer.of(place);
            self.person(place, resident, &details, &mut persons)?;
            let insured = self.coverage(place, &details, &mut coverage)?;
            self.checkups(place, resident, &details, &insured, &mut checkup)?;
            self.death(place, resident, &details, &mut death)?;
            if n % 1000 == 999 {
                progress.advance(1000);
            }
        }
        progress.advance(count % 1000);
        Ok(MunicipalRows {
            persons: persons.finish()? - 1,
            coverage: coverage.finish()? - 1,
            checkup: checkup.finish()? - 1,
            death: death.finish()? - 1,
        })
    }

    fn person(
        &self,
        place: usize,
        resident: &Resident,
        details: &Details,
        out: &mut TextFile,
    ) -> Result<(), CountryError> {
        let chance = &mut self.spelling.of(place as u64);
        let kanji = match chance.below(10) {
            0..7 => details.kanji.join("　"),
            7..9 => details.kanji.join(" "),
            _ => details.kanji.concat(),
        };
        let kana = kana_style(&details.kana, chance);
        let born = date_style(resident.born, chance);
        let moved = details.moved_in.era_letter();
        let died = resident.died.map(Day::era_letter).unwrap_or_default();
        out.row(&[
            details.local_id.as_str(),
            &kanji,
            &kana,
            &born,
            sex(resident),
            &details.house.postal,
            &details.house.address,
            &details.phone,
            details.occupation,
            &moved,
            &died,
        ])
    }

    fn coverage(
        &self,
        place: usize,
        details: &Details,
        out: &mut TextFile,
    ) -> Result<Vec<(Day, Option<Day>)>, CountryError> {
        let insurances = self.detailer.insurances(place, details);
        for (insured, relation, from, to) in &insurances {
            let (from, to) = (from.compact(), to.map(Day::compact).unwrap_or_default());
            out.row(&[
                details.local_id.as_str(),
                &insured.insurer_no,
                &insured.insurer_name,
                &insured.symbol,
                &insured.number,
                &insured.branch,
                relation,
                &from,
                &to,
            ])?;
        }
        Ok(insurances.into_iter().map(|(_, _, from, to)| (from, to)).collect())
    }

    /// Check-ups of the last two fiscal years, for those of 40 and more whom the municipality insures.
    fn checkups(
        &self,
        place: usize,
        resident: &Resident,
        details: &Details,
        insured: &[(Day, Option<Day>)],
        out: &mut TextFile,
    ) -> Result<(), CountryError> {
        let planted = matches!(
            resident.part,
            Part::Mayor | Part::Oldest | Part::HighPressure | Part::HighWeight
        );
        let today = self.country.days.delivery;
        let age_today = resident.born.age_on(today);
        if age_today < 40 || (insured.is_empty() && !planted) {
            return Ok(());
        }
        let chance = &mut self.health.of(place as u64);
        let extreme = match resident.part {
            Part::HighPressure => Extreme::Pressure,
            Part::HighWeight => Extreme::Weight,
            _ => Extreme::None,
        };
        let body = Constitution::draw(resident.male, extreme, chance);
        let habit = if age_today >= 75 { 0.35 } else { 0.55 };
        let goes = chance.chance(habit);
        let (year, month, _) = today.civil();
        let this_year = if month < 4 { year - 1 } else { year };
        for (n, fiscal) in [this_year - 2, this_year - 1].into_iter().enumerate() {
            let years = &mut self.years.of(place as u64 * 2 + n as u64);
            let on = Day::from_civil(fiscal, 6, 1).plus(years.between(0, 270));
            let took = planted && n == 1 || goes && years.chance(0.8);
            let age = resident.born.age_on(on);
            let alive = resident.died.is_none_or(|died| died > on);
            let covered = planted
                || insured.iter().any(|(from, to)| *from <= on && to.is_none_or(|to| to > on));
            if !took || age < 40 || !alive || !covered {
                continue;
            }
            let kana = details.kana.join("　");
            let (born, on) = (resident.born.compact(), on.compact());
            let office = format!("1199{:06}", 100_000 + years.below(24));
            let values = body.checkup(age, years);
            let head = [details.local_id.as_str(), &kana, &born, sex(resident), &on, &office];
            let cells: Vec<&str> =
                head.into_iter().chain(values.iter().map(String::as_str)).collect();
            out.row(&cells)?;
        }
        Ok(())
    }

    fn death(
        &self,
        place: usize,
        resident: &Resident,
        details: &Details,
        out: &mut TextFile,
    ) -> Result<(), CountryError> {
        let Some(died) = resident.died else { return Ok(()) };
        let chance = &mut self.deaths.of(place as u64);
        let age = resident.born.age_on(died);
        let cause = self.country.tables.cause(age, chance);
        let (code, text) =
            cause.map_or(("R99", "その他の診断名不明確"), |c| (c.code, c.text));
        let at = ["病院", "病院", "病院", "自宅", "老人ホーム", "介護医療院"];
        let place = if age < 60 { "病院" } else { chance.pick(&at) };
        out.row(&[details.local_id.as_str(), &died.compact(), code, text, place])
    }
}

fn sex(resident: &Resident) -> &'static str {
    if resident.male { "1" } else { "2" }
}
