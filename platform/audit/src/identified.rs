//! Named data as a type: raising is free, opening is an act on the record.

/// Data about identified persons. It cannot be printed, serialized, compared or looked into; only
/// [`Identified::open`] gives it up, against a [`Receipt`] of the audit log.
pub struct Identified<T>(T);

impl<T> Identified<T> {
    /// Raise a value.
    pub fn seal(value: T) -> Self {
        Self(value)
    }

    /// Take the value out. The receipt shows that the opening stands in the log.
    pub fn open(self, _receipt: &Receipt) -> T {
        self.0
    }

    /// Work on the value without opening it. The function must not let it out: whoever writes one
    /// answers for that in review.
    pub fn map_sealed<U>(self, f: impl FnOnce(T) -> U) -> Identified<U> {
        Identified(f(self.0))
    }
}

/// Proof that an opening of identified data was committed to the log. Only [`crate::Log::read`] and
/// [`crate::Tx::commit_reading`] mint it.
pub struct Receipt {
    index: u64,
    checkpoint: String,
}

impl Receipt {
    pub(crate) fn mint(index: u64, checkpoint: String) -> Self {
        Self { index, checkpoint }
    }

    /// The event that records the opening.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The signed checkpoint that covers it.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }
}
