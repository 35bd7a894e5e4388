//! The two products. Their wrappers are minted in this crate alone.

use arrow::record_batch::RecordBatch;
use kiban_govern::certification::PseudoUser;
use kiban_kernel::{Digest, Product};

use crate::{
    finding::{Decision, Finding},
    payload::{Payload, PayloadError},
    report::{ChangeReport, DictionaryEntry, RiskSummary},
};

/// What a product was made from and how: enough to make it again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Provenance {
    /// Which product.
    pub product: Product,
    /// Domain of its pseudonyms: the dataset (anonymized) or the project line (pseudonymized).
    pub domain: String,
    /// Snapshot of the lake; none for a plain table.
    pub snapshot: Option<u64>,
    /// Stops known when the records were cleared.
    pub stop_watermark: Option<u64>,
    /// Version of the mappings of codes: the acts on record when it was made.
    #[serde(default)]
    pub mapping_version: u64,
    /// Digest of the mappings in effect; none for a plain table.
    #[serde(default)]
    pub mapping_digest: Option<Digest>,
    /// The specification's name.
    pub specification: String,
    /// Digest of the specification's text.
    pub specification_digest: Digest,
    /// Digest of the dated rules.
    pub rules_digest: Digest,
    /// Day whose rules were in force.
    pub rules_on: kiban_kernel::Date,
    /// Digest of the engine's plans and of what was counted from the data before they ran (code maps).
    pub plan_digest: Digest,
    /// Names of the secrets that pseudonyms and shifts were made with.
    pub keys: Vec<String>,
    /// Decisions that were applied.
    pub decisions: Vec<Decision>,
    /// Software version.
    pub software: String,
}

/// A product's content: rows on their way into a payload, and everything told about them.
pub struct Produced {
    pub(crate) tables: Vec<(String, Vec<RecordBatch>)>,
    pub(crate) provenance: Provenance,
    pub(crate) dictionary: Vec<DictionaryEntry>,
    pub(crate) changes: ChangeReport,
    pub(crate) risk: RiskSummary,
    pub(crate) findings: Vec<Finding>,
    pub(crate) singled_out: Vec<(String, Vec<String>)>,
    /// Who is who: the ids inside and the ids shown. For comparisons with other products, in no package.
    pub(crate) persons: crate::joins::Persons,
    /// Were its risks measured?
    pub(crate) measured: bool,
}

impl Produced {
    /// What it was made from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }
    /// The output's tables, rows sorted by pseudonym.
    pub fn tables(&self) -> &[(String, Vec<RecordBatch>)] {
        &self.tables
    }
    /// Every column of the output.
    pub fn dictionary(&self) -> &[DictionaryEntry] {
        &self.dictionary
    }
    /// Changes per rule.
    pub fn changes(&self) -> &ChangeReport {
        &self.changes
    }
    /// Person-level risk.
    pub fn risk(&self) -> &RiskSummary {
        &self.risk
    }
    /// Findings of the combination scan, with their decisions; always empty for the anonymized product.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
    /// Findings nobody has decided yet: they block the release.
    pub fn undecided(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.decision.is_none())
    }
    /// By declared adversary the persons singled out (at most ten thousand), by the ids they have inside; for the
    /// producer's own eyes, in no package.
    pub fn singled_out(&self) -> &[(String, Vec<String>)] {
        &self.singled_out
    }
    /// The id inside of whoever is shown under an id: for a regulator's enquiry, which a journey guards.
    pub fn person_of(&self, shown: &str) -> Option<&str> {
        self.persons.iter().find(|(_, id)| *id == shown).map(|(person, _)| person.as_str())
    }
    /// Does a column of the output hold pseudonyms?
    pub(crate) fn is_pseudonym(&self, table: &str, column: &str) -> bool {
        let of = |e: &&DictionaryEntry| e.table == table && e.column == column;
        self.dictionary.iter().find(of).is_some_and(|e| e.rule == "pseudonym")
    }
    /// The files of the package, byte for byte the same in every run.
    ///
    /// # Errors
    /// A table could not be written.
    pub fn payload(&self) -> Result<Payload, PayloadError> {
        Payload::write(self)
    }
}

mod sealed {
    /// Only this crate's products are released.
    pub trait Sealed {}
}

/// A product that may leave, and to whom the Act lets it go.
///
/// # Law
/// `pseudonymized.provision`, `anonymized.use`
pub trait Releasable: sealed::Sealed + Send + Sync {
    /// Proof that the recipient may have it.
    type Recipient: Send + Sync;
    /// Which product.
    const PRODUCT: Product;
    /// Its content.
    fn produced(&self) -> &Produced;
}

/// A recipient of anonymized data: no certification is needed, the duties of Art. 30 are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnonDataUser {
    /// The recipient.
    pub organization: kiban_kernel::Id<kiban_kernel::kinds::Organization>,
}

/// 匿名加工医療情報. Minted by [`crate::anonymize`] alone.
pub struct Anonymized(Produced);

/// 仮名加工医療情報. Minted by [`crate::pseudonymize`] alone.
pub struct Pseudonymized(Produced);

impl Anonymized {
    pub(crate) fn mint(produced: Produced) -> Self {
        Self(produced)
    }
}
impl Pseudonymized {
    pub(crate) fn mint(produced: Produced) -> Self {
        Self(produced)
    }
}

impl sealed::Sealed for Anonymized {}
impl Releasable for Anonymized {
    type Recipient = AnonDataUser;
    const PRODUCT: Product = Product::Anonymized;
    fn produced(&self) -> &Produced {
        &self.0
    }
}
impl sealed::Sealed for Pseudonymized {}
impl Releasable for Pseudonymized {
    type Recipient = PseudoUser;
    const PRODUCT: Product = Product::Pseudonymized;
    fn produced(&self) -> &Produced {
        &self.0
    }
}
