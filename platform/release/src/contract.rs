//! The contract: bound to the digest of the specification; a changed specification needs a new one.

use kiban_govern::Actor;
use kiban_kernel::{Date, Digest, Id, Timestamp, kinds};

use crate::error::{StepRefused, Why};

/// What is agreed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// For which application.
    pub application: Id<kinds::Application>,
    /// The user.
    pub recipient: Id<kinds::Organization>,
    /// Digest of the processing specification: items and rules agreed.
    pub specification: Digest,
    /// First day in force.
    pub from: Date,
    /// First day no longer in force.
    pub until: Date,
    /// The text agreed (Japanese).
    pub text: String,
}

impl Terms {
    /// The digest both sides sign.
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// What happened to a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Drawn up.
    Draw,
    /// The user signed.
    Accept {
        /// Digest of the terms signed.
        terms: Digest,
    },
    /// The producer signed.
    Sign {
        /// Digest of the terms signed.
        terms: Digest,
    },
    /// Ended before its time.
    End,
}

/// Where a contract stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Drawn up.
    Drawn,
    /// The user signed.
    AcceptedByUser {
        /// Who.
        by: Id<kinds::Account>,
        /// When.
        at: Timestamp,
    },
    /// Both signed.
    Signed {
        /// For the user.
        user: Id<kinds::Account>,
        /// For the producer.
        producer: Id<kinds::Account>,
        /// When the second signed.
        at: Timestamp,
    },
    /// Ended before its time.
    Ended {
        /// By whom.
        by: Id<kinds::Account>,
        /// When.
        at: Timestamp,
    },
}

impl State {
    /// Name.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Drawn => "drawn",
            Self::AcceptedByUser { .. } => "accepted_by_user",
            Self::Signed { .. } => "signed",
            Self::Ended { .. } => "ended",
        }
    }

    /// The state after a step.
    ///
    /// # Errors
    /// There is no such step from `from`.
    pub fn after(
        from: Option<&Self>,
        step: &Step,
        who: &Actor,
        at: Timestamp,
    ) -> Result<Self, StepRefused> {
        let by = who.account;
        match (from, step) {
            (None, Step::Draw) => Ok(Self::Drawn),
            (Some(Self::Drawn), Step::Accept { .. }) => Ok(Self::AcceptedByUser { by, at }),
            (Some(Self::AcceptedByUser { by: user, .. }), Step::Sign { .. }) => {
                Ok(Self::Signed { user: *user, producer: by, at })
            }
            (Some(Self::Drawn | Self::AcceptedByUser { .. } | Self::Signed { .. }), Step::End) => {
                Ok(Self::Ended { by, at })
            }
            (_, step) => Err(StepRefused::new(
                from.map_or("nothing", Self::as_str),
                match step {
                    Step::Draw => "drawn",
                    Step::Accept { .. } => "accepted_by_user",
                    Step::Sign { .. } => "signed",
                    Step::End => "ended",
                },
                who,
                Why::NoSuchStep,
            )),
        }
    }
}

/// A contract as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its id.
    pub id: Id<kinds::Contract>,
    /// What is agreed.
    pub terms: Terms,
    /// Where it stands.
    pub state: State,
    /// Did both sign these very terms?
    pub bound: bool,
    /// Number of steps taken.
    pub steps: i64,
}

impl Contract {
    /// In force on a day: signed by both, its terms unchanged since, within its period.
    pub fn in_force(&self, on: Date) -> bool {
        matches!(self.state, State::Signed { .. })
            && self.bound
            && self.terms.from <= on
            && on < self.terms.until
    }
}
