//! Which level each searched column takes: the engine counts what persons hold at every level, the toolkit searches
//! over classes of persons.
//!
//! A person with several rows in a table holds the *set* of their values; a set is generalised by generalising each
//! of its members. So a quasi-identifier may live in any table of the person, and the unit stays the person.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use arrow::array::{Array, AsArray, StringArray};
use futures::TryStreamExt;
use kiban_anonymity::{
    Attribute, Hierarchy, Point, Sensitive, Table, TableBuilder, ToTheEnd, anonymize,
};
use kiban_lake::{
    functions::{as_text, keyed::Keyed},
    plan::{DataFrame, Expr, ident},
};

use super::{
    compile::{self, Facts},
    frame::{Frame, PERSON},
    measure, persons_of,
};
use crate::{
    error::ProduceError,
    report::{SearchPoint, SearchSummary, SearchedColumn},
    spec::{Checked, CheckedColumn, CheckedTable, Rule, Search, SearchError},
};

/// Between the members of a set, and what stands for no value.
const SEPARATOR: char = '\u{1f}';
const NO_VALUE: &str = "\u{0}";
/// The label under which everything falls together.
const ALL: &str = "*";

/// The outcome of a search.
pub(crate) struct Searched {
    /// The specification with one rule for every column.
    pub(crate) checked: Checked,
    /// Persons for whose class a model does not hold.
    pub(crate) suppressed: HashSet<String>,
    pub(crate) summary: SearchSummary,
}

/// Chooses the levels; `None` if there is nothing to choose.
pub(crate) async fn choose(
    checked: &Checked,
    frames: &[(&CheckedTable, Frame)],
    keyed: &Arc<Keyed>,
) -> Result<Option<Searched>, ProduceError> {
    if !checked.is_searched() {
        return Ok(None);
    }
    let search = checked.spec().document().search.clone().unwrap_or_default();
    let mut held = Held::default();
    for (table, frame) in frames {
        if table.output().next().is_some() {
            held.read(checked, table, frame, keyed, &search.sensitive()).await?;
        }
    }
    let settings = search.settings(checked.k()).map_err(SearchError::from)?;
    if held.persons.is_empty() {
        // Nobody to protect: the finest levels, and an empty product.
        let summary =
            SearchSummary { models: models(checked.k(), &search), ..SearchSummary::default() };
        let checked = checked.with_levels(|_, _| 0);
        return Ok(Some(Searched { checked, suppressed: HashSet::new(), summary }));
    }
    let (table, persons) = held.table(&search.sensitive())?;
    let answer = anonymize(&table, &settings, &ToTheEnd).map_err(SearchError::from)?;
    let Some(pass) = answer.passes.first() else {
        return Err(SearchError::from(kiban_anonymity::AnonymizeError::Stopped).into());
    };
    let columns: Vec<SearchedColumn> = held
        .quasi
        .iter()
        .zip(pass.levels.iter().zip(&answer.score_per_attribute))
        .map(|(quasi, (level, score))| SearchedColumn {
            table: quasi.table.clone(),
            column: quasi.column.clone(),
            level: *level,
            levels: quasi.rules.len(),
            rule: quasi.rules.get(*level).map_or_else(String::new, Rule::text),
            score: *score,
        })
        .collect();
    let chosen = checked.with_levels(|table, column| {
        columns.iter().find(|c| c.table == table && c.column == column).map_or(0, |c| c.level)
    });
    let suppressed = persons
        .into_iter()
        .enumerate()
        .filter(|(row, _)| answer.labels(&table, *row).is_none())
        .map(|(_, person)| person)
        .collect();
    let summary = SearchSummary {
        models: models(checked.k(), &search),
        columns,
        score: answer.score,
        suppression_limit: (settings.suppression * table.rows() as f64).floor() as u64,
        suppressed: answer.suppressed,
        combinations: answer.lattice_nodes as f64,
        checked: answer.checked,
        optimal: answer.optimal,
        explored: answer.explored.iter().map(|p| point(p, table.rows())).collect(),
    };
    Ok(Some(Searched { checked: chosen, suppressed, summary }))
}

fn point(met: &Point, persons: u64) -> SearchPoint {
    let share = |a: u64, b: u64| if b == 0 { 0.0 } else { a as f64 / b as f64 };
    SearchPoint {
        levels: met.levels.clone(),
        score: met.score,
        suppressed: met.suppressed,
        prosecutor: share(1, met.smallest),
        marketer: share(met.classes, persons.saturating_sub(met.suppressed)),
    }
}

/// The models as the report names them.
fn models(k: u32, search: &Search) -> Vec<String> {
    std::iter::once(format!("k={k}")).chain(search.models.iter().cloned()).collect()
}

/// One column of the model: what each person holds of it, at every level.
struct Quasi {
    table: String,
    column: String,
    rules: Vec<Rule>,
    /// Distinct rows of labels, one label per level; numbered as they are met.
    leaves: Vec<Vec<Option<String>>>,
    numbers: HashMap<Vec<Option<String>>, u32>,
    /// Person and leaf.
    pairs: Vec<(u32, u32)>,
}

/// A column that a further model protects.
struct Protected {
    name: String,
    values: HashMap<u32, String>,
}

/// Everything persons hold of the model's columns.
#[derive(Default)]
struct Held {
    persons: HashMap<String, u32>,
    quasi: Vec<Quasi>,
    protected: Vec<Protected>,
}

impl Held {
    fn person(&mut self, id: &str) -> u32 {
        if let Some(number) = self.persons.get(id) {
            return *number;
        }
        let number = self.persons.len() as u32;
        self.persons.insert(id.to_owned(), number);
        number
    }

    async fn read(
        &mut self,
        checked: &Checked,
        table: &CheckedTable,
        frame: &Frame,
        keyed: &Arc<Keyed>,
        sensitive: &[String],
    ) -> Result<(), ProduceError> {
        let mut selected = vec![ident(PERSON)];
        let model: Vec<&CheckedColumn> = table.output().filter(|c| c.in_model).collect();
        let mut widths = Vec::new();
        for column in &model {
            let mut width = 0;
            for rule in column.rule.candidates().iter().filter(|r| !r.removes()) {
                let at = CheckedColumn { rule: rule.clone(), ..(*column).clone() };
                let value = value_of(checked, &at, frame, &frame.rows, keyed).await?;
                selected.push(as_text(value).alias(format!("q{}", selected.len())));
                width += 1;
            }
            widths.push(width);
        }
        let mut protected = Vec::new();
        for name in sensitive {
            let Some(column) = name.strip_prefix(&format!("{}.", table.name)) else { continue };
            let Some(column) = table.output().find(|c| c.name == column) else { continue };
            let finest = column.rule.candidates().first().unwrap_or(&column.rule).clone();
            let column = CheckedColumn { rule: finest, ..column.clone() };
            let value = value_of(checked, &column, frame, &frame.rows, keyed).await?;
            selected.push(as_text(value).alias(format!("q{}", selected.len())));
            protected.push(name.clone());
        }
        // What persons hold, each combination once: the engine counts, rows never come here.
        let held = frame.rows.clone().select(selected)?.distinct()?;
        let first = self.quasi.len();
        self.quasi.extend(model.iter().map(|column| Quasi {
            table: table.name.clone(),
            column: column.name.clone(),
            rules: column.rule.candidates().to_vec(),
            leaves: Vec::new(),
            numbers: HashMap::new(),
            pairs: Vec::new(),
        }));
        let first_protected = self.protected.len();
        self.protected
            .extend(protected.into_iter().map(|name| Protected { name, values: HashMap::new() }));
        let mut stream = held.execute_stream().await?;
        while let Some(batch) = stream.try_next().await? {
            let persons = persons_of(&batch)?;
            let texts: Vec<&StringArray> =
                batch.columns()[1..].iter().map(|c| c.as_string::<i32>()).collect();
            for row in 0..batch.num_rows() {
                if persons.is_null(row) {
                    continue;
                }
                let person = self.person(persons.value(row));
                let cell =
                    |text: &StringArray| text.is_valid(row).then(|| text.value(row).to_owned());
                let mut at = 0;
                for (quasi, width) in self.quasi[first..].iter_mut().zip(&widths) {
                    let labels = texts[at..at + width].iter().map(|t| cell(t)).collect();
                    at += width;
                    quasi.add(person, labels);
                }
                for (protected, text) in
                    self.protected[first_protected..].iter_mut().zip(&texts[at..])
                {
                    let value = cell(text).unwrap_or_default();
                    if protected.values.insert(person, value.clone()).is_some_and(|v| v != value) {
                        return Err(
                            SearchError::Sensitive { column: protected.name.clone() }.into()
                        );
                    }
                }
            }
        }
        Ok(())
    }

    /// Persons in the order of their ids, as rows of a table.
    fn table(&mut self, sensitive: &[String]) -> Result<(Table, Vec<String>), SearchError> {
        if let Some(lost) = sensitive.iter().find(|s| self.protected.iter().all(|p| p.name != **s))
        {
            return Err(SearchError::Sensitive { column: lost.clone() });
        }
        let mut attributes = Vec::new();
        let mut values = Vec::new();
        for quasi in &mut self.quasi {
            let (hierarchy, of_person) = quasi.hierarchy(self.persons.len())?;
            let name = format!("{}.{}", quasi.table, quasi.column);
            attributes.push(Attribute::new(name, hierarchy));
            values.push(of_person);
        }
        let protected = self.protected.iter().map(|p| Sensitive::new(&p.name, None)).collect();
        let mut builder = TableBuilder::new(attributes, protected)?;
        let mut persons: Vec<(String, u32)> = self.persons.drain().collect();
        persons.sort_unstable();
        for (_, number) in &persons {
            let quasi: Vec<&str> = values
                .iter()
                .map(|(sets, of)| sets[of[*number as usize] as usize].as_str())
                .collect();
            let own: Vec<&str> = self
                .protected
                .iter()
                .map(|p| p.values.get(number).map_or("", String::as_str))
                .collect();
            builder.push(&quasi, &own)?;
        }
        Ok((builder.finish(), persons.into_iter().map(|(person, _)| person).collect()))
    }
}

/// The names of the distinct sets, and the set of each person.
type SetsOfPersons = (Vec<String>, Vec<u32>);

impl Quasi {
    fn add(&mut self, person: u32, labels: Vec<Option<String>>) {
        let leaf = match self.numbers.get(&labels) {
            Some(leaf) => *leaf,
            None => {
                let leaf = self.leaves.len() as u32;
                self.leaves.push(labels.clone());
                self.numbers.insert(labels, leaf);
                leaf
            }
        };
        self.pairs.push((person, leaf));
    }

    /// The distinct sets that persons hold, generalised level by level.
    fn hierarchy(&mut self, persons: usize) -> Result<(Hierarchy, SetsOfPersons), SearchError> {
        let (table, column) = (&self.table, &self.column);
        let not_nested = || SearchError::NotNested { table: table.clone(), column: column.clone() };
        self.pairs.sort_unstable();
        self.pairs.dedup();
        let mut sets: HashMap<&[u32], u32> = HashMap::new();
        let mut names: Vec<String> = Vec::new();
        // In the order of the labels, so that the answer does not depend on the order in which rows came.
        let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let leaves: Vec<u32> = self.pairs.iter().map(|(_, leaf)| *leaf).collect();
        let mut of_person = vec![0; persons];
        let mut at = 0;
        for (person, of) in of_person.iter_mut().enumerate() {
            let end =
                at + self.pairs[at..].iter().take_while(|(p, _)| *p as usize == person).count();
            let set = &leaves[at..end];
            at = end;
            if let Some(known) = sets.get(set) {
                *of = *known;
                continue;
            }
            *of = names.len() as u32;
            sets.insert(set, *of);
            let labels: Vec<String> = (0..self.rules.len()).map(|l| self.label(set, l)).collect();
            let first = labels.first().cloned().unwrap_or_default();
            if rows.entry(first.clone()).or_insert_with(|| labels.clone()) != &labels {
                return Err(not_nested());
            }
            names.push(first);
        }
        if rows.is_empty() {
            rows.insert(ALL.to_owned(), vec![ALL.to_owned(); self.rules.len()]);
        }
        let lines = rows.values().map(|labels| labels.iter().map(String::as_str));
        let hierarchy = Hierarchy::from_rows(lines).map_err(|_| not_nested())?;
        Ok((hierarchy, (names, of_person)))
    }

    /// What a set is called at a level.
    fn label(&self, set: &[u32], level: usize) -> String {
        if self.rules.get(level).is_none_or(Rule::removes) {
            return ALL.to_owned();
        }
        let members: BTreeSet<&str> = set
            .iter()
            .map(|leaf| {
                let label = self.leaves[*leaf as usize].get(level);
                label.and_then(|l| l.as_deref()).unwrap_or(NO_VALUE)
            })
            .collect();
        let mut name = String::new();
        for member in members {
            name.push_str(member);
            name.push(SEPARATOR);
        }
        name
    }
}

/// What a column becomes by its rule, counted over the rows as they are.
async fn value_of(
    checked: &Checked,
    column: &CheckedColumn,
    frame: &Frame,
    rows: &DataFrame,
    keyed: &Arc<Keyed>,
) -> Result<Expr, ProduceError> {
    let mut facts = Facts::default();
    measure::facts(checked, frame, rows, &[column], &mut facts).await?;
    Ok(compile::value(column, &[column], frame, &facts, keyed))
}
