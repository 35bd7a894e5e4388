//! What the verifier found first.

use std::fmt;

use crate::note::NoteError;

/// Which of the two copies of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The governance database.
    Database,
    /// The published copy in `audit/`.
    Copy,
}

impl Place {
    fn en(self) -> &'static str {
        match self {
            Self::Database => "the database",
            Self::Copy => "the published copy",
        }
    }
    fn ja(self) -> &'static str {
        match self {
            Self::Database => "データベース",
            Self::Copy => "audit フォルダの写し",
        }
    }
}

/// What happened to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tamper {
    /// Its text is not what was signed.
    Changed,
    /// It is gone, and later ones are still there.
    Deleted,
    /// It, and all after it, are gone.
    Cut {
        /// How many events there were, at least.
        of: u64,
    },
    /// It was never committed.
    Inserted,
    /// It stands where another belongs, and that one where it belongs.
    Swapped {
        /// The other's place.
        with: u64,
    },
    /// Its text is right, its stored leaf hash is not.
    LeafHash,
    /// Its text is right, the columns beside it (instant, kind, actor, organization, subject) are not.
    Columns,
    /// Its text is right, a stored hash of the tree that it completes is not.
    Node,
}

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointFault {
    /// It is gone.
    Missing,
    /// It cannot be read, or its signature does not hold.
    Note(NoteError),
    /// It is signed, but speaks of a tree of another size.
    Size,
    /// It is signed, but no copy of the events has its root.
    Root,
}

/// The first thing found wrong. Carries places and counts, never an event's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// An event is bad.
    Event {
        /// Its place in the log, from 0.
        index: u64,
        /// What happened to it.
        what: Tamper,
        /// In which copy.
        place: Place,
    },
    /// The checkpoint over the first `size` events is bad; event `size - 1` is the first that
    /// nothing vouches for.
    Checkpoint {
        /// Size of its tree.
        size: u64,
        /// What is wrong.
        what: CheckpointFault,
        /// In which copy.
        place: Place,
    },
    /// The published copy ends before the database. Right after a crash this is no fault: opening
    /// the log completes it.
    CopyBehind {
        /// Events published.
        published: u64,
        /// Events in the database.
        stored: u64,
    },
    /// A file of the published copy is missing or malformed.
    File {
        /// Its path in `audit/`.
        path: String,
        /// The first event it stands for.
        index: u64,
        /// Whether it is there at all.
        missing: bool,
    },
    /// The published copy agrees with itself but not with its checkpoint, and nothing at hand says
    /// which event it is: verify with the database, or against more checkpoints.
    Somewhere {
        /// The first event that may be bad.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The events are right, but the database holds checkpoints or tree hashes that belong to none.
    Extra {
        /// How many events there are.
        index: u64,
    },
    /// There is no key to verify with, or it is malformed.
    Key,
    /// The published key is not the one given.
    OtherKey,
    /// A checkpoint found elsewhere covers more events than there are: the log was rolled back.
    RolledBack {
        /// Where it was found.
        from: String,
        /// The first event that is gone; also how many there are.
        index: u64,
        /// How many there were.
        held: u64,
    },
    /// A checkpoint found elsewhere has another past: history was rewritten or forked.
    Forked {
        /// Where it was found.
        from: String,
        /// The first event that may differ: those before agree with another checkpoint held.
        index: u64,
        /// Size of its tree.
        held: u64,
    },
    /// A checkpoint found elsewhere is not signed by this log's key.
    Foreign {
        /// Where it was found.
        from: String,
        /// What is wrong with it.
        why: NoteError,
    },
    /// A copy cannot be read.
    Unreadable(
        /// Which.
        Place,
    ),
}

impl Finding {
    /// The first bad event's place, where one can be named.
    pub fn event(&self) -> Option<u64> {
        match self {
            Self::Event { index, .. }
            | Self::RolledBack { index, .. }
            | Self::Forked { index, .. }
            | Self::Somewhere { index, .. }
            | Self::Extra { index }
            | Self::File { index, .. } => Some(*index),
            Self::Checkpoint { size, .. } => Some(size.saturating_sub(1)),
            Self::CopyBehind { published, .. } => Some(*published),
            Self::Key | Self::OtherKey | Self::Foreign { .. } | Self::Unreadable(_) => None,
        }
    }

    /// The sentence shown to a user.
    pub fn ja(&self) -> String {
        match self {
            Self::Event { index, what, place } => {
                let place = place.ja();
                match what {
                    Tamper::Changed => format!("{place}: 記録 {index} が改変されています。"),
                    Tamper::Deleted => format!("{place}: 記録 {index} が削除されています。"),
                    Tamper::Cut { of } => format!(
                        "{place}: 記録 {index} 以降が切り取られています（少なくとも{of}件あったはずです）。"
                    ),
                    Tamper::Inserted => {
                        format!("{place}: 記録 {index} は後から挿入されたものです。")
                    }
                    Tamper::Swapped { with } => {
                        format!("{place}: 記録 {index} と記録 {with} が入れ替えられています。")
                    }
                    Tamper::LeafHash => {
                        format!("{place}: 記録 {index} のハッシュが書き換えられています。")
                    }
                    Tamper::Columns => {
                        format!("{place}: 記録 {index} の索引列が書き換えられています。")
                    }
                    Tamper::Node => {
                        format!("{place}: 記録 {index} までの木のハッシュが書き換えられています。")
                    }
                }
            }
            Self::Checkpoint { size, what, place } => {
                let place = place.ja();
                match what {
                    CheckpointFault::Missing => {
                        format!("{place}: 記録{size}件の時点のチェックポイントがありません。")
                    }
                    CheckpointFault::Note(_) => format!(
                        "{place}: 記録{size}件の時点のチェックポイントの署名が確認できません。"
                    ),
                    CheckpointFault::Size => format!(
                        "{place}: 記録{size}件の時点のチェックポイントが別の時点のものに差し替えられています。"
                    ),
                    CheckpointFault::Root => format!(
                        "{place}: 記録{size}件の時点のチェックポイントが記録と一致しません。"
                    ),
                }
            }
            Self::CopyBehind { published, stored } => format!(
                "audit フォルダの写しは{published}件、データベースは{stored}件です。異常終了の直後なら一度起動すれば補われます。補われない場合は写しの末尾が切り取られています。"
            ),
            Self::File { path, index, missing: true } => {
                format!("audit フォルダの {path}（記録 {index} 以降）がありません。")
            }
            Self::File { path, index, missing: false } => {
                format!("audit フォルダの {path}（記録 {index} 以降）が壊れています。")
            }
            Self::Extra { index } => format!(
                "データベース: 記録は{index}件ですが、どの記録にも属さないチェックポイントまたはハッシュがあります。"
            ),
            Self::Somewhere { index, size } => format!(
                "audit フォルダの写し: 記録 {index} から{size}件目までのどこかが改変されています。データベースとともに検証すると特定できます。"
            ),
            Self::Key => {
                "検証用の公開鍵がありません（audit フォルダの key）。公開鍵を指定してください。"
                    .into()
            }
            Self::OtherKey => {
                "audit フォルダの公開鍵が、指定された公開鍵と異なります。鍵が差し替えられています。"
                    .into()
            }
            Self::RolledBack { from, index, held } => format!(
                "{from} のチェックポイントは記録{held}件ですが、現在は{index}件です。記録 {index} 以降が失われ、過去の状態に戻されています。"
            ),
            Self::Forked { from, index, held } => format!(
                "{from} のチェックポイント（記録{held}件）と現在の記録が食い違います。記録 {index} 以降が書き換えられています。"
            ),
            Self::Foreign { from, why } => {
                format!("{from} のチェックポイントはこのログの鍵で署名されていません。{}", why.ja())
            }
            Self::Unreadable(place) => {
                format!("{}を読めません。場所と権限を確認してください。", place.ja())
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { index, what, place } => {
                let place = place.en();
                match what {
                    Tamper::Changed => write!(f, "event {index} was changed in {place}"),
                    Tamper::Deleted => write!(f, "event {index} was deleted from {place}"),
                    Tamper::Cut { of } => {
                        write!(f, "events {index} and later of at least {of} were cut from {place}")
                    }
                    Tamper::Inserted => write!(f, "event {index} was inserted into {place}"),
                    Tamper::Swapped { with } => {
                        write!(f, "events {index} and {with} were swapped in {place}")
                    }
                    Tamper::LeafHash => {
                        write!(f, "the leaf hash of event {index} was changed in {place}")
                    }
                    Tamper::Columns => {
                        write!(f, "the columns of event {index} were changed in {place}")
                    }
                    Tamper::Node => {
                        write!(f, "a tree hash completed by event {index} was changed in {place}")
                    }
                }
            }
            Self::Checkpoint { size, what, place } => {
                let place = place.en();
                let what = match what {
                    CheckpointFault::Missing => "is missing",
                    CheckpointFault::Note(_) => "is not signed by the log's key",
                    CheckpointFault::Size => "is one of another size",
                    CheckpointFault::Root => "does not match the events",
                };
                write!(f, "the checkpoint over {size} events {what} in {place}")
            }
            Self::CopyBehind { published, stored } => {
                write!(f, "{published} events are published, the database holds {stored}")
            }
            Self::File { path, index, missing } => {
                let what = if *missing { "is missing" } else { "is malformed" };
                write!(f, "audit/{path} {what}, which holds event {index}")
            }
            Self::Somewhere { index, size } => {
                write!(
                    f,
                    "the published copy of {size} events was changed at event {index} or later"
                )
            }
            Self::Extra { index } => write!(
                f,
                "the database holds checkpoints or hashes that belong to none of its {index} events"
            ),
            Self::Key => f.write_str("there is no usable key to verify with"),
            Self::OtherKey => f.write_str("the published key is not the one given"),
            Self::RolledBack { from, index, held } => write!(
                f,
                "rolled back: the checkpoint from {from} covers {held} events, event {index} and later are gone"
            ),
            Self::Forked { from, index, held } => write!(
                f,
                "forked: the checkpoint from {from} over {held} events has another past from event {index} on"
            ),
            Self::Foreign { from, .. } => {
                write!(f, "the checkpoint from {from} is not signed by this log's key")
            }
            Self::Unreadable(place) => write!(f, "{} cannot be read", place.en()),
        }
    }
}
