//! Blocks of segments on their way through the threads that parse them.
//!
//! Enters: segments as they are cut. Leaves: blocks, and what their segments say, together with what that borrows from.
//! Refuses: nothing. The memory of blocks that are done with serves those to come.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kiban_formats::{Arena, Parsed};
use self_cell::self_cell;

use crate::segment::{CutError, SegmentParser, Want};

/// Bytes, parts after which a block is handed on.
const BLOCK_BYTES: usize = 128 << 10;
const BLOCK_PARTS: usize = 256;

/// Some segments in the order of the delivery, not yet parsed.
#[derive(Default)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) parts: Vec<Part>,
}

pub(super) enum Part {
    Segment {
        file: usize,
        line: u64,
        at: Range<usize>,
        header: Arc<[u8]>,
        parser: SegmentParser,
    },
    /// One that is only counted.
    Counted,
    /// The file ended.
    End {
        file: usize,
    },
}

/// Why the producer of blocks ended.
pub(super) enum Walk {
    Cut(CutError),
    /// Nobody wants more.
    Enough,
}

impl From<CutError> for Walk {
    fn from(e: CutError) -> Self {
        Self::Cut(e)
    }
}

/// Memory of blocks that are done with, for those to come: the system takes its time over every new page.
#[derive(Default)]
pub(super) struct Room(Mutex<(Vec<Vec<u8>>, Vec<Arena>)>);

impl Room {
    pub(super) fn arena(&self) -> Arena {
        self.lock().1.pop().unwrap_or_default()
    }
    fn bytes(&self) -> Vec<u8> {
        self.lock().0.pop().unwrap_or_default()
    }
    /// What one large segment needed is given back.
    pub(super) fn back(&self, mut bytes: Vec<u8>, mut arena: Arena) {
        let mut room = self.lock();
        if bytes.capacity() <= 4 * BLOCK_BYTES {
            bytes.clear();
            room.0.push(bytes);
        }
        if arena.bytes() <= 64 * BLOCK_BYTES {
            arena.reset();
            room.1.push(arena);
        }
    }
    fn lock(&self) -> MutexGuard<'_, (Vec<Vec<u8>>, Vec<Arena>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where blocks go.
pub(super) struct Outbox<'h> {
    pub(super) block: Block,
    pub(super) room: &'h Room,
    pub(super) hand: &'h mut dyn FnMut(Block) -> bool,
}

impl Outbox<'_> {
    pub(super) fn put(&mut self, part: Part) -> Result<(), Walk> {
        self.block.parts.push(part);
        if self.block.bytes.len() < BLOCK_BYTES && self.block.parts.len() < BLOCK_PARTS {
            return Ok(());
        }
        self.flush()
    }
    pub(super) fn flush(&mut self) -> Result<(), Walk> {
        let next = Block { bytes: self.room.bytes(), parts: Vec::new() };
        let block = std::mem::replace(&mut self.block, next);
        if block.parts.is_empty() || (self.hand)(block) { Ok(()) } else { Err(Walk::Enough) }
    }
    pub(super) fn segment(
        &mut self,
        file: usize,
        line: u64,
        bytes: &[u8],
        header: Arc<[u8]>,
        parser: SegmentParser,
    ) -> Result<(), Walk> {
        let from = self.block.bytes.len();
        self.block.bytes.extend_from_slice(bytes);
        let at = from..self.block.bytes.len();
        self.put(Part::Segment { file, line, at, header, parser })
    }
}

/// A block and the texts made while it was read.
pub(super) struct Source {
    pub(super) block: Block,
    pub(super) arena: Arena,
}

pub(super) type ParsedParts<'a> = Vec<Parsed<'a>>;

self_cell!(
    /// A block that was read: what its parts say borrows from it.
    pub(super) struct Reading {
        owner: Source,
        #[covariant]
        dependent: ParsedParts,
    }
);

/// What the segments of a block say.
pub(super) fn parse(want: Want, source: &Source) -> ParsedParts<'_> {
    let Source { block, arena } = source;
    let of = |part: &Part| match part {
        Part::Segment { at, line, parser, .. } => {
            parser.parse(want, &block.bytes[at.clone()], *line, arena)
        }
        Part::Counted | Part::End { .. } => Parsed::default(),
    };
    block.parts.iter().map(of).collect()
}
