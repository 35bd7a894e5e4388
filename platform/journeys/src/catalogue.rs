//! The catalogue: what the lake holds at its newest snapshot, as counts of persons; never a row.
//!
//! # Guarantee
//! - `journeys.catalogue-counts`: every number of persons below [`SMALLEST_SHOWN`] is left out, zero excepted.

use std::collections::{BTreeMap, BTreeSet};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::{DataType, Date32Type},
};
use kiban_kernel::{ColumnClass, Date, Id, kinds};
pub use kiban_lake::functions::PREFECTURES;
use kiban_lake::{DataClass, schema};

use crate::{
    Deployment, Error, inspect,
    map_codes::{self, MappingRate},
};

/// Fewer persons than this are not shown (the publication rule of the national database, CAT-04).
pub const SMALLEST_SHOWN: u64 = 10;

/// A number of persons as it may be shown: `None` is "fewer than [`SMALLEST_SHOWN`]".
pub type Shown = Option<u64>;

fn shown(persons: usize) -> Shown {
    let persons = persons as u64;
    (persons == 0 || persons >= SMALLEST_SHOWN).then_some(persons)
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Name.
    pub name: String,
    /// Japanese description.
    pub ja: String,
    /// Its class by default.
    pub class: ColumnClass,
    /// Cells with a value, of all rows, in percent.
    pub filled_percent: f64,
}

/// A code system and how many persons have a code of it.
#[derive(Debug, Clone)]
pub struct CodeSystem {
    /// As the sources name it.
    pub name: String,
    /// Persons.
    pub persons: Shown,
}

/// A table of the catalogue.
#[derive(Debug, Clone)]
pub struct TableFacts {
    /// Name.
    pub name: String,
    /// Japanese description.
    pub ja: String,
    /// Rows.
    pub rows: u64,
    /// Persons after linkage.
    pub persons: Shown,
    /// First and last day of events, by month, of at least [`SMALLEST_SHOWN`] persons.
    pub period: Option<(Date, Date)>,
    /// Columns that may reach a product.
    pub variables: Vec<Variable>,
    /// Code systems.
    pub code_systems: Vec<CodeSystem>,
    /// How many rows have a standard code; none for a table that is not mapped.
    pub mapping: Option<MappingRate>,
}

/// The catalogue at a snapshot.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Which snapshot.
    pub snapshot: u64,
    /// Which version of the mappings of codes.
    pub mapping_version: u64,
    /// Persons after linkage.
    pub persons: Shown,
    /// Person records at the holders.
    pub records: Shown,
    /// Tables with rows.
    pub tables: Vec<TableFacts>,
    /// Tables without a row, by name and Japanese description.
    pub empty: Vec<(String, String)>,
    /// Persons by prefecture of residence, in the order of the official codes.
    pub prefectures: Vec<(&'static str, Shown)>,
}

/// The newest snapshot of the lake and the version of the mappings of codes; a catalogue of them stays right until one
/// changes.
///
/// # Errors
/// The database failed.
pub async fn newest_stand(on: &Deployment) -> Result<(u64, u64), Error> {
    Ok((on.lake.head().await?.0, map_codes::version(on).await?))
}

/// Look through the lake's tables and count. Reads every table once.
///
/// # Errors
/// The lake failed.
pub async fn catalogue(on: &Deployment) -> Result<Catalogue, Error> {
    let head = on.lake.head().await?;
    let persons: BTreeMap<String, String> = inspect::links(on)
        .await?
        .into_iter()
        .map(|(source, person): (Id<kinds::PersonSource>, Id<kinds::Person>)| {
            (source.to_string(), person.to_string())
        })
        .collect();
    let mut out = Catalogue {
        snapshot: head.0,
        mapping_version: map_codes::version(on).await?,
        persons: Some(0),
        records: Some(0),
        tables: Vec::new(),
        empty: Vec::new(),
        prefectures: Vec::new(),
    };
    let rates = map_codes::mapping_rates(on).await?;
    for table in schema::tables().iter().filter(|t| t.data_class == DataClass::Identified) {
        let batches = on.lake.scan(&table.name, head).await?;
        if batches.iter().all(|b| b.num_rows() == 0) {
            out.empty.push((table.name.clone(), table.ja.clone()));
            continue;
        }
        if table.name == "person" {
            let regions = prefectures(&batches, &persons)?;
            out.prefectures = PREFECTURES
                .iter()
                .map(|name| (*name, shown(regions.get(*name).map_or(0, BTreeSet::len))))
                .collect();
            let sources: BTreeSet<String> = column(&batches, schema::PERSON_COLUMN)?;
            out.records = shown(sources.len());
            out.persons = shown(known(&sources, &persons).len());
        }
        let mut facts = facts(table, &batches, &persons)?;
        facts.mapping = rates.iter().find(|r| r.table == table.name).cloned();
        out.tables.push(facts);
    }
    Ok(out)
}

fn column(batches: &[RecordBatch], name: &str) -> Result<BTreeSet<String>, Error> {
    let mut out = BTreeSet::new();
    for batch in batches {
        out.extend(inspect::texts(batch, name)?.into_iter().flatten());
    }
    Ok(out)
}

/// Persons of these sources; a source that is not linked yet counts as a person of its own.
fn known<'a>(
    sources: &'a BTreeSet<String>,
    persons: &'a BTreeMap<String, String>,
) -> BTreeSet<&'a String> {
    sources.iter().map(|source| persons.get(source).unwrap_or(source)).collect()
}

fn prefectures(
    batches: &[RecordBatch],
    persons: &BTreeMap<String, String>,
) -> Result<BTreeMap<&'static str, BTreeSet<String>>, Error> {
    let mut out: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for batch in batches {
        let sources = inspect::texts(batch, schema::PERSON_COLUMN)?;
        for (source, address) in sources.into_iter().zip(inspect::texts(batch, "address")?) {
            let (Some(source), Some(address)) = (source, address) else { continue };
            let found = PREFECTURES.iter().find(|p| address.trim_start().starts_with(**p));
            if let Some(prefecture) = found {
                let person = persons.get(&source).cloned().unwrap_or(source);
                out.entry(prefecture).or_default().insert(person);
            }
        }
    }
    Ok(out)
}

fn facts(
    table: &schema::TableSchema,
    batches: &[RecordBatch],
    persons: &BTreeMap<String, String>,
) -> Result<TableFacts, Error> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let sources = column(batches, schema::PERSON_COLUMN)?;
    let never = |class: ColumnClass| {
        matches!(
            class,
            ColumnClass::DirectIdentifier
                | ColumnClass::IndividualIdCode
                | ColumnClass::LinkingCode
                | ColumnClass::FinancialDamage
        )
    };
    let own = ["bases", "holder", "delivery", "segment", "source_file", "position", "parser"];
    let variables = table
        .columns
        .iter()
        .filter(|c| !never(c.class) && !own.contains(&c.name.as_str()))
        .filter(|c| !c.name.ends_with("_text"))
        .map(|c| {
            let empty: usize = batches
                .iter()
                .filter_map(|b| b.column_by_name(&c.name))
                .map(|column| column.null_count())
                .sum();
            Variable {
                name: c.name.clone(),
                ja: c.ja.clone(),
                class: c.class,
                filled_percent: (rows - empty) as f64 * 100.0 / rows.max(1) as f64,
            }
        })
        .collect();
    Ok(TableFacts {
        name: table.name.clone(),
        ja: table.ja.clone(),
        rows: rows as u64,
        persons: shown(known(&sources, persons).len()),
        period: period(table, batches, persons)?,
        variables,
        code_systems: code_systems(table, batches, persons)?,
        mapping: None,
    })
}

fn code_systems(
    table: &schema::TableSchema,
    batches: &[RecordBatch],
    persons: &BTreeMap<String, String>,
) -> Result<Vec<CodeSystem>, Error> {
    if table.column("code_system").is_none() {
        return Ok(Vec::new());
    }
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for batch in batches {
        let sources = inspect::texts(batch, schema::PERSON_COLUMN)?;
        for (source, system) in sources.into_iter().zip(inspect::texts(batch, "code_system")?) {
            if let (Some(source), Some(system)) = (source, system) {
                let person = persons.get(&source).cloned().unwrap_or(source);
                found.entry(system).or_default().insert(person);
            }
        }
    }
    // A name that hardly anybody has may be somebody's own words.
    Ok(found
        .into_iter()
        .filter(|(_, of)| of.len() as u64 >= SMALLEST_SHOWN)
        .map(|(name, of)| CodeSystem { name, persons: shown(of.len()) })
        .collect())
}

/// First and last month in which at least [`SMALLEST_SHOWN`] persons have an event.
fn period(
    table: &schema::TableSchema,
    batches: &[RecordBatch],
    persons: &BTreeMap<String, String>,
) -> Result<Option<(Date, Date)>, Error> {
    let date = table.columns.iter().find(|c| {
        matches!(c.kind, schema::ColumnType::Date | schema::ColumnType::Timestamp)
            && !c.name.starts_with("birth")
            && !c.name.starts_with("death")
    });
    let Some(date) = date else { return Ok(None) };
    let mut months: BTreeMap<Date, BTreeSet<String>> = BTreeMap::new();
    let epoch = Date::constant(1970, 1, 1);
    for batch in batches {
        let sources = inspect::texts(batch, schema::PERSON_COLUMN)?;
        let Some(values) = batch.column_by_name(&date.name) else { continue };
        let days = cast(values, &DataType::Date32)
            .map_err(|_| Error::Unknown { what: "column of that type" })?;
        let days = days.as_primitive::<Date32Type>();
        for (row, source) in sources.into_iter().enumerate() {
            let Some(source) = source.filter(|_| days.is_valid(row)) else { continue };
            let day = epoch.checked_add(jiff::Span::new().days(days.value(row)));
            let Ok(day) = day else { continue };
            let person = persons.get(&source).cloned().unwrap_or(source);
            months.entry(day.first_of_month()).or_default().insert(person);
        }
    }
    months.retain(|_, of| of.len() as u64 >= SMALLEST_SHOWN);
    let first = months.keys().next().copied();
    let last = months.keys().next_back().map(|m| m.last_of_month());
    Ok(first.zip(last))
}
