//! A country on disk: what each holder has, and the truth beside it.

use std::path::Path;

use crate::{
    country::{Country, Holder},
    error::CountryError,
    file::{Style, TextFile, folder},
    fixtures,
    municipality::{MunicipalRows, Municipality},
    progress::{Progress, Stage},
    specialist,
    standing::{Regime, StopPhase},
    truth,
};

const NOTICES: &str = "local_id,regime,notice_version,notified_on,channel,guardian,died_on";
const STOPS: &str = "local_id,regimes,requested_on,receipt_no";

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Files of hospital A's storage.
    pub ssmix2_files: usize,
    /// Files of hospital B's export.
    pub fhir_files: usize,
    /// Rows of the municipality's files.
    pub municipal: MunicipalRows,
}

impl Country {
    /// Write the country into `dir`: `holders/<id>/source/...`, `holders/<id>/notices.csv` and
    /// `stops*.csv`, and `truth/*.csv`.
    ///
    /// # Errors
    /// A folder that already holds a country, or what the machine refuses.
    pub fn write(&self, dir: &Path, progress: &mut dyn Progress) -> Result<Written, CountryError> {
        for entry in ["holders", "truth"] {
            if dir.join(entry).exists() {
                return Err(CountryError::NotEmpty { entry });
            }
        }
        let source = |holder: Holder| dir.join("holders").join(holder.name()).join("source");
        let mut written = Written::default();
        for holder in self.holders() {
            folder(&source(holder))?;
            self.write_papers(&dir.join("holders").join(holder.name()), holder)?;
        }

        progress.begin(Stage::HospitalA, 1);
        written.ssmix2_files = match &self.params.fixtures.ssmix2 {
            None => fixtures::unpack_ssmix2(&source(Holder::HospitalA))?,
            Some(from) => fixtures::copy_ssmix2(from, &source(Holder::HospitalA))?,
        };
        progress.advance(1);
        progress.begin(Stage::HospitalB, 1);
        written.fhir_files = match &self.params.fixtures.fhir {
            None => fixtures::unpack_fhir(&source(Holder::HospitalB))?,
            Some(from) => fixtures::copy_fhir(from, &source(Holder::HospitalB))?,
        };
        progress.advance(1);
        written.municipal =
            Municipality::new(self).write(&source(Holder::Municipality), progress)?;
        if let Some(disease) = &self.params.specialist {
            progress.begin(Stage::Specialist, self.specialist.len() as u64);
            specialist::write(self, disease, &source(Holder::Specialist), progress)?;
        }

        progress.begin(Stage::Truth, 2 * self.residents.len() as u64);
        let truth = dir.join("truth");
        folder(&truth)?;
        truth::write(self, &truth, progress)?;
        Ok(written)
    }

    fn write_papers(&self, dir: &Path, holder: Holder) -> Result<(), CountryError> {
        let mut notices = TextFile::create(dir, "notices.csv", Style::Plain, NOTICES)?;
        let mut stops = Vec::new();
        for phase in StopPhase::ALL {
            stops.push((phase, TextFile::create(dir, phase.file(), Style::Plain, STOPS)?, 0_u32));
        }
        for (local_id, born, standing) in self.papers(holder) {
            let died = standing.died.map(|d| d.to_string()).unwrap_or_default();
            for regime in Regime::ALL {
                let Some(on) = standing.notified[regime as usize] else { continue };
                let guardian = if born.age_on(on) < 16 { "1" } else { "0" };
                notices.row(&[
                    local_id.as_str(),
                    regime.name(),
                    &self.params.notice_versions[regime as usize],
                    &on.to_string(),
                    standing.channel,
                    guardian,
                    &died,
                ])?;
            }
            if let Some(stop) = standing.stop {
                for (_, file, count) in stops.iter_mut().filter(|(p, ..)| *p == stop.phase) {
                    *count += 1;
                    let receipt = format!("{}-{:05}", stop.on.compact(), *count);
                    let regimes = truth::stop_regimes(stop.regimes);
                    file.row(&[local_id.as_str(), &regimes, &stop.on.to_string(), &receipt])?;
                }
            }
        }
        notices.finish()?;
        for (_, file, _) in stops {
            file.finish()?;
        }
        Ok(())
    }
}
