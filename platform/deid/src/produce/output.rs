//! What leaves a table's plan: rows in a fixed order and size, the words for them.

use std::{cmp::Ordering, collections::BTreeMap, fmt::Write as _, sync::Arc};

use arrow::{
    array::{AsArray, RecordBatch, UInt32Array, make_comparator},
    compute::{BatchCoalescer, SortOptions, concat_batches, take_record_batch},
    datatypes::SchemaRef,
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

/// Bytes up to which rows are sorted here; a text column of the engine's holds twice as many.
const SORTED_HERE: usize = 1 << 30;

/// Rows by pseudonym, then by every other column: the order of the input leaves no trace, and equal input gives equal
/// bytes.
pub(super) async fn sorted(
    session: &Session,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>, ProduceError> {
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let mut out = if bytes < SORTED_HERE && u32::try_from(rows).is_ok() {
        sorted_here(&schema, &batches)?
    } else {
        sorted_by_engine(session, &schema, batches).await?
    };
    if out.is_empty() {
        out.push(RecordBatch::new_empty(schema));
    }
    Ok(out)
}

/// Pseudonyms are compared as numbers, the other columns only among rows of one person.
fn sorted_here(
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<Vec<RecordBatch>, ProduceError> {
    let all = concat_batches(schema, batches)?;
    let ids = all.column(0).as_string::<i32>();
    let mut long = false;
    let mut order: Vec<(u128, u32)> = (0..all.num_rows())
        .map(|row| {
            let mut head = [0; 16];
            let id = ids.value(row).as_bytes();
            long |= id.len() > head.len();
            let length = id.len().min(head.len());
            head[..length].copy_from_slice(&id[..length]);
            (u128::from_be_bytes(head), row as u32)
        })
        .collect();
    let ascending = SortOptions { descending: false, nulls_first: true };
    let compared = &all.columns()[usize::from(!long)..];
    let comparators = compared
        .iter()
        .map(|c| make_comparator(c.as_ref(), c.as_ref(), ascending))
        .collect::<Result<Vec<_>, _>>()?;
    order.sort_unstable_by(|(a, i), (b, j)| {
        let ties = comparators.iter().map(|c| c(*i as usize, *j as usize));
        a.cmp(b).then_with(|| ties.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal))
    });
    order
        .chunks(OUTPUT_ROWS)
        .map(|rows| {
            let rows: UInt32Array = rows.iter().map(|(_, row)| *row).collect();
            Ok(take_record_batch(&all, &rows)?)
        })
        .collect()
}

/// The same order, by the engine's sort.
async fn sorted_by_engine(
    session: &Session,
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
) -> Result<Vec<RecordBatch>, ProduceError> {
    let order = schema.fields().iter().map(|f| ident(f.name()).sort(true, true)).collect();
    let source = MemTable::try_new(Arc::clone(schema), vec![batches])?;
    let table = session.context().read_table(Arc::new(source))?;
    let mut stream = table.sort(order)?.execute_stream().await?;
    let mut coalescer = BatchCoalescer::new(Arc::clone(schema), OUTPUT_ROWS);
    let mut out = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        coalescer
            .push_batch(RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec())?)?;
        while let Some(full) = coalescer.next_completed_batch() {
            out.push(full);
        }
    }
    coalescer.finish_buffered_batch()?;
    while let Some(last) = coalescer.next_completed_batch() {
        out.push(last);
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
    for (column, cells) in &work.emptied {
        let _ = writeln!(out, "emptied {column} {}", cells.describe());
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
        let described = declared.and_then(|d| d.described(&column.name));
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

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Float64Array, StringArray};

    #[tokio::test]
    async fn both_sorts_give_the_same_rows_in_the_same_order() {
        let batch = |from: u32| {
            let n = |i: u32, of: u32| (i * 7 + from) % of;
            let ids: StringArray = (0..300).map(|i| Some(format!("{:016}", n(i, 40)))).collect();
            let texts: StringArray =
                (0..300).map(|i| (i % 5 > 0).then(|| format!("値{}", n(i, 3)))).collect();
            let numbers: Float64Array =
                (0..300).map(|i| (i % 7 > 0).then(|| f64::from(n(i, 11)) - 5.5)).collect();
            let columns: [(&str, ArrayRef, bool); 3] = [
                ("id", Arc::new(ids), false),
                ("t", Arc::new(texts), true),
                ("n", Arc::new(numbers), true),
            ];
            RecordBatch::try_from_iter_with_nullable(columns).unwrap()
        };
        let batches = vec![batch(0), batch(3), batch(11)];
        let schema = batches[0].schema();
        let here = sorted_here(&schema, &batches).unwrap();
        let session = Session::detached().unwrap();
        let engine = sorted_by_engine(&session, &schema, batches).await.unwrap();
        assert_eq!(here, engine);
        assert_eq!(here[0].num_rows(), 900);
    }
}
