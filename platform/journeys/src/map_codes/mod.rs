//! The mapping bench: what holders' local codes mean, by candidates from masters and two persons' word.
//!
//! Enters: masters from the operator's own copies; proposals, signatures, refusals, withdrawals. Leaves: local items with how
//! often they occur, candidates with reasons, a preview of what a mapping changes; the set at any version. Refuses: codes
//! that no loaded master holds, and what the set refuses (a signature by the proposer, two mappings at one time).
//!
//! A mapping changes no stored row: the derived columns of a product are made from the set as it stands, and the product's
//! manifest keeps the version, so that the same product can be made again.

mod bench;
mod items;
mod masters;
mod preview;
mod rates;
mod words;

use kiban_audit::Event;
use kiban_codes::mapping::{self, Meaning};
pub use kiban_codes::{
    candidate::{Candidate, Distribution, FEWEST, Feature, LocalItem, Verdict, Veto},
    mapping::{
        ActError, By, Key, Mapping, MappingId, MappingSet, Preview, Standing, UnitRule, write_csv,
    },
    master::ImportError,
    unit::Analyte,
};
use kiban_govern::{Act, Actor, permit};
pub use kiban_intake::mapping::MasterRow;
use kiban_kernel::{Date, Digest, Id, LawKey, kinds};
use kiban_lake::CodeMap;
pub use kiban_lake::{MAPPED, MappedTable};
use serde_json::json;

use crate::{Deployment, Error};

pub use bench::candidates;
pub use items::{CodeItem, CodeItems, LEAST_PERSONS_OF_NAME, code_items};
pub(crate) use masters::MastersRead;
pub use masters::{Imported, NewMaster, import_master, layouts, links_of_master, masters};
pub use preview::{Effect, Overlay, preview_mapping};
pub use rates::{MappingRate, mapping_rates};
pub use words::{caution_ja, effect_ja, standing_ja};

/// The holder of mappings that hold for every holder's rows: those of official code systems.
pub const EVERY_HOLDER: &str = "*";

/// Why an act of the bench is refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingRefused {
    /// The set refuses it.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The target system is none that a table takes.
    #[error("no table takes codes of this system")]
    System,
    /// No master of the system was imported.
    #[error("no master of the system was imported")]
    NoMaster,
    /// The code is in no imported master of the system.
    #[error("the code is in no imported master of the system")]
    UnknownCode,
    /// The layout is none that is shipped.
    #[error("no layout of this name")]
    Layout,
    /// Edition or source is missing or too long.
    #[error("edition or source is missing or too long")]
    Source,
    /// The master cannot be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The master has no usable row.
    #[error("the master has no usable row")]
    NoEntry,
    /// The list of proposals cannot be read.
    #[error("line {line} of the list cannot be used")]
    List {
        /// 1-based line.
        line: u64,
        /// Why (Japanese).
        ja: String,
    },
    /// What is stored is not what was imported.
    #[error("the stored master is damaged")]
    Damaged,
}

impl MappingRefused {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::Act(e) => e.japanese().to_owned(),
            Self::System => {
                "このコード体系への対応付けはできません。jlac10、jlac11、yj、hot、receipt-drug、icd10 のいずれかを指定してください。".to_owned()
            }
            Self::NoMaster => {
                "このコード体系のマスターが取り込まれていません。kiban mapping import-master で取り込んでください。".to_owned()
            }
            Self::UnknownCode => {
                "対応先のコードが、取り込まれたマスターにありません。コードを確かめるか、新しい版のマスターを取り込んでください。".to_owned()
            }
            Self::Layout => "この名前のマスター様式はありません。kiban mapping layouts で確かめてください。".to_owned(),
            Self::Source => "版と出典（入手元と利用条件）を、それぞれ200字以内で書いてください。".to_owned(),
            Self::Import(e) => e.japanese().to_owned(),
            Self::NoEntry => "使える行がありません。様式の指定を確かめてください。".to_owned(),
            Self::List { line, ja } => format!("一覧の{line}行目：{ja} 何も登録していません。"),
            Self::Damaged => "保管されているマスターが壊れています。取り込み直してください。".to_owned(),
        }
    }
}

impl From<ActError> for Error {
    fn from(error: ActError) -> Self {
        MappingRefused::from(error).into()
    }
}

/// A mapping to propose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMapping {
    /// Target system (`jlac10`, `yj`, `icd10` …).
    pub system: String,
    /// The holder's id, or [`EVERY_HOLDER`].
    pub holder: String,
    /// The local code as the items name it: `system|code`, `||name`.
    pub local: String,
    /// The code of the target system.
    pub code: String,
    /// How values are converted; the analyte is looked up from a JLAC10 code where it is not named.
    pub unit: Option<UnitRule>,
    /// First day of results.
    pub from: Date,
    /// Last day of results.
    pub until: Option<Date>,
    /// A signed mapping whose place it takes.
    pub replaces: Option<MappingId>,
}

/// The set of mappings as it stands.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn mappings(on: &Deployment, actor: &Actor) -> Result<MappingSet, Error> {
    permit(actor, Act::SeeMappings)?;
    set(on, None).await
}

pub(crate) async fn set(on: &Deployment, version: Option<u64>) -> Result<MappingSet, Error> {
    Ok(kiban_intake::mapping::mapping_set(&mut *on.reader().await?, version).await?)
}

/// The set's version: the number of acts on record.
pub(crate) async fn version(on: &Deployment) -> Result<u64, Error> {
    Ok(kiban_intake::mapping::version(&mut *on.reader().await?).await?)
}

/// The mappings in effect at a version, ready for the engine; of now if none is given.
pub(crate) async fn code_map(on: &Deployment, version: Option<u64>) -> Result<CodeMap, Error> {
    Ok(CodeMap::of(&set(on, version).await?))
}

/// Propose what local codes mean: all or none. Without effect until another person signs.
///
/// # Errors
/// The actor may not; a system that no table takes, a code that no loaded master holds, or the set refuses one (its place
/// in the list, from 1); the log failed.
/// # Law
/// `receipt_record`
pub async fn propose_mappings(
    on: &Deployment,
    actor: &Actor,
    new: Vec<NewMapping>,
) -> Result<Vec<MappingId>, Error> {
    permit(actor, Act::ProposeMapping)?;
    let known = masters::Known::load(on, new.iter().map(|n| n.system.as_str())).await?;
    let listed = new.len() > 1;
    let mut checked = Vec::with_capacity(new.len());
    for (one, line) in new.into_iter().zip(1..) {
        let refused = |why: MappingRefused| {
            if listed { MappingRefused::List { line, ja: why.ja() } } else { why }
        };
        known.check(&one.system, &one.code).map_err(refused)?;
        checked.push(one);
    }
    let acts = |by: &By| {
        let propose = |one: &NewMapping| mapping::Act::Propose {
            by: by.clone(),
            key: Key {
                system: one.system.clone(),
                holder: one.holder.clone(),
                local: one.local.clone(),
            },
            meaning: Meaning { code: one.code.clone(), unit: with_analyte(one) },
            from: one.from,
            until: one.until,
            replaces: one.replaces,
        };
        checked.iter().map(propose).collect()
    };
    let before = act(on, actor, Act::ProposeMapping, "mapping.proposed", acts).await?;
    let first = before.next_id().0;
    Ok((first..first + checked.len() as u64).map(MappingId).collect())
}

fn with_analyte(new: &NewMapping) -> Option<UnitRule> {
    let mut unit = new.unit.clone()?;
    if unit.analyte.is_none() && new.system == "jlac10" {
        unit.analyte = Analyte::of_jlac10(&new.code).map(|a| a.key().to_owned());
    }
    Some(unit)
}

/// Sign proposals of another person: all or none. They are in effect from here on.
///
/// # Errors
/// The actor may not, or proposed one of them; one is no proposal any more or meets another mapping; the log failed.
/// # Law
/// `receipt_record`
pub async fn sign_mappings(on: &Deployment, actor: &Actor, ids: &[MappingId]) -> Result<(), Error> {
    let acts =
        |by: &By| ids.iter().map(|id| mapping::Act::Sign { by: by.clone(), id: *id }).collect();
    act(on, actor, Act::SignMapping, "mapping.signed", acts).await.map(drop)
}

/// Refuse a proposal.
///
/// # Errors
/// The actor may not, it is no proposal any more, there is no reason, or the log failed.
/// # Law
/// `receipt_record`
pub async fn refuse_mapping(
    on: &Deployment,
    actor: &Actor,
    id: MappingId,
    reason: &str,
) -> Result<(), Error> {
    let acts =
        |by: &By| vec![mapping::Act::Refuse { by: by.clone(), id, reason: reason.to_owned() }];
    act(on, actor, Act::SignMapping, "mapping.refused", acts).await.map(drop)
}

/// Take back a proposal or a signed mapping; it is without effect from here on.
///
/// # Errors
/// The actor may not, it has ended already, there is no reason, or the log failed.
/// # Law
/// `receipt_record`
pub async fn withdraw_mapping(
    on: &Deployment,
    actor: &Actor,
    id: MappingId,
    reason: &str,
) -> Result<(), Error> {
    let acts =
        |by: &By| vec![mapping::Act::Withdraw { by: by.clone(), id, reason: reason.to_owned() }];
    act(on, actor, Act::ProposeMapping, "mapping.withdrawn", acts).await.map(drop)
}

/// Do acts in one transaction with one event; the set as it was before them.
async fn act(
    on: &Deployment,
    actor: &Actor,
    what: Act,
    kind: &'static str,
    acts: impl FnOnce(&By) -> Vec<mapping::Act>,
) -> Result<MappingSet, Error> {
    let permit = permit(actor, what)?;
    let mut tx = on.log.begin().await?;
    let before = kiban_intake::mapping::mapping_set(tx.conn(), None).await?;
    let by = By { person: actor.account.to_string(), at: tx.now() };
    let acts = acts(&by);
    let mut after = before.clone();
    for (act, line) in acts.iter().zip(1..) {
        after.apply(act.clone()).map_err(|why| match acts.len() {
            1 => MappingRefused::Act(why),
            _ => MappingRefused::List { line, ja: why.japanese().to_owned() },
        })?;
    }
    kiban_intake::mapping::add_acts(&mut tx, before.version(), &acts).await?;
    let written: String = acts.iter().map(mapping::write_act).collect();
    let ids: Vec<u64> = acts
        .iter()
        .zip(before.next_id().0..)
        .take(20)
        .map(|(act, next)| match act {
            mapping::Act::Propose { .. } => next,
            mapping::Act::Sign { id, .. }
            | mapping::Act::Refuse { id, .. }
            | mapping::Act::Withdraw { id, .. } => id.0,
        })
        .collect();
    // Local codes and reasons are free text: the digest binds them, they stand in the bench's own table.
    let event = Event {
        kind,
        actor: permit.actor(),
        subject: ids.first().map(u64::to_string).unwrap_or_default(),
        law: LawKey::new("receipt_record").ok(),
        body: json!({
            "mappings": ids, "acts": acts.len(), "version": after.version(),
            "digest": Digest::of(written.as_bytes()).to_string(),
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(before)
}

/// The holder of a mapping; none for one of every holder.
pub fn holder_of(key: &Key) -> Option<Id<kinds::Organization>> {
    key.holder.parse().ok()
}
