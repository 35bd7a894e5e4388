//! The platform from outside: whole journeys over real rooms, one file per theme.
//!
//! Deployments are prepared once (`support::site`) and copied by each test.

mod audit;
mod bad_input;
mod cli;
mod convert;
mod crash;
mod follow_up;
mod inspect;
mod joins;
mod links;
mod mapping;
mod quality;
mod refusals;
mod register;
mod revisions;
mod stops;
mod story;
mod support;
mod web;
