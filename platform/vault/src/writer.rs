//! Segments in, staged rows and source bytes out, in bounded memory; nothing is visible before the commit.

use std::sync::Arc;

use kiban_intake::{Segment, SegmentIds, format_name, report::ReportBuilder};
use kiban_kernel::{Id, Timestamp, kinds};
use kiban_lake::{Columns, ContainerWriter, LakeError, Snapshot, StagedContainer, Threads};
use kiban_register::{Gate, person_notice::PersonNoticeRows};
use tokio::task::JoinHandle;

use crate::{
    Vault, VaultError,
    bases::{TableBases, minus},
    clear::{ClearedSegment, clear},
    known::Known,
    lots::{FEW_ROWS, Lots},
    people::{Otherwise, People, Person},
    prepared::Prepared,
    refusal::refusal,
    row_lots::RowLots,
    segments::{self, SegmentRow},
    version_rows::{self as versions, Cause, VersionRow},
    versions::{Occasion, Persons, Rows, Statement, Versions},
};

/// Rows of one table that are collected before they are written out.
const MANY_ROWS: usize = 30_000;
/// Size at which another container is begun.
const CONTAINER_BYTES: u64 = 128 << 20;
/// What the statements of a delivery have in common.
fn occasion(gate: &Gate, delivery: Id<kinds::Delivery>, stated_at: i64) -> Occasion {
    Occasion { holder: gate.holder(), delivery, stated_at }
}

/// Takes the segments of one delivery: what judges them, and what keeps their rows.
pub(crate) struct VaultWriter {
    pub(crate) judge: Judge,
    pub(crate) rows: RowLots,
}

/// Judges segments, keeps their bytes and the record of them.
pub(crate) struct Judge {
    pub(crate) ids: SegmentIds,
    pub(crate) gate: Arc<Gate>,
    pub(crate) delivery: Id<kinds::Delivery>,
    pub(crate) base: Snapshot,
    people: People,
    /// The segments of the holder, from the moment when all is judged; before, the versions have them.
    pub(crate) known: Known,
    pub(crate) versions: Versions,
    pub(crate) sealed_at: i64,
    /// Counts and defects; give it to `intake`'s report.
    pub(crate) report: ReportBuilder,
    notices: PersonNoticeRows,
    segments: Vec<SegmentRow>,
    file: Option<(u64, Arc<str>)>,
    container: Option<ContainerWriter>,
    /// Those that are full, while the disk makes them last.
    containers: Vec<JoinHandle<Result<StagedContainer, LakeError>>>,
    pub(crate) lots: Lots,
}

/// A segment whose rows are to be kept.
pub(crate) struct Kept {
    pub(crate) person: Person,
    pub(crate) segment: Id<kinds::Segment>,
    /// Regimes by table.
    pub(crate) bases: TableBases,
}

impl VaultWriter {
    /// For a delivery of the gate's holder, sealed at a moment. `people`: what the delivery says of its persons, and their table.
    pub(crate) async fn new(
        vault: &Vault,
        gate: Arc<Gate>,
        ids: SegmentIds,
        delivery: Id<kinds::Delivery>,
        sealed_at: Timestamp,
        (people, persons): (People, Persons),
        report: ReportBuilder,
    ) -> Result<Self, VaultError> {
        let base = vault.lake.head().await?;
        let lots = || Lots::new(vault.lake.clone());
        Ok(Self {
            rows: RowLots::new(gate.holder(), delivery, gate.on(), lots())?,
            judge: Judge {
                known: Known::default(),
                versions: Versions::load(&vault.lake, base, gate.holder(), persons).await?,
                sealed_at: sealed_at.as_microsecond(),
                ids,
                gate,
                delivery,
                base,
                people,
                report,
                notices: PersonNoticeRows::default(),
                segments: Vec::new(),
                file: None,
                container: None,
                containers: Vec::new(),
                lots: lots(),
            },
        })
    }

    /// Writes out the rest and counts persons.
    ///
    /// # Errors
    /// The disk failed.
    pub(crate) async fn finish(mut self) -> Result<Prepared, VaultError> {
        // What the versions hold is let go before the last lots are made.
        self.judge.known = self.judge.versions.judged();
        self.rows.write(1, Threads::All).await?;
        self.judge.write(1, Threads::All).await?;
        self.judge.close_container();
        let mut staged = self.rows.lots.all().await?;
        let of_judge = self.judge.lots.all().await?;
        let withdrawal = self.withdraw(&mut staged).await?;
        let Self { mut judge, rows } = self;
        judge.count_persons();
        let mut report = judge.report;
        report.quality.absorb(rows.quality);
        staged.extend(of_judge);
        let mut containers = Vec::with_capacity(judge.containers.len());
        for closing in judge.containers {
            containers.push(closing.await.map_err(VaultError::Task)??);
        }
        Ok(Prepared {
            lake: rows.lots.lake,
            base: judge.base,
            watermark: judge.gate.watermark(),
            staged,
            withdrawal,
            containers,
            report,
            builders: rows.builders,
            totals: rows.totals,
        })
    }
}

impl Judge {
    /// Takes in what a segment says of its person, before it is judged itself.
    ///
    /// # Errors
    /// Segments before it would be judged otherwise now.
    pub(crate) fn see(&mut self, segment: &Segment<'_>) -> Result<(), Otherwise> {
        self.people.see_meanwhile(&mut self.versions.persons, segment)
    }

    /// Judge a segment and keep what the gate clears. Counts what it does in the report.
    ///
    /// # Errors
    /// The disk failed; drop the writer, nothing stays.
    pub(crate) fn accept(&mut self, segment: &Segment<'_>) -> Result<Option<Kept>, VaultError> {
        if !self.report.segment(segment) {
            return Ok(None);
        }
        let Some(local_id) = segment.person else { return Ok(None) };
        let person = self.people.person(&mut self.versions.persons, local_id);

        let counts = &mut self.report.counts;
        let ClearedSegment { tables: cleared, whole, reason } =
            clear(self.people.gate(person), &segment.parsed.records, counts);
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
            return Ok(None);
        }
        self.people.keep(person);

        let at = self.versions.segments.insert(id);
        let was_known = self.versions.segments.is_known(at);
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
                person: person.at,
                segment: at,
                version,
                taken_back,
                file: segment.file.sha256,
                known: was_known,
            };
            self.versions.state(on, &statement)
        } else {
            Rows::Missing
        };
        let mut known = self.versions.segments.kept(at);
        self.versions.segments.keep(at, known);
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
            return Ok(None);
        }
        counts.accepted_segments += 1;
        counts.history_segments += u64::from(use_of == Rows::None);
        known.tables.merge(new);
        known.bytes |= keep_bytes;
        self.versions.segments.keep(at, known);

        if let Some(told) = self.people.tell(person) {
            for notice in told.notices {
                self.notices.push(
                    person.id,
                    self.gate.holder(),
                    self.delivery,
                    notice,
                    told.died_on,
                    self.gate.of_age_on(told.birth_on, notice.notified_on),
                );
            }
        }
        let kept = Kept { person, segment: id, bases: used };
        if new.all().is_empty() && !keep_bytes {
            // In use again: its source is there.
            return Ok(Some(kept));
        }
        let person = person.id;
        let place = if keep_bytes { Some(self.put(id, person, segment)?) } else { None };
        let source_file = self.path_of(segment);
        self.segments.push(SegmentRow {
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
        Ok(Some(kept))
    }

    fn put(
        &mut self,
        id: Id<kinds::Segment>,
        person: Id<kinds::PersonSource>,
        segment: &Segment<'_>,
    ) -> Result<(Id<kinds::File>, u64, u64), VaultError> {
        let container = match &mut self.container {
            Some(container) => container,
            None => self.container.insert(self.lots.lake.container()?),
        };
        // A row of a table says little without the table's header.
        let place = container.put(id, person, (segment.header, segment.bytes))?;
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

    /// Is it time to [`Judge::flush`]?
    pub(crate) fn is_full(&self) -> bool {
        self.segments.len().max(self.versions.rows.len()).max(self.notices.len()) >= MANY_ROWS
            || self.container.as_ref().is_some_and(|c| c.bytes() >= CONTAINER_BYTES)
    }

    /// Writes out what was collected of segments and persons, while more is collected.
    ///
    /// # Errors
    /// The disk failed, now or before.
    pub(crate) async fn flush(&mut self) -> Result<(), VaultError> {
        self.write(FEW_ROWS, Threads::One).await?;
        if self.container.as_ref().is_some_and(|c| c.bytes() >= CONTAINER_BYTES) {
            self.close_container();
        }
        Ok(())
    }

    async fn write(&mut self, least: usize, threads: Threads) -> Result<(), VaultError> {
        let segments = take_large(&mut self.segments, least);
        let versions = take_large(&mut self.versions.rows, least);
        let notices = if self.notices.len() >= least {
            std::mem::take(&mut self.notices)
        } else {
            PersonNoticeRows::default()
        };
        let tables = [segments.is_empty(), versions.is_empty(), notices.is_empty()];
        let make = move || make_lot(&segments, &versions, notices);
        let tables = tables.into_iter().filter(|empty| !empty).count();
        self.lots.begin(tables, make, drop, threads).await
    }

    fn close_container(&mut self) {
        self.containers.extend(self.container.take().map(|full| tokio::spawn(full.finish())));
    }

    fn count_persons(&mut self) {
        let counts = &mut self.report.counts;
        let (kept, refused) = self.people.count();
        counts.accepted_persons += kept;
        for (gate, persons) in refused {
            *counts.refused_persons.entry(refusal(gate, None).to_owned()).or_default() += persons;
        }
    }
}

/// The rows, if there are so many; else none, and they stay. As many are expected to come again.
fn take_large<T>(rows: &mut Vec<T>, least: usize) -> Vec<T> {
    if rows.len() < least {
        return Vec::new();
    }
    let as_many = Vec::with_capacity(rows.len());
    std::mem::replace(rows, as_many)
}

/// The rows of segments, versions and notices.
fn make_lot(
    of_segments: &[SegmentRow],
    of_versions: &[VersionRow],
    notices: PersonNoticeRows,
) -> Result<Vec<Columns>, VaultError> {
    let mut lot = Vec::new();
    if !of_segments.is_empty() {
        lot.push(segments::columns(of_segments)?);
    }
    if !of_versions.is_empty() {
        lot.push(versions::columns(of_versions)?);
    }
    if !notices.is_empty() {
        lot.push(notices.finish()?);
    }
    Ok(lot)
}
