//! Why an answer of an authenticator is refused.

/// Why an answer is refused. No variant quotes what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A part cannot be read.
    #[error("the {0} cannot be read")]
    Malformed(&'static str),
    /// The answer is to another kind of question (registration, authentication).
    #[error("the answer is of another type")]
    Type,
    /// The challenge is another one.
    #[error("the challenge is another one")]
    Challenge,
    /// The page that asked is not ours.
    #[error("the origin is another one")]
    Origin,
    /// The page that asked stood in a frame of another site.
    #[error("the page stood in a frame of another site")]
    CrossOrigin,
    /// The authenticator answered for another relying party.
    #[error("the relying party is another one")]
    RelyingParty,
    /// Nobody was present.
    #[error("nobody was present")]
    NotPresent,
    /// The person was not verified: only one factor.
    #[error("the person was not verified")]
    NotVerified,
    /// The flags contradict each other or the credential.
    #[error("the backup flags contradict")]
    BackupFlags,
    /// The key is of an algorithm that was not asked for, or no key of it.
    #[error("the key is of no accepted algorithm or malformed")]
    Key,
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Signature,
    /// The counter did not grow: the key may have been copied.
    #[error("the signature counter did not grow")]
    CounterWentBack,
}

impl Refused {
    /// Machine-readable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Type => "type",
            Self::Challenge => "challenge",
            Self::Origin => "origin",
            Self::CrossOrigin => "cross_origin",
            Self::RelyingParty => "relying_party",
            Self::NotPresent => "not_present",
            Self::NotVerified => "not_verified",
            Self::BackupFlags => "backup_flags",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::CounterWentBack => "counter",
        }
    }

    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Type | Self::BackupFlags => {
                "パスキーの応答を読めません。画面を開き直してやり直してください。"
            }
            Self::Challenge => "確認の期限が切れています。画面を開き直してやり直してください。",
            Self::Origin | Self::CrossOrigin | Self::RelyingParty => {
                "別のサイトから送られた応答です。正しいアドレスで画面を開き直してください。"
            }
            Self::NotPresent | Self::NotVerified => {
                "本人の確認（指紋、顔、暗証番号）がありません。端末の設定を確かめてください。"
            }
            Self::Key => {
                "このパスキーの方式は使えません。別の端末かセキュリティキーを使ってください。"
            }
            Self::Signature => "このパスキーでは確認できませんでした。",
            Self::CounterWentBack => {
                "パスキーが複製されたおそれがあるため、使えません。安全管理責任者に知らせてください。"
            }
        }
    }
}
