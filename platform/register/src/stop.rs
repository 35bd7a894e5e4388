//! Stop requests: received with the holder's receipt, applied in every store, proved by a signed sheet.
//!
//! Enters: the facts of a holder's receipt. Leaves: suppression entries (keyed hashes), an acknowledgement
//! per store, the proof sheet. Refuses: a request without receipt, evidence or regime; closing while a
//! store has not answered.
//!
//! # Law
//! `stop`, `stop.receipt`, `erasure`

mod answers;
mod apply;
mod day_sheet;
mod list;
pub mod proof;
pub mod rates;
mod receive;
mod rows;
mod withdraw;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use kiban_audit::{LogError, Tx, note::NoteError};
use kiban_kernel::{Bases, Date, Id, Timestamp, kinds};
use kiban_lake::LakeError;
use kiban_linkage::Identity;

pub use answers::{StoreState, stores};
pub use apply::{Applied, apply, apply_all};
pub use day_sheet::{DayStop, sign_day};
pub use list::{OnList, list, put_back};
pub use receive::{Received, UnnotifiedErasure, receive, receive_unnotified};
pub use rows::{
    TouchingStop, affected, all, find, of_identities, of_person, open, since, suppressed,
    unapplied, watermark,
};
pub use withdraw::{Withdrawal, withdraw, withdrawal, withdrawals};

use crate::store::StoreError;

/// Name of the vault's port: nothing is cleared while it has not answered.
pub const VAULT: &str = "vault";

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Requester {
    /// The person.
    Person,
    /// A guardian or representative.
    Guardian,
    /// Bereaved family: spouse, child, parent, grandchild, grandparent, sibling.
    BereavedFamily,
    /// Nobody: the producer takes out of use what it should not have taken in ([`receive_unnotified`]).
    Producer,
}

impl Requester {
    /// Who may ask.
    pub const ALL: [Self; 3] = [Self::Person, Self::Guardian, Self::BereavedFamily];
    /// From the text form, of an entry without a request too.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::Producer]).find(|r| r.as_str() == text)
    }
    /// Did somebody ask?
    pub fn is_request(self) -> bool {
        self != Self::Producer
    }
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Person => "person",
            Self::Guardian => "guardian",
            Self::BereavedFamily => "bereaved_family",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Producer => "作成事業者（有効な通知を欠くため）",
            Self::Person => "本人",
            Self::Guardian => "保護者・代理人",
            Self::BereavedFamily => "遺族",
        }
    }
}

/// How far a stop reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The holder at which it was asked, as the law has it.
    Holder,
    /// All holders: a service of the producer.
    AllHolders,
}

impl Scope {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Holder, Self::AllHolders];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holder => "holder",
            Self::AllHolders => "all_holders",
        }
    }
}

/// A stop request with the facts of the holder's receipt.
#[derive(Clone)]
pub struct StopRequest {
    /// At which holder.
    pub holder: Id<kinds::Organization>,
    /// The holder's own id of the person; used for keyed hashes and not kept.
    pub local_id: String,
    /// Regimes; [`Bases::NONE`] (none named) is taken as the dated rule `stop.default_regimes` says.
    pub regimes: Bases,
    /// Day of the request.
    pub requested_on: Date,
    /// Number of the holder's receipt.
    pub receipt_number: String,
    /// Who asked.
    pub requester: Requester,
    /// Reference of what proves the requester's standing.
    pub evidence: String,
    /// How far it reaches.
    pub scope: Scope,
    /// Identities by which later deliveries of any holder are refused; for [`Scope::AllHolders`].
    pub identities: Vec<Identity>,
}

impl fmt::Debug for StopRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopRequest")
            .field("holder", &self.holder)
            .field("regimes", &self.regimes)
            .finish_non_exhaustive()
    }
}

/// A stop on the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Its id.
    pub id: Id<kinds::Stop>,
    /// Its place in the order of receipt, from 1: the watermark after it.
    pub no: u64,
    /// At which holder.
    pub holder: Id<kinds::Organization>,
    /// Number of the holder's receipt.
    pub receipt_number: String,
    /// Day of the request.
    pub requested_on: Date,
    /// Who asked.
    pub requester: Requester,
    /// How far it reaches.
    pub scope: Scope,
    /// Regimes.
    pub regimes: Bases,
    /// When it reached the producer.
    pub received_at: Timestamp,
    /// When the last store had acknowledged.
    pub closed_at: Option<Timestamp>,
    /// The signed proof sheet.
    pub proof: Option<String>,
    /// Whom it concerns.
    pub persons: Vec<Id<kinds::PersonSource>>,
}

/// What a store is asked to erase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureOrder {
    /// For which stop.
    pub stop: Id<kinds::Stop>,
    /// Whose.
    pub persons: Vec<Id<kinds::PersonSource>>,
    /// Under which regimes; what stays cleared under the other stays.
    pub regimes: Bases,
}

/// A store's answer: what it erased, by name of the thing counted (`rows`, `files`, `keys` …).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Ack {
    /// Counts; none is "held nothing".
    pub counts: BTreeMap<String, u64>,
}

impl Ack {
    /// With a count added.
    pub fn with(mut self, name: &str, count: u64) -> Self {
        *self.counts.entry(name.to_owned()).or_default() += count;
        self
    }
    fn plus(mut self, other: &Self) -> Self {
        for (name, count) in &other.counts {
            *self.counts.entry(name.clone()).or_default() += count;
        }
        self
    }
}

/// Why a store did not erase.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// The store does not answer.
    #[error("the store does not answer")]
    Unavailable,
    /// Bytes of erased rows are still on disk, because another process holds the store.
    #[error("erased bytes could not be removed yet")]
    BytesRemain,
    /// The lake failed.
    #[error("the lake failed")]
    Lake(#[from] LakeError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] sqlx::Error),
    /// A stored row cannot be read.
    #[error("column {column} of {table} cannot be read")]
    Malformed {
        /// Which table.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
}

impl EraseError {
    /// Machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::BytesRemain => "bytes_remain",
            Self::Lake(_) => "lake",
            Self::Db(_) => "database",
            Self::Malformed { .. } => "malformed",
        }
    }
}

/// A store of personal data: what a stop must reach. Doing it twice must be harmless.
#[async_trait]
pub trait Erases: Send + Sync {
    /// The store's name on the proof sheet: short, printable ASCII.
    fn name(&self) -> &'static str;

    /// Erase in the transaction.
    ///
    /// # Errors
    /// The store could not; the stop stays open.
    async fn erase(&self, order: &ErasureOrder, tx: &mut Tx) -> Result<Ack, EraseError>;

    /// Erase for many stops in one transaction: an answer for each order, in their order; none where the store must be
    /// asked for that order alone.
    ///
    /// # Errors
    /// The store could not, and nothing is erased; every stop stays open.
    async fn erase_all(
        &self,
        orders: &[ErasureOrder],
        tx: &mut Tx,
    ) -> Result<Vec<Option<Ack>>, EraseError> {
        let mut out = Vec::with_capacity(orders.len());
        for order in orders {
            out.push(Some(self.erase(order, tx).await?));
        }
        Ok(out)
    }

    /// After the commit: remove what the commit made garbage. The store acknowledges only then.
    ///
    /// # Errors
    /// Something remains; the stop stays open.
    async fn sweep(&self) -> Result<(), EraseError> {
        Ok(())
    }

    /// Must it sweep even where it erased nothing?
    fn always_sweeps(&self) -> bool {
        false
    }
}

/// Why a stop could not be received or applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// The receipt has no number.
    #[error("the receipt has no number")]
    NoReceipt,
    /// Nothing proves the requester's standing.
    #[error("there is no evidence of the requester's standing")]
    NoEvidence,
    /// There is no local id.
    #[error("the request names no person")]
    NoPerson,
    /// No store was named that must acknowledge, or the vault is not among them.
    #[error("the vault must be among the stores that acknowledge")]
    NoStores,
    /// A rule is missing.
    #[error("a rule the stop needs is not in force")]
    Rule(#[from] kiban_kernel::RuleError),
    /// The stop was taken back before.
    #[error("the stop was withdrawn before")]
    Withdrawn,
    /// Some store has not acknowledged the stop.
    #[error("a store has not acknowledged the stop")]
    Open,
    /// It was withdrawn before it was asked.
    #[error("the withdrawal is older than the request")]
    TooEarly,
    /// A receipt number was used for another request.
    #[error("this receipt number stands for another request")]
    OtherRequest,
    /// The register could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lake could not be read.
    #[error("the lake cannot be read")]
    Lake(#[from] LakeError),
    /// The log refused.
    #[error("the audit log failed")]
    Log(#[from] LogError),
    /// The proof could not be signed.
    #[error("the proof cannot be signed")]
    Sign(#[from] NoteError),
    /// No id could be made.
    #[error("no id could be made")]
    Entropy(#[from] kiban_kernel::EntropyError),
}

impl StopError {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::NoReceipt => {
                "受付書面の番号がありません。提供元が交付した書面の番号を入力してください。"
                    .to_owned()
            }
            Self::NoEvidence => "求めた者の資格を確認した資料の番号がありません。".to_owned(),
            Self::NoPerson => "対象者の番号がありません。".to_owned(),
            Self::NoStores => {
                "停止を適用すべき保管先に保管庫（vault）が含まれていません。".to_owned()
            }
            Self::Withdrawn => "この停止の求めは既に撤回されています。".to_owned(),
            Self::Open => {
                "停止がまだすべての保管先に反映されていません。反映を終えてから撤回を記録してください。"
                    .to_owned()
            }
            Self::TooEarly => "撤回の日が停止の求めの日より前です。日付を確かめてください。".to_owned(),
            Self::Rule(_) => "その日に効力のある規則値がありません。".to_owned(),
            Self::OtherRequest => {
                "この受付番号は別の求めに使われています。番号を確かめてください。".to_owned()
            }
            Self::Store(e) => e.ja(),
            Self::Lake(e) => e.ja(),
            Self::Log(e) => e.ja(),
            Self::Sign(e) => e.ja(),
            Self::Entropy(_) => "乱数を取得できません。管理者に知らせてください。".to_owned(),
        }
    }
}

impl From<sqlx::Error> for StopError {
    fn from(e: sqlx::Error) -> Self {
        Self::Store(e.into())
    }
}
