#![doc = include_str!("../README.md")]
//!
//! # Guarantee
//! - `paper.all-said`: every character of every block is on a page, in the order of the blocks.
//! - `paper.inside`: no line is wider than its column, no line is below the foot of the page.
//! - `paper.kinsoku`: no line begins with a closing mark or ends with an opening one, if the line has another place to end.
//! - `paper.same-bytes`: a document gives the same bytes each time.

mod embed;
mod face;
mod layout;
mod lines;
mod paper;
mod table;
mod tags;
mod write;

pub use paper::{Block, Column, Day, Paper, PaperError, Table};
