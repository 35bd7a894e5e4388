//! The delivery matrix: to whom may which product go by which route?
//!
//! # Law
//! `pseudonymized.provision`, `pseudonymized.user_duties`, `anonymized.use`

use kiban_kernel::{Date, Id, LawKey, Product, kinds};

use crate::{
    certification::{
        Certification, CertificationKind, NotEffective, PseudoUser, UserType, pseudo_user,
    },
    law_key,
};

/// What the recipient is, seen from the producer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum RecipientKind {
    /// A research organization that asks for a dataset.
    User,
    /// A data holder, as such.
    Holder,
    /// A trustee of the producer.
    Trustee,
    /// Another producer: exchange has acts of its own (Arts. 27, 38).
    Producer,
    /// A regulator: receives through the user's filing, not by provision.
    Regulator,
}

impl RecipientKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::User, Self::Holder, Self::Trustee, Self::Producer, Self::Regulator];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Holder => "holder",
            Self::Trustee => "trustee",
            Self::Producer => "producer",
            Self::Regulator => "regulator",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::User => "利用者",
            Self::Holder => "医療情報取扱事業者",
            Self::Trustee => "認定医療情報等取扱受託事業者",
            Self::Producer => "他の認定作成事業者",
            Self::Regulator => "承認審査機関等",
        }
    }
}

/// How a dataset reaches its recipient.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Sealed to the recipient's key and handed over.
    SealedTransfer,
    /// Sealed to the key of the producer's environment; the recipient works there.
    ProducerEnvironment,
    /// Sealed to the recipient's key on a medium.
    SealedMedium,
}

impl Route {
    /// All routes.
    pub const ALL: [Self; 3] =
        [Self::SealedTransfer, Self::ProducerEnvironment, Self::SealedMedium];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SealedTransfer => "sealed_transfer",
            Self::ProducerEnvironment => "producer_environment",
            Self::SealedMedium => "sealed_medium",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::SealedTransfer => "封緘して送付",
            Self::ProducerEnvironment => "作成事業者の環境内で利用",
            Self::SealedMedium => "封緘した媒体で引渡し",
        }
    }
    /// Do data leave the producer's environment?
    pub fn leaves(self) -> bool {
        !matches!(self, Self::ProducerEnvironment)
    }
}

impl std::str::FromStr for Route {
    type Err = UnknownRoute;
    fn from_str(s: &str) -> Result<Self, UnknownRoute> {
        Self::ALL.into_iter().find(|r| r.as_str() == s).ok_or(UnknownRoute)
    }
}

/// A text that names no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such route")]
pub struct UnknownRoute;

/// A recipient of anonymized data: nobody needs a certification for these, but somebody must be named.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AnonDataUser {
    organization: Id<kinds::Organization>,
}

impl AnonDataUser {
    /// Who.
    pub fn organization(&self) -> Id<kinds::Organization> {
        self.organization
    }
}

/// To whom a product goes: the kind of recipient the Act gives that product.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Anonymized data, to anybody named.
    Anonymized(AnonDataUser),
    /// Pseudonymized data, to a certified user.
    Pseudonymized(PseudoUser),
}

/// Proof that a product may go to a recipient by a route on a day. Made by [`route`] alone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Passage {
    to: To,
    route: Route,
}

impl Passage {
    /// To whom.
    pub fn to(&self) -> &To {
        &self.to
    }
    /// The recipient.
    pub fn organization(&self) -> Id<kinds::Organization> {
        match &self.to {
            To::Anonymized(to) => to.organization(),
            To::Pseudonymized(to) => to.organization(),
        }
    }
    /// By which route.
    pub fn route(&self) -> Route {
        self.route
    }
    /// Which product.
    pub fn product(&self) -> Product {
        match self.to {
            To::Anonymized(_) => Product::Anonymized,
            To::Pseudonymized(_) => Product::Pseudonymized,
        }
    }
}

/// Why a product may not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteRefusal {
    /// Pseudonymized data, and the recipient is not an effective certified user.
    #[error("pseudonymized data go to certified users only")]
    NotCertified(#[source] NotEffective),
    /// A type II user's data stay in the producer's environment.
    #[error("a type II user's data stay in the producer's environment")]
    TypeTwoStays,
    /// Datasets are provided to users; this recipient is none.
    #[error("a dataset is not provided to a {}", .recipient.as_str())]
    NotAUser {
        /// What it is.
        recipient: RecipientKind,
    },
}

impl RouteRefusal {
    /// Machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotCertified(_) => "not_certified",
            Self::TypeTwoStays => "type_two_stays",
            Self::NotAUser { .. } => "not_a_user",
        }
    }
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::NotCertified(why) => {
                format!("仮名加工医療情報は認定仮名加工医療情報利用事業者以外に提供できません。{}", why.ja())
            }
            Self::TypeTwoStays => {
                "Ⅱ型認定の利用事業者のデータは作成事業者の環境から持ち出せません。「作成事業者の環境内で利用」を選んでください。".to_owned()
            }
            Self::NotAUser { recipient } => {
                format!("{}は提供先になりません。利用者を提供先に指定してください。", recipient.label_ja())
            }
        }
    }
    /// Law key.
    pub fn law(&self) -> Option<LawKey> {
        law_key(match self {
            Self::NotCertified(_) | Self::TypeTwoStays => "pseudonymized.provision",
            Self::NotAUser { .. } => "transfer.ban",
        })
    }
}

/// May `product` go to `organization` (a `recipient`) by `route` on a day?
///
/// # Errors
/// Why not.
pub fn route(
    organization: Id<kinds::Organization>,
    recipient: RecipientKind,
    product: Product,
    route: Route,
    certifications: &[Certification],
    on: Date,
) -> Result<Passage, RouteRefusal> {
    if recipient != RecipientKind::User {
        return Err(RouteRefusal::NotAUser { recipient });
    }
    let to = match product {
        Product::Anonymized => To::Anonymized(AnonDataUser { organization }),
        Product::Pseudonymized => {
            let to = pseudo_user(organization, certifications, on)
                .map_err(RouteRefusal::NotCertified)?;
            if to.user_type() == UserType::II && route.leaves() {
                return Err(RouteRefusal::TypeTwoStays);
            }
            To::Pseudonymized(to)
        }
    };
    Ok(Passage { to, route })
}

/// The whole matrix as text: recipient × certification × product × route.
pub fn delivery_matrix() -> String {
    use crate::certification::{State, Step};
    let org = Id::from_bytes([7; 16]);
    let on = Date::constant(2026, 4, 1);
    let applied = Step { on: Date::constant(2025, 1, 1), state: State::Applied };
    let certified = Step {
        on: Date::constant(2025, 4, 1),
        state: State::Certified { number: "M-25-01".into(), expires: None },
    };
    let ended = |state| Step { on: Date::constant(2026, 3, 31), state };
    let user = |user_type, steps: Vec<Step>| {
        Certification::from_history(org, CertificationKind::PseudoUser(user_type), steps).ok()
    };
    let cases = [
        ("uncertified", None),
        ("applied", user(UserType::I, vec![applied.clone()])),
        ("type_1", user(UserType::I, vec![applied.clone(), certified.clone()])),
        ("type_2", user(UserType::II, vec![applied.clone(), certified.clone()])),
        ("revoked", user(UserType::I, vec![applied, certified, ended(State::Revoked)])),
    ];
    let mut out = String::from("recipient\tcertification\tproduct\troute\tdecision\n");
    for recipient in RecipientKind::ALL {
        for (name, certification) in &cases {
            if recipient != RecipientKind::User && *name != "type_1" {
                continue;
            }
            let held: Vec<_> = certification.iter().cloned().collect();
            for product in [Product::Anonymized, Product::Pseudonymized] {
                for way in Route::ALL {
                    let decision = match route(org, recipient, product, way, &held, on) {
                        Ok(_) => "allowed",
                        Err(e) => e.code(),
                    };
                    let line = [recipient.as_str(), name, product.as_str(), way.as_str(), decision];
                    out.push_str(&line.join("\t"));
                    out.push('\n');
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_is_the_committed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deliveries.txt");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == delivery_matrix(),
            "the matrix changed; if intended, commit this as {path}:\n{}",
            delivery_matrix()
        );
    }

    #[test]
    fn pseudonymized_data_reach_effective_certified_users_only() {
        for line in delivery_matrix().lines().filter(|l| l.contains("\tpseudonymized\t")) {
            let allowed = line.ends_with("\tallowed");
            let expected = line.starts_with("user\ttype_1")
                || line.starts_with("user\ttype_2\tpseudonymized\tproducer_environment");
            assert_eq!(allowed, expected, "{line}");
        }
    }

    #[test]
    fn refusals_speak() {
        let e = route(
            Id::from_bytes([1; 16]),
            RecipientKind::User,
            Product::Pseudonymized,
            Route::SealedTransfer,
            &[],
            Date::constant(2026, 4, 1),
        )
        .unwrap_err();
        assert!(e.ja().contains("認定仮名加工医療情報利用事業者以外に提供できません"));
        assert!(e.law().is_some());
    }
}
