//! A list on disk: `persons.csv` in shuffled order and `truth.csv` beside it.

use std::path::Path;

use crate::{
    chance::{Chance, Purpose, Streams},
    error::CountryError,
    file::{Style, TextFile, folder},
    persons::{LIST_COLUMNS, PersonList, PersonRecord, hard::HARD_COLUMNS, people::PEOPLE_COLUMNS},
};

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListWritten {
    /// Rows of both files.
    pub records: u64,
    /// Different people.
    pub persons: u64,
    /// Pairs of records of one person.
    pub pairs: u64,
}

/// Records shuffled together: what bounds the memory (about 250 MB).
const CHUNK: usize = 500_000;

impl PersonList {
    /// Write `persons.csv` ([`LIST_COLUMNS`]) and `truth.csv` (`record_id,person_id,household_id,
    /// tags`) and `people.csv` (every person's true values, [`PersonTruth`](super::PersonTruth))
    /// into `dir`, UTF-8 with LF. The order is shuffled within chunks of 500,000 records, so
    /// neither the order nor the ids say who is who.
    ///
    /// # Errors
    /// [`CountryError::NotEmpty`] for a folder that already holds a list, [`CountryError::Io`] for
    /// what the machine refuses.
    pub fn write(&self, dir: &Path) -> Result<ListWritten, CountryError> {
        self.write_all(dir, Vec::new())
    }

    /// The same with `per_class` hard pairs of every class among the records, and `hard_pairs.csv`
    /// (`pair_id,class,same,target,record_id_l,record_id_r`) beside them. A linker sees one list; each pair
    /// is right if its records are in one cluster (`same` 1) or in two (`same` 0).
    ///
    /// # Errors
    /// As [`PersonList::write`].
    pub fn write_hard(&self, dir: &Path, per_class: usize) -> Result<ListWritten, CountryError> {
        folder(dir)?;
        if dir.join("hard_pairs.csv").exists() {
            return Err(CountryError::NotEmpty { entry: "hard_pairs.csv" });
        }
        let pairs = self.hard_pairs(per_class);
        let mut file = TextFile::create(dir, "hard_pairs.csv", Style::Plain, HARD_COLUMNS)?;
        for (nth, pair) in pairs.iter().enumerate() {
            file.row(&pair.row(nth))?;
        }
        file.finish()?;
        let mut further: Vec<PersonRecord> =
            pairs.into_iter().flat_map(|p| p.records.into_iter().chain(p.others)).collect();
        // a person's records follow each other, as in the list
        further.sort_by_key(|record| record.person);
        self.write_all(dir, further)
    }

    fn write_all(
        &self,
        dir: &Path,
        further: Vec<PersonRecord>,
    ) -> Result<ListWritten, CountryError> {
        folder(dir)?;
        for entry in ["persons.csv", "truth.csv"] {
            if dir.join(entry).exists() {
                return Err(CountryError::NotEmpty { entry });
            }
        }
        let mut list = TextFile::create(dir, "persons.csv", Style::Plain, &LIST_COLUMNS.join(","))?;
        let truth = "record_id,person_id,household_id,tags";
        let mut truth = TextFile::create(dir, "truth.csv", Style::Plain, truth)?;
        let hard = further.chunk_by(|a, b| a.person == b.person).count();
        let mut written = ListWritten::default();
        let mut chunk = Vec::with_capacity(CHUNK.min(1 << 16));
        let (mut last, mut of_last) = (None, 0);
        let order = &mut Streams::new(self.params.seed, Purpose::ListHard).of(0);
        for record in self.records().chain(further) {
            written.records += 1;
            if last != Some(record.person) {
                written.persons += 1;
                (last, of_last) = (Some(record.person), 0);
            }
            written.pairs += of_last;
            of_last += 1;
            chunk.push(record);
            if chunk.len() == CHUNK {
                flush(&mut chunk, &mut list, &mut truth, order)?;
            }
        }
        flush(&mut chunk, &mut list, &mut truth, order)?;
        list.finish()?;
        truth.finish()?;
        let mut people = TextFile::create(dir, "people.csv", Style::Plain, PEOPLE_COLUMNS)?;
        for person in self.people().take(written.persons as usize - hard) {
            people.row(&person.row())?;
        }
        people.finish()?;
        Ok(written)
    }
}

fn flush(
    chunk: &mut Vec<PersonRecord>,
    list: &mut TextFile,
    truth: &mut TextFile,
    order: &mut Chance,
) -> Result<(), CountryError> {
    for last in (1..chunk.len()).rev() {
        chunk.swap(last, order.below(last as u32 + 1) as usize);
    }
    for record in chunk.drain(..) {
        list.row(&record.cells)?;
        truth.row(&[
            &record.cells[0],
            &format!("P{:08}", record.person),
            &format!("H{:08}", record.household),
            &record.tags.to_string(),
        ])?;
    }
    Ok(())
}
