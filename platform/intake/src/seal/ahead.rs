//! Reading ahead: one thread decrypts while another works on what was read.

use std::{
    io::{self, Read},
    sync::mpsc::{Receiver, Sender, channel, sync_channel},
    thread,
};

/// Bytes from which on a block is handed on, and how many such blocks may wait.
const BLOCK: usize = 256 << 10;
const WAITING: usize = 2;

/// What a thread of its own reads. Gives the same bytes and the same error at the same place as the source.
pub(super) struct Ahead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    at: usize,
    /// Takes blocks back, to be filled again.
    used: Sender<Vec<u8>>,
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            // The thread is gone when the source has ended.
            let Ok(block) = self.blocks.recv() else { return Ok(0) };
            let used = std::mem::replace(&mut self.block, block?);
            self.at = 0;
            // A thread that has read everything fills no more.
            let _ = self.used.send(used);
        }
        let rest = &self.block[self.at..];
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

/// Calls `f` with what the source gives: each call of `more` appends some bytes, or says that there are none.
pub(super) fn read_ahead<T>(
    mut more: impl FnMut(&mut Vec<u8>) -> io::Result<bool> + Send,
    f: impl FnOnce(Ahead) -> T,
) -> T {
    thread::scope(|scope| {
        let (send, blocks) = sync_channel(WAITING);
        let (used, empty) = channel();
        scope.spawn(move || {
            loop {
                let (block, goes_on) = next_block(empty.try_recv().ok(), &mut more);
                let wanted = block.is_empty() || send.send(Ok(block)).is_ok();
                match goes_on {
                    Ok(true) if wanted => {}
                    // Nobody wants more, or there is no more.
                    Ok(_) => return,
                    Err(e) => {
                        let _ = send.send(Err(e));
                        return;
                    }
                }
            }
        });
        f(Ahead { blocks, block: Vec::new(), at: 0, used })
    })
}

/// Some bytes, and whether more may follow; in the memory of a block that was used, if there is one.
fn next_block(
    used: Option<Vec<u8>>,
    more: &mut impl FnMut(&mut Vec<u8>) -> io::Result<bool>,
) -> (Vec<u8>, io::Result<bool>) {
    // A little more than a block: what is appended may be longer before it is opened.
    let mut block = used.unwrap_or_default();
    block.clear();
    block.reserve(BLOCK + 64);
    while block.len() < BLOCK {
        let before = block.len();
        match more(&mut block) {
            Ok(true) => {}
            Ok(false) => return (block, Ok(false)),
            Err(e) => {
                block.truncate(before);
                return (block, Err(e));
            }
        }
    }
    (block, Ok(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives so many bytes, then fails or ends.
    struct Source {
        left: usize,
        fails: bool,
    }

    impl Source {
        fn more(&mut self, block: &mut Vec<u8>) -> io::Result<bool> {
            if self.left == 0 && self.fails {
                block.push(9);
                return Err(io::Error::other("broken"));
            }
            let n = self.left.min(10_007);
            block.resize(block.len() + n, 7);
            self.left -= n;
            Ok(n > 0)
        }
    }

    #[test]
    fn the_same_bytes_and_the_same_end_come_out() {
        for (left, fails) in [
            (0, false),
            (1, false),
            (BLOCK, false),
            (5 * BLOCK + 3, false),
            (0, true),
            (3 * BLOCK + 9, true),
        ] {
            let mut source = Source { left, fails };
            let (got, end) = read_ahead(
                |block| source.more(block),
                |mut ahead| {
                    let mut out = Vec::new();
                    let end = ahead.read_to_end(&mut out);
                    (out, end)
                },
            );
            assert_eq!((got.len(), end.is_err()), (left, fails));
            assert!(got.iter().all(|b| *b == 7));
        }
    }

    #[test]
    fn who_reads_no_further_does_not_wait_for_the_rest() {
        let mut source = Source { left: usize::MAX, fails: false };
        let first = read_ahead(
            |block| source.more(block),
            |mut ahead| {
                let mut one = [0];
                ahead.read_exact(&mut one).map(|()| one[0])
            },
        );
        assert_eq!(first.unwrap(), 7);
    }
}
