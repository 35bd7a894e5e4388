//! Synthetic ids and actors.

use kiban_govern::{Actor, Employer};
use kiban_kernel::{Id, Kind};

/// The id of a kind with a number: the same number gives the same id.
pub fn id<K: Kind>(number: u64) -> Id<K> {
    Id::from_bytes((u128::from(number) << 64 | u128::from(number)).to_be_bytes())
}

/// A member of the producer's staff without roles: account and organization `number`.
pub fn actor(number: u64) -> Actor {
    Actor::new(id(number), id(number), Employer::Producer, [])
}
