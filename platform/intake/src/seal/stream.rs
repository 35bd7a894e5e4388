//! Digests of what is read, on the way or beside.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    sync::atomic::{AtomicBool, Ordering},
    thread,
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

/// The digest of a whole file and its size, taken by a thread of its own while `f` works. Once `f` fails, nobody wants it.
pub(super) fn hashed_beside<T, E>(
    mut file: File,
    f: impl FnOnce() -> Result<T, E>,
) -> (Result<T, E>, io::Result<(Digest, u64)>) {
    let unwanted = AtomicBool::new(false);
    thread::scope(|scope| {
        let hashing = scope.spawn(|| {
            file.rewind()?;
            let (mut hash, mut bytes, mut block) = (sha256(), 0, vec![0; BLOCK]);
            loop {
                let n = file.read(&mut block)?;
                if n == 0 || unwanted.load(Ordering::Relaxed) {
                    return Ok((digest(hash), bytes));
                }
                hash.update(&block[..n]);
                bytes += n as u64;
            }
        });
        let done = f();
        unwanted.store(done.is_err(), Ordering::Relaxed);
        let hashed =
            hashing.join().unwrap_or_else(|_| Err(io::Error::other("a thread ended early")));
        (done, hashed)
    })
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
            let (done, hashed) = hashed_beside(file, || Ok::<_, ()>(5));
            assert_eq!((done, hashed.unwrap()), (Ok(5), (Digest::of(&bytes), length as u64)));
        }
    }
}
