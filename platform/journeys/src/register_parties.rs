//! Register the organizations, certifications, entrustments, filings, notices and accounts of a deployment.
//!
//! Enters: a description in TOML, each party under a short key. Leaves: rows of the register, one event.
//! Refuses: a key twice, a key that is not described, whatever the register itself refuses.

use std::collections::{BTreeMap, BTreeSet};

use kiban_audit::Event;
use kiban_govern::{
    Act, Actor, Employer, HandlerNo, Role,
    certification::{Certification, CertificationKind, State, Step},
    committee::{Category, Member, Office, Sex},
    permit,
};
use kiban_kernel::{Date, Digest, Id, Regime, kinds};
use kiban_register::{
    Account, AcquisitionCheck, Entrustment, Filing, NoticeVersion, Organization, OrganizationKind,
    StatutoryItems, account, certification, entrustment, filing, handler, notice, organization,
};
use serde::Deserialize;
use serde_json::json;

use crate::{Deployment, Error, USER_CLASSES};

/// The parties of a deployment, as a person writes them down.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parties {
    /// Key of the producer that runs the deployment.
    pub producer: String,
    /// Organizations by key.
    #[serde(default)]
    pub organization: BTreeMap<String, OrganizationEntry>,
    /// Certifications.
    #[serde(default)]
    pub certification: Vec<CertificationEntry>,
    /// Entrustments.
    #[serde(default)]
    pub entrustment: Vec<EntrustmentEntry>,
    /// Filings.
    #[serde(default)]
    pub filing: Vec<FilingEntry>,
    /// Notice versions.
    #[serde(default)]
    pub notice: Vec<NoticeEntry>,
    /// The list of notified handlers, by number.
    #[serde(default)]
    pub handler: BTreeMap<String, HandlerEntry>,
    /// Accounts by key.
    #[serde(default)]
    pub account: BTreeMap<String, AccountEntry>,
    /// Members of the review committee, by account key.
    #[serde(default)]
    pub member: BTreeMap<String, MemberEntry>,
}

/// An organization.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationEntry {
    /// `producer`, `trustee`, `holder`, `user`, `other`.
    pub kind: String,
    /// Corporate name.
    pub name: String,
    /// Address.
    pub address: String,
    /// Representative.
    pub representative: String,
    /// For a user: `academia`, `company` or `both`, as the public list of projects names it.
    #[serde(default)]
    pub user_class: Option<String>,
    /// For a holder: how it says it acquired its data, and what the producer saw of it.
    #[serde(default)]
    pub acquisition: Option<AcquisitionEntry>,
}

/// What the producer verified of a holder's acquisition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcquisitionEntry {
    /// Day of the check.
    pub checked_on: Date,
    /// How.
    pub method: String,
    /// What was seen.
    pub evidence: String,
    /// Lawful?
    pub lawful: bool,
}

/// A certification that was granted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificationEntry {
    /// Whose.
    pub organization: String,
    /// `anon_producer`, `pseudo_producer`, `pseudo_user_i`, `pseudo_user_ii`, `trustee`.
    pub kind: String,
    /// Certificate number.
    pub number: String,
    /// Day of the application.
    pub applied_on: Date,
    /// Day of the certification.
    pub certified_on: Date,
    /// First day no longer in effect.
    #[serde(default)]
    pub expires: Option<Date>,
}

/// An edge of the trustee graph.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntrustmentEntry {
    /// Whose data; the deployment's producer if left out.
    #[serde(default)]
    pub producer: Option<String>,
    /// Who entrusts.
    pub entruster: String,
    /// Who is entrusted.
    pub trustee: String,
    /// Day of the permission.
    pub permitted_on: Date,
    /// Its reference.
    pub evidence: String,
}

/// A filing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilingEntry {
    /// Who.
    pub holder: String,
    /// Under which regime.
    pub regime: Regime,
    /// Number.
    pub number: String,
    /// Day.
    pub filed_on: Date,
    /// First day in effect.
    pub effective_from: Date,
    /// A longer wait than the rule's.
    #[serde(default)]
    pub wait_days: Option<i64>,
}

/// A notice version.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeEntry {
    /// Whose.
    pub holder: String,
    /// Under which regimes (one sheet may carry both).
    pub regimes: Vec<Regime>,
    /// Version.
    pub version: String,
    /// First day in use.
    pub effective_from: Date,
    /// Table kinds it lists.
    pub kinds: Vec<String>,
    /// The items in words.
    pub data_items: String,
    /// How the holder acquired them.
    pub acquisition: String,
    /// Method of provision.
    pub method: String,
    /// How stop requests are received.
    pub request_desk: String,
}

/// A person on the list of notified handlers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandlerEntry {
    /// Whose staff.
    pub organization: String,
    /// Day of the notification.
    pub notified_on: Date,
    /// Day of the last training, if there was one.
    #[serde(default)]
    pub trained_on: Option<Date>,
    /// Its course.
    #[serde(default)]
    pub course: Option<String>,
}

/// An account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountEntry {
    /// Whose staff.
    pub organization: String,
    /// Number on the list of notified handlers.
    #[serde(default)]
    pub handler: Option<String>,
    /// Roles.
    pub roles: Vec<Role>,
    /// First day.
    pub active_from: Date,
}

/// A committee member.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberEntry {
    /// ①②③.
    pub categories: BTreeSet<Category>,
    /// Sex, as the composition rule counts it.
    pub sex: Sex,
    /// Employers.
    pub employers: Vec<String>,
    /// Office.
    pub office: Office,
    /// First day in office.
    pub from: Date,
}

fn id_of<K: kiban_kernel::Kind>(key: &str) -> Id<K> {
    let digest = Digest::of(format!("kiban/party/{}/{key}", K::PREFIX).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    Id::from_bytes(bytes)
}

impl Parties {
    /// Read a description.
    ///
    /// # Errors
    /// It does not parse, or names a party it does not describe.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let parties: Self =
            toml::from_str(text).map_err(|e| Error::Parties { message: e.message().to_owned() })?;
        let named = |key: &str| parties.organization.contains_key(key);
        let mut unknown: Vec<&str> = vec![&parties.producer];
        unknown.extend(parties.certification.iter().map(|c| c.organization.as_str()));
        unknown.extend(
            parties.entrustment.iter().flat_map(|e| [e.entruster.as_str(), e.trustee.as_str()]),
        );
        unknown.extend(parties.filing.iter().map(|f| f.holder.as_str()));
        unknown.extend(parties.notice.iter().map(|n| n.holder.as_str()));
        unknown.extend(parties.handler.values().map(|h| h.organization.as_str()));
        unknown.extend(parties.account.values().map(|a| a.organization.as_str()));
        unknown
            .extend(parties.member.values().flat_map(|m| m.employers.iter().map(String::as_str)));
        unknown.retain(|key| !named(key));
        match unknown.first() {
            Some(key) => Err(Error::UnknownParty { key: (*key).to_owned() }),
            None => Ok(parties),
        }
    }

    /// The id of the organization described under `key`.
    pub fn organization_id(key: &str) -> Id<kinds::Organization> {
        id_of(key)
    }

    /// The organization that somebody names: by its key, or by its id.
    pub fn organization_named(name: &str) -> Id<kinds::Organization> {
        name.parse().unwrap_or_else(|_| Self::organization_id(name))
    }

    /// The actor described under an account's key.
    ///
    /// # Errors
    /// No such account.
    pub fn actor(&self, key: &str) -> Result<Actor, Error> {
        let missing = || Error::UnknownParty { key: key.to_owned() };
        let entry = self.account.get(key).ok_or_else(missing)?;
        let employer = self.employer(&entry.organization)?;
        let actor =
            Actor::new(id_of(key), id_of(&entry.organization), employer, entry.roles.clone());
        Ok(match entry.handler.as_deref().and_then(HandlerNo::new) {
            Some(handler) => actor.with_handler(handler),
            None => actor,
        })
    }

    /// The first account (by key) that has a role and belongs to the producer's own staff.
    ///
    /// # Errors
    /// None has.
    pub fn account_with(&self, role: Role) -> Result<Actor, Error> {
        let found = self
            .account
            .iter()
            .find(|(_, a)| a.organization == self.producer && a.roles.contains(&role));
        let (key, _) =
            found.ok_or_else(|| Error::UnknownParty { key: role.as_str().to_owned() })?;
        self.actor(key)
    }

    /// Keys of the data holders.
    pub fn holders(&self) -> impl Iterator<Item = &str> {
        self.organization.iter().filter(|(_, o)| o.kind == "holder").map(|(key, _)| key.as_str())
    }

    fn employer(&self, organization: &str) -> Result<Employer, Error> {
        let entry = self
            .organization
            .get(organization)
            .ok_or_else(|| Error::UnknownParty { key: organization.to_owned() })?;
        if organization == self.producer {
            return Ok(Employer::Producer);
        }
        let kind: OrganizationKind =
            entry.kind.parse().map_err(|_| Error::UnknownParty { key: organization.to_owned() })?;
        // Another certified producer's staff are outsiders here.
        Ok(match kind {
            OrganizationKind::Producer => Employer::Other,
            kind => kind.employer(),
        })
    }

    /// The committee's members.
    pub fn members(&self) -> Vec<Member> {
        self.member
            .iter()
            .map(|(key, m)| Member {
                account: id_of(key),
                categories: m.categories.clone(),
                sex: m.sex,
                employers: m.employers.iter().map(|e| id_of(e)).collect(),
                officer_of: BTreeSet::new(),
                office: m.office,
                from: m.from,
                until: None,
            })
            .collect()
    }
}

/// The actor behind an account of the register, by the key it was described under.
///
/// # Errors
/// There is none, it is not active today, or the database failed.
pub async fn actor_named(on: &Deployment, key: &str) -> Result<Actor, Error> {
    Ok(account::actor(&mut *on.reader().await?, id_of(key), on.today()).await?)
}

/// Register everything described but the committee, in one transaction.
///
/// # Errors
/// The actor may not, or the register refuses an entry; then nothing is registered.
/// # Law
/// `holder`, `certification.change`, `notice.anonymized`, `notice.pseudonymized`
pub async fn register_parties(
    on: &Deployment,
    actor: &Actor,
    parties: &Parties,
) -> Result<(), Error> {
    let permit = permit(actor, Act::RegisterOrganization)?;
    let mut tx = on.log.begin().await?;
    let at = tx.now();
    let conn = tx.conn();
    for (key, entry) in &parties.organization {
        let kind = entry.kind.parse().map_err(|_| Error::UnknownParty { key: key.clone() })?;
        let added = Organization {
            id: id_of(key),
            kind,
            name: entry.name.clone(),
            address: entry.address.clone(),
            representative: entry.representative.clone(),
        };
        organization::add(conn, &added, at).await?;
        if let Some(class) = &entry.user_class {
            if USER_CLASSES.iter().all(|(code, _)| code != class) {
                return Err(Error::UnknownParty { key: class.clone() });
            }
            sqlx::query("INSERT INTO journeys_user_class (organization, class) VALUES ($1, $2)")
                .bind(added.id.to_string())
                .bind(class.clone())
                .execute(&mut *conn)
                .await?;
        }
        if let Some(a) = &entry.acquisition {
            let check = AcquisitionCheck {
                holder: added.id,
                checked_on: a.checked_on,
                method: a.method.clone(),
                evidence: a.evidence.clone(),
                lawful: a.lawful,
            };
            filing::add_acquisition(conn, &check).await?;
        }
    }
    sqlx::query("INSERT INTO journeys_producer (organization) VALUES ($1) ON CONFLICT (organization) DO NOTHING")
        .bind(id_of::<kinds::Organization>(&parties.producer).to_string())
        .execute(&mut *conn)
        .await?;
    for c in &parties.certification {
        let kind: CertificationKind =
            c.kind.parse().map_err(|_| Error::UnknownParty { key: c.kind.clone() })?;
        let steps = [
            Step { on: c.applied_on, state: State::Applied },
            Step {
                on: c.certified_on,
                state: State::Certified { number: c.number.clone(), expires: c.expires },
            },
        ];
        let history = Certification::from_history(id_of(&c.organization), kind, steps)
            .map_err(kiban_register::certification::CertificationError::from)?;
        certification::add(conn, id_of(&c.number), &history).await?;
    }
    for e in &parties.entrustment {
        let edge = Entrustment {
            producer: id_of(e.producer.as_deref().unwrap_or(&parties.producer)),
            entruster: id_of(&e.entruster),
            trustee: id_of(&e.trustee),
            permitted_on: e.permitted_on,
            evidence: e.evidence.clone(),
            ended_on: None,
        };
        entrustment::add(conn, &edge).await?;
    }
    for f in &parties.filing {
        let added = Filing {
            id: id_of(&format!("{}/{}", f.number, f.regime)),
            holder: id_of(&f.holder),
            regime: f.regime,
            number: f.number.clone(),
            filed_on: f.filed_on,
            effective_from: f.effective_from,
            ended_on: None,
            wait_days: f.wait_days,
            publication: None,
        };
        filing::add(conn, &added).await?;
    }
    for n in &parties.notice {
        add_notice(conn, parties, n).await?;
    }
    for (number, h) in &parties.handler {
        let number =
            HandlerNo::new(number).ok_or_else(|| Error::UnknownParty { key: number.clone() })?;
        handler::add(conn, &number, id_of(&h.organization), h.notified_on).await?;
        if let Some(day) = h.trained_on {
            let course = h.course.as_deref().unwrap_or("取扱者の教育");
            handler::add_training(conn, &number, day, course).await?;
        }
    }
    for (key, a) in &parties.account {
        let added = Account {
            id: id_of(key),
            organization: id_of(&a.organization),
            employer: parties.employer(&a.organization)?,
            handler: a.handler.as_deref().and_then(HandlerNo::new),
            roles: a.roles.clone(),
            active_from: a.active_from,
            ended_on: None,
        };
        account::add(conn, &added).await?;
    }
    let event = Event {
        kind: "parties.registered",
        actor: permit.actor(),
        subject: id_of::<kinds::Organization>(&parties.producer).to_string(),
        law: None,
        body: json!({
            "organizations": parties.organization.len(),
            "certifications": parties.certification.len(),
            "entrustments": parties.entrustment.len(),
            "filings": parties.filing.len(),
            "notices": parties.notice.len(),
            "handlers": parties.handler.len(),
            "accounts": parties.account.len(),
            "members": parties.member.len(),
        }),
    };
    let _ = tx.commit(event).await?;
    Ok(())
}

/// Item (6) of a notice.
pub(crate) const STOP_ON_REQUEST: &str = "本人または遺族の求めに応じて提供を停止します。";

/// Item (2) of a notice.
pub(crate) fn purpose_of(regime: Regime) -> &'static str {
    match regime {
        Regime::Anon52 => {
            "医療分野の研究開発に資する匿名加工医療情報を作成するため認定事業者に提供します。"
        }
        Regime::Pseudo57 => {
            "医療分野の研究開発に資する仮名加工医療情報を作成し、認定利用事業者に提供するため認定事業者に提供します。"
        }
    }
}

async fn add_notice(
    conn: &mut sqlx::AnyConnection,
    parties: &Parties,
    n: &NoticeEntry,
) -> Result<(), Error> {
    let missing = |key: &str| Error::UnknownParty { key: key.to_owned() };
    let holder = parties.organization.get(&n.holder).ok_or_else(|| missing(&n.holder))?;
    let producer =
        parties.organization.get(&parties.producer).ok_or_else(|| missing(&parties.producer))?;
    for regime in &n.regimes {
        let purpose = purpose_of(*regime);
        let version = NoticeVersion {
            id: id_of(&format!("{}/{}/{regime}", n.holder, n.version)),
            holder: id_of(&n.holder),
            regime: *regime,
            version: n.version.clone(),
            effective_from: n.effective_from,
            items: StatutoryItems {
                holder_name: holder.name.clone(),
                holder_address: holder.address.clone(),
                holder_representative: holder.representative.clone(),
                purpose: purpose.to_owned(),
                data_items: n.data_items.clone(),
                acquisition: n.acquisition.clone(),
                method: n.method.clone(),
                stop_on_request: STOP_ON_REQUEST.to_owned(),
                request_desk: n.request_desk.clone(),
                producer: producer.name.clone(),
                planned_start: None,
            },
            kinds: n.kinds.clone(),
        };
        notice::add(conn, &version).await?;
    }
    Ok(())
}
