//! Acts that cross rooms, one file each: the only thing the apps call.
//!
//! Enters: an open [`Deployment`], an [`Actor`], what the act is about. Leaves: what the rooms hand back, after
//! one commit for each event. Refuses: what any room refuses; an actor the permission table does not name.
//!
//! # Guarantee
//! - `journeys.whole`: a process ended at any step leaves the state before or after each commit; opening
//!   the deployment again and doing the act again completes it.
//! - `journeys.gate-twice`: nothing is stored that the producer's own gate did not clear.
//! - `journeys.same-payload`: what is delivered and what is rebuilt is what was approved.

pub mod amendment;
mod attachments;
mod audit_search;
mod backups;
mod books;
mod cases;
mod catalogue;
pub mod certify;
pub mod conditions;
mod contract_draft;
mod corrections;
mod daily;
mod dataset_cases;
mod delivery_cases;
mod delivery_slot;
mod deployment;
mod directory;
pub mod end_of_use;
pub mod enquiry;
mod erasure_proof;
mod error;
mod estimate;
mod evidence;
pub mod follow_up;
mod import_register;
pub mod incidents;
mod inspect;
mod joins;
pub mod joint_use;
mod judge_quality;
mod legal_hold;
mod link_answer;
mod link_bias;
mod link_cases;
mod link_history;
mod link_keys;
mod link_memory;
mod link_persons;
mod link_reading;
mod link_review;
pub mod map_codes;
mod notice_store;
mod notices;
mod number;
pub mod output_check;
mod party_keys;
mod person_notices;
mod person_state;
mod produce_dataset;
mod provided;
mod rebuild_dataset;
pub mod recall;
mod receive_delivery;
mod record_history;
mod register_differences;
mod register_parties;
mod release_dataset;
pub mod reminders;
mod retention;
mod review;
mod review_acts;
pub mod review_track;
mod roster;
mod run_dataset;
mod sealed_files;
mod set_up_holder;
pub mod sign_in;
mod stop_cases;
mod stop_datasets;
mod stop_desk;
mod stop_inbox;
mod stop_request;
mod stop_review;
mod stop_stores;
mod thread;
mod unnotified;
pub mod uploads;
mod use_application;
mod verify_deployment;
mod working_copy;

pub use kiban_audit::{LogError, StoredEvent, note::NoteError};
pub use kiban_deid as deid;
pub use kiban_deliver as deliver;
pub use kiban_govern::{
    Act, Actor, Employer, Refusal, Role, certification, committee, delivery::Route,
    output_check as blind, track,
};
pub use kiban_intake::{
    holder, plain, quality, report::DeliveryReport, revisions::CorrectionKind, rule_ja,
    store::DeliveryRow, thresholds, validation,
};
pub use kiban_kernel as kernel;
pub use kiban_register::certification::CertificationError;
pub use kiban_register::{Account, Organization, OrganizationKind, StopRequest, stop};
pub use kiban_release as release;
pub use kiban_vault::{Cause, RecordValue, RecordVersion, State as VersionState};

pub use attachments::{
    Attachment, AttachmentRefused, FileKind, LARGEST_ATTACHMENT, MOST_ATTACHMENTS, attach,
    attachments, detach, open_attachment,
};
pub use audit_search::{Found, MOST_EVENTS, Search, search_events};
pub use backups::{Backup, ERASURES, backups, destroy_backup, erase_again, record_backup};
pub use books::{BOOK_LINES, BookLine, Books, books, fiscal_year};
pub use cases::{Case, CaseHead, Held, Project, case, cases, contract_case, projects};
pub use catalogue::{
    Catalogue, CodeSystem, PREFECTURES, SMALLEST_SHOWN, Shown, TableFacts, Variable, catalogue,
    newest_stand,
};
pub use contract_draft::contract_draft;
pub use corrections::{CorrectionOnRecord, corrections};
pub use daily::daily_work;
pub use dataset_cases::{
    DatasetCase, FetchRefused, Standing, dataset, datasets, fetch_package, propose_specification,
    specifications,
};
pub use delivery_cases::{deliveries, delivery};
pub use delivery_slot::delivery_slot;
pub use deployment::{Deployment, World};
pub use directory::{
    Holder, USER_CLASSES, accounts, actor_of, certifications, holders, organization_named,
    organizations,
};
pub use error::Error;
pub use estimate::{Estimate, EstimateLine, Pricing, Quote, estimate, pricing, quote};
pub use evidence::{Evidence, MOST_SAMPLED, evidence, sample_cases};
pub use import_register::{
    ImportCounts, ImportKind, ImportProgress, ImportReport, ImportRequest, PersonCounts, RuleCount,
    import_register, import_rule_ja,
};
pub use inspect::{cleared_sources, links, parquet_cells, person_sources, rows_of, system_actor};
pub use joins::{Joined, joins_of};
pub use judge_quality::{
    NewReference, NewThreshold, deliveries_of, quality_thresholds, set_quality_threshold,
    set_reference,
};
pub use kiban_register::link::{
    Graph, GraphEdge, Group, GroupReport, LinkChange, LinkEvent, LinkReport, Side, SideMark,
    SidePiece, StoredLinkEvent, Why, events::replay,
};
pub use kiban_register::link_key::{Coverage, Profile, Released};
pub use kiban_register::{
    ChangeClass, NoticeVersion, StatutoryItems, notice::ItemChange, notice_change::NoticeChange,
};
pub use legal_hold::{LegalHold, hold_record, release_record};
pub use link_answer::{AfterAnswer, LinkAnswer, LinkRefused};
pub use link_bias::{LinkBias, PersonGraph, link_bias, link_graph, link_pair_graph};
pub use link_cases::{
    LinkOutcome, LinkStanding, LinkUndone, closed_link_cases, datasets_of_link_case, link_case,
    why_of_link_case,
};
pub use link_history::{HistoryTaken, history_request, take_history};
pub use link_keys::{KeyRequest, carry_link_keys, key_profiles, link_key_coverage, make_link_keys};
pub use link_persons::{Remake, datasets_to_remake, link_log, link_persons};
pub use link_reading::{Reading, explain_link};
pub use link_review::{
    LinkCase, answer_link_case, answers_of_link_case, link_queue, read_link_case, undo_link_case,
};
pub use notices::{
    NoticesDue, ReturnedLetter, ReturnsRecorded, VersionAdded, add_notice_version, notice_changes,
    notice_version_of, notices_due, record_returned_letters, tell_notice_change,
};
pub use person_state::{
    BasisState, Described, LookUpPurpose, NoticeState, PersonState, StopState, look_up_described,
    look_up_person,
};
pub use produce_dataset::{ProduceRequest, Produced, produce_dataset};
pub use provided::{ProvidedBy, provided_by, provided_stand};
pub use rebuild_dataset::{Rebuilt, rebuild_dataset};
pub use receive_delivery::{Received, receive_delivery, report_of};
pub use record_history::{RecordsOf, VersionRead, record_history, record_values};
pub use register_differences::register_differences;
pub use register_parties::{Parties, actor_named, register_parties};
pub use release_dataset::{
    approve_release, decide_finding, deliver_dataset, open_package, register_recipient,
};
pub use retention::{Kept, Retained, retained_records};
pub use review::{Declared, Review, ReviewRefused, Seat, review};
pub use review_acts::{cast_vote, close_votes, declare_interest, record_minutes};
pub use roster::{Roster, RosterSeat, judge, roster};
pub use run_dataset::Content;
pub use set_up_holder::set_up_holder;
pub use sign_in::{Passkeys, SignInRefused, entitled};
pub use stop_cases::{StopRow, stops};
pub use stop_datasets::{Fate, datasets_of_stop};
pub use stop_desk::{
    Receipting, decline_stop_request, issue_receipt, open_stop_request, stop_request_at_desk,
    stop_requests,
};
pub use stop_inbox::{
    Asking, Progress, StopRequestRefused, Waiting, Written, ask_stop, stop_progress,
};
pub use stop_request::{apply_stop, apply_stops, open_stops, record_stop, retry_stops};
pub use stop_review::{StopRate, stop_day_sheet, stop_rates, withdraw_stop};
pub use stop_stores::{STORES, StoreOff, store_ja, stores_off, switch_store};
pub use thread::{LONGEST_MESSAGE, Message, messages, write_message};
pub use unnotified::{Unnotified, erase_unnotified, unnotified};
pub use use_application::{
    Sitting, accept_contract, advise, amend_application, apply_for_use, conclude_contract, decide,
    draft_application, draw_contract, keep_roster, new_project, return_application, screen,
    sign_contract, submit_application, withdraw_application,
};
pub use verify_deployment::{Verified, checkpoint_of_receipt, last_event_at, verify_deployment};
pub use working_copy::{WorkingCopy, keep_working_copy, working_copy};

/// A public key from its text form, `name+id+key`.
///
/// # Errors
/// It is none.
pub fn verify_key(text: &str) -> Result<kiban_audit::note::VerifyKey, NoteError> {
    text.parse()
}

/// Japanese name of a stored table; its own name if it is none.
pub fn table_ja(table: &str) -> &str {
    kiban_lake::schema::table(table).map_or(table, |t| t.ja.as_str())
}

/// Japanese description of a column of a stored table.
pub fn column_ja(table: &str, column: &str) -> Option<&'static str> {
    Some(kiban_lake::schema::table(table)?.described(column)?.ja.as_str())
}

/// The Japanese sentence of a reason code of the gate.
pub fn govern_reason_ja(code: &str) -> &'static str {
    kiban_govern::gate::Reason::ja_of_code(code).unwrap_or("理由不明の符号です。")
}
