//! Every act of the platform that needs a permit, with who may do it: the one table.

use crate::{Employer, Role};

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $ja:literal, $law:literal, [$($role:ident),+], [$($employer:ident),+];)+) => {
        /// An act that needs a permit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub enum Act { $($(#[$doc])* #[serde(rename = $id)] $name,)+ }

        impl Act {
            /// All acts, in the order of the permission table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
            /// Text form, dotted; the prefix of the event it leaves.
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $id,)+ } }
            /// Japanese name.
            pub fn label_ja(self) -> &'static str { match self { $(Self::$name => $ja,)+ } }
            /// Law key of the duty behind the restriction.
            pub fn law(self) -> &'static str { match self { $(Self::$name => $law,)+ } }
            /// Roles of which one is needed.
            pub fn roles(self) -> &'static [Role] { match self { $(Self::$name => &[$(Role::$role,)+],)+ } }
            /// Whose staff may do it.
            pub fn employers(self) -> &'static [Employer] { match self { $(Self::$name => &[$(Employer::$employer,)+],)+ } }
        }
    };
}

impl Act {
    /// Must whoever does it show again who he or she is, just before? Acts that cannot be taken back, open the named
    /// records, or give rights.
    pub fn needs_confirmation(self) -> bool {
        matches!(
            self,
            Self::ApplyStop
                | Self::CloseVotes
                | Self::DecideApplication
                | Self::SignContract
                | Self::ApproveRelease
                | Self::DeliverDataset
                | Self::EraseDataset
                | Self::EraseUnnotified
                | Self::RecallDataset
                | Self::OpenIdentified
                | Self::AnswerEnquiry
                | Self::ManageKeys
                | Self::ManageAccounts
        )
    }
}

acts! {
    /// Enter or change an organization.
    RegisterOrganization = "organization.register", "事業者の登録", "holder", [Registrar], [Producer];
    /// Enter a step of a certification.
    RegisterCertification = "certification.register", "認定の登録", "certification.change", [Registrar], [Producer];
    /// Enter a holder's filing with the ministers.
    RegisterFiling = "filing.register", "届出の登録", "notice.anonymized", [Registrar], [Producer];
    /// Enter a version of a holder's notice.
    RegisterNotice = "notice.register", "通知文書の登録", "notice.anonymized", [Registrar], [Producer];
    /// Put on record that the letter of a notice came back.
    ReturnNotice = "notice.return", "返送された通知の記録", "notice.anonymized", [HolderStaff, IntakeOfficer], [Holder, Producer];
    /// Take out of use what was taken in though no notice was in effect.
    EraseUnnotified = "notice.erase_unnotified", "有効な通知を欠く情報の消去", "unlawful_receipt", [GeneralManager], [Producer];
    /// See which notices are due, changed, returned, in counts.
    SeeNotices = "notice.see", "通知の状況の確認", "notice.anonymized", [HolderStaff, Registrar, IntakeOfficer, GeneralManager, Auditor, System], [Holder, Producer];
    /// Take over a predecessor's register of notices and stops.
    ImportRegister = "register.import", "前の事業者の登録簿の引継ぎ", "receipt_record", [Registrar], [Producer];
    /// See one person's notices, stops and bases for a complaint or a call, without clinical data.
    LookUpPerson = "person.look_up", "本人の状況の照会（診療情報を含まない）", "complaints", [HolderStaff, IntakeOfficer, EnquiryOfficer], [Holder, Producer];
    /// See which records fall due for destruction, and when.
    SeeRetention = "retention.see", "記録の保存期限の確認", "books", [IntakeOfficer, GeneralManager, SecurityOfficer, Auditor], [Producer];
    /// Put a record on hold, so that its clock stands still, or end the hold.
    HoldRecord = "retention.hold", "記録の保存期限の進行の停止と再開", "books", [GeneralManager, SecurityOfficer], [Producer];
    /// Seal a delivery at the holder.
    SealDelivery = "delivery.seal", "送付データの封緘", "provision_record", [HolderStaff], [Holder];
    /// Receive a delivery.
    ReceiveDelivery = "delivery.receive", "受領", "receipt_record", [IntakeOfficer, System], [Producer, Trustee];
    /// See what became of the versions of a source record, without their values.
    TraceRecord = "record.trace", "原本の記録の履歴の確認", "receipt_record", [IntakeOfficer, EnquiryOfficer, Auditor], [Producer];
    /// Read what the versions of a source record said.
    ReadRecordHistory = "record.read", "原本の記録の履歴の閲覧（値を含む）", "receipt_record", [EnquiryOfficer], [Producer];
    /// Set a threshold of the quality grid.
    SetQualityThreshold = "quality.threshold", "品質の閾値の設定", "receipt_record", [IntakeOfficer], [Producer];
    /// Bring a code master of the operator's.
    ImportMaster = "master.import", "コードマスターの取込み", "receipt_record", [IntakeOfficer], [Producer];
    /// Look at local codes and what they may mean.
    SeeMappings = "mapping.see", "コードの対応付けの閲覧", "receipt_record", [IntakeOfficer, Processor, Examiner, Auditor], [Producer];
    /// Propose what a local code means, or take a mapping back.
    ProposeMapping = "mapping.propose", "コードの対応付けの提案・取下げ", "receipt_record", [IntakeOfficer, Processor, Examiner], [Producer];
    /// Sign or refuse what another person proposed.
    SignMapping = "mapping.sign", "コードの対応付けの承認・却下", "receipt_record", [IntakeOfficer, Processor, Examiner], [Producer];
    /// Record a stop request.
    RecordStop = "stop.record", "提供停止の求めの記録", "stop", [HolderStaff, IntakeOfficer], [Holder, Producer];
    /// Take in a request that a person makes on the public page, sealed, for the holder's desk.
    AskStop = "stop.ask", "提供停止の求めの取次ぎ（公開の画面）", "stop", [System], [Producer];
    /// Read a request at the holder's desk and issue the receipt, or decline it.
    AnswerStopRequest = "stop.answer", "提供停止の求めの受付と書面の交付", "stop.receipt", [HolderStaff], [Holder];
    /// Apply a stop to every store.
    ApplyStop = "stop.apply", "提供停止の反映", "stop", [IntakeOfficer, System], [Producer, Trustee];
    /// Put on record that a stop was taken back.
    WithdrawStop = "stop.withdraw", "提供停止の求めの撤回の記録", "stop", [HolderStaff, IntakeOfficer], [Holder, Producer];
    /// Look at the state of stops over all holders, and issue the sheet of a day.
    ReviewStops = "stop.review", "提供停止の状況の確認と日次証の発行", "stop", [IntakeOfficer, SecurityOfficer, GeneralManager, Auditor, System], [Producer];
    /// See the rates of stops by holder: a holder's staff its own alone.
    SeeStopRates = "stop.rates", "提供停止の割合の確認", "stop", [HolderStaff, IntakeOfficer, SecurityOfficer, GeneralManager, Auditor, System], [Holder, Producer];
    /// Switch a store off for maintenance, or on again.
    SwitchStore = "store.switch", "保管先の停止と再開", "security", [SecurityOfficer], [Producer];
    /// Record a backup and that it was destroyed; erase again after a restore.
    KeepBackups = "backup.keep", "複製（バックアップ）の記録と復元後の再消去", "erasure", [SecurityOfficer], [Producer];
    /// Link persons over holders.
    LinkPersons = "person.link", "名寄せ", "anonymized.making", [Processor, System], [Producer, Trustee];
    /// Read a pair that linking left open, with its named values, and answer.
    ReviewLinks = "link.review", "名寄せの確認（値を含む）", "anonymized.making", [EnquiryOfficer, Examiner], [Producer];
    /// Take back what readers decided of a pair.
    UndoLink = "link.undo", "名寄せの判断の取消し", "anonymized.making", [GeneralManager], [Producer];
    /// Ask the insured-number history, and take in its answer.
    AskHistory = "link.history", "被保険者番号の履歴照会", "anonymized.making", [IntakeOfficer], [Producer];
    /// Make keys by which persons are joined with another database.
    MakeLinkKeys = "link.key", "連結キーの作成", "anonymized.making", [Processor], [Producer];
    /// See the log of persons and which datasets it touches, without names.
    SeeLinks = "link.see", "名寄せの記録の確認", "anonymized.making", [Processor, Examiner, EnquiryOfficer, GeneralManager, Auditor, System], [Producer, Trustee];
    /// Clear a snapshot for one regime.
    ClearRecords = "record.clear", "利用可能な記録の確定", "unlawful_receipt", [Processor, System], [Producer, Trustee];
    /// Activate a processing specification.
    ActivateSpecification = "specification.activate", "加工仕様の確定", "certification.change", [Processor], [Producer];
    /// Produce a dataset.
    ProduceDataset = "dataset.produce", "加工の実行", "anonymized.making", [Processor, System], [Producer, Trustee];
    /// Rebuild a dataset from its manifest.
    RebuildDataset = "dataset.rebuild", "再作成", "anonymized.making", [Processor, System], [Producer, Trustee];
    /// Decide a finding of the combination scan.
    DecideFinding = "finding.decide", "組合せ所見の判断", "pseudonymized.identifiers", [Examiner], [Producer];
    /// Draft, submit, amend, withdraw an application.
    SubmitApplication = "application.submit", "利用申請", "contract", [Researcher], [User];
    /// Queue reminders of steps that wait, and see them.
    SendReminders = "reminder.send", "催促の作成と確認", "committee", [CommitteeSecretary, SecurityOfficer, System], [Producer];
    /// Write in the thread of an application.
    WriteMessage = "application.message", "申請の連絡", "contract", [Researcher, CommitteeSecretary], [User, Producer];
    /// Name a price and a day for an application.
    QuoteApplication = "application.quote", "見積りの提示", "contract", [CommitteeSecretary], [Producer];
    /// Put an application before the committee, or send it back.
    ScreenApplication = "application.screen", "申請の受付・付議", "committee", [CommitteeSecretary], [Producer];
    /// Keep the committee's roster.
    KeepRoster = "committee.roster", "委員名簿の管理", "committee", [CommitteeSecretary], [Producer];
    /// Open, hold and close a session.
    RecordSession = "committee.session", "審査の記録", "committee", [CommitteeSecretary], [Producer];
    /// Vote.
    Vote = "committee.vote", "審査の評決", "committee", [CommitteeMember], [Producer, Trustee, Holder, User, Other];
    /// Close the voting: the member who presides.
    CloseVotes = "committee.close", "評決の締切り（議長）", "committee", [CommitteeMember], [Producer, Trustee, Holder, User, Other];
    /// The producer's own decision on an application.
    DecideApplication = "application.decide", "提供の可否の決定", "contract", [GeneralManager], [Producer];
    /// Sign a contract for the producer.
    SignContract = "contract.sign", "利用契約の締結", "contract", [GeneralManager], [Producer];
    /// Sign a contract for the user.
    AcceptContract = "contract.accept", "利用契約への同意", "contract", [Researcher], [User];
    /// One of the approvals of a release.
    ApproveRelease = "release.approve", "提供の承認", "security", [ReleaseApprover], [Producer];
    /// Package, seal and hand over.
    DeliverDataset = "dataset.deliver", "提供", "books", [DeliveryOfficer], [Producer, Trustee];
    /// Open a package as its recipient.
    OpenPackage = "package.open", "提供データの開封", "pseudonymized.user_duties", [Researcher], [User];
    /// Report that what was provided is erased, with proof.
    ReportErasure = "use.erasure_report", "利用終了後の消去の報告", "erasure", [Researcher], [User];
    /// Check a user's proof of erasure.
    ConfirmErasure = "use.erasure_confirm", "消去の報告の確認", "erasure", [DeliveryOfficer], [Producer];
    /// Take a provided dataset back from everybody who holds a copy.
    RecallDataset = "dataset.recall", "提供データの回収", "erasure", [DeliveryOfficer, SecurityOfficer], [Producer];
    /// Erase a package or dataset.
    EraseDataset = "dataset.erase", "提供データの消去", "erasure", [DeliveryOfficer, System], [Producer];
    /// Ask that a file made in the producer's environment may be taken out.
    AskOutput = "output.ask", "出力の持出しの申請", "pseudonymized.user_duties", [Researcher, Processor], [User, Producer];
    /// Check such a file.
    CheckOutput = "output.check", "出力の検査", "security", [Examiner], [Producer];
    /// Hand a provided dataset to a regulator.
    SubmitToRegulator = "submission.make", "承認審査機関等への提出", "pseudonymized.user_duties", [Researcher], [User];
    /// See, as the regulator, a dataset that was submitted to it.
    SeeSubmission = "submission.see", "提出されたデータの確認", "pseudonymized.enquiry", [RegulatorOfficer], [Other];
    /// Ask, as the regulator, about rows of a submitted dataset, and read the answer.
    AskEnquiry = "enquiry.ask", "提出されたデータの照会と回答の閲覧", "pseudonymized.enquiry", [RegulatorOfficer], [Other];
    /// Open identified data in a regulator's enquiry.
    OpenIdentified = "identified.open", "顕名情報の閲覧", "pseudonymized.enquiry", [EnquiryOfficer], [Producer];
    /// Answer and close an enquiry.
    AnswerEnquiry = "enquiry.answer", "照会への回答", "pseudonymized.enquiry", [EnquiryOfficer, GeneralManager], [Producer];
    /// Make, wrap, destroy keys.
    ManageKeys = "key.manage", "鍵の管理", "security", [SecurityOfficer], [Producer];
    /// Make and close accounts, bind them to notified handlers.
    ManageAccounts = "account.manage", "アカウントの管理", "security", [SecurityOfficer], [Producer];
    /// Verify the log, the lake and the packages.
    VerifyAudit = "audit.verify", "監査の検証", "inspection", [Auditor, SecurityOfficer, HolderStaff, System], [Producer, Trustee, Holder, Other];
    /// Record that something leaked, was lost or damaged.
    RecordIncident = "incident.record", "漏えい等の事態の記録", "incident", [SecurityOfficer, IntakeOfficer, Processor, DeliveryOfficer], [Producer, Trustee];
    /// Report an incident to the ministers and close it.
    ReportIncident = "incident.report", "漏えい等の報告と終結", "incident", [SecurityOfficer], [Producer];
    /// Remove files that no committed row names.
    CollectGarbage = "garbage.collect", "不要ファイルの回収", "erasure", [System, SecurityOfficer], [Producer, Trustee];
}
