//! One column chunk of a Parquet file, written from what was gathered: a dictionary page and data pages of the format's second
//! version, in the encodings every reader knows (plain, dictionary, run lengths with bit packing, prefixes of text).
//! Dictionaries and plain values are compressed; places in a dictionary are packed into as few bits as they need, and
//! compressing those costs more than it saves.
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
        statistics::Statistics,
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};
use zstd::bulk::Compressor;

use crate::{
    bits::{hybrid, levels, pack, run_of, stretched, width},
    delta,
    gather::{Gathered, Places, count, each},
};

/// Rows, bytes of plain text of a page at most.
const PAGE_ROWS: usize = 20_000;
const PAGE_BYTES: usize = 1 << 20;
/// Bytes of a dictionary at most.
const DICTIONARY_BYTES: usize = 1 << 20;
/// Chunks smaller than this are not compressed: little is to be won.
const SMALL: usize = 256;
/// Level of zstd: one of the fast ones. Pages are small, and what comes back in them is in their dictionaries already.
const LEVEL: i32 = -5;

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

/// A data page: levels and values as they are written, its size before it was compressed, its rows.
#[derive(Clone)]
struct Body {
    bytes: Bytes,
    levels: usize,
    size: usize,
    rows: usize,
    nulls: usize,
    compressed: bool,
}

/// Data pages that say which values of a dictionary the rows have. Columns that were read from one text share them.
pub(crate) struct Listed {
    bodies: Vec<Body>,
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
        // What is left of ids is chance, and chance cannot be compressed.
        let of_ids = all[source].unlike && encoding == Encoding::DELTA_BYTE_ARRAY;
        let codec = codec(if of_ids { 0 } else { bodies.iter().map(|body| body.size).sum() });
        let squeezed = bodies.into_iter().map(|body| squeezed(codec, body));
        return put(column, descr, codec, encoding, squeezed.collect::<Result<_, _>>()?);
    }
    let pages = match &mut listed[source] {
        Some(pages) if pages.optional == optional => pages,
        slot => slot.insert(listed_pages(&all[source], optional)),
    };
    let codec = codec(column.plain.len());
    put(column, descr, codec, Encoding::RLE_DICTIONARY, pages.bodies.clone())
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

/// The page with its values compressed; levels stay as they are.
fn squeezed(codec: Compression, body: Body) -> Result<Body, ParquetError> {
    if codec == Compression::UNCOMPRESSED {
        return Ok(body);
    }
    let (levels, values) = body.bytes.split_at(body.levels);
    let bytes = [levels, &compressed(values)?].concat().into();
    Ok(Body { bytes, compressed: true, ..body })
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
        let buf = match codec {
            Compression::UNCOMPRESSED => column.plain.clone().into(),
            _ => compressed(&column.plain)?.into(),
        };
        let num_values = column.distinct() as u32;
        let page =
            Page::DictionaryPage { buf, num_values, encoding: Encoding::PLAIN, is_sorted: false };
        dictionary_at = Some(put(page, dictionary)?.offset as i64);
    }
    let mut index = OffsetIndexBuilder::new();
    let mut data_at = None;
    let nulls: usize = bodies.iter().map(|body| body.nulls).sum();
    for body in bodies {
        let page = Page::DataPageV2 {
            buf: body.bytes,
            num_values: body.rows as u32,
            encoding,
            num_nulls: body.nulls as u32,
            num_rows: body.rows as u32,
            def_levels_byte_len: body.levels as u32,
            rep_levels_byte_len: 0,
            is_compressed: body.compressed,
            statistics: None,
        };
        let spec = put(page, body.size)?;
        index.append_row_count(body.rows as i64);
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
        metadata = metadata.set_statistics(with_nulls(statistics, nulls as u64));
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

/// Bounds with the number of rows without a value. An engine that is not told it takes it for none, and a column of one value for
/// that value in every row.
fn with_nulls(bounds: &Statistics, nulls: u64) -> Statistics {
    let nulls = Some(nulls);
    match bounds {
        Statistics::Int32(b) => {
            Statistics::int32(b.min_opt().copied(), b.max_opt().copied(), None, nulls, false)
        }
        Statistics::Int64(b) => {
            Statistics::int64(b.min_opt().copied(), b.max_opt().copied(), None, nulls, false)
        }
        Statistics::Double(b) => {
            Statistics::double(b.min_opt().copied(), b.max_opt().copied(), None, nulls, false)
        }
        Statistics::ByteArray(b) => {
            Statistics::byte_array(b.min_opt().cloned(), b.max_opt().cloned(), None, nulls, false)
        }
        other => other.clone(),
    }
}

fn listed_pages(rows: &Gathered, optional: bool) -> Listed {
    let width = width(rows.distinct());
    let page = |page: Range<usize>, write: &dyn Fn(&mut Vec<u8>)| {
        body(rows, page, optional, |bytes| {
            bytes.push(width as u8);
            write(bytes);
        })
    };
    let one_by_one;
    let places = match &rows.places {
        Places::Stretches(stretches) if rows.rows <= PAGE_ROWS => {
            let body = page(0..rows.rows, &|bytes| stretched(stretches, width, bytes));
            return Listed { bodies: vec![body], optional };
        }
        Places::Stretches(stretches) => {
            one_by_one = each(stretches);
            &one_by_one[..]
        }
        Places::Each(places) => places,
        Places::As(_) | Places::Bits(_) | Places::Numbered(..) => &[],
    };
    let ranges = page_ranges(rows, None).into_iter();
    let bodies = ranges
        .map(|(of, values)| page(of, &|bytes| hybrid(&places[values.clone()], width, bytes)))
        .collect();
    Listed { bodies, optional }
}

/// Pages of the values themselves.
fn plain_bodies(rows: &Gathered, column: &Gathered, optional: bool) -> (Encoding, Vec<Body>) {
    let one_by_one;
    let places = match &rows.places {
        Places::Numbered(word, numbers) => {
            let page = |numbers: &[u64]| {
                body(rows, 0..numbers.len(), optional, |bytes| {
                    delta::numbered(word, numbers, bytes);
                })
            };
            return (Encoding::DELTA_BYTE_ARRAY, numbers.chunks(PAGE_ROWS).map(page).collect());
        }
        Places::Each(places) | Places::Bits(places) => &places[..],
        Places::Stretches(stretches) => {
            one_by_one = each(stretches);
            &one_by_one
        }
        Places::As(_) => &[],
    };
    let bits = matches!(rows.places, Places::Bits(_));
    let size = |at: usize| column.value(places[at]).len();
    let of_ids = rows.unlike && places.iter().all(|at| column.value(*at).len() <= delta::LONGEST);
    let page = |(page, values): (Range<usize>, Range<usize>)| {
        body(rows, page, optional, |bytes| {
            if bits {
                pack(&places[values], 1, bytes);
            } else if of_ids {
                // Each text has the four bytes of its length before it.
                delta::texts(places[values].iter().map(|at| &column.value(*at)[4..]), bytes);
            } else {
                for value in &places[values] {
                    bytes.extend_from_slice(column.value(*value));
                }
            }
        })
    };
    let pages = page_ranges(rows, if bits { None } else { Some(&size) });
    let encoding = if of_ids { Encoding::DELTA_BYTE_ARRAY } else { Encoding::PLAIN };
    (encoding, pages.into_iter().map(page).collect())
}

/// A page of these rows: which have a value, and what `write` writes of the values.
fn body(
    rows: &Gathered,
    page: Range<usize>,
    optional: bool,
    write: impl FnOnce(&mut Vec<u8>),
) -> Body {
    // Most pages are shorter than a byte or two a row, and grow no more than once.
    let mut bytes = Vec::with_capacity(page.len() * 3 / 2 + 64);
    let present = rows.present.get(page.clone()).filter(|present| !present.is_empty());
    let filled = match present {
        Some(present) => count(present),
        None if rows.says_nothing() => 0,
        None => page.len(),
    };
    if optional {
        match present {
            Some(present) => levels(present, &mut bytes),
            None => run_of(page.len(), u32::from(filled > 0), 1, &mut bytes),
        }
    }
    let levels = bytes.len();
    write(&mut bytes);
    let (size, nulls) = (bytes.len(), page.len() - filled);
    Body { bytes: bytes.into(), levels, size, rows: page.len(), nulls, compressed: false }
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
        if size.is_none() || rows.says_nothing() {
            let all = if rows.says_nothing() { 0 } else { stop - row };
            values += rows.present.get(row..stop).map_or(all, count);
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
