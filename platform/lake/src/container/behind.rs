//! A file written behind: what is appended goes to a thread that hashes and writes it.

use std::{
    io::{self, Write as _},
    sync::mpsc::{Receiver, SyncSender, channel, sync_channel},
    thread::{self, JoinHandle},
};

use aws_lc_rs::aead::Tag;

use crate::{LakeError, durable::NewFile, lake::Counted};

/// Bytes from which on a block is handed to the thread, and how many such blocks may wait.
const BLOCK: usize = 256 << 10;
const WAITING: usize = 2;

/// What the thread writes.
type Out = Counted<NewFile>;

/// A file being written. Dropped before [`Behind::finish`], it leaves nothing.
pub(super) struct Behind {
    block: Vec<u8>,
    bytes: u64,
    blocks: Option<SyncSender<Vec<u8>>>,
    /// Blocks that were written, to be filled again.
    written: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<Out>>>,
}

impl Behind {
    /// Begins with `head`.
    pub(super) fn new(mut out: Out, head: Vec<u8>) -> Self {
        let (blocks, received) = sync_channel::<Vec<u8>>(WAITING);
        let (empty, written) = channel();
        let thread = thread::spawn(move || {
            for mut block in received {
                out.write_all(&block)?;
                block.clear();
                // Whoever appends no more needs none.
                let _ = empty.send(block);
            }
            Ok(out)
        });
        let bytes = head.len() as u64;
        Self { block: head, bytes, blocks: Some(blocks), written, thread: Some(thread) }
    }

    /// Bytes appended so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends bytes as `seal` seals them in place, and their tag.
    pub(super) fn append(
        &mut self,
        plain: [&[u8]; 2],
        seal: impl FnOnce(&mut [u8]) -> Result<Tag, LakeError>,
    ) -> Result<(), LakeError> {
        let from = self.block.len();
        for part in plain {
            self.block.extend_from_slice(part);
        }
        let tag = seal(&mut self.block[from..])?;
        self.block.extend_from_slice(tag.as_ref());
        self.bytes += (self.block.len() - from) as u64;
        if self.block.len() >= BLOCK {
            self.hand_on().map_err(LakeError::io("write a container"))?;
        }
        Ok(())
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let next = self.written.try_recv();
        let next = next.unwrap_or_else(|_| Vec::with_capacity(BLOCK + BLOCK / 4));
        let block = std::mem::replace(&mut self.block, next);
        match &self.blocks {
            Some(blocks) if blocks.send(block).is_ok() => Ok(()),
            // It ended early: with an error.
            _ => self.ended().map(|_| ()),
        }
    }

    /// Waits for the thread.
    fn ended(&mut self) -> io::Result<Out> {
        self.blocks = None;
        let gone = || io::Error::other("the writer ended early");
        let thread = self.thread.take().ok_or_else(gone)?;
        thread.join().map_err(|_| gone())?
    }

    /// The file, once everything was written.
    pub(super) fn finish(mut self) -> io::Result<Out> {
        self.hand_on()?;
        self.ended()
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        // The thread's file removes itself; nothing of it stays once this returns.
        let _ = self.ended();
    }
}
