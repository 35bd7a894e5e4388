//! The application: what is asked for, and where it stands.

use kiban_govern::{Actor, committee::Outcome};
use kiban_kernel::{Date, Digest, Id, Product, Timestamp, kinds};

use crate::error::{StepRefused, Why};

/// A person named in an application.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Name.
    pub name: String,
    /// Affiliation.
    pub affiliation: String,
}

/// What is applied for (PROV-09). Everything is needed unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Title of the project.
    pub title: String,
    /// Responsible person.
    pub responsible: Named,
    /// Handlers by name and affiliation.
    pub handlers: Vec<Named>,
    /// Purpose, within medical research and development.
    pub purpose: String,
    /// Method.
    pub method: String,
    /// Data items, as `table.column`.
    pub items: Vec<String>,
    /// Population.
    pub population: String,
    /// First day of the data asked for.
    pub data_from: Date,
    /// Last day of the data asked for.
    pub data_until: Date,
    /// Why no less would do.
    pub minimality: String,
    /// Where it is used.
    pub place: String,
    /// The environment.
    pub environment: String,
    /// Security measures.
    pub security: String,
    /// Organizations that use it jointly; may be empty.
    #[serde(default)]
    pub co_users: Vec<Id<kinds::Organization>>,
    /// Organizations that handle it on the user's behalf; may be empty.
    #[serde(default)]
    pub trustees: Vec<Id<kinds::Organization>>,
    /// Publication plan.
    pub publication: String,
    /// Funding.
    pub funding: String,
    /// Statement on conflicts of interest.
    pub conflicts: String,
    /// Organizations with an interest besides the applicant: members tied to one are recused; may be empty.
    #[serde(default)]
    pub interested: Vec<Id<kinds::Organization>>,
    /// First day of use.
    pub use_from: Date,
    /// Last day of use.
    pub use_until: Date,
}

const LABELS: &[(&str, &str)] = &[
    ("title", "課題名"),
    ("responsible", "責任者"),
    ("handlers", "取扱者"),
    ("purpose", "利用目的"),
    ("method", "利用方法"),
    ("items", "データ項目"),
    ("population", "対象集団"),
    ("data_period", "対象期間"),
    ("minimality", "必要最小限であることの説明"),
    ("place", "利用場所"),
    ("environment", "利用環境"),
    ("security", "安全管理措置"),
    ("publication", "公表計画"),
    ("funding", "資金"),
    ("conflicts", "利益相反"),
    ("use_period", "利用期間"),
];

/// Japanese name of a field.
pub fn label_ja(field: &str) -> &str {
    LABELS.iter().find(|(name, _)| *name == field).map_or(field, |(_, ja)| ja)
}

impl Content {
    /// Fields that are missing or contradict themselves, by name.
    pub fn gaps(&self) -> Vec<&'static str> {
        let blank = |s: &str| s.trim().is_empty();
        let unnamed = |n: &Named| blank(&n.name) || blank(&n.affiliation);
        let mut gaps = Vec::new();
        let texts = [
            ("title", &self.title),
            ("purpose", &self.purpose),
            ("method", &self.method),
            ("population", &self.population),
            ("minimality", &self.minimality),
            ("place", &self.place),
            ("environment", &self.environment),
            ("security", &self.security),
            ("publication", &self.publication),
            ("funding", &self.funding),
            ("conflicts", &self.conflicts),
        ];
        gaps.extend(texts.iter().filter(|(_, text)| blank(text)).map(|(name, _)| *name));
        if unnamed(&self.responsible) {
            gaps.push("responsible");
        }
        if self.handlers.is_empty() || self.handlers.iter().any(unnamed) {
            gaps.push("handlers");
        }
        if self.items.is_empty() || self.items.iter().any(|i| blank(i)) {
            gaps.push("items");
        }
        if self.data_until < self.data_from {
            gaps.push("data_period");
        }
        if self.use_until < self.use_from {
            gaps.push("use_period");
        }
        gaps
    }

    /// The digest that session, decision and approval refer to.
    pub fn digest(&self) -> Digest {
        // Safety of unwrap: not needed; a struct of texts, dates and ids always serializes.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// What happened to an application.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Drafted, or drafted anew after advice to revise or a change of an accepted one.
    Draft {
        /// Version of the content.
        version: i64,
    },
    /// Submitted.
    Submit {
        /// Digest of the content.
        content: Digest,
    },
    /// Put before the committee.
    Screen,
    /// Sent back to the applicant before the committee saw it.
    Return {
        /// Version of the content that is to be changed.
        version: i64,
        /// What is to be changed.
        reason: String,
    },
    /// The committee advised.
    Advise {
        /// In which session.
        session: Id<kinds::Session>,
        /// What.
        outcome: Outcome,
    },
    /// The producer decided to provide.
    Accept {
        /// Why.
        reason: String,
        /// Under which conditions.
        conditions: Vec<String>,
    },
    /// The producer decided not to provide.
    Refuse {
        /// Why.
        reason: String,
    },
    /// The applicant withdrew.
    Withdraw,
}

/// Where an application stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Being written.
    Draft {
        /// Version of the content.
        version: i64,
    },
    /// Submitted.
    Submitted {
        /// By whom.
        by: Id<kinds::Account>,
        /// When.
        at: Timestamp,
        /// Digest of the content.
        content: Digest,
    },
    /// Before the committee.
    UnderReview {
        /// Put there by whom.
        by: Id<kinds::Account>,
        /// When.
        at: Timestamp,
        /// Digest of the content.
        content: Digest,
    },
    /// The committee advised.
    Advised {
        /// In which session.
        session: Id<kinds::Session>,
        /// What.
        outcome: Outcome,
        /// When.
        at: Timestamp,
        /// Digest of the content.
        content: Digest,
    },
    /// The producer provides.
    Accepted {
        /// Decided by whom.
        by: Id<kinds::Account>,
        /// When.
        at: Timestamp,
        /// On which session's advice.
        session: Id<kinds::Session>,
        /// Digest of the content.
        content: Digest,
        /// Under which conditions.
        conditions: Vec<String>,
    },
    /// The producer does not provide.
    Refused {
        /// Decided by whom.
        by: Id<kinds::Account>,
        /// When.
        at: Timestamp,
    },
    /// Withdrawn.
    Withdrawn {
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
            Self::Draft { .. } => "draft",
            Self::Submitted { .. } => "submitted",
            Self::UnderReview { .. } => "under_review",
            Self::Advised { .. } => "advised",
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    /// The state after a step.
    ///
    /// # Errors
    /// There is no such step from `from`; names from, to, who and why.
    pub fn after(
        from: Option<&Self>,
        step: &Step,
        who: &Actor,
        at: Timestamp,
    ) -> Result<Self, StepRefused> {
        let by = who.account;
        let refused =
            |to, why| Err(StepRefused::new(from.map_or("nothing", Self::as_str), to, who, why));
        let blank = |reason: &String| reason.trim().is_empty();
        match (from, step) {
            (
                None
                | Some(
                    Self::Draft { .. }
                    | Self::Advised { outcome: Outcome::Revise, .. }
                    | Self::Accepted { .. },
                ),
                Step::Draft { version },
            ) => Ok(Self::Draft { version: *version }),
            (Some(Self::Draft { .. }), Step::Submit { content }) => {
                Ok(Self::Submitted { by, at, content: *content })
            }
            (Some(Self::Submitted { content, .. }), Step::Screen) => {
                Ok(Self::UnderReview { by, at, content: *content })
            }
            (Some(Self::Submitted { .. }), Step::Return { reason, .. }) if blank(reason) => {
                refused("draft", Why::NoReason)
            }
            (Some(Self::Submitted { .. }), Step::Return { version, .. }) => {
                Ok(Self::Draft { version: *version })
            }
            (Some(Self::UnderReview { content, .. }), Step::Advise { session, outcome }) => {
                Ok(Self::Advised { session: *session, outcome: *outcome, at, content: *content })
            }
            (Some(Self::Advised { .. }), Step::Accept { reason, .. }) if blank(reason) => {
                refused("accepted", Why::NoReason)
            }
            (
                Some(Self::Advised { outcome, session, content, .. }),
                Step::Accept { conditions, .. },
            ) => {
                if !outcome.is_favourable() {
                    return refused("accepted", Why::Advice(*outcome));
                }
                let (session, content, conditions) = (*session, *content, conditions.clone());
                Ok(Self::Accepted { by, at, session, content, conditions })
            }
            (Some(Self::Advised { .. }), Step::Refuse { reason }) => {
                if blank(reason) {
                    refused("refused", Why::NoReason)
                } else {
                    Ok(Self::Refused { by, at })
                }
            }
            (
                Some(
                    Self::Draft { .. }
                    | Self::Submitted { .. }
                    | Self::UnderReview { .. }
                    | Self::Advised { .. }
                    | Self::Accepted { .. },
                ),
                Step::Withdraw,
            ) => Ok(Self::Withdrawn { by, at }),
            (_, step) => refused(
                match step {
                    Step::Draft { .. } | Step::Return { .. } => "draft",
                    Step::Submit { .. } => "submitted",
                    Step::Screen => "under_review",
                    Step::Advise { .. } => "advised",
                    Step::Accept { .. } => "accepted",
                    Step::Refuse { .. } => "refused",
                    Step::Withdraw => "withdrawn",
                },
                Why::NoSuchStep,
            ),
        }
    }
}

/// An application as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub id: Id<kinds::Application>,
    /// The project line.
    pub project: Id<kinds::Project>,
    /// Who applies.
    pub applicant: Id<kinds::Organization>,
    /// For which product.
    pub product: Product,
    /// Where it stands.
    pub state: State,
    /// Number of steps taken.
    pub steps: i64,
}

#[cfg(test)]
mod tests;
