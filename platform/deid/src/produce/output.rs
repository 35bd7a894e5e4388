//! What leaves a table's plan: rows in a fixed order and size, the words for them.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use arrow::{
    array::{AsArray, RecordBatch},
    compute::BatchCoalescer,
};
use futures::TryStreamExt;
use kiban_kernel::LawKey;
use kiban_lake::{
    Session,
    functions::keyed::Keyed,
    plan::{MemTable, ident},
};

use super::{Work, id_column};
use crate::{
    error::ProduceError,
    report::DictionaryEntry,
    spec::{Checked, default_law},
};

/// Rows per batch of the output, so that files are the same however the engine cut its work.
const OUTPUT_ROWS: usize = 65_536;

/// Rows by pseudonym, then by every other column: the order of the input leaves no trace, and equal input gives equal
/// bytes.
pub(super) async fn sorted(
    session: &Session,
    schema: arrow::datatypes::SchemaRef,
    batches: Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>, ProduceError> {
    let order = schema.fields().iter().map(|f| ident(f.name()).sort(true, true)).collect();
    let source = MemTable::try_new(Arc::clone(&schema), vec![batches])?;
    let table = session.context().read_table(Arc::new(source))?;
    let mut stream = table.sort(order)?.execute_stream().await?;
    let mut coalescer = BatchCoalescer::new(Arc::clone(&schema), OUTPUT_ROWS);
    let mut out = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        coalescer
            .push_batch(RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())?)?;
        while let Some(full) = coalescer.next_completed_batch() {
            out.push(full);
        }
    }
    coalescer.finish_buffered_batch()?;
    while let Some(last) = coalescer.next_completed_batch() {
        out.push(last);
    }
    if out.is_empty() {
        out.push(RecordBatch::new_empty(schema));
    }
    Ok(out)
}

/// Different neighbours in the first column: persons, as rows are sorted by it.
pub(super) fn distinct_runs(batches: &[RecordBatch]) -> u64 {
    let mut runs = 0;
    let mut last: Option<&str> = None;
    for batch in batches {
        for id in batch.column(0).as_string::<i32>().iter().flatten() {
            if last != Some(id) {
                runs += 1;
                last = Some(id);
            }
        }
    }
    runs
}

/// What the plan of a table is, and what was counted for it; no key, and values only inside a digest.
pub(super) fn describe(work: &Work<'_>, keyed: &Arc<Keyed>) -> String {
    let mut out = format!("table {}\n", work.table.name);
    for column in &work.columns {
        let _ = writeln!(out, "{} = {}", column.name, work.value(column, keyed));
    }
    out.push_str(&work.facts.digest_text());
    for (column, overrides) in &work.overrides {
        let ordered: BTreeMap<_, _> = overrides.iter().collect();
        let _ = writeln!(out, "decided {column} {ordered:?}");
    }
    out
}

pub(super) fn entries(
    checked: &Checked,
    work: &Work<'_>,
    batches: &[RecordBatch],
) -> Vec<DictionaryEntry> {
    let Some(schema) = batches.first().map(RecordBatch::schema) else { return Vec::new() };
    let declared = kiban_lake::schema::table(&work.table.name);
    let mut out = Vec::new();
    let id_law = default_law(kiban_kernel::ColumnClass::LinkingCode, checked.product());
    if let Ok(law) = LawKey::new(id_law) {
        out.push(DictionaryEntry {
            table: work.table.name.clone(),
            column: id_column(checked),
            kind: "Utf8".to_owned(),
            class: None,
            rule: "pseudonym".to_owned(),
            law,
            ja: "本人の番号（このデータ内だけで通じる符号）".to_owned(),
            en: "Person: a code that holds inside this product's domain only".to_owned(),
        });
    }
    for column in &work.columns {
        let described = declared.and_then(|d| d.column(&column.name));
        let kind = schema
            .field_with_name(&column.name)
            .map_or_else(|_| String::new(), |f| f.data_type().to_string());
        out.push(DictionaryEntry {
            table: work.table.name.clone(),
            column: column.name.clone(),
            kind,
            class: Some(column.class),
            rule: column.rule.name().to_owned(),
            law: column.law.clone(),
            ja: described.map_or_else(|| column.name.clone(), |d| d.ja.clone()),
            en: described.map_or_else(|| column.name.clone(), |d| d.en.clone()),
        });
    }
    out
}
