//! Minutes of a committee session: facts enough to judge the session again at any later time.

use std::collections::{BTreeMap, BTreeSet};

use kiban_govern::committee::{
    Ballot, Bodies, CompositionError, Interests, Member, Opinion, Session, VoteError, session,
};
use kiban_kernel::{Date, Digest, Id, Rules, kinds};

/// What is written down of a session on one application.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minutes {
    /// Digest of the content deliberated.
    pub content: Digest,
    /// Version of the roster.
    pub roster: i64,
    /// The day.
    pub held_on: Date,
    /// The producer, against which ④ is judged.
    pub producer: Id<kinds::Organization>,
    /// Its trustees on that day.
    pub trustees: BTreeSet<Id<kinds::Organization>>,
    /// Who attended.
    pub attendance: Vec<Id<kinds::Account>>,
    /// Organizations with an interest, the applicant among them.
    pub interested: BTreeSet<Id<kinds::Organization>>,
    /// Members recused for reasons of their own.
    pub recused: BTreeSet<Id<kinds::Account>>,
    /// The votes.
    pub ballots: BTreeMap<Id<kinds::Account>, Ballot>,
}

/// Why minutes do not carry an opinion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MinutesError {
    /// The session was not valid.
    #[error(transparent)]
    Composition(#[from] CompositionError),
    /// The votes cannot be counted.
    #[error(transparent)]
    Vote(#[from] VoteError),
}

impl MinutesError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Composition(e) => e.ja(),
            Self::Vote(e) => e.ja(),
        }
    }
}

impl Minutes {
    /// Judge the session by the rules in force on its day.
    ///
    /// # Errors
    /// It could not advise, or the votes cannot be counted.
    pub fn judge(
        &self,
        members: &[Member],
        rules: &Rules,
    ) -> Result<(Session, Opinion), MinutesError> {
        let bodies = Bodies { producer: self.producer, trustees: self.trustees.clone() };
        let interests =
            Interests { organizations: self.interested.clone(), members: self.recused.clone() };
        let held = session(members, &bodies, &self.attendance, &interests, rules, self.held_on)?;
        let opinion = held.close(&self.ballots)?;
        Ok((held, opinion))
    }
}
