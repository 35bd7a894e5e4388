//! Why an act failed: what each room says, handed on with its Japanese sentence.

use std::io;

macro_rules! rooms {
    ($($(#[$doc:meta])* $variant:ident($source:ty)),+ $(,)?) => {
        /// Why an act that crosses rooms failed. Nothing was committed, unless the room says otherwise.
        #[derive(Debug, thiserror::Error)]
        #[non_exhaustive]
        pub enum Error {
            $($(#[$doc])* #[error(transparent)] $variant(#[from] $source),)+
            /// The folder already holds a deployment.
            #[error("the folder already holds a deployment")]
            DeploymentExists,
            /// The folder holds no deployment.
            #[error("the folder holds no deployment")]
            NoDeployment,
            /// Another process has the deployment open.
            #[error("another process has the deployment open")]
            InUse,
            /// The parties' description does not parse.
            #[error("the parties' description does not parse: {message}")]
            Parties {
                /// The parser's words (the description holds no personal data).
                message: String,
            },
            /// A key is used that nothing is described under.
            #[error("no party is described under the key {key}")]
            UnknownParty {
                /// The key.
                key: String,
            },
            /// There is no such thing.
            #[error("there is no such {what}")]
            Unknown {
                /// What was asked for.
                what: &'static str,
            },
            /// The holder's delivery slot is locked.
            #[error("the holder's delivery slot is locked: {0}")]
            SlotLocked(kiban_govern::slot::Slot),
            /// A field of a form is not filled in as it must be.
            #[error("the field {field} is not filled in as it must be")]
            Field {
                /// Which.
                field: &'static str,
                /// What is to be done (Japanese).
                ja: &'static str,
            },
            /// An act in a review is refused.
            #[error(transparent)]
            Review(#[from] crate::ReviewRefused),
            /// An act on a patient's request is refused.
            #[error(transparent)]
            StopRequest(#[from] crate::StopRequestRefused),
            /// An act of the review of links is refused.
            #[error(transparent)]
            LinkReview(#[from] crate::LinkRefused),
            /// Somebody is not signed in.
            #[error(transparent)]
            SignIn(#[from] crate::SignInRefused),
            /// A file is not taken or not given.
            #[error(transparent)]
            Attachment(#[from] crate::AttachmentRefused),
            /// An act on an incident is refused.
            #[error(transparent)]
            Incident(#[from] crate::incidents::IncidentRefused),
            /// An act at the end of a use is refused.
            #[error(transparent)]
            EndOfUse(#[from] crate::end_of_use::EndRefused),
            /// An act in a recall is refused.
            #[error(transparent)]
            Recall(#[from] crate::recall::RecallRefused),
            /// An act on an output is refused.
            #[error(transparent)]
            Output(#[from] crate::output_check::OutputRefused),
            /// An act on a submission or an enquiry is refused.
            #[error(transparent)]
            Enquiry(#[from] crate::enquiry::EnquiryRefused),
            /// A follow-up of a cohort is refused.
            #[error(transparent)]
            Follow(#[from] crate::follow_up::FollowRefused),
            /// A track of the review is not open.
            #[error(transparent)]
            Track(#[from] crate::review_track::TrackRefused),
            /// A condition of the decision is broken.
            #[error(transparent)]
            Condition(#[from] crate::conditions::ConditionBroken),
            /// An act of the mapping bench is refused.
            #[error(transparent)]
            Mapping(#[from] crate::map_codes::MappingRefused),
            /// A package may not be fetched.
            #[error(transparent)]
            Fetch(#[from] crate::FetchRefused),
            /// The specification is not the one the contract names.
            #[error("the specification is not the one the contract names")]
            SpecificationDiffers,
            /// Findings of the combination scan wait for a decision.
            #[error("{findings} findings wait for a decision")]
            Undecided {
                /// How many.
                findings: u64,
            },
            /// A limit of the specification is not kept: the dataset must not be released.
            #[error("{} limits of the specification are not kept", .reasons.len())]
            OverRisk {
                /// A Japanese sentence for each.
                reasons: Vec<String>,
            },
            /// The folder to write to holds something.
            #[error("the folder to write to is not empty")]
            NotEmpty,
            /// Stops came since the dataset was made.
            #[error("{stops} stops came since the dataset was made, touching {persons} of its persons")]
            StoppedSince {
                /// How many stops.
                stops: u64,
                /// How many persons of the dataset.
                persons: u64,
            },
            /// What was built again differs from what was approved.
            #[error("the payload built again differs from the one approved")]
            PayloadDiffers,
            /// The database failed.
            #[error("the database failed")]
            Database(#[from] sqlx::Error),
            /// A file could not be read or written.
            #[error("could not {act}")]
            Io {
                /// What was tried.
                act: &'static str,
                /// Why.
                #[source]
                source: io::Error,
            },
        }

        impl Error {
            /// Sentence for the user.
            pub fn ja(&self) -> String {
                match self {
                    $(Self::$variant(e) => Sentence::sentence(e),)+
                    Self::DeploymentExists => {
                        "この場所には既に基盤があります。別のフォルダを指定してください。".into()
                    }
                    Self::NoDeployment => {
                        "この場所に基盤がありません。フォルダの指定を確かめてください。".into()
                    }
                    Self::InUse => {
                        "他の処理がこの基盤を使用しています。終わるのを待ってからやり直してください。".into()
                    }
                    Self::Parties { message } => {
                        format!("関係者の記述を読み取れません（{message}）。該当箇所を直してください。")
                    }
                    Self::UnknownParty { key } => {
                        format!("「{key}」という関係者が記述されていません。記述を確かめてください。")
                    }
                    Self::Unknown { what } => format!("該当するもの（{what}）がありません。番号を確かめてください。"),
                    Self::SlotLocked(slot) => format!(
                        "この提供元の枠は閉じているため、受領できません。{}登録を済ませてから受領し直してください。何も保存していません。",
                        slot.ja()
                    ),
                    Self::Field { ja, .. } => (*ja).to_owned(),
                    Self::Review(e) => e.ja().to_owned(),
                    Self::StopRequest(e) => e.ja().to_owned(),
                    Self::LinkReview(e) => e.ja().to_owned(),
                    Self::SignIn(e) => e.ja(),
                    Self::Attachment(e) => e.ja().to_owned(),
                    Self::Incident(e) => e.ja().to_owned(),
                    Self::EndOfUse(e) => e.ja().to_owned(),
                    Self::Recall(e) => e.ja().to_owned(),
                    Self::Output(e) => e.ja(),
                    Self::Enquiry(e) => e.ja(),
                    Self::Follow(e) => e.ja().to_owned(),
                    Self::Track(e) => e.ja(),
                    Self::Condition(e) => e.ja(),
                    Self::Mapping(e) => e.ja(),
                    Self::Fetch(e) => e.ja(),
                    Self::SpecificationDiffers => {
                        "加工仕様書が契約で定めたものと異なります。契約を結び直すか、契約の仕様書を指定してください。".into()
                    }
                    Self::Undecided { findings } => format!(
                        "組合せの所見{findings}件が未判断のため、提供できません。残す・粗くする・消すのいずれかを理由とともに判断してください。"
                    ),
                    Self::OverRisk { reasons } => format!(
                        "再識別のリスクが加工仕様書の上限を超えるため、提供できません。一般化を強めた仕様書で契約し直して作成してください。\n{}",
                        reasons.join("\n")
                    ),
                    Self::NotEmpty => "書き先のフォルダが空ではありません。新しいフォルダを指定してください。".into(),
                    Self::StoppedSince { stops, persons } => format!(
                        "このデータセットの作成後に提供停止の求めが{stops}件あり、対象者{persons}人が含まれるため、再作成できません。\
                         停止した人を除いて再作成するには --without-stopped を指定してください。"
                    ),
                    Self::PayloadDiffers => {
                        "再作成した内容が承認された内容と一致しません。監査ログと保管庫を検証してください（kiban audit verify）。".into()
                    }
                    Self::Database(_) => {
                        "データベースの処理に失敗しました。空き容量と権限を確認してください。".into()
                    }
                    Self::Io { .. } => {
                        "ファイルの読み書きに失敗しました。空き容量と権限を確認してください。".into()
                    }
                }
            }
        }
    };
}

rooms! {
    /// The database could not be opened.
    Db(kiban_audit::DbError),
    /// The log failed.
    Log(kiban_audit::LogError),
    /// A signature or key of the log's kind.
    Note(kiban_audit::note::NoteError),
    /// A key file.
    KeyFile(kiban_audit::note::KeyFileError),
    /// The key ring.
    Key(kiban_lake::KeyError),
    /// The lake.
    Lake(kiban_lake::LakeError),
    /// The table files could not be verified.
    VerifyFiles(kiban_lake::VerifyError),
    /// An actor may not.
    Refusal(kiban_govern::Refusal),
    /// A certification that is needed is not in effect.
    NotEffective(kiban_govern::certification::NotEffective),
    /// A rule is missing.
    Rule(kiban_kernel::RuleError),
    /// Chance failed.
    Entropy(kiban_kernel::EntropyError),
    /// The holder's client.
    Seal(kiban_intake::SealError),
    /// A sealed delivery.
    Receive(kiban_intake::ReceiveError),
    /// Rows.
    Rows(kiban_intake::RowsError),
    /// A receipt.
    Receipt(kiban_intake::ReceiptError),
    /// The table of deliveries.
    Deliveries(kiban_intake::StoreError),
    /// A threshold of the quality grid.
    Threshold(kiban_intake::thresholds::ThresholdError),
    /// A reference table of the quality grid.
    Reference(kiban_intake::validation::ReferenceError),
    /// The register.
    Register(kiban_register::StoreError),
    /// Certifications.
    Certification(kiban_register::certification::CertificationError),
    /// Entrustment.
    Entrust(kiban_register::EntrustError),
    /// Links.
    Link(kiban_register::link::LinkError),
    /// Clearing.
    Clear(kiban_register::ClearError),
    /// Stops.
    Stop(kiban_register::StopError),
    /// The vault.
    Vault(kiban_vault::VaultError),
    /// A specification's text.
    Spec(kiban_deid::spec::SpecError),
    /// A specification that breaks the standard of processing.
    Check(kiban_deid::spec::CheckError),
    /// Producing.
    Produce(kiban_deid::ProduceError),
    /// A payload.
    Payload(kiban_deid::payload::PayloadError),
    /// Application, committee, contract, findings, approvals.
    Release(kiban_release::ActError),
    /// A manifest.
    Manifest(kiban_release::manifest::ManifestError),
    /// Storing a delivery.
    StoreDelivery(kiban_vault::StoreDeliveryError),
    /// Packages could not be verified.
    VerifyPackages(kiban_deliver::VerifyError),
    /// Packages.
    Deliver(kiban_deliver::DeliverError),
}

impl Error {
    pub(crate) fn io(act: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { act, source }
    }
}

/// An error with a sentence for the user.
trait Sentence {
    fn sentence(&self) -> String;
}

macro_rules! sentences {
    ($($of:ty),+ $(,)?) => { $(impl Sentence for $of { fn sentence(&self) -> String { self.ja() } })+ };
}

sentences!(
    kiban_govern::certification::NotEffective,
    kiban_audit::DbError,
    kiban_audit::LogError,
    kiban_audit::note::NoteError,
    kiban_audit::note::KeyFileError,
    kiban_lake::KeyError,
    kiban_lake::LakeError,
    kiban_lake::VerifyError,
    kiban_intake::SealError,
    kiban_intake::ReceiveError,
    kiban_intake::RowsError,
    kiban_intake::ReceiptError,
    kiban_intake::StoreError,
    kiban_intake::thresholds::ThresholdError,
    kiban_intake::validation::ReferenceError,
    kiban_register::StoreError,
    kiban_register::certification::CertificationError,
    kiban_register::EntrustError,
    kiban_register::link::LinkError,
    kiban_register::ClearError,
    kiban_register::StopError,
    kiban_vault::VaultError,
    kiban_vault::StoreDeliveryError,
    kiban_deliver::VerifyError,
    kiban_deid::spec::SpecError,
    kiban_deid::spec::CheckError,
    kiban_deid::ProduceError,
    kiban_deid::payload::PayloadError,
    kiban_release::ActError,
    kiban_release::manifest::ManifestError,
    kiban_deliver::DeliverError,
);

impl Sentence for kiban_govern::Refusal {
    fn sentence(&self) -> String {
        self.ja()
    }
}

impl Sentence for kiban_kernel::RuleError {
    fn sentence(&self) -> String {
        "その日に効力のある規則値がありません。rules の内容を確かめてください。".into()
    }
}

impl Sentence for kiban_kernel::EntropyError {
    fn sentence(&self) -> String {
        "乱数を取得できません。管理者に知らせてください。".into()
    }
}
