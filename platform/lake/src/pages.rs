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

use crate::{
    delta,
    gather::{Gathered, Places, each},
};

/// Rows, bytes of plain text of a page at most.
const PAGE_ROWS: usize = 20_000;
const PAGE_BYTES: usize = 1 << 20;
/// Bytes of a dictionary at most.
const DICTIONARY_BYTES: usize = 1 << 20;
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

/// A page: its bytes as they are written, its size before it was compressed, its rows.
#[derive(Clone)]
struct Body {
    bytes: Bytes,
    size: usize,
    rows: usize,
}

/// Data pages that say which values of a dictionary the rows have. Columns that were read from one text share them.
pub(crate) struct Listed {
    bodies: Vec<Body>,
    codec: Compression,
    optional: bool,
}

/// The bytes of a column's chunk and what the file says of it. `listed`: by column of `all`, the pages that were made already.
///
/// # Errors
/// The compressor failed.
pub(crate) fn chunk(
    all: &[Gathered],
    at: usize,
    listed: &mut [Option<Listed>],
    descr: &ColumnDescPtr,
) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
    let column = &all[at];
    let source = if let Places::As(of) = column.places { of } else { at };
    let optional = descr.max_def_level() > 0;
    if !is_listed(&all[source]) {
        let (encoding, bodies) = plain_bodies(&all[source], column, optional);
        let codec = codec(bodies.iter().map(|(bytes, _)| bytes.len()).sum());
        let squeezed = bodies.into_iter().map(|(bytes, rows)| squeeze(codec, bytes, rows));
        let bodies = squeezed.collect::<Result<Vec<_>, _>>()?;
        return put(column, descr, codec, encoding, bodies);
    }
    let pages = match &mut listed[source] {
        Some(pages) if pages.optional == optional => pages,
        slot => slot.insert(listed_pages(&all[source], optional)?),
    };
    put(column, descr, pages.codec, Encoding::RLE_DICTIONARY, pages.bodies.clone())
}

/// A dictionary of values that hardly come twice would only make the column longer; readers hold one in memory.
fn is_listed(rows: &Gathered) -> bool {
    let values = match &rows.places {
        Places::Each(places) => places.len(),
        Places::Stretches(_) => rows.rows,
        Places::As(_) | Places::Bits(_) | Places::Numbered(..) => return false,
    };
    rows.distinct() * 3 <= values * 2 && rows.plain.len() <= DICTIONARY_BYTES
}

fn codec(size: usize) -> Compression {
    if size < SMALL { Compression::UNCOMPRESSED } else { Compression::ZSTD(ZstdLevel::default()) }
}

fn squeeze(codec: Compression, body: Vec<u8>, rows: usize) -> Result<Body, ParquetError> {
    let size = body.len();
    let plain = codec == Compression::UNCOMPRESSED;
    Ok(Body { bytes: if plain { body.into() } else { compressed(&body)?.into() }, size, rows })
}

fn put(
    column: &Gathered,
    descr: &ColumnDescPtr,
    codec: Compression,
    encoding: Encoding,
    bodies: Vec<Body>,
) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
    let room: usize = bodies.iter().map(|b| b.bytes.len() + 64).sum();
    let listed = encoding == Encoding::RLE_DICTIONARY;
    let dictionary = if listed { column.plain.len() } else { 0 };
    let mut out = TrackedWrite::new(Vec::with_capacity(room + dictionary));
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
        let Body { bytes: buf, size, .. } = squeeze(codec, column.plain.clone(), 0)?;
        let num_values = column.distinct() as u32;
        let page =
            Page::DictionaryPage { buf, num_values, encoding: Encoding::PLAIN, is_sorted: false };
        dictionary_at = Some(put(page, size)?.offset as i64);
    }
    let mut index = OffsetIndexBuilder::new();
    let mut data_at = None;
    for Body { bytes: buf, size, rows } in bodies {
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
    encodings.extend((encoding != Encoding::PLAIN).then_some(encoding));
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

fn listed_pages(rows: &Gathered, optional: bool) -> Result<Listed, ParquetError> {
    let width = width(rows.distinct());
    let mut raw = Vec::new();
    match &rows.places {
        Places::Stretches(stretches) if rows.rows <= PAGE_ROWS => {
            let mut bytes = levels(rows, 0..rows.rows, optional);
            bytes.push(width as u8);
            stretched(stretches, width, &mut bytes);
            raw.push((bytes, rows.rows));
        }
        places => {
            let one_by_one;
            let places = match places {
                Places::Each(places) => places,
                Places::Stretches(stretches) => {
                    one_by_one = each(stretches);
                    &one_by_one
                }
                _ => &Vec::new(),
            };
            for (page, values) in page_ranges(rows, None) {
                let mut bytes = levels(rows, page.clone(), optional);
                bytes.push(width as u8);
                hybrid(&places[values], width, &mut bytes);
                raw.push((bytes, page.len()));
            }
        }
    }
    let size: usize = raw.iter().map(|(bytes, _)| bytes.len()).sum();
    let codec = codec(size + rows.plain.len());
    let bodies = raw.into_iter().map(|(bytes, rows)| squeeze(codec, bytes, rows));
    Ok(Listed { bodies: bodies.collect::<Result<_, _>>()?, codec, optional })
}

/// Pages of the values themselves.
fn plain_bodies(
    rows: &Gathered,
    column: &Gathered,
    optional: bool,
) -> (Encoding, Vec<(Vec<u8>, usize)>) {
    let one_by_one;
    let places = match &rows.places {
        Places::Numbered(word, numbers) => {
            let page = |numbers: &[u64]| {
                let mut bytes = levels(rows, 0..numbers.len(), optional);
                delta::numbered(word, numbers, &mut bytes);
                (bytes, numbers.len())
            };
            let pages = numbers.chunks(PAGE_ROWS).map(page).collect();
            return (Encoding::DELTA_BYTE_ARRAY, pages);
        }
        Places::Each(places) | Places::Bits(places) => places,
        Places::Stretches(stretches) => {
            one_by_one = each(stretches);
            &one_by_one
        }
        Places::As(_) => &Vec::new(),
    };
    let bits = matches!(rows.places, Places::Bits(_));
    let size = |at: usize| column.value(places[at]).len();
    let body = |(page, values): (Range<usize>, Range<usize>)| {
        let mut bytes = levels(rows, page.clone(), optional);
        if bits {
            pack(&places[values], 1, &mut bytes);
        } else {
            for value in &places[values] {
                bytes.extend_from_slice(column.value(*value));
            }
        }
        (bytes, page.len())
    };
    let pages = page_ranges(rows, if bits { None } else { Some(&size) });
    (Encoding::PLAIN, pages.into_iter().map(body).collect())
}

/// Definition levels of these rows: which have a value.
fn levels(rows: &Gathered, page: Range<usize>, optional: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    if optional {
        bytes.extend([0; 4]);
        match rows.present.get(page.clone()) {
            Some(present) => hybrid(present, 1, &mut bytes),
            None => run_of(page.len(), u32::from(!rows.says_nothing()), 1, &mut bytes),
        }
        let length = bytes.len() as u32 - 4;
        bytes[..4].copy_from_slice(&length.to_le_bytes());
    }
    bytes
}

/// Which rows each page takes, and which of the values; `size`: bytes that a value takes in its page, if they count.
fn page_ranges(
    rows: &Gathered,
    size: Option<&dyn Fn(usize) -> usize>,
) -> Vec<(Range<usize>, Range<usize>)> {
    let mut pages = Vec::new();
    let (mut row, mut value) = (0, 0);
    while row < rows.rows {
        let stop = rows.rows.min(row + PAGE_ROWS);
        let present = |row: usize| rows.present.get(row).is_none_or(|p| *p == 1);
        let (mut end, mut values, mut bytes) = (row, value, 0);
        if size.is_none() {
            values += (row..stop).filter(|row| present(*row)).count();
            end = stop;
        }
        while end < stop && bytes < PAGE_BYTES {
            if present(end) {
                bytes += size.map_or(0, |size| size(values));
                values += 1;
            }
            end += 1;
        }
        pages.push((row..end, value..values));
        (row, value) = (end, values);
    }
    pages
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

/// As [`hybrid`], of values that come with their number.
fn stretched(stretches: &[(u32, u32)], width: u32, out: &mut Vec<u8>) {
    let mut waiting: Vec<u32> = Vec::new();
    for (value, length) in stretches {
        let mut length = *length as usize;
        // A run begins behind whole groups only.
        let gap = length.min(waiting.len().next_multiple_of(8) - waiting.len());
        waiting.extend(std::iter::repeat_n(*value, gap));
        length -= gap;
        if length >= RUN {
            groups(&waiting, width, out);
            waiting.clear();
            run_of(length, *value, width, out);
        } else {
            waiting.extend(std::iter::repeat_n(*value, length));
        }
    }
    groups(&waiting, width, out);
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
pub(crate) fn pack<T: Copy + Into<u32>>(values: &[T], width: u32, out: &mut Vec<u8>) {
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

pub(crate) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
