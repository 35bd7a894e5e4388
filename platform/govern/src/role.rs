//! Who acts: accounts, their roles, and whose staff they are.

use std::fmt;

use kiban_kernel::{Id, kinds};

/// What an account is trusted with.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Staff of a data holder at its own client and page.
    HolderStaff,
    /// Keeps organizations, certifications, filings and notice versions.
    Registrar,
    /// Receives deliveries, applies stops.
    IntakeOfficer,
    /// Links, clears, writes specifications, produces datasets.
    Processor,
    /// Decides findings of the combination scan.
    Examiner,
    /// One of the two who approve a release.
    ReleaseApprover,
    /// Packs, seals, hands over.
    DeliveryOfficer,
    /// Keeps the committee's roster, sessions and minutes.
    CommitteeSecretary,
    /// Advises and votes.
    CommitteeMember,
    /// General manager (統括管理責任者): decides applications, signs contracts.
    GeneralManager,
    /// Security officer (安全管理責任者): keys and accounts.
    SecurityOfficer,
    /// Answers a regulator's enquiry.
    EnquiryOfficer,
    /// Staff of a regulator to which a user submitted a dataset.
    RegulatorOfficer,
    /// Verifies, reads records of acts, never data.
    Auditor,
    /// A researcher of a user organization.
    Researcher,
    /// The platform itself: jobs that nobody starts by hand.
    System,
}

impl Role {
    /// All roles, in the order of the permission table.
    pub const ALL: [Self; 16] = [
        Self::HolderStaff,
        Self::Registrar,
        Self::IntakeOfficer,
        Self::Processor,
        Self::Examiner,
        Self::ReleaseApprover,
        Self::DeliveryOfficer,
        Self::CommitteeSecretary,
        Self::CommitteeMember,
        Self::GeneralManager,
        Self::SecurityOfficer,
        Self::EnquiryOfficer,
        Self::RegulatorOfficer,
        Self::Auditor,
        Self::Researcher,
        Self::System,
    ];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HolderStaff => "holder_staff",
            Self::Registrar => "registrar",
            Self::IntakeOfficer => "intake_officer",
            Self::Processor => "processor",
            Self::Examiner => "examiner",
            Self::ReleaseApprover => "release_approver",
            Self::DeliveryOfficer => "delivery_officer",
            Self::CommitteeSecretary => "committee_secretary",
            Self::CommitteeMember => "committee_member",
            Self::GeneralManager => "general_manager",
            Self::SecurityOfficer => "security_officer",
            Self::EnquiryOfficer => "enquiry_officer",
            Self::RegulatorOfficer => "regulator_officer",
            Self::Auditor => "auditor",
            Self::Researcher => "researcher",
            Self::System => "system",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::HolderStaff => "医療情報取扱事業者の担当者",
            Self::Registrar => "登録担当者",
            Self::IntakeOfficer => "受入担当者",
            Self::Processor => "加工担当者",
            Self::Examiner => "確認担当者",
            Self::ReleaseApprover => "提供承認者",
            Self::DeliveryOfficer => "提供担当者",
            Self::CommitteeSecretary => "審査委員会事務局",
            Self::CommitteeMember => "審査委員",
            Self::GeneralManager => "統括管理責任者",
            Self::SecurityOfficer => "安全管理責任者",
            Self::EnquiryOfficer => "照会対応者",
            Self::RegulatorOfficer => "承認審査機関等の担当者",
            Self::Auditor => "監査担当者",
            Self::Researcher => "利用者（研究者）",
            Self::System => "自動処理",
        }
    }
}

/// Whose staff an account belongs to, seen from the producer that runs this deployment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Employer {
    /// The producer itself.
    Producer,
    /// A trustee of the producer (認定医療情報等取扱受託事業者).
    Trustee,
    /// A data holder.
    Holder,
    /// A user organization.
    User,
    /// Anybody else: committee members, external auditors.
    Other,
}

impl Employer {
    /// All kinds, in the order of the permission table.
    pub const ALL: [Self; 5] =
        [Self::Producer, Self::Trustee, Self::Holder, Self::User, Self::Other];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Trustee => "trustee",
            Self::Holder => "holder",
            Self::User => "user",
            Self::Other => "other",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Producer => "認定作成事業者",
            Self::Trustee => "認定医療情報等取扱受託事業者",
            Self::Holder => "医療情報取扱事業者",
            Self::User => "利用事業者",
            Self::Other => "その他",
        }
    }
}

/// A natural person's number on the producer's list of notified handlers (届出済取扱者). One person has
/// one number however many accounts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct HandlerNo(String);

impl HandlerNo {
    /// From text; blanks around it do not make another person.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
    /// Text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for HandlerNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for HandlerNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Actor {
    /// The account.
    pub account: Id<kinds::Account>,
    /// Its organization.
    pub organization: Id<kinds::Organization>,
    /// What it is trusted with.
    pub roles: Vec<Role>,
    /// Whose staff it belongs to.
    pub employer: Employer,
    /// The natural person behind it, if known; without it the two-person rule refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<HandlerNo>,
}

impl Actor {
    /// An actor whose natural person is not on the list of notified handlers.
    pub fn new(
        account: Id<kinds::Account>,
        organization: Id<kinds::Organization>,
        employer: Employer,
        roles: impl IntoIterator<Item = Role>,
    ) -> Self {
        Self { account, organization, roles: roles.into_iter().collect(), employer, handler: None }
    }
    /// The same actor, bound to a notified handler.
    pub fn with_handler(mut self, handler: HandlerNo) -> Self {
        self.handler = Some(handler);
        self
    }
    /// The platform itself, acting for the producer: collection, retries, scheduled work.
    pub fn system(producer: Id<kinds::Organization>) -> Self {
        Self::new(Id::from_bytes([0; 16]), producer, Employer::Producer, [Role::System])
    }
    /// Does it hold the role?
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
