//! One column chunk of a Parquet file, written from what was gathered: a dictionary page and data pages of the format's first
//! version, in the encodings every reader knows (plain, dictionary, run lengths with bit packing).
//!
//! Source: Apache Parquet, `Encodings.md` and `parquet.thrift`. Headers and offsets are the library's.

use std::{cell::RefCell, ops::Range};

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    column::{
        page::{CompressedPage, Page, PageWriter as _},
        writer::ColumnCloseResult,
    },
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, OffsetIndexBuilder},
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};
use zstd::bulk::Compressor;

use crate::gather::Gathered;

/// Rows, bytes of plain text of a page at most.
const PAGE_ROWS: usize = 20_000;
const PAGE_BYTES: usize = 1 << 20;
/// Chunks smaller than this are not compressed: little is to be won.
const SMALL: usize = 256;
/// Level of zstd: one of the fast ones. Pages are small, and what comes back in them is in their dictionaries already.
const LEVEL: i32 = -3;
/// Runs from this length on are written as such.
const RUN: usize = 16;

thread_local! {
    /// Making one costs more than compressing a page.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

fn compressed(body: &[u8]) -> Result<Vec<u8>, ParquetError> {
    let failed = |e: std::io::Error| ParquetError::External(Box::new(e));
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(Compressor::new(LEVEL).map_err(failed)?),
        };
        compressor.compress(body).map_err(failed)
    })
}

/// A page before it is compressed.
struct Body {
    bytes: Vec<u8>,
    rows: usize,
}

/// The chunk's bytes and what the file says of it.
///
/// # Errors
/// The compressor failed.
pub(crate) fn chunk(
    column: &Gathered,
    descr: &ColumnDescPtr,
) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
    // A dictionary of values that hardly come twice would only make it longer.
    let listed = !column.bits && column.distinct() * 3 <= column.places.len() * 2;
    let encoding = if listed { Encoding::RLE_DICTIONARY } else { Encoding::PLAIN };
    let optional = descr.max_def_level() > 0;
    let bodies = bodies(column, listed, optional);
    let plain = if listed { column.plain.len() } else { 0 };
    let size = plain + bodies.iter().map(|b| b.bytes.len()).sum::<usize>();
    let codec = if size < SMALL {
        Compression::UNCOMPRESSED
    } else {
        Compression::ZSTD(ZstdLevel::default())
    };
    let squeeze = |body: Vec<u8>| -> Result<(Bytes, usize), ParquetError> {
        let size = body.len();
        let plain = codec == Compression::UNCOMPRESSED;
        Ok((if plain { body.into() } else { compressed(&body)?.into() }, size))
    };

    let mut out = TrackedWrite::new(Vec::with_capacity(size / 2 + 64));
    let mut pages = SerializedPageWriter::new(&mut out);
    let (mut whole, mut packed) = (0, 0);
    let mut dictionary_at = None;
    let mut put = |page: Page, size: usize| {
        let spec = pages.write_page(CompressedPage::new(page, size))?;
        whole += spec.uncompressed_size;
        packed += spec.compressed_size;
        Ok::<_, ParquetError>(spec)
    };
    if listed {
        let (buf, size) = squeeze(column.plain.clone())?;
        let num_values = column.distinct() as u32;
        let page =
            Page::DictionaryPage { buf, num_values, encoding: Encoding::PLAIN, is_sorted: false };
        dictionary_at = Some(put(page, size)?.offset as i64);
    }
    let mut index = OffsetIndexBuilder::new();
    let mut data_at = None;
    for body in bodies {
        let rows = body.rows;
        let (buf, size) = squeeze(body.bytes)?;
        let page = Page::DataPage {
            buf,
            num_values: rows as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let spec = put(page, size)?;
        index.append_row_count(rows as i64);
        index.append_offset_and_size(spec.offset as i64, spec.compressed_size as i32);
        data_at.get_or_insert(spec.offset as i64);
    }
    let mut encodings = vec![Encoding::PLAIN, Encoding::RLE];
    encodings.extend(listed.then_some(Encoding::RLE_DICTIONARY));
    let mut metadata = ColumnChunkMetaData::builder(descr.clone())
        .set_compression(codec)
        .set_encodings(encodings)
        .set_total_compressed_size(packed as i64)
        .set_total_uncompressed_size(whole as i64)
        .set_num_values(column.rows as i64)
        .set_data_page_offset(data_at.unwrap_or(0))
        .set_dictionary_page_offset(dictionary_at);
    if let Some(statistics) = &column.statistics {
        metadata = metadata.set_statistics(statistics.clone());
    }
    let close = ColumnCloseResult {
        bytes_written: packed as u64,
        rows_written: column.rows as u64,
        metadata: metadata.build()?,
        bloom_filter: None,
        column_index: None,
        offset_index: Some(index.build()),
    };
    Ok((out.into_inner()?.into(), close))
}

/// The data pages.
fn bodies(column: &Gathered, listed: bool, optional: bool) -> Vec<Body> {
    let width = width(column.distinct());
    let mut bodies = Vec::new();
    let (mut row, mut place) = (0, 0);
    while row < column.rows {
        let (rows, places) = page_from(column, row, place, listed);
        let mut bytes = Vec::new();
        if optional {
            bytes.extend([0; 4]);
            match column.present.get(rows.clone()) {
                Some(present) => hybrid(present, 1, &mut bytes),
                None => run_of(rows.len(), 1, 1, &mut bytes),
            }
            let length = bytes.len() as u32 - 4;
            bytes[..4].copy_from_slice(&length.to_le_bytes());
        }
        let values = &column.places[places.clone()];
        if listed {
            bytes.push(width as u8);
            hybrid(values, width, &mut bytes);
        } else if column.bits {
            pack(values, 1, &mut bytes);
        } else {
            for value in values {
                bytes.extend_from_slice(column.value(*value));
            }
        }
        bodies.push(Body { bytes, rows: rows.len() });
        (row, place) = (rows.end, places.end);
    }
    bodies
}

/// Which rows the next page takes, and which of the places.
fn page_from(
    column: &Gathered,
    row: usize,
    place: usize,
    listed: bool,
) -> (Range<usize>, Range<usize>) {
    let (mut end, mut values, mut bytes) = (row, place, 0);
    let stop = column.rows.min(row + PAGE_ROWS);
    if listed && column.present.is_empty() {
        return (row..stop, place..place + (stop - row));
    }
    while end < stop && bytes < PAGE_BYTES {
        if column.present.get(end).is_none_or(|p| *p == 1) {
            bytes +=
                if listed || column.bits { 0 } else { column.value(column.places[values]).len() };
            values += 1;
        }
        end += 1;
    }
    (row..end, place..values)
}

/// Bits that hold each place of a dictionary of so many values; one at least.
fn width(distinct: usize) -> u32 {
    (usize::BITS - distinct.saturating_sub(1).leading_zeros()).max(1)
}

/// Run lengths and bit packing, mixed: a group is eight values in bits, a run is a length and a value.
fn hybrid<T: Copy + PartialEq + Into<u32>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    let mut from = 0;
    let mut at = 0;
    while at < values.len() {
        let first = values[at];
        let run = values[at..].iter().take_while(|v| **v == first).count();
        if run >= RUN {
            groups(&values[from..at], width, out);
            run_of(run, first.into(), width, out);
            at += run;
            from = at;
        } else {
            at = values.len().min(at + 8);
        }
    }
    groups(&values[from..], width, out);
}

fn run_of(length: usize, value: u32, width: u32, out: &mut Vec<u8>) {
    varint((length as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

/// Whole groups; the last is filled up with zeros.
fn groups<T: Copy + Into<u32>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let count = values.len().div_ceil(8);
    varint((count as u64) << 1 | 1, out);
    let end = out.len() + count * width as usize;
    pack(values, width, out);
    out.resize(end, 0);
}

/// Values in so many bits each, the lowest first; whole bytes.
fn pack<T: Copy + Into<u32>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    let end = out.len() + (values.len() * width as usize).div_ceil(8);
    out.reserve(end - out.len() + 8);
    let (mut held, mut bits) = (0_u64, 0);
    for value in values {
        held |= u64::from((*value).into()) << bits;
        bits += width;
        if bits >= 32 {
            out.extend_from_slice(&(held as u32).to_le_bytes());
            held >>= 32;
            bits -= 32;
        }
    }
    out.extend_from_slice(&held.to_le_bytes());
    out.truncate(end);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
