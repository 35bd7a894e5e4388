//! Segments in, staged rows and source bytes out, in bounded memory; nothing is visible before the commit.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use kiban_audit::Tx;
use kiban_govern::gate::Reason;
use kiban_intake::{
    Segment, SegmentIds, format_name,
    report::ReportBuilder,
    rows::{RowContext, RowTotals, TableBuilders},
};
use kiban_kernel::{Bases, Date, Id, PartialDate, Regime, kinds};
use kiban_lake::{ContainerWriter, Lake, Snapshot, Staged, StagedContainer};
use kiban_register::{Gate, PersonGate, PersonNotice, person_notice::PersonNoticeRows, stop};

use crate::{
    Vault, VaultError,
    bases::{TableBases, minus},
    known::{self, Known},
    people::People,
    segments::{self, SegmentRow},
};

/// Source bytes that are collected before rows are written out.
pub const FLUSH_BYTES: u64 = 48 << 20;
/// Rows that are collected before they are written out.
const FLUSH_ROWS: usize = 400_000;
/// Size at which another container is begun.
const CONTAINER_BYTES: u64 = 128 << 20;
/// Reason counted for a segment about a person in which nothing is read that could be listed in a notice.
const NOTHING_READ: &str = "nothing_read";

/// The sentence of a reason code that a delivery's counts hold.
pub fn reason_ja(code: &str) -> &'static str {
    if code == NOTHING_READ {
        return "読み取れる項目がなく、通知文書に記載の項目か判断できないため、保管していません。";
    }
    Reason::ja_of_code(code).unwrap_or("理由の説明がありません。")
}

struct Person {
    id: Id<kinds::PersonSource>,
    gate: Arc<PersonGate>,
    kept: bool,
    /// Given with the first segment that is kept.
    notices: Vec<PersonNotice>,
    died_on: Option<PartialDate>,
}

/// Takes the segments of one delivery.
///
/// Call [`VaultWriter::accept`] for each segment, [`VaultWriter::flush`] whenever [`VaultWriter::is_full`],
/// then [`VaultWriter::finish`].
pub struct VaultWriter {
    lake: Lake,
    ids: SegmentIds,
    gate: Gate,
    delivery: Id<kinds::Delivery>,
    received_on: Date,
    base: Snapshot,
    people: People,
    persons: HashMap<String, Person>,
    gates: HashSet<Arc<PersonGate>>,
    known: Known,
    builders: TableBuilders,
    totals: RowTotals,
    /// Counts and defects; give it to `intake`'s report.
    pub report: ReportBuilder,
    notices: PersonNoticeRows,
    rows: Vec<SegmentRow>,
    file: Option<(u64, Arc<str>)>,
    unflushed: u64,
    container: Option<ContainerWriter>,
    containers: Vec<StagedContainer>,
    staged: Vec<Staged>,
}

impl VaultWriter {
    /// For a delivery of the gate's holder. `people`: what the delivery says of its persons.
    pub(crate) async fn new(
        vault: &Vault,
        gate: Gate,
        ids: SegmentIds,
        delivery: Id<kinds::Delivery>,
        people: People,
        report: ReportBuilder,
    ) -> Result<Self, VaultError> {
        let base = vault.lake.head().await?;
        Ok(Self {
            known: known::load(&vault.lake, base, gate.holder()).await?,
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
            let (notices, died_on) = (facts.notices, facts.died_on);
            self.persons
                .insert(local_id.to_owned(), Person { id, gate, kept: false, notices, died_on });
        }
        let Some(person) = self.persons.get_mut(local_id) else { return Ok(()) };

        let counts = &mut self.report.counts;
        let (mut cleared, mut whole) = (TableBases::default(), true);
        for record in &segment.parsed.records {
            let table = record.table();
            let decision = person.gate.decide(table);
            for (regime, reason) in &decision.refused {
                counts.refuse_row(*regime, reason.code());
            }
            whole &= !decision.bases.is_empty();
            cleared.add(table, decision.bases);
        }
        if cleared.all().is_empty() {
            let reason = refusal(&person.gate, segment.parsed.records.first().map(|r| r.table()));
            *counts.refused_segments.entry(reason.to_owned()).or_default() += 1;
            return Ok(());
        }
        person.kept = true;

        let id = self.ids.id(person.id, segment.header, segment.bytes);
        let known = self.known.entry(id).or_default();
        let mut new = TableBases::default();
        for record in &segment.parsed.records {
            let table = record.table();
            new.add(table, minus(cleared.get(table), known.tables.get(table)));
        }
        let keep_bytes = whole && !known.bytes;
        if new.all().is_empty() && !keep_bytes {
            counts.duplicate_segments += 1;
            return Ok(());
        }
        counts.accepted_segments += 1;
        known.tables.merge(new);
        known.bytes |= keep_bytes;

        for notice in std::mem::take(&mut person.notices) {
            self.notices.push(
                person.id,
                self.gate.holder(),
                self.delivery,
                &notice,
                person.died_on,
            );
        }
        for record in &segment.parsed.records {
            let bases = new.get(record.table());
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
        self.unflushed += segment.bytes.len() as u64;
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

    /// Write out what was collected, to files that no snapshot names.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn flush(&mut self) -> Result<(), VaultError> {
        self.unflushed = 0;
        let batches = self.builders.finish()?;
        self.totals.add(&batches);
        let lake = &self.lake;
        for (table, batch) in batches {
            self.staged.push(lake.stage(table, vec![batch]).await?);
        }
        if !self.rows.is_empty() {
            let rows = std::mem::take(&mut self.rows);
            self.staged.push(lake.stage(segments::TABLE, vec![segments::batch(&rows)?]).await?);
        }
        if !self.notices.is_empty() {
            self.staged.push(lake.stage("person_notice", vec![self.notices.finish()?]).await?);
        }
        if self.container.as_ref().is_some_and(|c| c.bytes() >= CONTAINER_BYTES) {
            self.close_container().await?;
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
        self.close_container().await?;
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
            containers: self.containers,
            report: self.report,
            builders: self.builders,
            totals: self.totals,
        })
    }
}

/// The reason that says most about a refusal: of the item if the person passes, of the regime that is
/// nearest to passing otherwise.
fn refusal(gate: &PersonGate, table: Option<&str>) -> &'static str {
    let Some(table) = table else {
        return if gate.bases().is_empty() {
            nearest(|r| gate.reason(r).map(|r| r.code()))
        } else {
            NOTHING_READ
        };
    };
    let decision = gate.decide(table);
    nearest(|r| decision.reason(r).map(|r| r.code()))
}

fn nearest(code: impl Fn(Regime) -> Option<&'static str>) -> &'static str {
    const FAR: [&str; 4] = ["regime_not_in_force", "no_filing", "not_notified", "filing_ended"];
    let codes = Regime::ALL.map(|r| code(r).unwrap_or(NOTHING_READ));
    if FAR.contains(&codes[0]) && !FAR.contains(&codes[1]) { codes[1] } else { codes[0] }
}

/// A delivery on disk that no snapshot names yet. Dropped, it is garbage.
#[must_use = "nothing is stored until it is committed"]
pub struct Prepared {
    lake: Lake,
    base: Snapshot,
    watermark: u64,
    staged: Vec<Staged>,
    containers: Vec<StagedContainer>,
    /// Counts and defects.
    pub report: ReportBuilder,
    /// For the report's grid.
    pub builders: TableBuilders,
    /// Rows per table.
    pub totals: RowTotals,
}

impl Prepared {
    /// Is there anything new?
    pub fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.containers.is_empty()
    }

    /// Make it visible in the caller's transaction. A delivery with nothing new makes no snapshot.
    ///
    /// # Errors
    /// [`VaultError::Stale`] if a stop was received or the lake changed since: drop the transaction and
    /// prepare again. Or the lake failed.
    pub async fn commit(
        self,
        tx: &mut Tx,
    ) -> Result<(Snapshot, ReportBuilder, TableBuilders, RowTotals), VaultError> {
        if stop::watermark(tx.conn()).await? != self.watermark
            || self.lake.head().await? != self.base
        {
            return Err(VaultError::Stale);
        }
        let snapshot = if self.is_empty() {
            self.base
        } else {
            self.lake.append_with_sources(tx, self.staged, self.containers).await?
        };
        Ok((snapshot, self.report, self.builders, self.totals))
    }
}

impl VaultWriter {
    /// Regimes cleared for a person so far judged; for tests and reports.
    pub fn bases_of(&self, local_id: &str) -> Option<Bases> {
        self.persons.get(local_id).map(|p| p.gate.bases())
    }
}
