//! The register against a real database, on SQLite and, where one is given, PostgreSQL.

mod links;
mod stops;
mod tables;
