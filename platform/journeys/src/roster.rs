//! The committee as it stands, and sessions counted again.

use std::collections::BTreeSet;

use kiban_govern::committee::{self, Bodies, Member, Opinion};
use kiban_kernel::{Id, kinds};
use kiban_register::entrustment;

use crate::{Deployment, Error};

type Account = Id<kinds::Account>;

/// A member of the newest roster, and whether ④ holds today.
#[derive(Debug, Clone)]
pub struct RosterSeat {
    /// The member.
    pub member: Member,
    /// ④: tied neither to this producer nor to one of its trustees.
    pub outsider: bool,
}

/// The newest roster.
#[derive(Debug, Clone)]
pub struct Roster {
    /// Members in office today, chair first.
    pub members: Vec<RosterSeat>,
    /// What it lacks to be a valid committee today; empty if nothing.
    pub lacks: String,
}

/// The newest roster, judged by today's rules.
///
/// # Errors
/// There is none, or the database failed.
pub async fn roster(on: &Deployment) -> Result<Roster, Error> {
    let mut conn = on.reader().await?;
    let (_, members) = kiban_release::roster(&mut conn).await?;
    let producer = crate::inspect::producer(&mut conn).await?;
    let edges = entrustment::all(&mut conn).await?;
    let today = on.today();
    let bodies = Bodies { producer, trustees: entrustment::reached(producer, &edges, today) };
    let composed = committee::composition(&members, &bodies, &on.rules, today);
    let mut members: Vec<RosterSeat> = members
        .into_iter()
        .filter(|m| m.in_office(today))
        .map(|member| RosterSeat { outsider: member.is_outsider(&bodies), member })
        .collect();
    members.sort_by_key(|seat| (seat.member.office, seat.member.account));
    Ok(Roster { members, lacks: composed.err().map(|e| e.ja()).unwrap_or_default() })
}

/// Count a held session again by the rules of its day: who was recused, and the opinion.
///
/// # Errors
/// The Japanese sentence of what does not hold.
pub fn judge(on: &Deployment, held: &crate::Held) -> Result<(BTreeSet<Account>, Opinion), String> {
    let (session, opinion) = held.minutes.judge(&held.members, &on.rules).map_err(|e| e.ja())?;
    Ok((session.recused().clone(), opinion))
}
