//! The combination scan of the pseudonymized product: whom could one value or a combination of values identify?
//!
//! It looks at what would be released (values after their rules), per person. What it finds is a [`Finding`] without
//! the value; a decision becomes an override of exactly the cells that combine.
//!
//! # Law
//! `pseudonymized.identifiers` (単体又は組合せ)

use std::fmt::Write as _;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arrow::array::{Array, AsArray};
use futures::TryStreamExt;
use kiban_kernel::{Id, LawKey, parse_partial};
use kiban_lake::{
    functions::{
        as_text,
        counted::{Override, Overrides, cell_key},
        keyed::{self, Keyed},
        prefecture_of,
    },
    plan::ident,
};

use super::{Work, frame::PERSON};
use crate::{
    error::ProduceError,
    finding::{Choice, Decision, Finding, FindingKind},
    spec::{Checked, CheckedColumn, Matcher, RESIDUAL, Role, built_in_disease_list},
};

/// A column of a table.
type Place = (String, String);

/// A combination that hardly anybody has.
pub(super) struct Case {
    kind: FindingKind,
    cells: Vec<(Place, Role, String)>,
    persons: Vec<String>,
}

/// Persons of one value; only the first few are remembered.
#[derive(Default)]
struct Few {
    count: u64,
    persons: Vec<String>,
}

impl Few {
    fn add(&mut self, person: &str, limit: u64) {
        self.count += 1;
        if self.count <= limit {
            self.persons.push(person.to_owned());
        }
    }
}

/// Different pairs of person and values of some columns, as texts.
async fn pairs(
    work: &Work<'_>,
    columns: &[&CheckedColumn],
    keyed: &Arc<Keyed>,
    mut each: impl FnMut(&str, &[Option<&str>]),
) -> Result<(), ProduceError> {
    let mut selected = vec![ident(PERSON)];
    selected.extend(
        columns
            .iter()
            .enumerate()
            .map(|(i, c)| as_text(work.value(c, keyed)).alias(format!("v{i}"))),
    );
    let mut stream = work.rows.clone().select(selected)?.distinct()?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let texts: Vec<_> = batch.columns().iter().map(|c| c.as_string::<i32>()).collect();
        for row in 0..batch.num_rows() {
            let cell = |i: usize| texts[i].is_valid(row).then(|| texts[i].value(row));
            let Some(person) = cell(0) else { continue };
            let values: Vec<Option<&str>> = (1..texts.len()).map(cell).collect();
            each(person, &values);
        }
    }
    Ok(())
}

/// The first column with a role, in the order of the tables.
fn with_role<'w, 'a>(
    works: &'w [Work<'a>],
    role: Role,
) -> Option<(&'w Work<'a>, &'a CheckedColumn)> {
    works.iter().find_map(|w| w.columns.iter().find(|c| c.role == Some(role)).map(|c| (w, *c)))
}

fn place(work: &Work<'_>, column: &CheckedColumn) -> Place {
    (work.table.name.clone(), column.name.clone())
}

/// All combinations that the dated rules call findings.
pub(super) async fn scan(
    checked: &Checked,
    works: &[Work<'_>],
    keyed: &Arc<Keyed>,
) -> Result<Vec<Case>, ProduceError> {
    let limit = checked.scan().persons;
    let mut cases = Vec::new();
    let mut regions: HashMap<String, String> = HashMap::new();
    let region = with_role(works, Role::Region);
    let mut region_place = None;
    if let Some((work, column)) = region {
        let at = place(work, column);
        let mut by_region: BTreeMap<String, Few> = BTreeMap::new();
        pairs(work, &[column], keyed, |person, values| {
            if let [Some(value)] = values {
                regions.insert(person.to_owned(), (*value).to_owned());
                by_region.entry((*value).to_owned()).or_default().add(person, limit);
            }
        })
        .await?;
        for (value, few) in by_region.into_iter().filter(|(_, f)| f.count <= limit) {
            let cells = vec![(at.clone(), Role::Region, value)];
            cases.push(Case { kind: FindingKind::SmallMunicipality, cells, persons: few.persons });
        }
        region_place = Some(at);
    }
    if let Some((work, column)) = with_role(works, Role::Birth) {
        let mut by_birth: BTreeMap<String, Few> = BTreeMap::new();
        let last_year = i64::from(checked.on().year()) - checked.scan().age_years;
        pairs(work, &[column], keyed, |person, values| {
            if let [Some(value)] = values
                && is_very_old(value, checked, last_year)
            {
                by_birth.entry((*value).to_owned()).or_default().add(person, u64::MAX);
            }
        })
        .await?;
        for (value, few) in by_birth {
            let cells = vec![(place(work, column), Role::Birth, value)];
            cases.push(Case { kind: FindingKind::VeryHighAge, cells, persons: few.persons });
        }
    }
    if let Some((work, column)) = with_role(works, Role::Occupation) {
        let mut alone: BTreeMap<String, Few> = BTreeMap::new();
        let mut with_region: BTreeMap<(String, String), Few> = BTreeMap::new();
        pairs(work, &[column], keyed, |person, values| {
            let [Some(value)] = values else { return };
            alone.entry((*value).to_owned()).or_default().add(person, limit);
            if let Some(region) = regions.get(person) {
                with_region
                    .entry(((*value).to_owned(), region.clone()))
                    .or_default()
                    .add(person, limit);
            }
        })
        .await?;
        let at = place(work, column);
        for ((value, region), few) in with_region {
            let singular = alone.get(&value).is_some_and(|f| f.count <= limit);
            if let Some(region_at) =
                region_place.clone().filter(|_| few.count <= limit && !singular)
            {
                let cells =
                    vec![(at.clone(), Role::Occupation, value), (region_at, Role::Region, region)];
                cases.push(Case {
                    kind: FindingKind::OccupationInMunicipality,
                    cells,
                    persons: few.persons,
                });
            }
        }
        for (value, few) in alone.into_iter().filter(|(_, f)| f.count <= limit) {
            let cells = vec![(at.clone(), Role::Occupation, value)];
            cases.push(Case { kind: FindingKind::Occupation, cells, persons: few.persons });
        }
    }
    let rare = Matcher::new(checked.spec().document(), &[built_in_disease_list().to_owned()]);
    for work in works {
        for column in work.columns.iter().filter(|c| c.role == Some(Role::Event)) {
            events(work, column, &regions, region_place.as_ref(), &rare, limit, keyed, &mut cases)
                .await?;
        }
    }
    Ok(cases)
}

/// Rare diseases by region; very rare events by region and by facility.
#[expect(clippy::too_many_arguments, reason = "one private call; a struct would only rename them")]
async fn events(
    work: &Work<'_>,
    column: &CheckedColumn,
    regions: &HashMap<String, String>,
    region_at: Option<&Place>,
    rare: &Matcher,
    limit: u64,
    keyed: &Arc<Keyed>,
    cases: &mut Vec<Case>,
) -> Result<(), ProduceError> {
    let mut alone: BTreeMap<String, Few> = BTreeMap::new();
    let mut by_region: BTreeMap<(String, String), Few> = BTreeMap::new();
    pairs(work, &[column], keyed, |person, values| {
        let [Some(value)] = values else { return };
        alone.entry((*value).to_owned()).or_default().add(person, limit);
        if let Some(region) = regions.get(person) {
            by_region.entry(((*value).to_owned(), region.clone())).or_default().add(person, limit);
        }
    })
    .await?;
    let at = place(work, column);
    if let Some(region_at) = region_at {
        for ((value, region), few) in by_region.into_iter().filter(|(_, f)| f.count <= limit) {
            let kind = if rare.is_rare(&value) {
                FindingKind::RareDiseaseInRegion
            } else if alone.get(&value).is_some_and(|f| f.count <= limit) {
                FindingKind::SingleCaseInMunicipality
            } else {
                continue;
            };
            let cells =
                vec![(at.clone(), Role::Event, value), (region_at.clone(), Role::Region, region)];
            cases.push(Case { kind, cells, persons: few.persons });
        }
    }
    let Some(facility) = work.columns.iter().find(|c| c.role == Some(Role::Facility)) else {
        return Ok(());
    };
    let mut by_facility: BTreeMap<(String, String), Few> = BTreeMap::new();
    pairs(work, &[column, facility], keyed, |person, values| {
        if let [Some(value), Some(facility)] = values
            && alone.get(*value).is_some_and(|f| f.count <= limit)
        {
            by_facility
                .entry(((*value).to_owned(), (*facility).to_owned()))
                .or_default()
                .add(person, limit);
        }
    })
    .await?;
    for ((value, name), few) in by_facility {
        let cells =
            vec![(at.clone(), Role::Event, value), (place(work, facility), Role::Facility, name)];
        cases.push(Case { kind: FindingKind::SingleCaseAtFacility, cells, persons: few.persons });
    }
    Ok(())
}

/// Had the person's birthday of the age been reached on the day of the rules?
fn is_very_old(birth: &str, checked: &Checked, last_year: i64) -> bool {
    let Ok(birth) = parse_partial(birth) else { return false };
    let (on, first) = (checked.on(), birth.earliest());
    i64::from(first.year()) < last_year
        || (i64::from(first.year()) == last_year
            && (first.month(), first.day()) <= (on.month(), on.day()))
}

/// Overrides by table and column.
pub(super) type ColumnOverrides = BTreeMap<Place, Overrides>;

/// Findings with their decisions, and what the decisions make of cells.
pub(super) fn decide(
    checked: &Checked,
    cases: Vec<Case>,
    decisions: &[Decision],
    keyed: &Arc<Keyed>,
) -> (Vec<Finding>, ColumnOverrides) {
    let mut findings = Vec::new();
    let mut overrides: ColumnOverrides = BTreeMap::new();
    let law = LawKey::new("pseudonymized.identifiers").ok();
    for case in cases {
        let mut name = case.kind.as_str().to_owned();
        for ((table, column), _, value) in &case.cells {
            let _ = write!(name, "\u{1e}{table}\u{1f}{column}\u{1f}{value}");
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&keyed.tag("finding", &name)[..16]);
        let id = Id::from_bytes(bytes);
        // Of several decisions on one finding the last one counts.
        let decision = decisions.iter().filter(|d| d.finding == id).max_by_key(|d| d.at).cloned();
        if let Some(choice) = decision.as_ref().map(|d| d.choice).filter(|c| *c != Choice::Keep) {
            for (at, role, value) in &case.cells {
                let change = match choice {
                    Choice::Keep | Choice::Drop => Override::Empty,
                    Choice::Coarsen => coarser(checked, *role, value),
                };
                let map = overrides.entry(at.clone()).or_default();
                for person in &case.persons {
                    map.insert(cell_key(person, value), change.clone());
                }
            }
        }
        let mut pseudonyms: Vec<String> =
            case.persons.iter().map(|p| keyed.pseudonym_of(keyed::PERSON, p)).collect();
        pseudonyms.sort_unstable();
        let Some(law) = law.clone() else { continue };
        findings.push(Finding {
            id,
            kind: case.kind,
            columns: case
                .cells
                .iter()
                .map(|((table, column), _, _)| format!("{table}.{column}"))
                .collect(),
            persons: case.persons.len() as u64,
            pseudonyms,
            law,
            decision,
        });
    }
    findings.sort_by_key(|f| (f.kind, f.id));
    (findings, overrides)
}

/// A value that more persons share.
fn coarser(checked: &Checked, role: Role, value: &str) -> Override {
    match role {
        Role::Birth => {
            let year = i64::from(checked.on().year()) - checked.scan().age_years;
            Override::Text(format!("{year}以前"))
        }
        Role::Region if prefecture_of(value).is_some_and(|p| p.len() < value.len()) => {
            Override::Prefecture
        }
        Role::Region | Role::Occupation | Role::Event | Role::Facility => {
            Override::Text(RESIDUAL.to_owned())
        }
    }
}
