//! Chance as a parameter, so that a test can be repeated. Keys never come from a seeded source:
//! the key ring asks for [`OsEntropy`] by type.

/// The source of random bytes failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's source of random numbers failed")]
pub struct EntropyError;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fill `bytes`.
    ///
    /// # Errors
    /// The source failed.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}
