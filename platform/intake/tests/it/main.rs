//! The guarantees of intake, each on sealed deliveries made here of synthetic people.

mod crash;
mod forged;
mod formats;
mod gate;
mod home;
mod letters;
mod receipts;
mod revisions;
mod round_trip;
mod samples;
mod speed;
mod tampered;
