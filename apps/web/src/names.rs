//! Names for ids on pages: organizations by name, accounts by role and number of the handler.

use std::collections::BTreeMap;

use kiban_govern::{Actor, Role};
use kiban_journeys::{Deployment, Organization, RosterSeat, committee::Category};
use kiban_kernel::{Id, kinds};

use crate::{fault::Fault, screens::committee::office_ja};

/// The register's names.
pub(crate) struct Names {
    organizations: BTreeMap<Id<kinds::Organization>, Organization>,
    accounts: BTreeMap<Id<kinds::Account>, String>,
}

pub(crate) fn roles_ja(roles: &[Role]) -> String {
    roles.iter().map(|r| r.label_ja()).collect::<Vec<_>>().join("・")
}

impl Names {
    pub(crate) async fn of(on: &Deployment) -> Result<Self, Fault> {
        let organizations: BTreeMap<_, _> =
            kiban_journeys::organizations(on).await?.into_iter().map(|o| (o.id, o)).collect();
        // A deployment without a committee has no roster yet.
        let seats = kiban_journeys::roster(on).await.map(|r| r.members).unwrap_or_default();
        let accounts = kiban_journeys::accounts(on)
            .await?
            .into_iter()
            .map(|a| {
                let roles = roles_ja(&a.roles);
                let seat = seats.iter().find(|s| s.member.account == a.id);
                let label = match (&a.handler, seat) {
                    (_, Some(seat)) => format!("{roles}（{}）", seat_ja(seat, &a.id.to_string())),
                    (Some(handler), None) => format!("{roles}（{handler}）"),
                    (None, None) => format!("{roles}（{}）", last(&a.id.to_string())),
                };
                (a.id, label)
            })
            .collect();
        Ok(Self { organizations, accounts })
    }

    pub(crate) fn organization(&self, id: Id<kinds::Organization>) -> String {
        self.organizations.get(&id).map_or_else(|| short(&id.to_string()), |o| o.name.clone())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Organization> {
        self.organizations.values()
    }

    pub(crate) fn account(&self, id: Id<kinds::Account>) -> String {
        if id.to_bytes() == [0; 16] {
            return "自動処理".to_owned();
        }
        self.accounts.get(&id).cloned().unwrap_or_else(|| short(&id.to_string()))
    }

    /// For an account or organization written as text in an event.
    pub(crate) fn account_text(&self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |id| self.account(id))
    }

    pub(crate) fn organization_text(&self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |id| self.organization(id))
    }

    /// 「提供承認者（取扱-0006）・一般社団法人…」
    pub(crate) fn actor(&self, actor: &Actor) -> String {
        format!("{}・{}", self.account(actor.account), self.organization(actor.organization))
    }
}

/// 「委員長①④・4k2z」
fn seat_ja(seat: &RosterSeat, id: &str) -> String {
    let mut out = office_ja(seat.member.office).to_owned();
    for (category, mark) in Category::ALL.into_iter().zip(['①', '②', '③']) {
        if seat.member.categories.contains(&category) {
            out.push(mark);
        }
    }
    if seat.outsider {
        out.push('④');
    }
    format!("{out}・{}", last(id))
}

/// The last letters of an id: enough to tell colleagues apart.
fn last(id: &str) -> String {
    id.chars().skip(id.chars().count().saturating_sub(4)).collect()
}

/// A standard code system as people call it.
pub(crate) fn code_system_ja(system: &str) -> &str {
    match system {
        "jlac10" => "JLAC10",
        "jlac11" => "JLAC11",
        "yj" => "YJコード",
        "hot" => "HOTコード",
        "receipt-drug" => "レセプト電算コード（医薬品）",
        "icd10" => "ICD-10",
        other => other,
    }
}

/// The first letters of an id: enough to tell neighbours apart.
pub(crate) fn short(id: &str) -> String {
    id.chars().take(12).collect()
}
