//! Reading the file.

use std::io::Read;

use csv::ByteRecord;
use rayon::prelude::*;

use crate::list::{ColumnMap, Field, Interner};

/// Why a person list could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// Reading failed.
    #[error("the list cannot be read")]
    Io(#[source] std::io::Error),
    /// Not delimited text.
    #[error("line {line} is not delimited text")]
    Csv {
        /// Line, from 1; 0 if unknown.
        line: u64,
    },
    /// No header, or no column of record ids.
    #[error("the list has no column of record ids")]
    NoRecordId,
    /// The mapping names a column that the header has not.
    #[error("the list has no column {column}")]
    NoColumn {
        /// Its name in the mapping.
        column: String,
    },
    /// Too many.
    #[error("more than 4 billion records")]
    TooMany,
}

impl ListError {
    /// One Japanese sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Io(_) => "名簿を読み込めません。".to_owned(),
            Self::Csv { line } => format!("{line}行目をCSVとして読めません。"),
            Self::NoRecordId => "名簿に記録番号（record_id）の列がありません。".to_owned(),
            Self::NoColumn { column } => format!("名簿に列 {column} がありません。"),
            Self::TooMany => "記録が多すぎます。".to_owned(),
        }
    }
}

/// One column: the number of each record's raw value.
#[derive(Default)]
pub(crate) struct Raw {
    pub(crate) values: Interner,
    pub(crate) ids: Vec<u32>,
}

/// A list as it was read: raw values, interned by column.
pub(crate) struct List {
    /// Record ids, in the order of the file.
    pub(crate) record_ids: Ids,
    /// In the order of [`Field::ALL`]; a field without a column is empty.
    pub(crate) columns: Vec<Raw>,
    /// The text is CP932.
    pub(crate) cp932: bool,
    /// Lines with more or fewer cells than the header.
    pub(crate) ragged: u64,
}

/// Record ids end to end.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Ids {
    pub(crate) fn push(&mut self, id: &[u8]) {
        self.bytes.extend_from_slice(id);
        self.ends.push(self.bytes.len());
    }
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
    pub(crate) fn at(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.bytes[start..self.ends[i]]
    }
    /// The ids at these places, in their order.
    pub(crate) fn in_order(&self, order: &[u32]) -> Self {
        let mut out = Self { bytes: Vec::with_capacity(self.bytes.len()), ends: Vec::new() };
        out.ends.reserve(order.len());
        for i in order {
            out.push(self.at(*i as usize));
        }
        out
    }
    /// How many ids an earlier one is.
    pub(crate) fn repeated(&self) -> u64 {
        let mut seen = hashbrown::HashSet::with_capacity(self.len());
        (0..self.len()).filter(|i| !seen.insert(self.at(*i))).count() as u64
    }
    /// The place of an id among sorted ones.
    pub(crate) fn place(&self, id: &[u8]) -> Option<u32> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.at(middle) < id {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low < self.len() && self.at(low) == id).then_some(low as u32)
    }
}

/// How much of the text decides its encoding, in bytes.
const PROBE: usize = 1 << 20;
/// Records read before they are interned column by column: few enough to stay in fast memory.
const BATCH: usize = 2048;

/// Reads a list. `progress` is told the number of records read so far.
pub(crate) fn read(
    mut data: impl Read,
    map: &ColumnMap,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<List, ListError> {
    let mut head = Vec::new();
    (&mut data).take(PROBE as u64).read_to_end(&mut head).map_err(ListError::Io)?;
    let cp932 = match std::str::from_utf8(&head) {
        Ok(_) => false,
        // a character cut at the end of the probe is no error
        Err(e) => e.error_len().is_some() || head.len() < PROBE,
    };
    if head.starts_with(b"\xEF\xBB\xBF") {
        head.drain(..3);
    }
    // in CP932 no second byte is a comma, a quote or a line end
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::Headers)
        .flexible(true)
        .buffer_capacity(1 << 18)
        .from_reader(head.chain(data));
    let header: Vec<String> = reader
        .byte_headers()
        .map_err(csv_error)?
        .iter()
        .map(|h| decode(h, cp932).into_owned())
        .collect();
    let places = map.places(&header).map_err(|column| ListError::NoColumn { column })?;
    let [id_column] = places[Field::RecordId as usize][..] else {
        return Err(ListError::NoRecordId);
    };
    let mut record_ids = Ids::default();
    let mut columns: Vec<Raw> = places.iter().map(|_| Raw::default()).collect();
    let mut ragged = 0;
    let mut batch: Vec<ByteRecord> = vec![ByteRecord::new(); BATCH];
    loop {
        let mut filled = 0;
        while filled < BATCH && reader.read_byte_record(&mut batch[filled]).map_err(csv_error)? {
            filled += 1;
        }
        let batch = &batch[..filled];
        for record in batch {
            ragged += u64::from(record.len() != header.len());
            record_ids.push(&decode_bytes(cell(record, id_column), cp932));
        }
        columns.par_iter_mut().zip(&places).skip(1).for_each(|(column, places)| match places[..] {
            [] => {}
            [at] => {
                let Raw { values, ids } = column;
                values.intern_all(batch.iter().map(|r| cell(r, at)), ids);
            }
            _ => {
                let mut joined = Vec::new();
                for record in batch {
                    joined.clear();
                    for at in places {
                        let part = cell(record, *at);
                        if !part.is_empty() && !joined.is_empty() {
                            joined.push(b' ');
                        }
                        joined.extend_from_slice(part);
                    }
                    column.ids.push(column.values.intern(&joined));
                }
            }
        });
        if record_ids.len() >= u32::MAX as usize {
            return Err(ListError::TooMany);
        }
        progress(record_ids.len() as u64);
        if filled < BATCH {
            break;
        }
    }
    Ok(List { record_ids, columns, cp932, ragged })
}

fn cell(record: &ByteRecord, at: usize) -> &[u8] {
    record.get(at).unwrap_or_default().trim_ascii()
}

fn csv_error(e: csv::Error) -> ListError {
    let line = e.position().map_or(0, csv::Position::line);
    match e.into_kind() {
        csv::ErrorKind::Io(e) => ListError::Io(e),
        _ => ListError::Csv { line },
    }
}

/// Text of a raw value; what is not UTF-8 in a UTF-8 file is read as CP932.
pub(crate) fn decode(bytes: &[u8], cp932: bool) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !cp932 => text.into(),
        _ => encoding_rs::SHIFT_JIS.decode_without_bom_handling(bytes).0,
    }
}

fn decode_bytes(bytes: &[u8], cp932: bool) -> std::borrow::Cow<'_, [u8]> {
    match std::str::from_utf8(bytes) {
        Ok(_) if !cp932 => bytes.into(),
        _ => decode(bytes, cp932).into_owned().into_bytes().into(),
    }
}
