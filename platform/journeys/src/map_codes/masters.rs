//! Code masters from the operator's own copies: kept sealed, read when the bench needs them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kiban_audit::Event;
use kiban_codes::master::{Defect, Encoding, Entry, Layout, Master, read};
use kiban_govern::{Act, Actor, permit};
use kiban_intake::mapping::MasterRow;
use kiban_kernel::{Date, Digest, Id, LawKey, kinds};
use serde_json::json;

use super::{EVERY_HOLDER, MAPPED, MappingRefused, NewMapping};
use crate::{Deployment, Error, sealed_files::SealedFolder};

const FOLDER: SealedFolder = SealedFolder("masters");
/// Longest edition and source, in characters.
const LONGEST: usize = 200;

/// A master to import.
#[derive(Debug, Clone)]
pub struct NewMaster<'a> {
    /// The file's bytes: UTF-8 or CP932, comma or tab.
    pub bytes: &'a [u8],
    /// A shipped layout, see [`layouts`].
    pub layout: &'a str,
    /// The operator's name of the edition (`2026-04`).
    pub edition: &'a str,
    /// Where it came from and under which terms.
    pub source: &'a str,
}

/// What an import made of a file.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The master on record.
    pub row: MasterRow,
    /// Every broken rule, in file order; a Japanese sentence each.
    pub defects: Vec<Defect>,
    /// How the bytes were read.
    pub encoding: Encoding,
    /// Headings that the layout does not use.
    pub unread: Vec<String>,
    /// Was the same file imported by the same layout before? Then nothing changed.
    pub known: bool,
}

/// The shipped layouts.
pub fn layouts() -> impl Iterator<Item = &'static str> {
    Layout::names()
}

/// Import a master; of one layout the newest counts from here on. Mappings keep their codes.
///
/// # Errors
/// The actor may not; no such layout; the file is no text or has no usable row; log or disk failed.
/// # Law
/// `receipt_record`
pub async fn import_master(
    on: &Deployment,
    actor: &Actor,
    new: &NewMaster<'_>,
) -> Result<Imported, Error> {
    let permit = permit(actor, Act::ImportMaster)?;
    let layout = Layout::shipped(new.layout).map_err(|_| MappingRefused::Layout)?;
    let unsaid = |text: &str| text.trim().is_empty() || text.chars().count() > LONGEST;
    if unsaid(new.edition) || unsaid(new.source) {
        return Err(MappingRefused::Source.into());
    }
    let import = read(new.bytes, &layout, new.edition, None).map_err(MappingRefused::from)?;
    if import.master.entries().is_empty() {
        return Err(MappingRefused::NoEntry.into());
    }
    let digest = Digest::of(new.bytes);
    let newest = rows(on).await?.into_iter().rev().find(|m| m.layout == layout.name());
    if let Some(row) = newest.filter(|m| m.digest == digest && m.edition == new.edition) {
        let (encoding, unread) = (import.encoding, import.unread);
        return Ok(Imported { row, defects: import.defects, encoding, unread, known: true });
    }
    let mut defects: BTreeMap<String, u64> = BTreeMap::new();
    for defect in &import.defects {
        *defects.entry(defect.rule.to_owned()).or_default() += 1;
    }
    let id = on.new_id()?;
    FOLDER.write(on, &format!("{id}"), new.bytes)?;
    let mut tx = on.log.begin().await?;
    let row = MasterRow {
        id,
        layout: layout.name().to_owned(),
        edition: new.edition.to_owned(),
        source: new.source.to_owned(),
        digest,
        entries: import.master.entries().len() as u64,
        dropped: import.dropped as u64,
        defects,
        imported_at: tx.now(),
        account: actor.account,
    };
    kiban_intake::mapping::add_master(&mut tx, &row).await?;
    let event = Event {
        kind: "master.imported",
        actor: permit.actor(),
        subject: id.to_string(),
        law: LawKey::new("receipt_record").ok(),
        body: json!({
            "layout": row.layout, "digest": digest.to_string(), "entries": row.entries,
            "dropped": row.dropped,
        }),
    };
    let _ = tx.commit(event).await?;
    let (encoding, unread) = (import.encoding, import.unread);
    Ok(Imported { row, defects: import.defects, encoding, unread, known: false })
}

/// Every master on record, oldest first; of one layout the last counts.
///
/// # Errors
/// The actor may not, or the database failed.
pub async fn masters(on: &Deployment, actor: &Actor) -> Result<Vec<MasterRow>, Error> {
    permit(actor, Act::SeeMappings)?;
    rows(on).await
}

async fn rows(on: &Deployment) -> Result<Vec<MasterRow>, Error> {
    Ok(kiban_intake::mapping::masters(on.log.db().pool()).await?)
}

impl Deployment {
    /// Remove files of masters that no row names.
    pub(crate) async fn collect_masters(&self) -> Result<(), Error> {
        let named = rows(self).await?.iter().map(|m| m.id.to_string()).collect();
        FOLDER.collect(self, &named)
    }
}

/// Layouts whose masters hold codes of a system, by their own codes or by a link; the more telling ones first.
const SERVES: [(&str, &[&str]); 6] = [
    ("jlac10", &["jlac10"]),
    ("jlac11", &["jlac11"]),
    ("yj", &["yj", "hot"]),
    ("hot", &["hot"]),
    ("receipt-drug", &["receipt-drug"]),
    ("icd10", &["disease", "medis-disease", "icd10"]),
];

/// The newest masters that hold codes of a system.
///
/// # Errors
/// No table takes the system, no master of it was imported, or a file is damaged.
pub(super) async fn serving(on: &Deployment, system: &str) -> Result<Vec<Arc<Master>>, Error> {
    if !MAPPED.iter().any(|t| t.targets.contains(&system)) {
        return Err(MappingRefused::System.into());
    }
    let layouts = SERVES.iter().find(|(s, _)| *s == system).map_or(&[][..], |(_, l)| l);
    let rows = rows(on).await?;
    let mut out = Vec::new();
    for layout in layouts {
        if let Some(row) = rows.iter().rev().find(|m| m.layout == *layout) {
            out.push(load(on, row)?);
        }
    }
    if out.is_empty() { Err(MappingRefused::NoMaster.into()) } else { Ok(out) }
}

fn load(on: &Deployment, row: &MasterRow) -> Result<Arc<Master>, Error> {
    if let Some(master) = on.masters.find(row.id) {
        return Ok(master);
    }
    let bytes = FOLDER.read(on, &row.id.to_string(), row.digest)?;
    let bytes = bytes.ok_or(MappingRefused::Damaged)?;
    let layout = Layout::shipped(&row.layout).map_err(|_| MappingRefused::Layout)?;
    let import = read(&bytes, &layout, &row.edition, None).map_err(MappingRefused::from)?;
    let master = Arc::new(import.master);
    on.masters.keep(row.id, &master);
    Ok(master)
}

/// What a master itself says of another system: proposals for every holder's rows that came in the master's system, as the
/// receipt master of diseases gives the ICD-10 of each. Proposals like any other: another person signs them.
///
/// # Errors
/// The actor may not; the layout was not imported, or its entries link to no code of the system.
pub async fn links_of_master(
    on: &Deployment,
    actor: &Actor,
    layout: &str,
    system: &str,
    from: Date,
) -> Result<Vec<NewMapping>, Error> {
    permit(actor, Act::SeeMappings)?;
    if layout == system || !MAPPED.iter().any(|t| t.targets.contains(&system)) {
        return Err(MappingRefused::System.into());
    }
    let rows = rows(on).await?;
    let row = rows.iter().rev().find(|m| m.layout == layout).ok_or(MappingRefused::NoMaster)?;
    let master = load(on, row)?;
    let mut out = Vec::new();
    for entry in master.entries() {
        let Some(code) = entry.link(system) else { continue };
        for name in kiban_codes::names_of(layout) {
            out.push(NewMapping {
                system: system.to_owned(),
                holder: EVERY_HOLDER.to_owned(),
                local: format!("{name}|{}", entry.code),
                code: code.to_owned(),
                unit: None,
                from,
                until: None,
                replaces: None,
            });
        }
    }
    if out.is_empty() { Err(MappingRefused::NoEntry.into()) } else { Ok(out) }
}

/// The code of a system that an entry stands for.
pub(super) fn code_in<'m>(master: &Master, entry: &'m Entry, system: &str) -> Option<&'m str> {
    if master.system() == system { Some(&entry.code) } else { entry.link(system) }
}

/// The codes that proposals may name.
pub(super) struct Known(BTreeMap<String, BTreeSet<String>>);

impl Known {
    /// The codes of these systems.
    pub(super) async fn load(
        on: &Deployment,
        systems: impl Iterator<Item = &str>,
    ) -> Result<Self, Error> {
        let mut known = BTreeMap::new();
        for system in systems.collect::<BTreeSet<_>>() {
            let mut codes = BTreeSet::new();
            for master in serving(on, system).await? {
                let entries = master.entries().iter();
                codes
                    .extend(entries.filter_map(|e| code_in(&master, e, system)).map(str::to_owned));
            }
            known.insert(system.to_owned(), codes);
        }
        Ok(Self(known))
    }

    pub(super) fn check(&self, system: &str, code: &str) -> Result<(), MappingRefused> {
        let codes = self.0.get(system).ok_or(MappingRefused::System)?;
        if codes.contains(code) { Ok(()) } else { Err(MappingRefused::UnknownCode) }
    }
}

/// Masters that were read already: the newest few, by the id of their row, which never changes.
#[derive(Default)]
pub(crate) struct MastersRead(std::sync::Mutex<Vec<(Id<kinds::Event>, Arc<Master>)>>);

impl MastersRead {
    const MOST: usize = 8;

    fn find(&self, id: Id<kinds::Event>) -> Option<Arc<Master>> {
        let known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.iter().find(|(of, _)| *of == id).map(|(_, master)| Arc::clone(master))
    }

    fn keep(&self, id: Id<kinds::Event>, master: &Arc<Master>) {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.push((id, Arc::clone(master)));
        if known.len() > Self::MOST {
            known.remove(0);
        }
    }
}
