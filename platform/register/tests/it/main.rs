//! The register against a real database, on SQLite and, where one is given, PostgreSQL.

mod stops;
mod tables;
