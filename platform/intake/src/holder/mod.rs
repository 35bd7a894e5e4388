//! The data holder's client: everything that happens before a delivery leaves the institution.
//!
//! Enters: the holder's own files, its lists of notices and stop requests. Leaves: a sealed delivery that
//! holds only persons who may be sent, and a provision record. Refuses: to send anybody the gate does not
//! clear, and any bytes of which it cannot tell whose they are.
//!
//! A holder's folder: `profile.toml`, `keys/sign.key` (0600), `keys/sign.pub`, `outbox/` (sealed
//! deliveries and their records), `provision_records.jsonl`, `receipts/`.

mod choose;
mod error;
mod facts;
mod folder;
mod inputs;
mod letters;
mod letters_due;
mod letters_page;
mod lists;
mod profile;
mod records;
mod retention;
mod sealing;
mod write;

pub use crate::notices::{ReturnedRow, parse_returned};
pub use crate::quality::rule_ja;
pub use error::SealError;
pub(crate) use facts::count_name;
pub use folder::{
    HolderSetup, Init, SentState, Status, accept_receipt, init, sign_key, status, verify_key,
};
pub use inputs::{InputFile, find_inputs};
pub use kiban_govern::slot::{Lock, Slot};
pub use letters::{
    Batch, LettersRefused, MadeBatch, MarkedReturned, batches, make_letters, mark_letters_returned,
    record_sent,
};
pub use letters_due::{Due, DueLists, LetterKind, due, left_out_ja};
pub use profile::{NoticeText, NoticeVersion, Profile, ProfileFiling};
pub use records::{ProvisionRecord, SentRecord};
pub use retention::{KeptProvision, kept_provisions, years_after};
pub use sealing::{Gate, Phase, Progress, SealReport, SealRequest, seal};
