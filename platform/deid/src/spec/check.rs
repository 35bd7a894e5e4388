//! The table of house rule 4: what each product must do with each class of column.

use std::collections::BTreeMap;

use kiban_kernel::{ColumnClass, Date, LawKey, Product, RuleError, RuleValue, Rules};

use super::{
    Breach, Checked, CheckedColumn, CheckedTable, Column, RegionLevel, Role, Rule, Spec,
    SpecFinding, Use, Withheld, WithheldReason, canonical, checked::Scan,
};

/// Why a specification could not be checked or did not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// It breaks the table of house rule 4, or the schema.
    #[error("the specification breaks the processing standard in {} places, first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Findings(Vec<SpecFinding>),
    /// A dated rule is missing.
    #[error(transparent)]
    Rules(#[from] RuleError),
}

impl CheckError {
    /// Japanese sentences, one line each.
    pub fn ja(&self) -> String {
        match self {
            Self::Findings(all) => all.iter().map(SpecFinding::ja).collect::<Vec<_>>().join("\n"),
            Self::Rules(_) => {
                "日付つき規則（rules/processing.toml）に必要な定めがありません。".to_owned()
            }
        }
    }
}

impl Spec {
    /// Checks the specification for a product, by the rules in force on a day, in a deployment.
    ///
    /// # Errors
    /// Every breach of the table of house rule 4, with table, column, class, law key and remedy.
    pub fn check(&self, product: Product, rules: &Rules, on: Date) -> Result<Checked, CheckError> {
        self.check_in(product, rules, on, false)
    }

    /// The same for a plain table outside any deployment, where a fixed id and offset are allowed.
    ///
    /// # Errors
    /// As [`Spec::check`].
    pub fn check_tool(
        &self,
        product: Product,
        rules: &Rules,
        on: Date,
    ) -> Result<Checked, CheckError> {
        self.check_in(product, rules, on, true)
    }

    fn check_in(
        &self,
        product: Product,
        rules: &Rules,
        on: Date,
        tool: bool,
    ) -> Result<Checked, CheckError> {
        let document = self.document();
        let flat = self.is_flat();
        let finest = finest_region(product, rules, on)?;
        let mut examiner = Examiner { spec: self, product, finest, found: Vec::new() };
        let mut tables = Vec::new();
        for (name, table) in &document.tables {
            let known = canonical::columns(name);
            if known.is_none() && !flat {
                examiner.report(name, "", None, Breach::UnknownTable, making(product));
            }
            let mut columns = BTreeMap::new();
            for (column_name, column) in &table.columns {
                if let Some(known) = &known {
                    match known.get(column_name.as_str()) {
                        None => examiner.report(
                            name,
                            column_name,
                            Some(column.class),
                            Breach::UnknownColumn,
                            making(product),
                        ),
                        Some(canonical)
                            if !canonical::at_least_as_strict(column.class, *canonical) =>
                        {
                            let breach = Breach::WeakerClass { canonical: *canonical };
                            examiner.report(
                                name,
                                column_name,
                                Some(column.class),
                                breach,
                                default_law(*canonical, product),
                            );
                        }
                        Some(_) => {}
                    }
                }
                columns.insert(column_name.clone(), examiner.column(name, column_name, column));
            }
            examiner.groups(name, &columns);
            tables.push(CheckedTable {
                name: name.clone(),
                columns,
                window_column: table.window_column.clone(),
            });
        }
        tables.sort_by_key(|t| canonical::record_tables().position(|r| r.name == t.name));
        examiner.model(&mut tables, rules, on)?;
        if document.fixed.is_some() && !tool {
            examiner.report("", "", None, Breach::Fixed, making(product));
        }
        if examiner.found.is_empty() {
            let scan = Scan {
                age_years: rules.int("pseudonymized.age_finding_years", on)?,
                persons: u64::try_from(rules.int("pseudonymized.combination_finding_persons", on)?)
                    .unwrap_or(1),
            };
            let (spec, rules) = (self.clone(), rules.digest());
            Ok(Checked { spec, product, on, rules, tables, scan, measured: true })
        } else {
            Err(CheckError::Findings(examiner.found))
        }
    }
}

fn finest_region(product: Product, rules: &Rules, on: Date) -> Result<RegionLevel, RuleError> {
    let name = match product {
        Product::Anonymized => "anonymized.finest_region",
        Product::Pseudonymized => "pseudonymized.finest_region",
    };
    match &rules.get(name, on)?.value {
        RuleValue::Text(text) => {
            RegionLevel::named(text).ok_or_else(|| RuleError::Type { name: name.to_owned() })
        }
        _ => Err(RuleError::Type { name: name.to_owned() }),
    }
}

struct Examiner<'a> {
    spec: &'a Spec,
    product: Product,
    finest: RegionLevel,
    found: Vec<SpecFinding>,
}

impl Examiner<'_> {
    fn report(
        &mut self,
        table: &str,
        column: &str,
        class: Option<ColumnClass>,
        breach: Breach,
        law: &str,
    ) {
        // Safety of the default: a test asks docs/law.toml for every key this file names.
        let Ok(law) = LawKey::new(law).or_else(|_| LawKey::new("definitions")) else { return };
        self.found.push(SpecFinding {
            position: self.spec.position(table, column),
            table: table.to_owned(),
            column: column.to_owned(),
            class,
            product: self.product,
            breach,
            law,
        });
    }

    fn column(&mut self, table: &str, name: &str, column: &Column) -> Use {
        let product = self.product;
        let default = default_law(column.class, product);
        let law = column
            .law
            .as_ref()
            .map(|l| l.of(product).clone())
            .or_else(|| LawKey::new(default).ok());
        let withheld = |reason| {
            Use::Withheld(Withheld {
                table: table.to_owned(),
                column: name.to_owned(),
                reason,
                law: law.clone(),
            })
        };
        let rule = match column.rule(product) {
            None => return withheld(WithheldReason::NoRule),
            Some(Rule::Drop) => return withheld(WithheldReason::Dropped),
            Some(Rule::Withhold) => return withheld(WithheldReason::Withheld),
            Some(rule) => rule,
        };
        for candidate in rule.candidates().iter().filter(|r| !r.removes()) {
            if let Some((breach, law)) = self.breach(name, column.class, candidate) {
                self.report(table, name, Some(column.class), breach, law);
                break;
            }
        }
        let quasi = column.class == ColumnClass::QuasiIdentifier
            || rule.candidates().iter().any(|r| matches!(r, Rule::Region(_)));
        let searched = product == Product::Anonymized && quasi && column.group.is_none();
        if matches!(rule, Rule::Levels(_)) && !searched {
            self.report(table, name, Some(column.class), Breach::LevelsOutsideModel, default);
        }
        match law {
            Some(law) => Use::Output(CheckedColumn {
                name: name.to_owned(),
                class: column.class,
                rule: rule.clone(),
                law,
                group: column.group.clone(),
                in_model: false,
                role: column
                    .role
                    .or_else(|| canonical::role(table, name))
                    .or_else(|| region_role(rule)),
            }),
            None => withheld(WithheldReason::NoRule),
        }
    }

    /// One cell of the table of house rule 4.
    fn breach(
        &self,
        name: &str,
        class: ColumnClass,
        rule: &Rule,
    ) -> Option<(Breach, &'static str)> {
        use ColumnClass as C;
        let law = default_law(class, self.product);
        let given = rule.name();
        let too_fine = || {
            (
                Breach::RegionTooFine { finest: self.finest.as_str().to_owned() },
                identifiers(self.product),
            )
        };
        if let Rule::Region(r) = rule
            && r.to > self.finest
        {
            return Some(too_fine());
        }
        match (class, self.product) {
            // An address leaves its house number and more behind: what stays is a region.
            (C::DirectIdentifier, _) if matches!(rule, Rule::Region(_)) => None,
            (C::DirectIdentifier | C::IndividualIdCode | C::FinancialDamage, _) => {
                Some((Breach::MustDrop { rule: given }, law))
            }
            (C::FreeText, _) => Some((Breach::MustWithhold { rule: given }, law)),
            (C::LinkingCode, _) => {
                (*rule != Rule::Pseudonym).then_some((Breach::DropOrPseudonym { rule: given }, law))
            }
            (C::QuasiIdentifier, _)
                if canonical::is_address(name) && !matches!(rule, Rule::Region(_)) =>
            {
                Some(too_fine())
            }
            (C::QuasiIdentifier, Product::Anonymized) => {
                (!rule.generalises()).then_some((Breach::NeedsGeneralising { rule: given }, law))
            }
            (C::SensitiveValue, Product::Anonymized) => singular(rule).map(|b| (b, law)),
            (C::Date, Product::Anonymized) => {
                (!matches!(rule, Rule::ShiftDate(_) | Rule::TruncateDate(_)))
                    .then_some((Breach::ShiftOrCoarsen { rule: given }, law))
            }
            (C::QuasiIdentifier | C::SensitiveValue | C::Date | C::Insensitive, _) => {
                (*rule == Rule::Pseudonym).then_some((Breach::NotForClass { rule: given }, law))
            }
        }
    }

    /// A group that is judged together must be treated together.
    fn groups(&mut self, table: &str, columns: &BTreeMap<String, Use>) {
        let mut groups: BTreeMap<&str, Vec<&CheckedColumn>> = BTreeMap::new();
        for used in columns.values() {
            if let Use::Output(c) = used
                && let Some(group) = &c.group
            {
                groups.entry(group).or_default().push(c);
            }
        }
        for members in groups.values() {
            let rare = |c: &&&CheckedColumn| matches!(c.rule, Rule::RareToResidual(_));
            if members.iter().any(|c| rare(&c)) {
                for kept in members.iter().filter(|c| !rare(c)) {
                    let law = default_law(kept.class, self.product);
                    self.report(table, &kept.name, Some(kept.class), Breach::GroupBroken, law);
                }
            }
        }
    }

    /// The person-level model holds over all quasi-identifiers that reach the output.
    fn model(
        &mut self,
        tables: &mut [CheckedTable],
        rules: &Rules,
        on: Date,
    ) -> Result<(), RuleError> {
        const LAW: &str = "anonymized.database";
        let model = self.spec.document().k.as_ref();
        let named = model.and_then(|k| k.quasi_identifiers.as_ref());
        let mut any = None;
        for table in tables {
            let table_name = table.name.clone();
            for used in table.columns.values_mut() {
                let Use::Output(c) = used else { continue };
                let region = |r: &Rule| matches!(r, Rule::Region(_));
                if c.class != ColumnClass::QuasiIdentifier
                    && !c.rule.candidates().iter().any(region)
                {
                    continue;
                }
                // The pseudonymized product's risk is measured over the same columns; no k is asked of it.
                c.in_model = true;
                if self.product == Product::Pseudonymized {
                    continue;
                }
                any.get_or_insert((table_name.clone(), c.name.clone(), c.class));
                let full = format!("{table_name}.{}", c.name);
                if named.is_some_and(|n| !n.contains(&full)) {
                    let (name, class) = (c.name.clone(), c.class);
                    self.report(&table_name, &name, Some(class), Breach::OutsideModel, LAW);
                }
            }
        }
        if self.product == Product::Pseudonymized {
            return Ok(());
        }
        match (model, any) {
            (None, Some((table, column, class))) => {
                self.report(&table, &column, Some(class), Breach::NoModel, LAW);
            }
            (Some(k), _) => {
                let floor = rules.int("anonymized.min_k", on)?;
                if i64::from(k.target) < floor {
                    self.report("", "", None, Breach::KUnderFloor { floor }, LAW);
                }
            }
            (None, None) => {}
        }
        Ok(())
    }
}

/// Does a rule deal with singular values? Numbers: both ends. Codes: data and population.
fn singular(rule: &Rule) -> Option<Breach> {
    match rule {
        Rule::Bounds(_) | Rule::Extremes(_) => None,
        Rule::Band(b) if b.low.is_some() && b.high.is_some() => None,
        Rule::Band(_) => Some(Breach::OneEndOpen),
        Rule::TopCode(t) => no_reason(t.other_end.as_deref()),
        Rule::BottomCode(b) => no_reason(b.other_end.as_deref()),
        Rule::RareToResidual(r) if r.lists.is_empty() => Some(Breach::NeedsRareList),
        Rule::RareToResidual(r) if r.min_persons < 2 => Some(Breach::NeedsMinPersons),
        Rule::RareToResidual(_) => None,
        other => Some(Breach::NeedsSingularRule { rule: other.name() }),
    }
}

fn no_reason(reason: Option<&str>) -> Option<Breach> {
    reason.is_none_or(|r| r.trim().is_empty()).then_some(Breach::OneEndOpen)
}

fn region_role(rule: &Rule) -> Option<Role> {
    rule.candidates().iter().any(|r| matches!(r, Rule::Region(_))).then_some(Role::Region)
}

fn making(product: Product) -> &'static str {
    match product {
        Product::Anonymized => "anonymized.making",
        Product::Pseudonymized => "pseudonymized.making",
    }
}

fn identifiers(product: Product) -> &'static str {
    match product {
        Product::Anonymized => "anonymized.identifiers",
        Product::Pseudonymized => "pseudonymized.identifiers",
    }
}

/// The provision a class falls under.
pub(crate) fn default_law(class: ColumnClass, product: Product) -> &'static str {
    use ColumnClass as C;
    match (product, class) {
        (_, C::DirectIdentifier | C::FreeText) => identifiers(product),
        (Product::Anonymized, C::IndividualIdCode) => "anonymized.id_codes",
        (Product::Pseudonymized, C::IndividualIdCode) => "pseudonymized.id_codes",
        (Product::Anonymized, C::LinkingCode) => "anonymized.linking_codes",
        (Product::Pseudonymized, C::LinkingCode) => "pseudonymized.identifiers",
        (Product::Anonymized, C::FinancialDamage) => "anonymized.identifiers",
        (Product::Pseudonymized, C::FinancialDamage) => "pseudonymized.financial",
        (Product::Anonymized, C::SensitiveValue) => "anonymized.singular",
        (Product::Anonymized, C::QuasiIdentifier | C::Date) => "anonymized.database",
        (Product::Pseudonymized, C::QuasiIdentifier | C::SensitiveValue | C::Date) => {
            "pseudonymized.identifiers"
        }
        (_, C::Insensitive) => making(product),
    }
}
