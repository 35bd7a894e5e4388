//! The first pass: digests, paths, limits, texts; nothing is kept but what the comparison needs.

use std::{
    collections::{BTreeMap, HashSet},
    io::{self, BufReader, Cursor, Read},
    ops::Range,
};

use kiban_formats::Format;
use kiban_kernel::Digest;

use crate::{
    bundle::{Head, TarError, TarReader},
    error::ReceiveError,
    limits::Limits,
    manifest::{FileEntry, looks_like_archive, path_allowed},
    place::FileRef,
    segment::{self, CutError, RawPiece, Want, format_of},
    text_check::TextCheck,
};

use super::stream::{HashReader, Running, digest, sha256};

/// Bytes read at once.
const READ_BUFFER: usize = 128 << 10;

pub(super) struct Found {
    pub(super) path: String,
    pub(super) sha256: Digest,
    pub(super) size: u64,
    pub(super) format: Format,
    pub(super) segments: u64,
    /// May any of its segments tell of a person's birth, death or name?
    pub(super) of_persons: bool,
    /// Where its entry stands.
    pub(super) entry: Range<u64>,
}

pub(super) struct FirstPass<'a> {
    pub(super) limits: &'a Limits,
    pub(super) at: Option<FileRef>,
    pub(super) found: Vec<Found>,
    pub(super) names: HashSet<Digest>,
    pub(super) total: u64,
    /// Reused over files: a storage is many small ones.
    buffer: Vec<u8>,
}

impl<'a> FirstPass<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            at: None,
            found: Vec::new(),
            names: HashSet::new(),
            total: 0,
            buffer: vec![0; READ_BUFFER],
        }
    }
}

impl FirstPass<'_> {
    /// The reference of the entry being read.
    pub(super) fn here(&self, path: &str) -> FileRef {
        FileRef::new(self.found.len() as u64 + 1, path)
    }

    pub(super) fn next<R: Read>(
        &mut self,
        reader: &mut TarReader<R>,
    ) -> Result<Option<Head>, ReceiveError> {
        let next = reader.next().map_err(|e| self.tar_error(e))?;
        if let Some(head) = &next {
            self.at = Some(self.here(&head.path));
        }
        Ok(next)
    }

    fn tar_error(&self, e: TarError) -> ReceiveError {
        match e {
            TarError::Io(e) => self.io_error(e),
            TarError::Truncated => ReceiveError::Truncated { file: self.at.clone() },
            TarError::NotAFile { hint } => ReceiveError::NotAFile { file: self.here(&hint) },
            TarError::Header => ReceiveError::BadPath { file: self.here("") },
        }
    }

    fn io_error(&self, e: io::Error) -> ReceiveError {
        match e.kind() {
            io::ErrorKind::UnexpectedEof => ReceiveError::Truncated { file: self.at.clone() },
            io::ErrorKind::InvalidData => ReceiveError::Altered { file: self.at.clone() },
            _ => ReceiveError::Read(e),
        }
    }

    pub(super) fn whole<R: Read>(
        &mut self,
        reader: &mut TarReader<R>,
        head: &Head,
        max: u64,
    ) -> Result<Vec<u8>, ReceiveError> {
        if head.size > max {
            return Err(ReceiveError::FileTooLarge { file: self.here(&head.path), max_bytes: max });
        }
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|e| self.io_error(e))?;
        Ok(bytes)
    }

    pub(super) fn data<R: Read>(
        &mut self,
        reader: &mut TarReader<R>,
        head: &Head,
    ) -> Result<(), ReceiveError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let done = self.one_file(reader, head, &mut buffer);
        self.buffer = buffer;
        done
    }

    fn one_file<R: Read>(
        &mut self,
        reader: &mut TarReader<R>,
        head: &Head,
        buffer: &mut [u8],
    ) -> Result<(), ReceiveError> {
        let file = self.here(&head.path);
        let limits = self.limits;
        if !path_allowed(&head.path, limits.max_path_bytes) {
            return Err(ReceiveError::BadPath { file });
        }
        if !self.names.insert(Digest::of(head.path.as_bytes())) {
            return Err(ReceiveError::DuplicateFile { file });
        }
        if self.found.len() as u64 >= limits.max_files {
            return Err(ReceiveError::TooManyFiles { max_files: limits.max_files });
        }
        if head.size > limits.max_file_bytes {
            return Err(ReceiveError::FileTooLarge { file, max_bytes: limits.max_file_bytes });
        }
        self.total = self.total.saturating_add(head.size);
        if self.total > limits.max_total_bytes {
            return Err(ReceiveError::TotalTooLarge { max_bytes: limits.max_total_bytes });
        }
        let mut filled = 0;
        while filled < buffer.len() {
            match reader.read(&mut buffer[filled..]).map_err(|e| self.io_error(e))? {
                0 => break,
                n => filled += n,
            }
        }
        let first = &buffer[..filled];
        if looks_like_archive(&head.path, first) {
            return Err(ReceiveError::ArchiveInside { file });
        }
        let format =
            kiban_formats::detect(segment::tree_path(&head.path), &first[..filled.min(65536)])
                .filter(|format| segment::taken(*format))
                .ok_or_else(|| ReceiveError::UnknownFormat { file: file.clone() })?;
        let (sha256, segments, of_persons) =
            if segment::is_whole(format) || format == Format::FhirNdjson {
                self.checked_text(reader, &file, format, &head.path, buffer, filled)?
            } else {
                self.counted(reader, &file, format, &head.path, first)?
            };
        let from = self.found.last().map_or(0, |f| f.entry.end);
        self.found.push(Found {
            path: head.path.clone(),
            sha256,
            size: head.size,
            format,
            segments,
            of_persons,
            entry: from..reader.entry_end(),
        });
        Ok(())
    }

    /// Digest and segments of FHIR lines, or of a file that is one segment, and whether any may tell of a person.
    fn checked_text<R: Read>(
        &self,
        reader: &mut TarReader<R>,
        file: &FileRef,
        format: Format,
        path: &str,
        buffer: &mut [u8],
        mut filled: usize,
    ) -> Result<(Digest, u64, bool), ReceiveError> {
        let limits = self.limits;
        let mut check = TextCheck::new(format, limits.max_segment_bytes);
        let mut hash = sha256();
        let wanted = |part: &[u8]| Want::Persons.in_part(format, segment::tree_path(path), part);
        let mut of_persons = wanted(&buffer[..filled]);
        // The end of the part before, and the beginning of this one.
        let mut border = Vec::with_capacity(2 * Want::OVERLAP);
        loop {
            let part = &buffer[..filled];
            hash.update(part);
            check.feed(part).map_err(|e| e.at(file, limits))?;
            if check.segments() > limits.max_segments {
                return Err(ReceiveError::TooManySegments { max_segments: limits.max_segments });
            }
            if !of_persons {
                border.extend_from_slice(&part[..filled.min(Want::OVERLAP)]);
                of_persons = wanted(&border) || wanted(part);
                border.clear();
                border.extend_from_slice(&part[filled.saturating_sub(Want::OVERLAP)..]);
            }
            match reader.read(buffer) {
                Ok(0) => break,
                Ok(n) => filled = n,
                Err(e) => return Err(self.io_error(e)),
            }
        }
        let segments = check.finish().map_err(|e| e.at(file, limits))?;
        Ok((digest(hash), segments, of_persons))
    }

    /// Digest and segments of a file that is to be cut, and whether any may tell of a person; `first` was read of it already.
    fn counted<R: Read>(
        &self,
        reader: &mut TarReader<R>,
        file: &FileRef,
        format: Format,
        path: &str,
        first: &[u8],
    ) -> Result<(Digest, u64, bool), ReceiveError> {
        let limits = self.limits;
        let hash = Running::default();
        let inner = Cursor::new(first).chain(reader);
        let mut input =
            BufReader::with_capacity(READ_BUFFER, HashReader { inner, hash: hash.clone() });
        let max = limits.max_segment_bytes;
        let (mut segments, mut of_persons) = (0, false);
        let (keyed, want) = (segment::keyed(false), Want::Persons);
        let cut = segment::cut_raw(format, keyed, path, &mut input, max, want, |piece| {
            if let RawPiece::Segment(raw) = piece {
                segments += 1;
                of_persons |= raw.wanted;
            }
            if segments > limits.max_segments { Err(Stop::TooMany) } else { Ok(()) }
        });
        match cut {
            Ok(()) => {}
            Err(Stop::TooMany) => {
                return Err(ReceiveError::TooManySegments { max_segments: limits.max_segments });
            }
            Err(Stop::Cut(CutError::Io(e))) => return Err(self.io_error(e)),
            Err(Stop::Cut(CutError::TooLong { line })) => {
                return Err(ReceiveError::SegmentTooLong {
                    file: file.clone(),
                    line,
                    max_bytes: max,
                });
            }
            Err(Stop::Cut(_)) => return Err(ReceiveError::UnknownHeader { file: file.clone() }),
        }
        drop(input);
        Ok((hash.digest(), segments, of_persons))
    }

    /// Everything found was signed, everything signed was found, with the same bytes.
    pub(super) fn compare(&self, signed: &[FileEntry]) -> Result<(), ReceiveError> {
        let by_path: BTreeMap<&str, &FileEntry> =
            signed.iter().map(|f| (f.path.as_str(), f)).collect();
        let found: HashSet<&str> = self.found.iter().map(|f| f.path.as_str()).collect();
        for (number, f) in (1_u64..).zip(&self.found) {
            let file = || FileRef::new(number, &f.path);
            let entry = by_path
                .get(f.path.as_str())
                .ok_or_else(|| ReceiveError::ForeignFile { file: file() })?;
            if entry.sha256 != f.sha256 || entry.size != f.size {
                return Err(ReceiveError::HashMismatch { file: file() });
            }
            if format_of(&entry.format) != Some(f.format) {
                return Err(ReceiveError::OtherFormat { file: file() });
            }
            if entry.segments != f.segments {
                return Err(ReceiveError::SegmentCount { file: file() });
            }
        }
        for (number, entry) in (1_u64..).zip(signed) {
            let file = || FileRef::new(number, &entry.path);
            if !found.contains(entry.path.as_str()) {
                return Err(ReceiveError::MissingFile { file: file() });
            }
        }
        let same_order = self.found.iter().zip(signed).all(|(f, s)| f.path == s.path);
        if !same_order || self.found.len() != signed.len() {
            return Err(ReceiveError::BadManifest);
        }
        Ok(())
    }
}

enum Stop {
    Cut(CutError),
    TooMany,
}
impl From<CutError> for Stop {
    fn from(e: CutError) -> Self {
        Self::Cut(e)
    }
}
