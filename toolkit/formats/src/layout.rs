//! Record layouts as data: which field of which record means what.
//!
//! Enters: the tables in `layouts/*.csv`, built into the program. Leaves: [`RecordLayout`]s, by form and
//! record. A wrong column of a specification is corrected in the table, not in the code: the readers ask
//! for a role ("points"), the table says where it stands. A field without a role is kept by its number.

use std::collections::BTreeMap;

/// One field, or a run of fields, of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Number of the (first) field, from 1; in claims and notebooks field 1 is the record's id.
    pub first: u16,
    /// Number of the last field of the run.
    pub last: u16,
    /// Official name.
    pub name: &'static str,
    /// All spellings, the official name first, with `|` between them.
    spellings: &'static str,
    /// What the reader does with it; none: kept by its number.
    pub(crate) role: Option<Role>,
}

/// The fields of one kind of record.
#[derive(Debug)]
pub struct RecordLayout {
    /// Form (`medical`, `ef`, `notebook` …).
    pub form: &'static str,
    /// The record's id: `SI`, `201`; `row` where a file has one kind of row only.
    pub id: &'static str,
    /// Its fields in order.
    pub fields: Vec<Field>,
    /// First and last field of each role, zeros if it has none.
    by_role: [(u16, u16); Role::COUNT],
    /// For each field number: is it kept by its number?
    kept: Vec<bool>,
    /// Indices of the fields that are kept by their number, with `number=`.
    kept_at: Vec<(usize, String)>,
    /// First and last index of those that stand side by side.
    kept_runs: Vec<(usize, usize)>,
}

impl RecordLayout {
    /// Number of the field with an official name, from 1.
    pub fn number_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().find(|f| f.name == name).map(|f| f.first.into())
    }
    /// Official name of a field.
    pub fn name_of(&self, number: usize) -> Option<&'static str> {
        self.field(number).map(|f| f.name)
    }
    /// Spellings of a field's name.
    pub(crate) fn spellings(&self, number: usize) -> impl Iterator<Item = &'static str> {
        self.field(number).map_or("", |f| f.spellings).split('|').filter(|s| !s.is_empty())
    }
    /// Number of the last field.
    pub fn width(&self) -> usize {
        self.fields.iter().map(|f| f.last).max().unwrap_or(0).into()
    }
    fn field(&self, number: usize) -> Option<&Field> {
        self.fields.iter().find(|f| (usize::from(f.first)..=usize::from(f.last)).contains(&number))
    }
    /// Index (from 0) of a role's first field.
    #[inline]
    pub(crate) fn at(&self, role: Role) -> Option<usize> {
        usize::from(self.by_role[role as usize].0).checked_sub(1)
    }
    /// Indices of the fields of a role.
    pub(crate) fn run(&self, role: Role) -> std::ops::Range<usize> {
        let (first, last) = self.by_role[role as usize];
        usize::from(first.saturating_sub(1))..usize::from(last)
    }
    /// Index behind the last field.
    pub(crate) fn beyond(&self) -> usize {
        self.kept.len()
    }
    /// Indices of the fields that are kept by their number, in order, with `number=`.
    pub(crate) fn kept_at(&self) -> &[(usize, String)] {
        &self.kept_at
    }
    /// First and last index of fields that are kept by their number and stand side by side, in order.
    pub(crate) fn kept_runs(&self) -> &[(usize, usize)] {
        &self.kept_runs
    }
    /// Is the field at this index one that is kept by its number?
    #[inline]
    pub(crate) fn kept(&self, index: usize) -> Option<bool> {
        self.kept.get(index).copied()
    }
}

macro_rules! roles {
    ($( $role:ident = $text:literal ),+ $(,)?) => {
        /// What a reader does with a field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Role { $( $role ),+ }

        impl Role {
            const ALL: &'static [(Self, &'static str)] = &[$( (Self::$role, $text) ),+];
            const COUNT: usize = Self::ALL.len();
        }
    };
}

roles! {
    ActualDays = "actual_days", Addons = "addons", Address = "address", Adjustment = "adjustment",
    Admitted = "admitted", BenefitRate = "benefit_rate", BilledMonth = "billed_month", Birth = "birth",
    BloodType = "blood_type", Branch = "branch", CareMonth = "care_month", Checked = "checked",
    ClaimType = "claim_type", Code = "code", CodeKind = "code_kind", Coefficient = "coefficient",
    Comment = "comment", Comments = "comments", Copay = "copay", CopayClass = "copay_class",
    Count = "count", DataKind = "data_kind", Days = "days", DeathCause = "death_cause",
    Department = "department", DepartmentText = "department_text", Destination = "destination",
    DetailNo = "detail_no", Discharged = "discharged", Donor = "donor", Dose = "dose",
    DosageForm = "dosage_form", DpcCode = "dpc_code", DrugPoints = "drug_points", EndedOn = "ended",
    Episode = "episode", Facility = "facility", FeePoints = "fee_points", Flags = "flags",
    GenericCode = "generic_code", GenericKind = "generic_kind", GenericText = "generic_text",
    Icd10 = "icd10", Inout = "inout",
    Institution = "institution", InstitutionName = "institution_name", InsurerNo = "insurer_no",
    ItemCode = "item_code", Kana = "kana", Key = "key", LinkId = "link_id",
    LocalCode = "local_code", MealAmount = "meal_amount", MealCount = "meal_count",
    Modifiers = "modifiers", Name = "name", Number = "number",
    Ordered = "ordered", OrderNo = "order_no", Outcome = "outcome", PatientNo = "patient_no",
    PayerBody = "payer_body", PayerKind = "payer_kind", Payers = "payers", Payload = "payload",
    Phone = "phone", Points = "points", PointTable = "point_table", Postal = "postal",
    Practitioner = "practitioner", PractitionerNo = "practitioner_no",
    Practitioners = "practitioners", Prefecture = "prefecture", Quantity = "quantity",
    ReceiptNo = "receipt_no", Recipient = "recipient", RecordNo = "record_no", Relation = "relation",
    Kind = "role", Rp = "rp", SearchNo = "search_no", Section = "section",
    SectionCode = "section_code", Serial = "serial", Sex = "sex", SpecialNotes = "special_notes",
    Spell = "spell", Started = "started", Symbol = "symbol", Text = "text", Tooth = "tooth",
    TotalClaims = "total_claims", TotalPoints = "total_points", Unit = "unit",
    UnitPrice = "unit_price", Usage = "usage", UsageText = "usage_text", Version = "version",
    Ward = "ward", Weight = "weight", WrittenBy = "written_by",
}

/// Layouts by form and record.
#[derive(Debug)]
pub(crate) struct Layouts(BTreeMap<&'static str, BTreeMap<&'static str, RecordLayout>>);

impl Layouts {
    /// Reads a table. Its lines are checked by tests; a line that cannot be read has no effect.
    pub(crate) fn load(table: &'static str) -> Self {
        let mut out: BTreeMap<_, BTreeMap<_, RecordLayout>> = BTreeMap::new();
        for line in table.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let Some((form, id, field)) = read_line(line) else { continue };
            let records = out.entry(form).or_default();
            let layout = records.entry(id).or_insert_with(|| RecordLayout {
                form,
                id,
                fields: Vec::new(),
                by_role: [(0, 0); Role::COUNT],
                kept: vec![false],
                kept_at: Vec::new(),
                kept_runs: Vec::new(),
            });
            if let Some(role) = field.role {
                let slot = &mut layout.by_role[role as usize];
                if slot.0 == 0 {
                    *slot = (field.first, field.last);
                }
            }
            layout.kept.resize(layout.kept.len().max(field.last.into()), true);
            for index in field.first..=field.last {
                layout.kept[usize::from(index) - 1] = field.role.is_none();
            }
            layout.fields.push(field);
        }
        for layout in out.values_mut().flat_map(BTreeMap::values_mut) {
            layout.fields.sort_by_key(|f| f.first);
            layout.kept_at = (1..layout.kept.len())
                .filter(|i| layout.kept[*i])
                .map(|i| (i, format!("{}=", i + 1)))
                .collect();
            for (index, _) in &layout.kept_at {
                match layout.kept_runs.last_mut() {
                    Some((_, last)) if *last + 1 == *index => *last = *index,
                    _ => layout.kept_runs.push((*index, *index)),
                }
            }
        }
        Self(out)
    }
    pub(crate) fn find(&self, form: &str, id: &str) -> Option<&RecordLayout> {
        self.0.get(form)?.get(id)
    }
    /// Records of a form.
    pub(crate) fn form(&self, form: &str) -> impl Iterator<Item = &RecordLayout> {
        self.0.get(form).into_iter().flat_map(BTreeMap::values)
    }
    /// A record as it stands from a version on: `ID@YYYYMMDD` with the latest version not after the one
    /// asked for, else `ID`.
    pub(crate) fn version(&self, form: &str, id: &str, version: &str) -> Option<&RecordLayout> {
        let records = self.0.get(form)?;
        // Ids that begin with this one stand together, the dated ones in the order of their versions.
        let dated = records
            .range::<str, _>((std::ops::Bound::Excluded(id), std::ops::Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(id))
            .filter_map(|(name, layout)| Some((name[id.len()..].strip_prefix('@')?, layout)))
            .filter(|(from, _)| *from <= version);
        dated.last().map(|(_, layout)| layout).or_else(|| records.get(id))
    }
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = &RecordLayout> {
        self.0.values().flat_map(BTreeMap::values)
    }
}

fn read_line(line: &'static str) -> Option<(&'static str, &'static str, Field)> {
    let cells: Vec<&'static str> = line.split(',').collect();
    let &[form, id, numbers, name, role] = cells.as_slice() else { return None };
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let role = match role {
        "" => None,
        text => Some(Role::ALL.iter().find(|(_, t)| *t == text)?.0),
    };
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    let official = name.split('|').next().unwrap_or(name);
    (1 <= first && first <= last && last < 1_000 && !name.is_empty()).then_some((
        form,
        id,
        Field { first, last, name: official, spellings: name, role },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_layout_holds_from_its_version_on() {
        let table =
            "c,A1,1,first,\nc,A1@20240401,1,second,\nc,A1@20260401,1,third,\nc,A10,1,other,";
        let layouts = Layouts::load(table);
        let name =
            |id: &str, version: &str| layouts.version("c", id, version).map(|l| l.fields[0].name);
        assert_eq!(name("A1", ""), Some("first"));
        assert_eq!(name("A1", "20240331"), Some("first"));
        assert_eq!(name("A1", "20240401"), Some("second"));
        assert_eq!(name("A1", "20270101"), Some("third"));
        assert_eq!((name("A10", "20270101"), name("A2", "")), (Some("other"), None));
    }

    #[test]
    fn every_line_of_every_table_is_read_and_no_field_stands_twice() {
        for table in [crate::uke::TABLE, crate::dpc::TABLE, crate::jahis::TABLE] {
            for line in table.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
                assert!(read_line(line).is_some(), "{line}");
            }
            for layout in Layouts::load(table).all() {
                for pair in layout.fields.windows(2) {
                    assert!(pair[0].last < pair[1].first, "{} {}", layout.form, layout.id);
                }
            }
        }
    }
}
