//! Who is on the register: organizations, accounts, the holders' notices; for lists and names on pages.

use kiban_govern::certification::Certification;
use kiban_kernel::{Id, kinds};
use kiban_register::{
    Account, Filing, NoticeVersion, Organization, OrganizationKind, account, filing, notice,
    organization,
};
use sqlx::Row as _;

use crate::{Deployment, Error, Parties};

/// All organizations.
///
/// # Errors
/// The database failed.
pub async fn organizations(on: &Deployment) -> Result<Vec<Organization>, Error> {
    Ok(organization::all(&mut *on.reader().await?).await?)
}

/// The organization that somebody names: by its key in the parties' description, or by its id.
///
/// # Errors
/// [`Error::UnknownParty`] if none on the register has it: a key that is mistyped is the id of nobody.
pub async fn organization_named(
    on: &Deployment,
    name: &str,
) -> Result<Id<kinds::Organization>, Error> {
    let id = Parties::organization_named(name);
    let known = organizations(on).await?.iter().any(|organization| organization.id == id);
    if known { Ok(id) } else { Err(Error::UnknownParty { key: name.to_owned() }) }
}

/// All accounts that are active today, by organization and role.
///
/// # Errors
/// The database failed.
pub async fn accounts(on: &Deployment) -> Result<Vec<Account>, Error> {
    let today = on.today();
    let mut all = account::all(&mut *on.reader().await?).await?;
    all.retain(|a| a.active_from <= today && a.ended_on.is_none_or(|end| today < end));
    Ok(all)
}

/// The actor behind an account, if it is active today.
///
/// # Errors
/// There is none, it is not active, or the database failed.
pub async fn actor_of(
    on: &Deployment,
    account: Id<kinds::Account>,
) -> Result<kiban_govern::Actor, Error> {
    Ok(account::actor(&mut *on.reader().await?, account, on.today()).await?)
}

/// The person behind an account, whether it is active today or not: for rules about who acted before.
pub(crate) async fn person_of(
    conn: &mut sqlx::AnyConnection,
    id: Id<kinds::Account>,
) -> Result<kiban_govern::Actor, Error> {
    let found = account::all(conn).await?.into_iter().find(|a| a.id == id);
    let a = found.ok_or(Error::Unknown { what: "アカウント" })?;
    let actor = kiban_govern::Actor::new(a.id, a.organization, a.employer, a.roles);
    Ok(match a.handler {
        Some(handler) => actor.with_handler(handler),
        None => actor,
    })
}

/// The certifications on the register.
///
/// # Errors
/// The database failed.
pub async fn certifications(on: &Deployment) -> Result<Vec<Certification>, Error> {
    on.certifications().await
}

/// A data holder as the public may know it.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The organization.
    pub organization: Organization,
    /// Its filings.
    pub filings: Vec<Filing>,
    /// Its notices, oldest first.
    pub notices: Vec<NoticeVersion>,
}

/// The data holders, with filings and notices.
///
/// # Errors
/// The database failed.
pub async fn holders(on: &Deployment) -> Result<Vec<Holder>, Error> {
    let mut conn = on.reader().await?;
    let mut out = Vec::new();
    for organization in organization::all(&mut conn).await? {
        if organization.kind == OrganizationKind::Holder {
            out.push(Holder {
                filings: filing::of(&mut conn, organization.id).await?,
                notices: notice::of(&mut conn, organization.id).await?,
                organization,
            });
        }
    }
    Ok(out)
}

/// Classes of users on the public list.
pub const USER_CLASSES: [(&str, &str); 3] =
    [("academia", "アカデミア"), ("company", "民間企業"), ("both", "アカデミア・民間企業")];

impl Deployment {
    pub(crate) async fn user_class(
        &self,
        organization: Id<kinds::Organization>,
    ) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT class FROM journeys_user_class WHERE organization = $1")
            .bind(organization.to_string())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let class: Option<String> = row.map(|r| r.try_get(0)).transpose()?;
        Ok(class.map(|c| {
            USER_CLASSES.iter().find(|(code, _)| *code == c).map_or(c, |(_, ja)| (*ja).to_owned())
        }))
    }
}
