//! The two acts: from cleared records to a product.

use kiban_kernel::{Digest, Id, Product, Regime, kinds};
use kiban_lake::{
    CodeMap, KeyError, KeyRing, Lake, Secret, Session, Snapshot, functions::keyed::Keyed,
};
use kiban_vault::{Anon52, Cleared, Pseudo57};
use sqlx::AnyConnection;

use crate::{
    error::ProduceError,
    finding::Decision,
    produce::{self, Run, frame},
    product::{Anonymized, Produced, Provenance, Pseudonymized},
    spec::Checked,
};

/// The secret of one domain of pseudonyms.
struct DomainKey {
    name: String,
    domain: String,
    secret: Secret,
}

impl DomainKey {
    async fn of(
        ring: &KeyRing,
        conn: &mut AnyConnection,
        kind: &str,
        domain: String,
    ) -> Result<Self, KeyError> {
        let name = format!("pseudonym/{kind}/{domain}");
        let secret = ring.secret(conn, &name).await?;
        Ok(Self { name, domain, secret })
    }
}

/// The secret of one anonymized dataset: its pseudonyms and shifts hold nowhere else.
pub struct DatasetKey(DomainKey);

impl DatasetKey {
    /// The dataset's secret, made when there is none. Give the connection of the transaction.
    ///
    /// # Errors
    /// The key ring or the database failed.
    pub async fn of(
        ring: &KeyRing,
        conn: &mut AnyConnection,
        dataset: Id<kinds::Dataset>,
    ) -> Result<Self, KeyError> {
        DomainKey::of(ring, conn, "dataset", dataset.to_string()).await.map(Self)
    }
}

/// The secret of a project line: a person keeps the pseudonym in every pseudonymized dataset of the line.
pub struct ProjectKey(DomainKey);

impl ProjectKey {
    /// The line's secret, made when there is none. Give the connection of the transaction.
    ///
    /// # Errors
    /// The key ring or the database failed.
    pub async fn of(
        ring: &KeyRing,
        conn: &mut AnyConnection,
        project: Id<kinds::Project>,
    ) -> Result<Self, KeyError> {
        DomainKey::of(ring, conn, "project", project.to_string()).await.map(Self)
    }
}

/// Make anonymized data from records cleared under Art. 52, their codes read by the signed mappings `codes`.
///
/// # Guarantee
/// `deid.k`, `deid.rows`, `deid.explained`, `deid.domains`
/// # Errors
/// See [`ProduceError`]; never carries a value.
/// # Law
/// `anonymized.making`
pub async fn anonymize(
    lake: &Lake,
    cleared: &Cleared<Anon52>,
    codes: &CodeMap,
    checked: &Checked,
    key: &DatasetKey,
) -> Result<Anonymized, ProduceError> {
    let made = Making {
        lake,
        snapshot: cleared.snapshot(),
        watermark: cleared.watermark(),
        regime: cleared.regime(),
        codes,
        checked,
        key: &key.0,
        decisions: &[],
    };
    Ok(Anonymized::mint(made.run(Product::Anonymized).await?))
}

/// Make pseudonymized data from records cleared under Art. 57, their codes read by the signed mappings `codes`, with the decisions taken so far about the findings of
/// the combination scan. Findings without a decision are in the product's list and block its release.
///
/// # Guarantee
/// `deid.rows`, `deid.explained`, `deid.domains`, `deid.findings`
/// # Errors
/// See [`ProduceError`]; never carries a value.
/// # Law
/// `pseudonymized.making`
pub async fn pseudonymize(
    lake: &Lake,
    cleared: &Cleared<Pseudo57>,
    codes: &CodeMap,
    checked: &Checked,
    key: &ProjectKey,
    decisions: &[Decision],
) -> Result<Pseudonymized, ProduceError> {
    let made = Making {
        lake,
        snapshot: cleared.snapshot(),
        watermark: cleared.watermark(),
        regime: cleared.regime(),
        codes,
        checked,
        key: &key.0,
        decisions,
    };
    Ok(Pseudonymized::mint(made.run(Product::Pseudonymized).await?))
}

struct Making<'a> {
    lake: &'a Lake,
    snapshot: Snapshot,
    watermark: u64,
    regime: Regime,
    codes: &'a CodeMap,
    checked: &'a Checked,
    key: &'a DomainKey,
    decisions: &'a [Decision],
}

impl Making<'_> {
    async fn run(self, product: Product) -> Result<Produced, ProduceError> {
        let checked = self.checked;
        if checked.product() != product {
            return Err(ProduceError::WrongProduct { checked_for: checked.product() });
        }
        if checked.spec().is_flat() || checked.spec().document().fixed.is_some() {
            return Err(ProduceError::NotCanonical);
        }
        let session = Session::new(self.lake)?;
        let mut frames = Vec::new();
        let source = frame::Source {
            lake: self.lake,
            at: self.snapshot,
            regime: self.regime,
            codes: self.codes,
        };
        for table in checked.tables() {
            let made = frame::of_lake(&source, &session, checked, table).await?;
            frames.push((table, made));
        }
        let provenance = provenance(
            checked,
            &self.key.domain,
            Some((self.snapshot, self.watermark)),
            &self.key.name,
        );
        let provenance = Provenance {
            mapping_version: self.codes.version(),
            mapping_digest: Some(self.codes.digest()),
            ..provenance
        };
        let run = Run {
            session: &session,
            checked,
            keyed: Keyed::new(self.key.secret.expose(), &self.key.domain),
            decisions: self.decisions,
            provenance,
            fixed: false,
        };
        produce::make(run, frames).await
    }
}

/// What is known of a product before its plan ran.
pub(crate) fn provenance(
    checked: &Checked,
    domain: &str,
    source: Option<(Snapshot, u64)>,
    secret_name: &str,
) -> Provenance {
    let spec = checked.spec();
    Provenance {
        product: checked.product(),
        domain: domain.to_owned(),
        snapshot: source.map(|(s, _)| s.0),
        stop_watermark: source.map(|(_, w)| w),
        mapping_version: 0,
        mapping_digest: None,
        specification: spec.document().specification.name.clone(),
        specification_digest: spec.digest(),
        rules_digest: checked.rules(),
        rules_on: checked.on(),
        plan_digest: Digest::of(b""),
        keys: vec![secret_name.to_owned()],
        decisions: Vec::new(),
        software: format!("kiban {}", env!("CARGO_PKG_VERSION")),
    }
}
