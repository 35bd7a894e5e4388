//! The later passes: a checked delivery's segments, read by several threads, handed on in order.
//!
//! Enters: a delivery that was opened or checked. Leaves: its segments. Refuses: content that is not what was signed
//! ([`Incoming`] walks a delivery that was only opened), a file that changed since. One thread decrypts, another cuts and
//! hashes; others parse; whoever takes the segments sees them one after the other, in the order of the
//! delivery, whatever the number of threads. Memory: a few blocks of some hundred KiB, or of one segment.

use std::{
    io::{self, BufReader, Read},
    sync::Arc,
    thread,
};

use kiban_formats::{Format, ordered::ordered};

use super::{
    Checked, Opened, Segment,
    ahead::{Ahead, read_ahead},
    block::{Block, Outbox, Part, Reading, Room, Source, Walk, parse},
    checking::Checking,
    first_pass::broken,
};
use crate::{
    bundle::{TarError, TarReader},
    error::ReceiveError,
    manifest::FileEntry,
    place::FileRef,
    segment::{self, CutError, RawPiece, Want, format_of},
};

/// Bytes read of a file at once.
const READ_BUFFER: usize = 128 << 10;
/// A block that was read, and what was made of its parts.
struct Work<V> {
    reading: Reading,
    verdicts: Vec<Option<V>>,
}

impl Checked {
    /// Walks every segment in order. That each piece is what it was is known when it opens, that none is missing at the end:
    /// what was handed out counts only once this returns `Ok`, keep nothing before. Segments are parsed by as many threads
    /// as there are processors; `each` is called by one at a time.
    ///
    /// # Errors
    /// The file changed since it was checked, cannot be read, or `each` says so.
    pub fn segments<E: From<ReceiveError> + Send>(
        &self,
        mut each: impl FnMut(Segment<'_>) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let each = |segment: &Segment<'_>| each(*segment).map(|()| None::<()>);
        self.walk(Want::All, each, |_| Ok(())).map(|_| ())
    }
}

/// A delivery on its way in.
#[derive(Debug)]
pub enum Incoming {
    /// Its content is checked while it is read.
    Opened(Opened),
    /// It was.
    Checked(Checked),
}

impl Incoming {
    /// The delivery.
    pub fn opened(&self) -> &Opened {
        match self {
            Self::Opened(opened) => opened,
            Self::Checked(checked) => checked,
        }
    }

    /// Walks every segment in two turns: `judge` sees the segments in order, and `keep`, in order too and some at once, those
    /// that `judge` made something of, with that. While one thread keeps, another judges what comes behind. What was
    /// handed out counts only once [`Incoming::checked`] returns `Ok`: keep nothing before. May be begun anew.
    ///
    /// # Errors
    /// The content is not what was signed, the file changed since it was opened, cannot be read, or `judge` or `keep` say so.
    pub fn segments_in_turns<V: Send, E: From<ReceiveError> + Send>(
        &self,
        judge: impl FnMut(&Segment<'_>) -> Result<Option<V>, E> + Send,
        keep: impl FnMut(&[(Segment<'_>, V)]) -> Result<(), E> + Send,
    ) -> Result<Walked, E> {
        self.opened().walk(Want::All, judge, keep)
    }

    /// The delivery whose segments were all walked: all is compared with what was signed.
    ///
    /// # Errors
    /// The file changed since it was opened, or cannot be read.
    pub fn checked(self, walked: Walked) -> Result<Checked, ReceiveError> {
        match self {
            Self::Opened(opened) => opened.checked(walked),
            Self::Checked(checked) => Ok(checked),
        }
    }
}

/// Every segment of a delivery was handed out.
#[derive(Debug)]
pub struct Walked(());

impl Opened {
    /// Reads all, and compares it with what was signed. Nothing is parsed.
    ///
    /// # Errors
    /// See [`ReceiveError`]; nothing was kept.
    pub fn check(self) -> Result<Checked, ReceiveError> {
        let walked = self.walk::<(), ReceiveError>(Want::Nothing, |_| Ok(None), |_| Ok(()))?;
        self.checked(walked)
    }

    /// All was compared with what was signed on the way: waits for the digest of the sealed file.
    fn checked(mut self, _: Walked) -> Result<Checked, ReceiveError> {
        let hashing = self.hashing.take().ok_or(ReceiveError::ChangedMeanwhile)?;
        let (sealed_digest, bytes) = hashing.finish().map_err(ReceiveError::Read)?;
        if bytes != self.payload.sealed_bytes() {
            return Err(ReceiveError::ChangedMeanwhile);
        }
        Ok(Checked { opened: self, sealed_digest })
    }

    /// Does each segment itself tell of its person's birth and name, and none of another segment's? Then whoever reads a
    /// person's first segment knows what all of them say, but for contradictions.
    pub fn segments_tell_of_their_persons(&self) -> bool {
        let tells = |file: &FileEntry| {
            matches!(format_of(&file.format), Some(Format::Uke | Format::CheckupXml))
        };
        self.files.iter().all(tells)
    }

    /// Only the segments that may tell of a person's birth, death or name: for
    /// a first look at who is in the delivery. FHIR lines of other resources, SS-MIX2 messages of other data
    /// types and rows of cost files are not parsed, of claims only the rows about the person.
    ///
    /// # Errors
    /// As [`Checked::segments`].
    pub fn person_segments<E: From<ReceiveError> + Send>(
        &self,
        mut each: impl FnMut(Segment<'_>) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let each = |segment: &Segment<'_>| each(*segment).map(|()| None::<()>);
        self.walk(Want::Persons, each, |_| Ok(())).map(|_| ())
    }

    fn walk<V: Send, E: From<ReceiveError> + Send>(
        &self,
        want: Want,
        mut judge: impl FnMut(&Segment<'_>) -> Result<Option<V>, E> + Send,
        mut keep: impl FnMut(&[(Segment<'_>, V)]) -> Result<(), E> + Send,
    ) -> Result<Walked, E> {
        let room = Room::default();
        let mut count = 0;
        ordered(
            thread::available_parallelism().map_or(1, usize::from),
            |hand| self.blocks(want, &room, hand).map_err(E::from),
            |block| {
                let source = Source { block, arena: room.arena() };
                Work { reading: Reading::new(source, |s| parse(want, s)), verdicts: Vec::new() }
            },
            |work| self.judge(work, &mut count, &mut judge),
            |work| {
                self.keep(&work.reading, work.verdicts, &mut keep)?;
                let Source { block, arena } = work.reading.into_owner();
                room.back(block.bytes, arena);
                Ok(())
            },
        )?;
        Ok(Walked(()))
    }

    /// The first turn of a block: its segments are judged, and counted.
    fn judge<V, E: From<ReceiveError>>(
        &self,
        work: &mut Work<V>,
        count: &mut u64,
        judge: &mut impl FnMut(&Segment<'_>) -> Result<Option<V>, E>,
    ) -> Result<(), E> {
        let parts = &work.reading.borrow_owner().block.parts;
        work.verdicts.reserve_exact(parts.len());
        for (at, part) in parts.iter().enumerate() {
            let verdict = match part {
                Part::Counted => {
                    *count += 1;
                    None
                }
                Part::End { file } => {
                    let (number, entry) = self.numbered(*file);
                    if std::mem::take(count) != entry.segments {
                        let file = FileRef::new(number, &entry.path);
                        return Err(ReceiveError::SegmentCount { file }.into());
                    }
                    None
                }
                Part::Segment { .. } => match self.segment(&work.reading, at)? {
                    Some(segment) => {
                        *count += 1;
                        judge(&segment)?
                    }
                    None => None,
                },
            };
            work.verdicts.push(verdict);
        }
        Ok(())
    }

    /// The second turn.
    fn keep<V, E: From<ReceiveError>>(
        &self,
        reading: &Reading,
        verdicts: Vec<Option<V>>,
        keep: &mut impl FnMut(&[(Segment<'_>, V)]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut kept = Vec::with_capacity(verdicts.len());
        for (at, verdict) in verdicts.into_iter().enumerate() {
            if let Some(verdict) = verdict
                && let Some(segment) = self.segment(reading, at)?
            {
                kept.push((segment, verdict));
            }
        }
        if kept.is_empty() { Ok(()) } else { keep(&kept) }
    }

    /// The segment at a place of a block, unless it is a remark or none.
    fn segment<'b>(
        &'b self,
        reading: &'b Reading,
        at: usize,
    ) -> Result<Option<Segment<'b>>, ReceiveError> {
        let (block, parsed) = (&reading.borrow_owner().block, &reading.borrow_dependent()[at]);
        let Part::Segment { file, line, at, header, parser } = &block.parts[at] else {
            return Ok(None);
        };
        if parser.is_remark(parsed) {
            return Ok(None);
        }
        let (number, entry) = self.numbered(*file);
        let format = format_of(&entry.format).ok_or_else(|| ReceiveError::UnknownFormat {
            file: FileRef::new(number, &entry.path),
        })?;
        Ok(Some(Segment {
            file: entry,
            file_number: number,
            format,
            line: *line,
            person: parsed.person,
            bytes: &block.bytes[at.clone()],
            header,
            parsed,
        }))
    }

    fn numbered(&self, file: usize) -> (u64, &FileEntry) {
        (file as u64 + 1, &self.files[file])
    }

    /// Decrypts on a thread of its own what is wanted, cuts.
    fn blocks(
        &self,
        want: Want,
        room: &Room,
        hand: &mut dyn FnMut(Block) -> bool,
    ) -> Result<(), ReceiveError> {
        let outbox = Outbox { block: Block::default(), room, hand };
        if want == Want::Persons {
            let ranges = self.of_persons.iter().map(|(_, range)| range.clone());
            let mut parts = self.payload.parts(ranges);
            let files = self.of_persons.iter().map(|(index, _)| *index);
            return read_ahead(
                |plain| parts.append_next(plain),
                |opened| self.blocks_of(opened, files, want, outbox),
            );
        }
        let mut pieces = self.payload.pieces().map_err(ReceiveError::Read)?;
        let files = 0..self.files.len();
        read_ahead(
            |plain| pieces.append_next(plain),
            |opened| self.blocks_of(opened, files, want, outbox),
        )
    }

    /// Cuts the files, whose entries follow each other in what was opened.
    fn blocks_of(
        &self,
        opened: Ahead,
        files: impl Iterator<Item = usize>,
        want: Want,
        mut outbox: Outbox<'_>,
    ) -> Result<(), ReceiveError> {
        let mut reader = TarReader::new(opened, self.limits.max_path_bytes);
        for index in files {
            let (number, file) = self.numbered(index);
            let at = || FileRef::new(number, &file.path);
            let head = reader.next().map_err(|e| match e {
                TarError::Io(e) => self.broken(e, at),
                TarError::Truncated => self.broken(io::ErrorKind::UnexpectedEof.into(), at),
                TarError::Header | TarError::NotAFile { .. } => ReceiveError::ChangedMeanwhile,
            })?;
            if head.is_none_or(|h| h.path != file.path || h.size != file.size) {
                return Err(ReceiveError::ChangedMeanwhile);
            }
            // Of persons only parts are read: they are compared with what was signed when all is read.
            let goes_on = if self.is_unchecked() && want != Want::Persons {
                let mut checking = Checking::of(&mut reader, file);
                let cut = self.one_file(&mut checking, index, want, &mut outbox);
                // What is wrong with its text is why it could not be cut.
                checking.finish(&at(), cut)?
            } else {
                self.one_file(&mut reader, index, want, &mut outbox)?
            };
            // The end is told once the content is known to be what was signed.
            if !goes_on || outbox.put(Part::End { file: index }).is_err() {
                return Ok(());
            }
        }
        // Whether anybody wants the last block makes no difference here.
        let _ = outbox.flush();
        Ok(())
    }

    /// What it means that a file cannot be read.
    fn broken(&self, e: io::Error, at: impl FnOnce() -> FileRef) -> ReceiveError {
        if self.is_unchecked() { broken(e, || Some(at())) } else { ReceiveError::ChangedMeanwhile }
    }

    /// False: nobody wants more.
    fn one_file(
        &self,
        reader: &mut impl Read,
        index: usize,
        want: Want,
        outbox: &mut Outbox<'_>,
    ) -> Result<bool, ReceiveError> {
        let (number, file) = self.numbered(index);
        let at = || FileRef::new(number, &file.path);
        let format =
            format_of(&file.format).ok_or_else(|| ReceiveError::UnknownFormat { file: at() })?;
        let mut header: Arc<[u8]> = Arc::from(&[][..]);
        // A storage is many small files: no buffer larger than its file.
        let capacity = file.size.clamp(512, READ_BUFFER as u64) as usize;
        let mut input = BufReader::with_capacity(capacity, reader);
        let max_bytes = self.limits.max_segment_bytes;
        let keyed = segment::keyed(file.insured);
        let cut =
            segment::cut_raw(format, keyed, &file.path, &mut input, max_bytes, want, |piece| {
                match piece {
                    RawPiece::Header(lines) => {
                        header = Arc::from(lines);
                        Ok(())
                    }
                    RawPiece::Remark(_) | RawPiece::Totals(..) => Ok(()),
                    RawPiece::Segment(raw) if !raw.wanted => outbox.put(Part::Counted),
                    RawPiece::Segment(raw) => {
                        let (header, parser) = (header.clone(), raw.parser.clone());
                        outbox.segment(index, raw.line, raw.bytes, header, parser)
                    }
                }
            });
        match cut {
            Ok(()) => {}
            Err(Walk::Enough) => return Ok(false),
            Err(Walk::Cut(CutError::Io(e))) => return Err(self.broken(e, at)),
            Err(Walk::Cut(CutError::TooLong { line })) => {
                return Err(ReceiveError::SegmentTooLong { file: at(), line, max_bytes });
            }
            Err(Walk::Cut(_)) => return Err(ReceiveError::UnknownHeader { file: at() }),
        }
        Ok(true)
    }
}
