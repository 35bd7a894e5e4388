//! What a visitor is told when something is not done: a status, a Japanese sentence, and for our own failures a
//! number by which the log can be searched. The chain of causes goes to the log once, here, and never to the visitor.

use axum::http::StatusCode;
use kiban_journeys::{
    AttachmentRefused, CertificationError, Error, LogError, SignInRefused, enquiry::EnquiryRefused,
    map_codes, output_check::OutputRefused, release::ActError,
};
use serde_json::{Value, json};

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    /// Machine-readable; the end of the problem's `type`.
    pub(crate) code: &'static str,
    /// Sentence for the visitor.
    pub(crate) ja: String,
    /// Fields that are not filled in as they must be: name and sentence.
    pub(crate) fields: Vec<(String, String)>,
}

impl Fault {
    fn new(status: StatusCode, code: &'static str, ja: impl Into<String>) -> Self {
        Self { status, code, ja: ja.into(), fields: Vec::new() }
    }
    pub(crate) fn not_found() -> Self {
        let ja = "お探しのページや情報は見つかりませんでした。番号とアドレスを確かめてください。";
        Self::new(StatusCode::NOT_FOUND, "not_found", ja)
    }
    pub(crate) fn sign_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "sign_in", "利用するにはサインインしてください。")
    }
    pub(crate) fn role(title: &str) -> Self {
        let ja = format!("「{title}」は、いまの役割では利用できません。");
        Self::new(StatusCode::FORBIDDEN, "role", ja)
    }
    pub(crate) fn confirm() -> Self {
        let ja = "取り消せない操作です。パスキーで本人であることを確かめてから、もう一度行ってください。";
        Self::new(StatusCode::FORBIDDEN, "confirm", ja)
    }
    pub(crate) fn token() -> Self {
        let ja = "画面の有効期限が切れたか、別の場所から送られた操作です。画面を開き直してやり直してください。";
        Self::new(StatusCode::FORBIDDEN, "token", ja)
    }
    pub(crate) fn too_often(seconds: u64) -> Self {
        let ja = format!(
            "短い時間に操作が繰り返されました。{seconds}秒ほど待ってからやり直してください。"
        );
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_often", ja)
    }
    pub(crate) fn too_large() -> Self {
        let ja = "送られた内容が大きすぎます。";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", ja)
    }
    pub(crate) fn malformed(ja: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", ja)
    }
    pub(crate) fn fields(fields: Vec<(String, String)>) -> Self {
        let ja = match fields.as_slice() {
            [(_, only)] => only.clone(),
            _ => format!("{}か所を直してください。", fields.len()),
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self { fields, ..Self::new(status, "fields", ja) }
    }
    pub(crate) fn refused(ja: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "refused", ja)
    }
    /// A failure of ours: the chain goes to the log under a number.
    pub(crate) fn incident(cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = cause.to_string();
        let mut next = cause.source();
        while let Some(source) = next {
            chain.push_str(": ");
            chain.push_str(&source.to_string());
            next = source.source();
        }
        let number = incident_number(&chain);
        tracing::error!(incident = %number, %chain, "a request failed");
        let ja = format!(
            "処理に失敗しました。何も変わっていません。時間をおいてやり直し、続くときは番号 {number} を管理者に知らせてください。"
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "incident", ja)
    }

    /// The problem document (RFC 9457).
    pub(crate) fn problem(&self) -> Value {
        let mut out = json!({
            "type": format!("/problems/{}", self.code),
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": self.ja,
        });
        if !self.fields.is_empty() {
            let fields: Vec<Value> = self
                .fields
                .iter()
                .map(|(name, ja)| json!({ "field": name, "detail": ja }))
                .collect();
            out["errors"] = Value::Array(fields);
        }
        out
    }
}

/// A short number that says nothing.
fn incident_number(chain: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let digest = kiban_kernel::Digest::of(format!("{n} {chain}").as_bytes()).to_string();
    digest[..8].to_owned()
}

impl From<Error> for Fault {
    fn from(e: Error) -> Self {
        match &e {
            Error::Refusal(_) => Self::new(StatusCode::FORBIDDEN, "permit", e.ja()),
            Error::Unknown { .. } | Error::UnknownParty { .. } => Self::not_found(),
            Error::StopRequest(kiban_journeys::StopRequestRefused::NoSuchRequest) => {
                Self::new(StatusCode::NOT_FOUND, "no_such_request", e.ja())
            }
            Error::Field { field, ja } => {
                Self::fields(vec![((*field).to_owned(), (*ja).to_owned())])
            }
            Error::SignIn(refused) => {
                let status = match refused {
                    SignInRefused::Crowded => return Self::busy(e.ja()),
                    SignInRefused::ProviderSilent => return Self::busy(e.ja()),
                    SignInRefused::NoSuchProvider => return Self::not_found(),
                    SignInRefused::Known | SignInRefused::Bound | SignInRefused::NoHandler => {
                        return Self::refused(e.ja());
                    }
                    _ => StatusCode::FORBIDDEN,
                };
                let barred = matches!(refused, SignInRefused::Barred(_));
                Self::new(status, if barred { "barred" } else { "sign_in_refused" }, e.ja())
            }
            Error::Release(of_release) => match of_release {
                ActError::Permit(_) => Self::new(StatusCode::FORBIDDEN, "permit", e.ja()),
                ActError::NotFound { .. } => Self::not_found(),
                ActError::Step(_)
                | ActError::Committee(_)
                | ActError::Vote(_)
                | ActError::TwoPerson(_)
                | ActError::Approval(_) => Self::refused(e.ja()),
                ActError::Log(LogError::Busy(_)) => Self::busy(e.ja()),
                _ => Self::incident(&e),
            },
            Error::Mapping(of_mapping) => match of_mapping {
                map_codes::MappingRefused::Act(map_codes::ActError::Unknown) => Self::not_found(),
                map_codes::MappingRefused::UnknownCode => {
                    Self::fields(vec![("code".to_owned(), e.ja())])
                }
                map_codes::MappingRefused::Act(map_codes::ActError::Unit) => {
                    Self::fields(vec![("unit_to".to_owned(), e.ja())])
                }
                map_codes::MappingRefused::Act(map_codes::ActError::Period) => {
                    Self::fields(vec![("until".to_owned(), e.ja())])
                }
                map_codes::MappingRefused::Damaged => Self::incident(&e),
                _ => Self::refused(e.ja()),
            },
            Error::Output(of_output) => match of_output {
                OutputRefused::Checker(_) => Self::new(StatusCode::FORBIDDEN, "checker", e.ja()),
                OutputRefused::Office => Self::fields(vec![("file".to_owned(), e.ja())]),
                OutputRefused::NoDataset => Self::fields(vec![("dataset".to_owned(), e.ja())]),
                _ => Self::refused(e.ja()),
            },
            Error::Enquiry(of_enquiry) => match of_enquiry {
                EnquiryRefused::Closed { .. }
                | EnquiryRefused::OtherPerson
                | EnquiryRefused::Person(_) => {
                    Self::new(StatusCode::FORBIDDEN, "two_people", e.ja())
                }
                EnquiryRefused::Expired | EnquiryRefused::Erased => {
                    Self::new(StatusCode::GONE, "expired", e.ja())
                }
                EnquiryRefused::NoRow => Self::fields(vec![("rows".to_owned(), e.ja())]),
                EnquiryRefused::NoRegulator => Self::fields(vec![("regulator".to_owned(), e.ja())]),
                _ => Self::refused(e.ja()),
            },
            Error::Attachment(AttachmentRefused::NotDraft) => Self::refused(e.ja()),
            Error::Attachment(AttachmentRefused::Damaged) => Self::incident(&e),
            Error::Attachment(AttachmentRefused::Unscanned) => {
                tracing::error!("the scanner of uploads does not answer: nothing is taken");
                Self::busy(e.ja())
            }
            Error::Attachment(_) => Self::fields(vec![("file".to_owned(), e.ja())]),
            Error::Certification(CertificationError::Step(_)) => Self::refused(e.ja()),
            Error::LinkReview(kiban_journeys::LinkRefused::NoSuchCase) => Self::not_found(),
            Error::LinkReview(kiban_journeys::LinkRefused::NoReason) => {
                Self::fields(vec![("reason".to_owned(), e.ja())])
            }
            Error::LinkReview(_)
            | Error::Review(_)
            | Error::Incident(_)
            | Error::EndOfUse(_)
            | Error::Recall(_)
            | Error::Follow(_)
            | Error::Track(_)
            | Error::Condition(_)
            | Error::StopRequest(_)
            | Error::Fetch(_)
            | Error::SpecificationDiffers
            | Error::Undecided { .. }
            | Error::OverRisk { .. }
            | Error::StoppedSince { .. }
            | Error::PayloadDiffers
            | Error::NotEffective(_)
            | Error::Clear(_)
            | Error::Spec(_)
            | Error::Check(_)
            | Error::Produce(_)
            | Error::Stop(_)
            | Error::Deliver(_) => Self::refused(e.ja()),
            Error::InUse | Error::Log(LogError::Busy(_)) => Self::busy(e.ja()),
            _ => Self::incident(&e),
        }
    }
}

impl Fault {
    fn busy(ja: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", ja)
    }
}

impl From<askama::Error> for Fault {
    fn from(e: askama::Error) -> Self {
        Self::incident(&e)
    }
}

impl From<std::io::Error> for Fault {
    fn from(e: std::io::Error) -> Self {
        Self::incident(&e)
    }
}
