//! Joint use of pseudonymized data: among certified users alone, and seen by each of them.

use kiban_govern::{Actor, Employer, Role, certification::pseudo_user};
use kiban_kernel::{Date, Id, Product, kinds};
use kiban_release::application::{Content, State};

use crate::{Deployment, Error};

/// What a partner of a joint use may know of it.
#[derive(Debug, Clone)]
pub struct JointUse {
    /// The application.
    pub application: Id<kinds::Application>,
    /// The user that answers for it.
    pub user: Id<kinds::Organization>,
    /// All who use it jointly.
    pub partners: Vec<Id<kinds::Organization>>,
    /// Title of the project.
    pub title: String,
    /// Purpose.
    pub purpose: String,
    /// Data items.
    pub items: Vec<String>,
    /// First day of use.
    pub use_from: Date,
    /// Last day of use.
    pub use_until: Date,
}

/// Is an organization a certified user of pseudonymized data today?
///
/// # Errors
/// The database failed.
pub async fn is_certified_user(
    on: &Deployment,
    organization: Id<kinds::Organization>,
) -> Result<bool, Error> {
    Ok(pseudo_user(organization, &on.certifications().await?, on.today()).is_ok())
}

/// Refuse a joint use with somebody who is not certified.
pub(crate) async fn hold(
    on: &Deployment,
    product: Product,
    content: &Content,
) -> Result<(), Error> {
    if product == Product::Pseudonymized {
        let certifications = on.certifications().await?;
        for partner in &content.co_users {
            pseudo_user(*partner, &certifications, on.today())?;
        }
    }
    Ok(())
}

/// The joint uses that the actor's organization is a partner of, once they are decided.
///
/// # Errors
/// The database failed.
/// # Law
/// `pseudonymized.user_duties`
pub async fn joint_uses(on: &Deployment, actor: &Actor) -> Result<Vec<JointUse>, Error> {
    if actor.employer != Employer::User || !actor.has(Role::Researcher) {
        return Ok(Vec::new());
    }
    let mut conn = on.reader().await?;
    let mut out = Vec::new();
    for id in kiban_release::applications(&mut conn).await? {
        let application = kiban_release::application(&mut conn, id).await?;
        if !matches!(application.state, State::Accepted { .. }) {
            continue;
        }
        let (_, content) = kiban_release::content(&mut conn, id).await?;
        if content.co_users.contains(&actor.organization) {
            out.push(JointUse {
                application: id,
                user: application.applicant,
                partners: content.co_users,
                title: content.title,
                purpose: content.purpose,
                items: content.items,
                use_from: content.use_from,
                use_until: content.use_until,
            });
        }
    }
    Ok(out)
}
