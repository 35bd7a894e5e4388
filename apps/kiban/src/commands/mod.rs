//! One file per command: parse, call the act, say what happened.

pub(crate) mod account;
pub(crate) mod anonymize;
pub(crate) mod attack;
pub(crate) mod audit;
pub(crate) mod convert;
pub(crate) mod holder;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod intake;
pub(crate) mod link;
pub(crate) mod mapping;
pub(crate) mod notice;
pub(crate) mod package;
pub(crate) mod persons;
pub(crate) mod perturb;
pub(crate) mod rebuild;
pub(crate) mod register;
pub(crate) mod serve;
pub(crate) mod source_files;
pub(crate) mod spec;
pub(crate) mod stop;
pub(crate) mod tool;
