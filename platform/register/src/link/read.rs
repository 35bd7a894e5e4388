//! Rows of the lake to linkage's terms.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array as _, AsArray as _, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Int64Type};
use kiban_kernel::{Id, kinds};
use kiban_lake::Lake;
use kiban_linkage::{Identity, Member, RawIdentity, Sex};

use super::{LinkError, PersonLink, model::Row};
use crate::person_notice::date_of;

/// More identities of one record than this are not compared.
const MOST_IDENTITIES: usize = 24;

/// The records to be linked, in the order of their ids.
pub(super) struct Sources {
    pub(super) ids: Vec<Id<kinds::PersonSource>>,
    pub(super) members: Vec<Member>,
    /// For the linker.
    pub(super) rows: Vec<Row>,
}

/// A link of before and its rule.
pub(super) struct Before {
    pub(super) link: PersonLink,
    pub(super) rule: String,
}

struct Columns<'a> {
    batch: &'a RecordBatch,
    table: &'static str,
}

impl<'a> Columns<'a> {
    fn text(&self, column: &'static str) -> Result<&'a StringArray, LinkError> {
        self.batch
            .column_by_name(column)
            .and_then(|c| c.as_string_opt::<i32>())
            .ok_or(LinkError::Column { table: self.table, column })
    }
    fn date(&self, column: &'static str) -> Result<&'a Date32Array, LinkError> {
        self.batch
            .column_by_name(column)
            .and_then(|c| c.as_primitive_opt::<Date32Type>())
            .ok_or(LinkError::Column { table: self.table, column })
    }
    fn int(&self, column: &'static str) -> Result<&'a Int64Array, LinkError> {
        self.batch
            .column_by_name(column)
            .and_then(|c| c.as_primitive_opt::<Int64Type>())
            .ok_or(LinkError::Column { table: self.table, column })
    }
}

fn value(array: &StringArray, row: usize) -> Option<&str> {
    (!array.is_null(row)).then(|| array.value(row))
}

/// What the records of some persons say of who they are, each way once. Reads the newest snapshot.
///
/// # Errors
/// The lake failed, or a column is missing.
pub async fn identities_of(
    lake: &Lake,
    persons: &[Id<kinds::PersonSource>],
) -> Result<Vec<Identity>, LinkError> {
    let head = lake.head().await?;
    if head.0 == 0 || persons.is_empty() {
        return Ok(Vec::new());
    }
    let rows = lake.scan_persons("person", head, persons).await?;
    let coverages = lake.scan_persons("coverage", head, persons).await?;
    let mut out: Vec<Identity> = Vec::new();
    for identity in sources(&rows, &coverages)?.members.into_iter().flat_map(|m| m.identities) {
        if !out.contains(&identity) {
            out.push(identity);
        }
    }
    Ok(out)
}

/// Person rows by person source; coverage rows add further insurer numbers to the person's first identity.
pub(super) fn sources(
    persons: &[RecordBatch],
    coverages: &[RecordBatch],
) -> Result<Sources, LinkError> {
    let mut found: BTreeMap<Id<kinds::PersonSource>, (String, Vec<Identity>)> = BTreeMap::new();
    let mut rows = BTreeSet::new();
    for batch in persons {
        let c = Columns { batch, table: "person" };
        let (source, holder, birth) =
            (c.text("person_source")?, c.text("holder")?, c.date("birth_on")?);
        let [kanji, kana, sex, postal, address, phone] =
            ["name_kanji", "name_kana", "sex", "postal_code", "address", "phone"]
                .map(|n| c.text(n));
        let (kanji, kana, sex, postal, address, phone) =
            (kanji?, kana?, sex?, postal?, address?, phone?);
        let [insurer, symbol, number, branch] = insurance(&c)?;
        for row in 0..batch.num_rows() {
            let id = id(source, row, "person")?;
            let identity = Identity::normalise(&RawIdentity {
                name_kanji: value(kanji, row),
                name_kana: value(kana, row),
                birth_on: (!birth.is_null(row)).then(|| date_of(birth.value(row))).flatten(),
                sex: value(sex, row).and_then(Sex::from_code),
                postal_code: value(postal, row),
                address: value(address, row),
                phone: value(phone, row),
                insurer_no: value(insurer, row),
                insured_symbol: value(symbol, row),
                insured_number: value(number, row),
                insured_branch: value(branch, row),
            });
            let cell = |array, row| value(array, row).unwrap_or_default().to_owned();
            let born = identity.birth.map(|b| b.to_string()).unwrap_or_default();
            rows.insert(Row {
                source: id,
                cells: [
                    holder.value(row).to_owned(),
                    cell(kanji, row),
                    cell(kana, row),
                    cell(sex, row),
                    born,
                    cell(postal, row),
                    cell(address, row),
                    cell(phone, row),
                    cell(insurer, row),
                    cell(symbol, row),
                    cell(number, row),
                    cell(branch, row),
                ],
            });
            let (_, identities) =
                found.entry(id).or_insert_with(|| (holder.value(row).to_owned(), Vec::new()));
            if identities.len() < MOST_IDENTITIES && !identities.contains(&identity) {
                identities.push(identity);
            }
        }
    }
    for batch in coverages {
        let c = Columns { batch, table: "coverage" };
        let source = c.text("person_source")?;
        let [insurer, symbol, number, branch] = insurance(&c)?;
        for row in 0..batch.num_rows() {
            let Some((_, identities)) = found.get_mut(&id(source, row, "coverage")?) else {
                continue;
            };
            let Some(first) = identities.first() else { continue };
            let covered = Identity::normalise(&RawIdentity {
                insurer_no: value(insurer, row),
                insured_symbol: value(symbol, row),
                insured_number: value(number, row),
                insured_branch: value(branch, row),
                ..RawIdentity::default()
            });
            let identity = Identity {
                insurer: covered.insurer,
                symbol: covered.symbol,
                number: covered.number,
                branch: covered.branch,
                ..first.clone()
            };
            if identities.len() < MOST_IDENTITIES && !identities.contains(&identity) {
                identities.push(identity);
            }
        }
    }
    let holders: BTreeSet<&str> = found.values().map(|(h, _)| h.as_str()).collect();
    let number: BTreeMap<String, u32> =
        holders.into_iter().enumerate().map(|(i, h)| (h.to_owned(), i as u32)).collect();
    let (mut ids, mut members) = (Vec::with_capacity(found.len()), Vec::with_capacity(found.len()));
    for (id, (holder, identities)) in found {
        ids.push(id);
        members
            .push(Member { holder: number.get(&holder).copied().unwrap_or_default(), identities });
    }
    let rows = rows.into_iter().collect();
    Ok(Sources { ids, members, rows })
}

fn insurance<'a>(c: &Columns<'a>) -> Result<[&'a StringArray; 4], LinkError> {
    Ok([
        c.text("insurer_no")?,
        c.text("insured_symbol")?,
        c.text("insured_number")?,
        c.text("insured_branch")?,
    ])
}

fn id<K: kiban_kernel::Kind>(
    array: &StringArray,
    row: usize,
    table: &'static str,
) -> Result<Id<K>, LinkError> {
    array.value(row).parse().map_err(|_| LinkError::Column { table, column: "person_source" })
}

/// The links of before.
pub(super) fn links(
    batches: &[RecordBatch],
) -> Result<BTreeMap<Id<kinds::PersonSource>, Before>, LinkError> {
    let mut out = BTreeMap::new();
    for batch in batches {
        let c = Columns { batch, table: "person_link" };
        let (source, person, rule, since) =
            (c.text("person_source")?, c.text("person")?, c.text("rule")?, c.int("since")?);
        for row in 0..batch.num_rows() {
            let person = person
                .value(row)
                .parse()
                .map_err(|_| LinkError::Column { table: "person_link", column: "person" })?;
            let link = PersonLink {
                person_source: id(source, row, "person_link")?,
                person,
                since: since.value(row),
            };
            out.insert(link.person_source, Before { link, rule: rule.value(row).to_owned() });
        }
    }
    Ok(out)
}
