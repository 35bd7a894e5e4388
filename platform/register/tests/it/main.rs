//! The register against a real database, on SQLite and, where one is given, PostgreSQL.

mod changes;
mod groups;
mod link_keys;
mod links;
mod stops;
mod tables;
