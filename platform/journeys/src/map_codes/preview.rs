//! What a mapping changes: rows and persons, and how the values lie beside those of other holders after conversion.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kiban_codes::{
    candidate::{Distribution, Verdict, compare},
    mapping::{self, By, Count, Key, MappingId, MappingSet, Persons, Preview, preview},
    unit::{Analyte, Unit},
};
use kiban_govern::{Act, Actor, permit};
use kiban_kernel::{Id, kinds};
use kiban_lake::{
    Session,
    plan::{ident, lit},
};

use super::{
    EVERY_HOLDER, MAPPED, Mapping,
    items::{Counted, days, engine, floats, numbers, rows_counted, spread, text},
};
use crate::{Deployment, Error};

/// Values of one holder.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// The holder.
    pub holder: Id<kinds::Organization>,
    /// Its values as they came.
    pub raw: Option<Distribution>,
    /// In the standard unit.
    pub converted: Option<Distribution>,
}

/// What a mapping changes.
#[derive(Debug, Clone)]
pub struct Effect {
    /// The mapping.
    pub mapping: Mapping,
    /// Rows and persons.
    pub preview: Preview,
    /// The item's values, of each holder that has it.
    pub own: Vec<Overlay>,
    /// The values of other local items with the same standard code, by holder.
    pub peers: Vec<Overlay>,
    /// What the comparison of the converted values with each peer says, in the peers' order.
    pub verdicts: Vec<Verdict>,
}

/// What signing a proposal, or taking a signed mapping back, would change; and of every mapping how its values lie.
///
/// # Errors
/// The actor may not, there is no such mapping, or the lake failed.
pub async fn preview_mapping(
    on: &Deployment,
    actor: &Actor,
    id: MappingId,
) -> Result<Effect, Error> {
    permit(actor, Act::SeeMappings)?;
    let set = super::set(on, None).await?;
    let mapping = set.find(id).ok_or(mapping::ActError::Unknown)?.clone();
    let after = with(&set, &mapping, on)?;
    let (mut counts, mut own, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    let at = on.lake.head().await?;
    let mut persons = Numbered::default();
    for table in MAPPED.iter().filter(|t| t.targets.contains(&mapping.key.system.as_str())) {
        let session = Session::new(&on.lake)?;
        let counted = Counted::of(on, &session, table, at, None).await?;
        let item = only(&counted, &mapping.key)?;
        counts.append(&mut counted_days(&item, &mapping.key, &mut persons).await?);
        if table.values {
            own.append(&mut values(&item, Some(&mapping)).await?);
            let same = Counted {
                rows: counted
                    .rows
                    .clone()
                    .filter(
                        ident("standard_code")
                            .eq(lit(mapping.meaning.code.clone()))
                            .and(ident("standard_system").eq(lit(mapping.key.system.clone()))),
                    )
                    .map_err(engine)?,
                table,
            };
            let others = values(&same, None).await?;
            peers.extend(others.into_iter().filter(|p| !own.iter().any(|o| o.holder == p.holder)));
        }
    }
    let verdicts = compared(&mapping, &own, &peers);
    let preview = preview(&set, &after, &counts);
    Ok(Effect { mapping, preview, own, peers, verdicts })
}

/// The set after the proposal was signed, or the signed mapping was taken back.
fn with(set: &MappingSet, mapping: &Mapping, on: &Deployment) -> Result<MappingSet, Error> {
    let last = set.acts().last().map(|act| act.by().at);
    let at = on.world.clock.now();
    let by = By { person: "preview".to_owned(), at: last.map_or(at, |last| last.max(at)) };
    let mut after = set.clone();
    match &mapping.standing {
        mapping::Standing::Proposed { .. } => {
            after.apply(mapping::Act::Sign { by, id: mapping.id })?;
        }
        mapping::Standing::Signed { .. } => {
            let reason = "preview".to_owned();
            after.apply(mapping::Act::Withdraw { by, id: mapping.id, reason })?;
        }
        _ => {}
    }
    Ok(after)
}

/// The rows of one local code.
fn only(counted: &Counted, key: &Key) -> Result<Counted, Error> {
    let (system, code) = key.local.split_once('|').unwrap_or_default();
    let (code, name) = match code.strip_prefix('|') {
        Some(name) if system.is_empty() => ("", name),
        _ => (code, ""),
    };
    let mut wanted = ident("__system").eq(lit(system)).and(ident("__code").eq(lit(code)));
    if code.is_empty() {
        wanted = ident("__code").eq(lit("")).and(ident("__name").eq(lit(name)));
    }
    if key.holder != EVERY_HOLDER {
        wanted = wanted.and(ident("holder").eq(lit(key.holder.clone())));
    }
    Ok(Counted { rows: counted.rows.clone().filter(wanted).map_err(engine)?, table: counted.table })
}

/// Numbers for persons that mean nothing outside one preview.
#[derive(Default)]
struct Numbered(HashMap<String, u64>);

impl Numbered {
    fn of(&mut self, person: String) -> u64 {
        let next = self.0.len() as u64;
        *self.0.entry(person).or_insert(next)
    }
}

async fn counted_days(
    item: &Counted,
    key: &Key,
    numbered: &mut Numbered,
) -> Result<Vec<Count>, Error> {
    let mut by_day: BTreeMap<Option<kiban_kernel::Date>, (u64, BTreeSet<u64>)> = BTreeMap::new();
    for batch in item.by(&["day", "person"], vec![rows_counted()]).await? {
        let (days, persons, rows) = (days(&batch, 0)?, text(&batch, 1)?, numbers(&batch, 2)?);
        for ((day, person), rows) in days.into_iter().zip(persons).zip(rows) {
            let of = by_day.entry(day).or_default();
            of.0 += rows;
            of.1.extend(person.map(|p| numbered.of(p)));
        }
    }
    let count = |(day, (rows, persons)): (Option<kiban_kernel::Date>, (u64, BTreeSet<u64>))| {
        Count { key: key.clone(), days: day.map(|d| (d, d)), rows, persons: Persons::Set(persons) }
    };
    Ok(by_day.into_iter().map(count).collect())
}

/// A holder's numbers with how often each occurs: as they came, converted.
type Values = (Vec<(f64, u64)>, Vec<(f64, u64)>);

/// Values by holder: as they came, and as the mapping converts them (or, without one, as the signed mappings do).
async fn values(rows: &Counted, by: Option<&Mapping>) -> Result<Vec<Overlay>, Error> {
    let mut of: BTreeMap<String, Values> = BTreeMap::new();
    let group = ["holder", "value", "value_text", "unit", "converted"];
    for batch in rows.by(&group, vec![rows_counted()]).await? {
        let (holders, value, texts) = (text(&batch, 0)?, floats(&batch, 1)?, text(&batch, 2)?);
        let (units, converted, n) = (text(&batch, 3)?, floats(&batch, 4)?, numbers(&batch, 5)?);
        for at in 0..batch.num_rows() {
            let (Some(holder), Some(raw)) = (&holders[at], value[at]) else { continue };
            let own = of.entry(holder.clone()).or_default();
            own.0.push((raw, n[at]));
            let converted = match by.map(|m| m.meaning.unit.as_ref()) {
                None => converted[at],
                Some(None) => Some(raw),
                Some(Some(rule)) => kiban_lake::functions::standard_value(
                    rule,
                    raw,
                    texts[at].as_deref(),
                    units[at].as_deref(),
                )
                .map(|(value, _)| value),
            };
            own.1.extend(converted.map(|v| (v, n[at])));
        }
    }
    let overlay = |(holder, (raw, converted)): (String, Values)| {
        let holder = holder.parse().ok()?;
        let spread = |values: &[(f64, u64)]| spread(values, 0, 0);
        Some(Overlay { holder, raw: spread(&raw), converted: spread(&converted) })
    };
    Ok(of.into_iter().filter_map(overlay).collect())
}

fn compared(mapping: &Mapping, own: &[Overlay], peers: &[Overlay]) -> Vec<Verdict> {
    let unit = mapping.meaning.unit.as_ref();
    let target = unit.and_then(|u| Unit::parse(&u.to));
    let analyte = unit.and_then(|u| u.analyte.as_deref()).and_then(Analyte::of_key);
    let own = own.iter().find_map(|o| o.converted.as_ref());
    peers
        .iter()
        .map(|peer| match (own, &peer.converted) {
            (Some(own), Some(peer)) => {
                compare(own, target.as_ref(), peer, target.as_ref(), analyte)
            }
            _ => Verdict::Silent,
        })
        .collect()
}
