//! The pages and the interface, driven in process against real deployments.

mod authority;
mod cases;
mod documents;
mod enquiries;
mod governance;
mod links;
mod mappings;
mod openid;
mod outputs;
mod parts;
mod passkeys;
mod patient;
mod register;
mod release;
mod safety;
mod tls;
mod uploads;
