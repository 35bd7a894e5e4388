//! Who is the same person: normalisers, exact keys, constrained clusters. Pure; no I/O.
//!
//! Enters: [`RawIdentity`] values as the sources wrote them, one or several per record of a holder.
//! Leaves: [`Clusters`] of records with the rule behind every edge, and a reason for every pair that
//! shares a key and was kept apart. Refuses: keys made of placeholders, unknown characters, or parts.
//!
//! ```
//! use kiban_linkage::{Identity, Member, RawIdentity, Sex, clusters, exact};
//!
//! let seen = |kana, kanji| {
//!     Identity::normalise(&RawIdentity {
//!         name_kana: Some(kana),
//!         name_kanji: Some(kanji),
//!         sex: Some(Sex::Female),
//!         birth_on: Some(jiff::civil::date(1980, 1, 2)),
//!         ..RawIdentity::default()
//!     })
//! };
//! let members = [
//!     Member { holder: 0, identities: vec![seen("ワタナベ　ヒロコ", "渡邉 広子")] },
//!     Member { holder: 1, identities: vec![seen("ﾜﾀﾅﾍﾞ ﾋﾛｺ", "渡辺廣子")] },
//! ];
//! let found = clusters(&[0, 1], &exact::pairs(&members));
//! assert_eq!(found.persons, [[0, 1]]);
//! ```
//!
//! # The seam
//! [`exact::pairs`] makes [`Pairs`]; [`clusters`] turns [`Pairs`] into [`Clusters`] and does not know
//! where they came from. A probabilistic linker makes its own [`Pairs`] (or adds to these): an edge it
//! is sure of is [`Strength::Sure`], one above its threshold [`Strength::Supported`] or
//! [`Strength::Plain`], and what must not meet goes into [`Pairs::apart`].
//!
//! # Person lists
//! [`tool::link`] links a whole list without examples: it reads house styles, proposes pairs by many keys, compares
//! in levels, estimates what classes of pairs make of the levels, and joins records while the evidence between
//! groups speaks for one person. [`tool::Run`] writes clusters, scored pairs, a report and the model.
//!
//! [`State`] is a linked list that is kept: [`tool::update`] adds, corrects and erases records, [`tool::link_like`]
//! links a whole list with the same memory. [`History`] gives persons ids that last. [`review`] is what people look at.
//!
//! # Guarantee
//! - `linkage.batch-is-increments`: records taken in batch by batch, in any order and on any number of threads, give
//!   the pairs and persons of a run over all of them with the same memory; so do corrections and erasures.
//! - `linkage.erased`: of an erased record nothing is left in a state, as text, as number or as hash, but what another
//!   record bears, too; in a history no event names it.
//! - `linkage.constraints`: constraints hold; of two that contradict each other the stronger does, and both are told.
//! - `history.replay`: a log gives its persons again; `history.told`: no record changes its person without an event.
//! - `linkage.list-order`: the clusters of a list do not depend on the order of its rows nor on threads.
//! - `linkage.list-capped`: copies of one record or one value in every row do not blow up the candidates, and the
//!   report says what was capped.
//! - `linkage.model-again`: a model read from its file gives the clusters that it gave when it was fitted.
//! - `linkage.normal-once`: normalising twice gives what normalising once gives.
//! - `linkage.order-free`: clusters do not depend on the order of records, identities or edges.
//! - `linkage.one-holder`: two records of one holder meet only through a sure edge (K1).
//! - `linkage.homonyms`: where a name key would join two records of one holder, nobody is joined by it
//!   unless an address, a telephone number or a postal code bears it out.

mod address;
mod candidate;
mod cluster;
mod compare;
mod constraint;
pub mod exact;
mod history;
mod identity;
mod kana;
mod kanji;
mod linker;
mod list;
mod model;
mod numbers;
mod resolve;
pub mod review;
mod rule;
mod state;
mod text;
pub mod tool;
mod typed;

pub use address::{AddressMatch, address, compare_addresses};
pub use candidate::{Capped, PassReport};
pub use cluster::{
    Apart, ApartReason, Clusters, Edge, Kept, KeptReason, KeyRule, Pairs, Strength, clusters,
};
pub use compare::Variable;
pub use constraint::{
    Chart, Constraint, ConstraintError, Contradiction, Ground, Kind as ConstraintKind,
    overlapping_charts, read_constraints,
};
pub use history::{Event, History, HistoryError, PersonId, Persons, Step};
pub use identity::{Identity, Member, RawIdentity, Sex};
pub use kana::name_kana;
pub use kanji::{fold_variant, name_kanji, names_agree};
pub use linker::{Settings, Stage};
pub use list::{ColumnMap, Field, ListError, Names};
pub use model::{Class, Model, ModelError, Reason};
pub use numbers::{branch, insurer_no, phones, postal_code, symbol_or_number};
pub use rule::{NormalRule, RuleSet};
pub use state::{State, StateError};
pub use text::Normal;
pub use typed::{PartialDate, partial_date};
