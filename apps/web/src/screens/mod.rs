//! The screens, one file each: what they read, what they show.

pub(crate) mod accounts;
pub(crate) mod application_acts;
pub(crate) mod application_form;
pub(crate) mod applications;
pub(crate) mod audit;
pub(crate) mod books;
pub(crate) mod case_parts;
pub(crate) mod catalogue;
pub(crate) mod committee;
pub(crate) mod contracts;
pub(crate) mod dataset_acts;
pub(crate) mod datasets;
pub(crate) mod dcat;
pub(crate) mod deliveries;
pub(crate) mod desk;
pub(crate) mod home;
pub(crate) mod incidents;
pub(crate) mod passkeys;
pub(crate) mod permissions;
pub(crate) mod public;
pub(crate) mod review;
pub(crate) mod sign_in;
pub(crate) mod stop;
pub(crate) mod stops;
pub(crate) mod users;
pub(crate) mod uses;
mod waiting;
