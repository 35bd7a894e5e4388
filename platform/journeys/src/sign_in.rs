//! Signing in with a passkey or through an organization's own provider, and the accounts that may.
//!
//! Enters: answers of authenticators and of providers, one-time codes. Leaves: passkeys of accounts, the [`Actor`] who signed in, one event
//! for each. Refuses: whatever [`kiban_passkey`] refuses; an answer to a challenge that was not asked here, of this
//! visitor, within five minutes, for this purpose, or that was used; an account that is not bound to a notified
//! handler with training in date.
//!
//! # Guarantee
//! - `sign-in.once`: a challenge and a code of invitation are used once, whatever becomes of the first use.
//! - `sign-in.entitled`: nobody signs in, and no session goes on, with an account that the register bars today.
//! - `sign-in.two-factors`: a provider that shows one factor signs nobody in without a passkey of the account.
//! - `sign-in.bound`: an identity of a provider stands for the account that the security officer bound it to, or for none.
//! - `sign-in.copied`: a passkey whose counter goes back is revoked, on the record.

mod accounts;
mod bindings;
mod enrol;
mod factors;
mod invite;
mod pending;
mod present;
mod provider;
mod provider_settings;

use kiban_govern::{Actor, entitlement};
use kiban_kernel::{Id, kinds};
use kiban_passkey::RelyingParty;
use kiban_register::{StoreError, account, handler};

use crate::{Deployment, Error};
use pending::Pending;

pub use accounts::{AccountRow, account_rows, record_training, revoke_passkeys};
pub use bindings::{bound_identities, unbind};
pub use enrol::Creating;
pub use invite::{Invitation, invite};
pub use kiban_passkey::{ALGORITHMS, Assertion, Attestation, OriginError, Refused, decode, encode};
pub use openidconnect::{HttpRequest, HttpResponse};
pub use present::{Confirming, Presented};
pub use provider::{ANSWER, Answered, LineFailed, ProviderLine, Providers};
pub use provider_settings::ProviderSettings;

/// The passkeys of one site: whom it asked what, until it is answered. One per process, as a deployment is open in one.
#[derive(Debug)]
pub struct Passkeys {
    party: RelyingParty,
    pending: Pending,
}

impl Passkeys {
    /// The passkeys of the pages served at an origin (`https://kiban.example.jp`).
    ///
    /// # Errors
    /// It is no origin that can have passkeys.
    pub fn new(origin: &str) -> Result<Self, OriginError> {
        Ok(Self { party: RelyingParty::new(origin)?, pending: Pending::default() })
    }

    /// The domain that passkeys are bound to.
    pub fn party(&self) -> &str {
        self.party.id()
    }
}

/// Why somebody is not signed in, or a passkey not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInRefused {
    /// The code is none, was used, or is too old.
    #[error("there is no such invitation")]
    NoSuchCode,
    /// Nothing was asked of this visitor, or too long ago, or for another purpose.
    #[error("nothing was asked of this visitor")]
    NotAsked,
    /// So many are signing in that no more can be asked.
    #[error("too many are being asked at once")]
    Crowded,
    /// The passkey is not on the register, or revoked, or another account's.
    #[error("the passkey is not on the register")]
    Unknown,
    /// The passkey is on the register already.
    #[error("the passkey is on the register already")]
    Known,
    /// The authenticator's answer is refused.
    #[error(transparent)]
    Answer(#[from] Refused),
    /// The account may not be used today.
    #[error(transparent)]
    Barred(#[from] entitlement::Barred),
    /// There is no such provider.
    #[error("there is no such provider")]
    NoSuchProvider,
    /// The provider cannot be reached, or what it says of itself cannot be read.
    #[error("the provider does not answer")]
    ProviderSilent,
    /// The provider's answer or token is refused.
    #[error("the provider's answer is refused")]
    ProviderAnswer,
    /// The provider's identity stands for no account.
    #[error("the provider's identity stands for no account")]
    Unbound,
    /// The identity stands for an account already.
    #[error("the identity stands for an account already")]
    Bound,
    /// The provider showed one factor, and the account has no passkey for the second.
    #[error("there is no second factor")]
    NoSecond,
    /// The account is bound to no handler, so no training can be recorded.
    #[error("the account is bound to no handler")]
    NoHandler,
}

impl SignInRefused {
    /// Sentence for the user.
    pub fn ja(&self) -> String {
        match self {
            Self::NoSuchCode => {
                "登録コードが正しくないか、使用済みか、期限が切れています。安全管理責任者に新しいコードを求めてください。".into()
            }
            Self::NotAsked => "確認の期限が切れています。画面を開き直してやり直してください。".into(),
            Self::Crowded => "サインインが混み合っています。しばらく待ってからやり直してください。".into(),
            // The same words for an unknown key and for a wrong signature: nothing is learnt by trying.
            Self::Unknown => Refused::Signature.ja().into(),
            Self::Known => "このパスキーは既に登録されています。".into(),
            Self::Answer(refused) => refused.ja().into(),
            Self::Barred(barred) => barred.ja(),
            Self::NoSuchProvider => "該当する認証基盤がありません。サインインの画面からやり直してください。".into(),
            Self::ProviderSilent => {
                "認証基盤に接続できません。時間をおいてやり直すか、パスキーでサインインしてください。".into()
            }
            Self::ProviderAnswer => {
                "認証基盤の回答を確かめられませんでした。サインインの画面からやり直してください。".into()
            }
            Self::Unbound => {
                "この認証基盤の利用者に結び付いたアカウントがありません。安全管理責任者に結び付けを求めてください。".into()
            }
            Self::Bound => "この識別子は既にアカウントに結び付いています。".into(),
            Self::NoSecond => {
                "認証基盤が二つ目の要素を示さず、このアカウントにはパスキーもないため、サインインできません。安全管理責任者に登録コードを求めてください。".into()
            }
            Self::NoHandler => {
                "このアカウントは取扱者の名簿に結び付いていないため、教育を記録できません。".into()
            }
        }
    }
}

/// The actor behind an account that is active today, whether it may sign in or not.
async fn active(on: &Deployment, id: Id<kinds::Account>) -> Result<Actor, Error> {
    match account::actor(&mut *on.reader().await?, id, on.today()).await {
        Err(StoreError::Missing { .. }) => Err(Error::Unknown { what: "account" }),
        other => Ok(other?),
    }
}

/// The actor behind an account, if the register lets it sign in today.
///
/// # Errors
/// There is no such active account, it is barred, or the database failed.
/// # Law
/// `security`
pub async fn entitled(on: &Deployment, id: Id<kinds::Account>) -> Result<Actor, Error> {
    let today = on.today();
    let actor = active(on, id).await?;
    let mut conn = on.reader().await?;
    let listed = match &actor.handler {
        Some(number) => handler::of(&mut conn, number).await?,
        None => None,
    };
    let months = on.rules.int("security.training_months", today)?;
    entitlement::may_sign_in(&actor, listed.as_ref(), months, today)
        .map_err(SignInRefused::from)?;
    Ok(actor)
}
