//! Ten rules on a flat table.

use std::{fmt::Write as _, fs, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::SchemaRef,
};
use kiban_deid::{
    spec::Spec,
    tool::{self, Request},
};
use kiban_kernel::{Date, Entropy as _, Product, Rules};
use kiban_lake::{
    Session,
    functions::{
        self as rules, DatePad, Level,
        keyed::{FixedOutcome, Keyed, PERSON},
    },
    plan::{MemTable, ident},
};
use kiban_testkit::SeededEntropy;
use parquet::arrow::ArrowWriter;

use crate::measure::Meter;

const SPEC: &str = include_str!("deid_flat.toml");
const ON: Date = Date::constant(2026, 4, 1);
/// Rows of one person.
const ROWS_EACH: u64 = 10;
const BATCH: u64 = 8192;
const HEADER: [&str; 10] = [
    "患者番号",
    "氏名",
    "性別",
    "生年月日",
    "受診日",
    "体重",
    "収縮期血圧",
    "HbA1c",
    "病名コード",
    "住所",
];
const CODES: [&str; 8] = ["E119", "I10", "J459", "K219", "E785", "N183", "M545", "F329"];
const TOWNS: [&str; 6] = [
    "東京都千代田区霞が関1-2-2",
    "大阪府大阪市北区中之島1-3-20",
    "北海道札幌市中央区北1条西2丁目",
    "福岡県福岡市中央区天神1-8-1",
    "愛知県名古屋市中区三の丸3-1-2",
    "宮城県仙台市青葉区国分町3-7-1",
];

/// One stream of numbers, drawn from the testkit's seeded chance in blocks.
struct Draw {
    entropy: SeededEntropy,
    block: Vec<u8>,
    at: usize,
}

impl Draw {
    fn below(&mut self, bound: u64) -> anyhow::Result<u64> {
        if self.at + 4 > self.block.len() {
            self.entropy.fill(&mut self.block)?;
            self.at = 0;
        }
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.block[self.at..self.at + 4]);
        self.at += 4;
        Ok(u64::from(u32::from_le_bytes(bytes)) % bound)
    }
}

fn table(rows: u64, seed: u64) -> anyhow::Result<Vec<RecordBatch>> {
    let mut draw = Draw { entropy: SeededEntropy::new(seed), block: vec![0; 1 << 16], at: 1 << 16 };
    let persons = (rows / ROWS_EACH).max(1);
    let mut batches = Vec::new();
    let mut done = 0;
    while done < rows {
        let count = BATCH.min(rows - done);
        let mut columns: [Vec<String>; 10] = Default::default();
        for _ in 0..count {
            let person = draw.below(persons)?;
            // What belongs to the person follows from its number.
            let (year, month) = (1940 + person * 7 % 70, 1 + person % 12);
            let cells = [
                format!("{person:08}"),
                format!("架空 {person}子"),
                if person.is_multiple_of(2) { "男" } else { "女" }.to_owned(),
                format!("{year}-{month:02}-{:02}", 1 + person % 28),
                format!("2024-{:02}-{:02}", 1 + draw.below(12)?, 1 + draw.below(28)?),
                format!("{}.{}", 35 + draw.below(60)?, draw.below(10)?),
                (90 + draw.below(120)?).to_string(),
                format!("{}.{}", 4 + draw.below(8)?, draw.below(10)?),
                CODES[draw.below(8)? as usize].to_owned(),
                TOWNS[(person % 6) as usize].to_owned(),
            ];
            for (column, cell) in columns.iter_mut().zip(cells) {
                column.push(cell);
            }
        }
        let named = HEADER
            .into_iter()
            .zip(columns)
            .map(|(name, cells)| (name, Arc::new(StringArray::from(cells)) as ArrayRef, true));
        batches.push(RecordBatch::try_from_iter_with_nullable(named)?);
        done += count;
    }
    Ok(batches)
}

fn write_csv(path: &Path, batches: &[RecordBatch]) -> anyhow::Result<()> {
    let mut text = HEADER.join(",") + "\n";
    for batch in batches {
        let columns: Vec<&StringArray> = batch
            .columns()
            .iter()
            .filter_map(|c| c.as_any().downcast_ref::<StringArray>())
            .collect();
        for row in 0..batch.num_rows() {
            for (i, column) in columns.iter().enumerate() {
                write!(text, "{}{}", if i == 0 { "" } else { "," }, column.value(row))?;
            }
            text.push('\n');
        }
    }
    Ok(fs::write(path, text)?)
}

fn write_parquet(path: &Path, schema: SchemaRef, batches: &[RecordBatch]) -> anyhow::Result<()> {
    let mut writer = ArrowWriter::try_new(fs::File::create(path)?, schema, None)?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(())
}

/// The rules as expressions of the engine and nothing else: no classes, no counts, no order, no report.
async fn ten_rules(batches: Vec<RecordBatch>) -> anyhow::Result<u64> {
    let Some(schema) = batches.first().map(RecordBatch::schema) else { return Ok(0) };
    let session = Session::detached()?;
    let keyed = Keyed::new(&[7; 32], "bench");
    let [number, name, sex, birth, visit, weight, pressure, hba1c, code, address] =
        HEADER.map(ident);
    // The tenth drops the name.
    drop(name);
    let pad = DatePad::Padded;
    let table =
        session.context().read_table(Arc::new(MemTable::try_new(schema, vec![batches])?))?;
    let made = table
        .select(vec![
            keyed.pseudonym(PERSON, number.clone()).alias("ID"),
            rules::category(sex, "その他", ["男", "女"].into_iter()),
            rules::truncate_date(birth, "half_decade", pad, Some(1944)),
            keyed.shift(number, visit, 30, false, pad),
            rules::band(weight, 5.0, Some(40.0), Some(90.0)),
            rules::bounds(pressure, Some(95.0), Some(200.0)),
            rules::bounds(hba1c, Some(4.5), Some(11.0)),
            rules::code_parent(code, 3),
            rules::region(address, Level::Prefecture),
        ])?
        .collect()
        .await?;
    Ok(made.iter().map(|b| b.num_rows() as u64).sum())
}

pub(crate) async fn flat(rows: u64, seed: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let rules = Rules::built_in()?;
    let spec_file = folder.path().join("spec.toml");
    fs::write(&spec_file, SPEC)?;
    let (csv, parquet) = (folder.path().join("in.csv"), folder.path().join("in.parquet"));
    let batches = table(rows, seed)?;
    write_csv(&csv, &batches)?;
    if let Some(batch) = batches.first() {
        write_parquet(&parquet, batch.schema(), &batches)?;
    }

    let amount = [(rows as f64, "rows")];
    let meter = Meter::start()?;
    let made = ten_rules(batches.clone()).await?;
    anyhow::ensure!(made == rows, "rows were lost");
    meter.report("deid-flat: the ten rules alone", &amount)?;
    let spec = Spec::parse(SPEC)?;
    let fixed = FixedOutcome::default();
    let meter = Meter::start()?;
    tool::table(&spec, Product::Anonymized, &rules, ON, batches, &[7; 32], "bench", fixed).await?;
    meter.report("deid-flat: in memory", &amount)?;
    for (what, input, output) in [("CSV", csv, "out.csv"), ("Parquet", parquet, "out.parquet")] {
        let request = Request {
            spec: spec_file.clone(),
            product: Product::Anonymized,
            input,
            output: folder.path().join(output),
            report: None,
            key_file: None,
            fixed_id: None,
            fixed_offset: None,
            on: ON,
        };
        let meter = Meter::start()?;
        tool::deid(&request, &rules, &SeededEntropy::new(seed)).await?;
        meter.report(&format!("deid-flat: {what} to {what}"), &amount)?;
    }
    Ok(())
}
