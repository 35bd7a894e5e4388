//! From the one table (role × act × employer) to a [`Permit`] or a [`Refusal`].

use kiban_kernel::LawKey;

use crate::{Act, Actor, Employer, Role, law_key};

/// Proof that the table permits an act to an actor. Made by [`permit`] alone.
///
/// ```compile_fail,E0451
/// use kiban_govern::{Act, Actor, Permit};
/// fn forge(actor: Actor) -> Permit { Permit { actor, act: Act::ApproveRelease } }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    actor: Actor,
    act: Act,
}

impl Permit {
    /// Who.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
    /// What.
    pub fn act(&self) -> Act {
        self.act
    }
    /// The same permit, if it is for `act`.
    ///
    /// # Errors
    /// It was given for another act.
    pub fn expect(&self, act: Act) -> Result<&Actor, Refusal> {
        if self.act == act {
            Ok(&self.actor)
        } else {
            Err(Refusal { act, reason: RefusalReason::OtherAct { given: self.act } })
        }
    }
}

/// Why an act is not permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{act} is not permitted: {reason}", act = .act.as_str())]
pub struct Refusal {
    /// The act asked for.
    pub act: Act,
    /// Why.
    pub reason: RefusalReason,
}

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// No role of the actor permits it.
    #[error("one of these roles is needed: {}", names(.needs))]
    RoleMissing {
        /// Roles of which one is needed.
        needs: &'static [Role],
    },
    /// Staff of this kind of body may not do it, whatever their role.
    #[error("staff of a {} may not do it", .employer.as_str())]
    Employer {
        /// Whose staff the actor is.
        employer: Employer,
    },
    /// A permit for another act was shown.
    #[error("the permit shown is for {}", .given.as_str())]
    OtherAct {
        /// The act it was given for.
        given: Act,
    },
}

fn names(roles: &[Role]) -> String {
    roles.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(", ")
}

impl Refusal {
    /// Machine-readable code.
    pub fn code(&self) -> &'static str {
        match self.reason {
            RefusalReason::RoleMissing { .. } => "role_missing",
            RefusalReason::Employer { .. } => "employer_not_allowed",
            RefusalReason::OtherAct { .. } => "permit_for_other_act",
        }
    }
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        let act = self.act.label_ja();
        match self.reason {
            RefusalReason::RoleMissing { needs } => {
                let roles: Vec<_> = needs.iter().map(|r| r.label_ja()).collect();
                format!(
                    "「{act}」の権限がありません。必要な役割：{}。安全管理責任者に役割の付与を依頼してください。",
                    roles.join("、")
                )
            }
            RefusalReason::Employer { employer } => {
                let who: Vec<_> = self.act.employers().iter().map(|e| e.label_ja()).collect();
                format!(
                    "{}の職員は「{act}」を行えません。行えるのは{}の職員です。",
                    employer.label_ja(),
                    who.join("、")
                )
            }
            RefusalReason::OtherAct { given } => {
                format!("「{}」の許可では「{act}」を行えません。", given.label_ja())
            }
        }
    }
    /// Law key.
    pub fn law(&self) -> Option<LawKey> {
        law_key(self.act.law())
    }
}

/// Does the table permit `act` to `actor`?
///
/// # Errors
/// What is missing. The employer is judged first: no role lets a trustee's staff approve a release.
pub fn permit(actor: &Actor, act: Act) -> Result<Permit, Refusal> {
    if !act.employers().contains(&actor.employer) {
        return Err(Refusal { act, reason: RefusalReason::Employer { employer: actor.employer } });
    }
    if !act.roles().iter().any(|r| actor.has(*r)) {
        return Err(Refusal { act, reason: RefusalReason::RoleMissing { needs: act.roles() } });
    }
    Ok(Permit { actor: actor.clone(), act })
}

/// The whole table as text: one line per act and role, and which employers it holds for. The committed copy
/// (`permissions.txt`) is compared by a test, so that a change of rights is read by a person.
pub fn permission_table() -> String {
    let mut out = String::from("act\trole\temployers\n");
    for act in Act::ALL {
        for role in Role::ALL {
            let allowed: Vec<_> = Employer::ALL
                .into_iter()
                .filter(|employer| {
                    let zero = kiban_kernel::Id::from_bytes([0; 16]);
                    let org = kiban_kernel::Id::from_bytes([0; 16]);
                    permit(&Actor::new(zero, org, *employer, [role]), *act).is_ok()
                })
                .map(Employer::as_str)
                .collect();
            if !allowed.is_empty() {
                out.push_str(&[act.as_str(), role.as_str(), &allowed.join(",")].join("\t"));
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiban_kernel::Id;

    fn actor(employer: Employer, roles: impl IntoIterator<Item = Role>) -> Actor {
        Actor::new(Id::from_bytes([1; 16]), Id::from_bytes([2; 16]), employer, roles)
    }

    #[test]
    fn the_table_is_the_committed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/permissions.txt");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == permission_table(),
            "rights changed; if intended, commit this as {path}:\n{}",
            permission_table()
        );
    }

    #[test]
    fn trustee_staff_neither_approve_nor_open_nor_decide() {
        for act in [
            Act::ApproveRelease,
            Act::OpenIdentified,
            Act::AnswerEnquiry,
            Act::DecideApplication,
            Act::DecideFinding,
            Act::SignContract,
            Act::ManageKeys,
        ] {
            let refused = permit(&actor(Employer::Trustee, Role::ALL), act).unwrap_err();
            assert_eq!(refused.reason, RefusalReason::Employer { employer: Employer::Trustee });
            assert!(refused.ja().contains("受託事業者"));
            assert!(permit(&actor(Employer::Producer, Role::ALL), act).is_ok());
        }
    }

    #[test]
    fn no_role_no_act_and_every_act_has_a_known_law_key() {
        for act in Act::ALL {
            for employer in Employer::ALL {
                assert!(permit(&actor(employer, []), *act).is_err());
            }
            assert!(law_key(act.law()).is_some(), "{}", act.law());
            assert!(!act.label_ja().is_empty());
        }
    }

    #[test]
    fn a_permit_serves_its_own_act_only() {
        let p = permit(&actor(Employer::Producer, [Role::ReleaseApprover]), Act::ApproveRelease)
            .unwrap();
        assert!(p.expect(Act::ApproveRelease).is_ok());
        assert_eq!(p.expect(Act::ManageKeys).unwrap_err().code(), "permit_for_other_act");
    }
}
