//! The guarantees of `kiban-deliver`, over real databases, folders and killed processes.

mod ended;
mod opening;
mod passing;
mod verifying;

#[path = "../../../release/tests/it/house.rs"]
#[expect(dead_code, reason = "shared with the tests of kiban-release")]
mod house;
mod scene;
