//! Second pass at the holder: exactly what was chosen goes into the sealed file.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use kiban_kernel::Digest;
use sha2::{Digest as _, Sha256};

use super::{
    SealError,
    choose::Chosen,
    facts::{self, Decided, Facts, kinds_of, unsendable},
    inputs::{InputFile, input_error},
    sealing::{Gate, SealRequest, Tick},
};
use crate::{
    bundle,
    manifest::FileEntry,
    segment::{self, CutError, Piece, SegmentCount, format_name},
};

pub(super) fn write_files(
    request: &SealRequest,
    inputs: &[InputFile],
    facts: &Facts,
    decided: &[Decided],
    chosen: &Chosen,
    out: &mut impl Write,
    tick: &mut Tick<'_>,
) -> Result<Vec<FileEntry>, SealError> {
    let by_id: &HashMap<Box<str>, u32> = &facts.index;
    let mut files = Vec::new();
    for ((input, known), (segments, bytes)) in inputs.iter().zip(&facts.files).zip(&chosen.per_file)
    {
        if *segments == 0 {
            tick.file();
            continue;
        }
        let size = known.header_bytes + bytes;
        bundle::write_head(out, &input.path, size).map_err(SealError::Write)?;
        let mut body = Body {
            out: &mut *out,
            hash: Sha256::new(),
            left: size,
            segments: 0,
            count: SegmentCount::new(input.format, segment::tree_path(&input.path)),
        };
        let stream = input
            .open(&request.limits)
            .map_err(|e| input_error(e, &input.file, &request.limits))?;
        segment::cut(
            input.format,
            segment::keyed(input.insured),
            &input.path,
            stream,
            request.limits.max_segment_bytes,
            segment::Want::All,
            |piece| {
                let unit = match piece {
                    Piece::Header(lines) => return body.header(lines),
                    // What is about the file as a whole is no longer true of a part of it.
                    Piece::Remark(_) => return Ok(()),
                    Piece::Segment(unit) => unit,
                };
                tick.bytes(unit.bytes.len() as u64);
                let defective = unsendable(&unit.parsed).is_some();
                let person = unit.parsed.person.and_then(|p| by_id.get(p));
                // Default: withheld. Somebody who was not there in the first pass is not known to the gate.
                let send = match person {
                    Some(at) if !defective => decided[*at as usize].clears(kinds_of(&unit.parsed)),
                    _ => false,
                };
                if send || request.gate == Gate::Off { body.segment(unit.bytes) } else { Ok(()) }
            },
        )
        .map_err(|e| match e {
            WriteError::Cut(e) => facts::cut_error(e, input, &request.limits),
            WriteError::Io(e) => SealError::Write(e),
            WriteError::Longer => SealError::ChangedMeanwhile { file: input.file.clone() },
        })?;
        let Body { hash, left, segments: written, count, .. } = body;
        let counted = count.count();
        if left != 0 || written != *segments {
            return Err(SealError::ChangedMeanwhile { file: input.file.clone() });
        }
        bundle::pad(out, size).map_err(SealError::Write)?;
        files.push(FileEntry {
            path: input.path.clone(),
            sha256: Digest::from_bytes(hash.finalize().into()),
            size,
            segments: counted,
            format: format_name(input.format).to_owned(),
            insured: input.insured,
        });
        tick.file();
    }
    Ok(files)
}

enum WriteError {
    Cut(CutError),
    Io(io::Error),
    /// More than the first pass counted.
    Longer,
}
impl From<CutError> for WriteError {
    fn from(e: CutError) -> Self {
        Self::Cut(e)
    }
}

struct Body<'a, W> {
    out: &'a mut W,
    hash: Sha256,
    left: u64,
    segments: u64,
    /// As the reader of what is written will count.
    count: SegmentCount<'a>,
}
impl<W: Write> Body<'_, W> {
    fn header(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.count.header(bytes)?;
        self.write(bytes)
    }
    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or(WriteError::Longer)?;
        self.hash.update(bytes);
        self.out.write_all(bytes).map_err(WriteError::Io)
    }
    fn segment(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.segments += 1;
        self.count.segment(bytes)?;
        self.write(bytes)
    }
}

pub(super) fn entry(out: &mut impl Write, name: &str, body: &[u8]) -> io::Result<()> {
    bundle::write_head(out, name, body.len() as u64)?;
    out.write_all(body)?;
    bundle::pad(out, body.len() as u64)
}

pub(super) fn file_list(files: &[FileEntry]) -> Result<String, SealError> {
    let mut out = String::new();
    for file in files {
        out.push_str(&serde_json::to_string(file).map_err(|_| SealError::Record)?);
        out.push('\n');
    }
    Ok(out)
}

/// Hashes what is written through it.
pub(super) struct HashWriter<W> {
    pub(super) inner: W,
    pub(super) hash: Sha256,
}
impl<W: Write> Write for HashWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
