//! The platform in the browser: server-rendered Japanese pages, and the same acts as JSON.
//!
//! Enters: an open [`Deployment`](kiban_journeys::Deployment) and requests. Leaves: pages that work without script,
//! files, JSON. Refuses: a request without the role that its row of the route table names; an act without the visitor's
//! own token; anything about another organization, which does not exist for the visitor.
//!
//! There are no rules here: a handler reads its input, calls one act of `journeys` and shows what came of it. One
//! table ([`routes`]) names every route with its title, fields and who may use it; the router, the permission page, the
//! OpenAPI document and the matrix test are made from it. A handler serves the page (`/…`) and the interface
//! (`/api/v1/…`) alike, so that what a page hides the interface hides too.

mod access;
mod answer;
mod app;
mod assets;
mod cluster;
mod columns;
mod ctx;
pub mod curves;
mod dispatch;
mod document;
mod event_names;
mod fault;
mod fields;
mod headers;
mod input;
mod japanese;
mod layout;
mod limit;
mod multipart;
mod names;
mod once;
mod openapi;
mod outbound;
mod paging;
mod respond;
pub mod routes;
mod screens;
mod session;
mod svg;
mod tiles;
mod tls;
mod visitor;
mod waterfall;

pub use access::{Who, matrix};
pub use app::{App, AppError, Settings};
pub use cluster::cluster;
pub use dispatch::{router, serve};
pub use openapi::document as openapi;
pub use tls::{TlsError, serve_tls, tls};
