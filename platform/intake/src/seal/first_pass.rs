//! The first pass: paths, sizes, formats, limits; of each file only the beginning is read, nothing is kept but what the
//! comparison needs.

use std::{
    collections::{BTreeMap, HashSet},
    io::{self, Read},
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
    segment::{self, Want, format_of},
};

use super::jump::Jump;

/// Bytes by which the format of a file is told.
const BEGINNING: usize = 64 << 10;

pub(super) struct Found {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) format: Format,
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
            buffer: vec![0; BEGINNING],
        }
    }
}

impl FirstPass<'_> {
    /// The reference of the entry being read.
    pub(super) fn here(&self, path: &str) -> FileRef {
        FileRef::new(self.found.len() as u64 + 1, path)
    }

    pub(super) fn next(
        &mut self,
        reader: &mut TarReader<Jump<'_>>,
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
        broken(e, || self.at.clone())
    }

    pub(super) fn whole(
        &mut self,
        reader: &mut TarReader<Jump<'_>>,
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

    pub(super) fn data(
        &mut self,
        reader: &mut TarReader<Jump<'_>>,
        head: &Head,
    ) -> Result<(), ReceiveError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let done = self.one_file(reader, head, &mut buffer);
        self.buffer = buffer;
        done
    }

    fn one_file(
        &mut self,
        reader: &mut TarReader<Jump<'_>>,
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
        let format = kiban_formats::detect(segment::tree_path(&head.path), first)
            .filter(|format| segment::taken(*format))
            .ok_or_else(|| ReceiveError::UnknownFormat { file: file.clone() })?;
        let of_persons = Want::Persons.in_file(format, segment::tree_path(&head.path), first);
        let from = self.found.last().map_or(0, |f| f.entry.end);
        self.found.push(Found {
            path: head.path.clone(),
            size: head.size,
            format,
            of_persons,
            entry: from..reader.entry_end(),
        });
        reader.pass(Jump::pass).map_err(|e| self.tar_error(e))
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
            if entry.size != f.size {
                return Err(ReceiveError::HashMismatch { file: file() });
            }
            if format_of(&entry.format) != Some(f.format) {
                return Err(ReceiveError::OtherFormat { file: file() });
            }
            if entry.segments > self.limits.max_segments {
                let max_segments = self.limits.max_segments;
                return Err(ReceiveError::TooManySegments { max_segments });
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

/// What it means that reading failed at a file.
pub(super) fn broken(e: io::Error, at: impl FnOnce() -> Option<FileRef>) -> ReceiveError {
    match e.kind() {
        io::ErrorKind::UnexpectedEof => ReceiveError::Truncated { file: at() },
        io::ErrorKind::InvalidData => ReceiveError::Altered { file: at() },
        _ => ReceiveError::Read(e),
    }
}
