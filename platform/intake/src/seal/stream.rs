//! Digests of what is read, on the way or beside.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    sync::Arc,
    thread::{self, JoinHandle},
};

use aws_lc_rs::digest::{Context, SHA256};
use kiban_kernel::Digest;

/// A SHA-256 of nothing yet.
pub(super) fn sha256() -> Context {
    Context::new(&SHA256)
}

/// What a SHA-256 came to.
pub(super) fn digest(hash: Context) -> Digest {
    let mut digest = [0; 32];
    digest.copy_from_slice(hash.finish().as_ref());
    Digest::from_bytes(digest)
}

/// Bytes hashed at once.
const BLOCK: usize = 256 << 10;

/// The digest of a whole file and its size, taken by a thread of its own. Dropped, nobody wants it any more.
pub(super) struct Hashing {
    thread: JoinHandle<io::Result<(Digest, u64)>>,
    wanted: Arc<()>,
}

impl Hashing {
    /// Begins.
    pub(super) fn of(mut file: File) -> io::Result<Self> {
        let wanted = Arc::new(());
        let still_wanted = Arc::downgrade(&wanted);
        let hash = move || {
            file.rewind()?;
            let (mut hash, mut bytes, mut block) = (sha256(), 0, vec![0; BLOCK]);
            loop {
                let n = file.read(&mut block)?;
                if n == 0 || still_wanted.strong_count() == 0 {
                    return Ok((digest(hash), bytes));
                }
                hash.update(&block[..n]);
                bytes += n as u64;
            }
        };
        let thread = thread::Builder::new().name("hashing".to_owned()).spawn(hash)?;
        Ok(Self { thread, wanted })
    }

    /// Waits for it.
    pub(super) fn finish(self) -> io::Result<(Digest, u64)> {
        let Self { thread, wanted } = self;
        let done = thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread ended early")));
        drop(wanted);
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Write as _;

    #[test]
    fn the_digest_is_of_all_bytes() {
        for length in [0, 1, BLOCK, 2 * BLOCK + 7] {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7 % 251) as u8).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            let found = Hashing::of(file).unwrap().finish().unwrap();
            assert_eq!(found, (Digest::of(&bytes), length as u64));
        }
    }
}
