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

mod deployment;
mod error;
mod inspect;
mod joins;
mod judge_quality;
mod link_persons;
mod party_keys;
mod produce_dataset;
mod rebuild_dataset;
mod receive_delivery;
mod register_parties;
mod release_dataset;
mod set_up_holder;
mod stop_request;
mod use_application;
mod verify_deployment;

pub use kiban_audit::note::NoteError;
pub use kiban_deid as deid;
pub use kiban_deliver as deliver;
pub use kiban_govern::{Actor, Role, committee, delivery::Route};
pub use kiban_intake::{
    holder, notices::field as csv_field, quality, report::DeliveryReport, rule_ja, thresholds,
};
pub use kiban_kernel as kernel;
pub use kiban_register::{StopRequest, stop};
pub use kiban_release as release;

pub use deployment::{Deployment, World};
pub use error::Error;
pub use inspect::{cleared_sources, links, parquet_cells, person_sources, rows_of, system_actor};
pub use joins::{Joined, joins_of};
pub use judge_quality::{NewThreshold, deliveries_of, quality_thresholds, set_quality_threshold};
pub use link_persons::link_persons;
pub use produce_dataset::{Content, ProduceRequest, Produced, produce_dataset};
pub use rebuild_dataset::{Rebuilt, rebuild_dataset};
pub use receive_delivery::{Received, receive_delivery, report_of};
pub use register_parties::{Parties, actor_named, register_parties};
pub use release_dataset::{
    approve_release, decide_finding, deliver_dataset, open_package, register_recipient,
};
pub use set_up_holder::set_up_holder;
pub use stop_request::{apply_stop, open_stops, record_stop};
pub use use_application::{
    Sitting, advise, apply_for_use, conclude_contract, decide, keep_roster, new_project, screen,
};
pub use verify_deployment::{Verified, checkpoint_of_receipt, verify_deployment};

/// The Japanese sentence of a reason code of the gate.
pub fn govern_reason_ja(code: &str) -> &'static str {
    kiban_govern::gate::Reason::ja_of_code(code).unwrap_or("理由不明の符号です。")
}
