//! `kiban tool km`: k^m-anonymity of a table of persons and items.

use super::{Sheet, SheetError};
use crate::hierarchy::Hierarchy;
use crate::setvalued::{Fate, KmReport, KmSettings, PairReader, anonymize_km};
use hashbrown::HashSet;

/// What to do.
#[derive(Debug, Clone)]
pub struct KmOptions {
    /// Between fields, of the hierarchy, too.
    pub delimiter: char,
    /// Column of the person.
    pub person: String,
    /// Column of the item.
    pub item: String,
    /// Smallest group.
    pub k: u32,
    /// Items an adversary knows.
    pub m: usize,
    /// Text of the items' hierarchy.
    pub hierarchy: Option<String>,
    /// Suppressed items become this item.
    pub residual: Option<String>,
}

/// What was found and done.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct KmSheetReport {
    /// Violations of the data.
    pub before: KmReport,
    /// Violations of the output: none.
    pub after: KmReport,
    /// Share of the information of all pairs that is lost.
    pub loss: f64,
    /// Items that were generalised.
    pub generalised_items: usize,
    /// Items that were suppressed, or became residual.
    pub suppressed_items: usize,
    /// Their pairs of person and item.
    pub suppressed_pairs: u64,
}

/// The pairs of person and item, k^m-anonymous: two columns, each pair once, in the order of the data; pairs whose
/// item is suppressed are left out. Rows without an item are left out, too.
///
/// # Errors
/// [`SheetError`]; never carries a value.
pub fn km(data: &str, options: &KmOptions) -> Result<(String, KmSheetReport), SheetError> {
    let sheet = Sheet::parse(data, options.delimiter)?;
    let (person, item) = (sheet.place(&options.person)?, sheet.place(&options.item)?);
    let hierarchy = options.hierarchy.as_deref();
    let hierarchy = hierarchy.map(|text| Hierarchy::parse(text, options.delimiter)).transpose()?;
    let mut reader = PairReader::new();
    let mut numbers = Vec::with_capacity(sheet.rows.len());
    for row in &sheet.rows {
        if super::is_missing(&row[item]) {
            reader.person(&row[person]);
            numbers.push(None);
        } else {
            numbers.push(Some(reader.push(&row[person], &row[item]).1));
        }
    }
    let (sets, names) = reader.finish()?;
    let settings = KmSettings {
        k: options.k,
        m: options.m,
        hierarchy: hierarchy.as_ref(),
        suppress: true,
        residual: options.residual.is_some(),
    };
    let answer = anonymize_km(&sets, &names, &settings)?;
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    let mut rows = Vec::new();
    for (row, number) in sheet.rows.iter().zip(&numbers) {
        let Some(number) = *number else { continue };
        let label = match answer.fate(number, hierarchy.as_ref()) {
            Fate::Kept => row[item].as_str(),
            Fate::Label(label) => label,
            Fate::Residual => options.residual.as_deref().unwrap_or("*"),
            Fate::Suppressed => continue,
        };
        if seen.insert((&row[person], label)) {
            rows.push(vec![row[person].clone(), label.to_owned()]);
        }
    }
    let header = vec![options.person.clone(), options.item.clone()];
    let text = Sheet { delimiter: options.delimiter, header, rows }.text();
    let report = KmSheetReport {
        loss: answer.loss,
        generalised_items: answer.generalised_items,
        suppressed_items: answer.suppressed_items,
        suppressed_pairs: answer.suppressed_pairs,
        before: answer.before,
        after: answer.after,
    };
    Ok((text, report))
}
