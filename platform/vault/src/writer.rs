//! Segments in, staged rows and source bytes out, in bounded memory; nothing is visible before the commit.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use kiban_intake::{
    Segment, SegmentIds, format_name,
    report::ReportBuilder,
    rows::{RowContext, RowTotals, TableBuilders},
};
use kiban_kernel::{Bases, Date, Id, PartialDate, Timestamp, kinds};
use kiban_lake::{ContainerWriter, Lake, LakeError, Snapshot, Staged, StagedContainer};
use kiban_register::{Gate, PersonGate, PersonNotice, person_notice::PersonNoticeRows};
use tokio::task::JoinHandle;

use crate::{
    Vault, VaultError,
    bases::{TableBases, minus},
    clear::{ClearedSegment, clear},
    known::{self, Known},
    people::People,
    prepared::Prepared,
    refusal::refusal,
    segments::{self, SegmentRow},
    version_rows::{self as versions, Cause},
    versions::{Occasion, Rows, Statement, Versions},
};

/// Source bytes that are collected before rows are written out.
pub const FLUSH_BYTES: u64 = 48 << 20;
/// Rows that are collected before they are written out.
const FLUSH_ROWS: usize = 150_000;
/// Size at which another container is begun.
const CONTAINER_BYTES: u64 = 128 << 20;
/// What the statements of a delivery have in common.
fn occasion(gate: &Gate, delivery: Id<kinds::Delivery>, stated_at: i64) -> Occasion {
    Occasion { holder: gate.holder(), delivery, stated_at }
}

struct Person {
    id: Id<kinds::PersonSource>,
    gate: Arc<PersonGate>,
    kept: bool,
    /// Given with the first segment that is kept.
    notices: Vec<PersonNotice>,
    died_on: Option<PartialDate>,
    birth_on: Option<PartialDate>,
}

/// Takes the segments of one delivery.
///
/// Call [`VaultWriter::accept`] for each segment, [`VaultWriter::flush`] whenever [`VaultWriter::is_full`],
/// then [`VaultWriter::finish`].
pub struct VaultWriter {
    pub(crate) lake: Lake,
    pub(crate) ids: SegmentIds,
    pub(crate) gate: Gate,
    pub(crate) delivery: Id<kinds::Delivery>,
    received_on: Date,
    pub(crate) base: Snapshot,
    people: People,
    persons: HashMap<String, Person>,
    gates: HashSet<Arc<PersonGate>>,
    pub(crate) known: Known,
    pub(crate) versions: Versions,
    pub(crate) sealed_at: i64,
    builders: TableBuilders,
    pub(crate) totals: RowTotals,
    /// Counts and defects; give it to `intake`'s report.
    pub report: ReportBuilder,
    notices: PersonNoticeRows,
    rows: Vec<SegmentRow>,
    file: Option<(u64, Arc<str>)>,
    unflushed: u64,
    container: Option<ContainerWriter>,
    containers: Vec<StagedContainer>,
    pub(crate) staged: Vec<Staged>,
    /// The last lot, on its way to the disk.
    writing: Option<JoinHandle<Result<Vec<Staged>, LakeError>>>,
}

impl VaultWriter {
    /// For a delivery of the gate's holder, sealed at a moment. `people`: what the delivery says of its persons.
    pub(crate) async fn new(
        vault: &Vault,
        gate: Gate,
        ids: SegmentIds,
        delivery: Id<kinds::Delivery>,
        sealed_at: Timestamp,
        people: People,
        report: ReportBuilder,
    ) -> Result<Self, VaultError> {
        let base = vault.lake.head().await?;
        Ok(Self {
            known: known::load(&vault.lake, base, gate.holder()).await?,
            versions: Versions::load(&vault.lake, base, gate.holder()).await?,
            sealed_at: sealed_at.as_microsecond(),
            lake: vault.lake.clone(),
            ids,
            received_on: gate.on(),
            gate,
            delivery,
            base,
            people,
            persons: HashMap::new(),
            gates: HashSet::new(),
            builders: TableBuilders::new()?,
            totals: RowTotals::default(),
            report,
            notices: PersonNoticeRows::default(),
            rows: Vec::new(),
            file: None,
            unflushed: 0,
            container: None,
            containers: Vec::new(),
            staged: Vec::new(),
            writing: None,
        })
    }

    /// Judge a segment and keep what the gate clears. Counts what it does in the report.
    ///
    /// # Errors
    /// The disk failed; drop the writer, nothing stays.
    pub fn accept(&mut self, segment: &Segment<'_>) -> Result<(), VaultError> {
        if !self.report.segment(segment) {
            return Ok(());
        }
        let Some(local_id) = segment.person else { return Ok(()) };
        if !self.persons.contains_key(local_id) {
            let facts = self.people.by_local_id.remove(local_id).unwrap_or_default();
            let gate = facts.gate(&self.gate, local_id);
            // most persons are judged alike: one copy of each judgement
            let gate = match self.gates.get(&gate) {
                Some(known) => known.clone(),
                None => {
                    let gate = Arc::new(gate);
                    self.gates.insert(gate.clone());
                    gate
                }
            };
            let id = self.gate.keys().person_source(self.gate.holder(), local_id);
            let (notices, died_on, birth_on) = (facts.notices, facts.died_on, facts.birth_on);
            let person = Person { id, gate, kept: false, notices, died_on, birth_on };
            self.persons.insert(local_id.to_owned(), person);
        }
        let Some(person) = self.persons.get_mut(local_id) else { return Ok(()) };

        let counts = &mut self.report.counts;
        let ClearedSegment { tables: cleared, whole, reason } =
            clear(&person.gate, &segment.parsed.records, counts);
        let id = self.ids.id(person.id, segment.header, segment.bytes);
        let stated = kiban_formats::source::stated(
            segment.format,
            &segment.file.path,
            segment.bytes,
            segment.parsed,
        );
        if cleared.all().is_empty() {
            // What is taken back leaves use, whoever may still be collected.
            if let Some(stated) = stated.filter(|s| s.taken_back) {
                let record = self.ids.record(self.gate.holder(), &stated.record);
                let on = occasion(&self.gate, self.delivery, self.sealed_at);
                self.versions.take_back(
                    on,
                    record,
                    (self.sealed_at, &stated.version),
                    segment.file.sha256,
                    Cause::Source,
                );
            }
            *counts.refused_segments.entry(reason.to_owned()).or_default() += 1;
            return Ok(());
        }
        person.kept = true;

        let was_known = self.known.contains_key(&id);
        let (record, version, taken_back) = match &stated {
            Some(s) => {
                (self.ids.record(self.gate.holder(), &s.record), s.version.as_str(), s.taken_back)
            }
            None => (self.ids.unnamed(id), "", false),
        };
        // A record without a name has no versions; but a correction may have taken it back.
        let use_of = if stated.is_some() || self.versions.knows(record) {
            let on = occasion(&self.gate, self.delivery, self.sealed_at);
            let statement = Statement {
                record,
                person: person.id,
                segment: id,
                version,
                taken_back,
                file: segment.file.sha256,
                known: was_known,
            };
            self.versions.state(on, &statement)
        } else {
            Rows::Missing
        };
        let known = self.known.entry(id).or_default();
        let mut new = TableBases::default();
        for record in &segment.parsed.records {
            let place = record.table_index();
            new.add_at(place, minus(cleared.at(place), known.tables.at(place)));
        }
        let used = match use_of {
            Rows::Missing => new,
            Rows::All => cleared,
            Rows::None => TableBases::default(),
        };
        let keep_bytes = whole && !known.bytes;
        if new.all().is_empty() && used.all().is_empty() && !keep_bytes {
            counts.duplicate_segments += 1;
            return Ok(());
        }
        counts.accepted_segments += 1;
        counts.history_segments += u64::from(use_of == Rows::None);
        known.tables.merge(new);
        known.bytes |= keep_bytes;

        for notice in std::mem::take(&mut person.notices) {
            self.notices.push(
                person.id,
                self.gate.holder(),
                self.delivery,
                &notice,
                person.died_on,
                self.gate.of_age_on(person.birth_on, notice.notified_on),
            );
        }
        for record in &segment.parsed.records {
            let bases = used.at(record.table_index());
            if bases.is_empty() {
                continue;
            }
            let context = RowContext {
                person_source: person.id,
                bases,
                holder: self.gate.holder(),
                delivery: self.delivery,
                segment: id,
                source_file: &segment.file.path,
                file_number: segment.file_number,
                line: segment.line,
                parser: segment.parser(),
                received_on: self.received_on,
            };
            self.builders.push(&context, record, &mut self.report.quality);
        }
        let person = person.id;
        self.unflushed += segment.bytes.len() as u64;
        if new.all().is_empty() && !keep_bytes {
            // In use again: its source is there.
            return Ok(());
        }
        let place = if keep_bytes { Some(self.put(id, person, segment)?) } else { None };
        let source_file = self.path_of(segment);
        self.rows.push(SegmentRow {
            person,
            segment: id,
            holder: self.gate.holder(),
            delivery: self.delivery,
            source_file,
            position: segment.position(),
            parser: segment.parser(),
            format: format_name(segment.format),
            tables: new,
            place,
        });
        Ok(())
    }

    fn put(
        &mut self,
        id: Id<kinds::Segment>,
        person: Id<kinds::PersonSource>,
        segment: &Segment<'_>,
    ) -> Result<(Id<kinds::File>, u64, u64), VaultError> {
        let container = match &mut self.container {
            Some(container) => container,
            None => self.container.insert(self.lake.container()?),
        };
        let place = if segment.header.is_empty() {
            container.put(id, person, segment.bytes)?
        } else {
            // a row of a table says little without the table's header
            container.put(id, person, &[segment.header, segment.bytes].concat())?
        };
        Ok((place.file, place.start, place.length))
    }

    /// The file's path, shared by its segments.
    fn path_of(&mut self, segment: &Segment<'_>) -> Arc<str> {
        match &self.file {
            Some((number, path)) if *number == segment.file_number => path.clone(),
            _ => {
                let path: Arc<str> = segment.file.path.as_str().into();
                self.file = Some((segment.file_number, path.clone()));
                path
            }
        }
    }

    /// Is it time to [`VaultWriter::flush`]?
    pub fn is_full(&self) -> bool {
        self.unflushed >= FLUSH_BYTES || self.builders.rows() >= FLUSH_ROWS
    }

    /// Write out what was collected, to files that no snapshot names, while the next lot is collected: memory holds two
    /// lots at most.
    ///
    /// # Errors
    /// The disk failed, now or with the lot before.
    pub async fn flush(&mut self) -> Result<(), VaultError> {
        self.unflushed = 0;
        let mut batches = self.builders.finish()?;
        self.totals.add(&batches);
        if !self.rows.is_empty() {
            batches.push((segments::TABLE, segments::batch(&std::mem::take(&mut self.rows))?));
        }
        let versions = std::mem::take(&mut self.versions.rows);
        if !versions.is_empty() {
            batches.push((versions::TABLE, versions::batch(&versions)?));
        }
        if !self.notices.is_empty() {
            batches.push(("person_notice", self.notices.finish()?));
        }
        self.written().await?;
        let lake = self.lake.clone();
        self.writing = Some(tokio::spawn(async move {
            let mut staged = Vec::with_capacity(batches.len());
            for (table, batch) in batches {
                staged.push(lake.stage(table, vec![batch]).await?);
            }
            Ok(staged)
        }));
        if self.container.as_ref().is_some_and(|c| c.bytes() >= CONTAINER_BYTES) {
            self.close_container().await?;
        }
        Ok(())
    }

    /// The lot that is being written is on disk.
    async fn written(&mut self) -> Result<(), VaultError> {
        if let Some(writing) = self.writing.take() {
            self.staged.extend(writing.await.map_err(VaultError::Task)??);
        }
        Ok(())
    }

    async fn close_container(&mut self) -> Result<(), VaultError> {
        if let Some(container) = self.container.take() {
            self.containers.push(container.finish().await?);
        }
        Ok(())
    }

    /// Write out the rest and count persons.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn finish(mut self) -> Result<Prepared, VaultError> {
        self.flush().await?;
        self.written().await?;
        self.close_container().await?;
        let withdrawal = self.withdraw().await?;
        let counts = &mut self.report.counts;
        for person in self.persons.values() {
            if person.kept {
                counts.accepted_persons += 1;
            } else {
                *counts
                    .refused_persons
                    .entry(refusal(&person.gate, None).to_owned())
                    .or_default() += 1;
            }
        }
        Ok(Prepared {
            lake: self.lake,
            base: self.base,
            watermark: self.gate.watermark(),
            staged: self.staged,
            withdrawal,
            containers: self.containers,
            report: self.report,
            builders: self.builders,
            totals: self.totals,
        })
    }
}

impl VaultWriter {
    /// Regimes cleared for a person so far judged; for tests and reports.
    pub fn bases_of(&self, local_id: &str) -> Option<Bases> {
        self.persons.get(local_id).map(|p| p.gate.bases())
    }
}
