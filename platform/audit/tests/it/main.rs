//! The guarantees of the audit log, on real databases: SQLite always, PostgreSQL when given.

mod commit;
mod crash;
mod deployment;
mod held;
mod publish;
mod refuse;
mod stranger;
mod tamper_copy;
mod tamper_db;
