//! A SAS transport file, version 5: records of 80 bytes, headers, 140 bytes a variable, rows without gaps.
//!
//! Enters: a domain, then values by variable. Leaves: the file's bytes. Refuses: nothing; what does not fit is cut into
//! pieces by the caller before it comes here. Source: SAS technical paper TS-140, "The record layout of a data set in
//! SAS transport (XPORT) format".

use std::io::{self, Write};

use super::{
    ibm,
    layout::{Domain, Variable},
};
use crate::out::moment::Moment;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Text of exactly so many bytes.
fn padded(text: &str, width: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(width, b' ');
    bytes
}

fn header(kind: &str, rest: &str) -> Vec<u8> {
    padded(&format!("HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!{rest}"), 80)
}

/// A file that is being written.
pub(super) struct Transport<W> {
    sink: W,
    domain: &'static Domain,
    row: Vec<u8>,
    bytes: usize,
    pub rows: u64,
}

impl<W: Write> Transport<W> {
    /// Writes the headers; `name` is that of the data set.
    pub(super) fn new(
        name: &str,
        domain: &'static Domain,
        made: Moment,
        mut sink: W,
    ) -> io::Result<Self> {
        let month = MONTHS[usize::from(made.month.unwrap_or(1).clamp(1, 12)) - 1];
        let stamp = format!("{:02}{month}{:02}:00:00:00", made.day.unwrap_or(1), made.year % 100);
        let none = "0".repeat(30);
        let mut head = header("LIBRARY ", &none);
        head.extend(padded(
            &format!("SAS     SAS     SASLIB  9.4     KIBAN   {:24}{stamp}", ""),
            80,
        ));
        head.extend(padded(&stamp, 80));
        head.extend(header("MEMBER  ", "000000000000000001600000000140"));
        head.extend(header("DSCRPTR ", &none));
        head.extend(padded(
            &format!("SAS     {name:<8}SASDATA 9.4     KIBAN   {:24}{stamp}", ""),
            80,
        ));
        head.extend(padded(&stamp, 80));
        let count = domain.variables.len();
        head.extend(header("NAMESTR ", &format!("000000{count:04}{}", "0".repeat(20))));
        let mut position = 0;
        for (at, variable) in domain.variables.iter().enumerate() {
            namestr(&mut head, variable, at + 1, position);
            position += variable.length;
        }
        head.resize(head.len().next_multiple_of(80), b' ');
        head.extend(header("OBS     ", &none));
        sink.write_all(&head)?;
        let row = vec![b' '; position];
        let mut out = Self { sink, domain, row, bytes: 0, rows: 0 };
        out.blank();
        Ok(out)
    }

    fn blank(&mut self) {
        self.row.fill(b' ');
        let mut from = 0;
        for variable in &self.domain.variables {
            if variable.number {
                self.row[from..from + 8].copy_from_slice(&ibm::MISSING);
            }
            from += variable.length;
        }
    }

    fn place(&mut self, name: &str) -> Option<&mut [u8]> {
        let mut from = 0;
        for variable in &self.domain.variables {
            if variable.name == name {
                return Some(&mut self.row[from..from + variable.length]);
            }
            from += variable.length;
        }
        debug_assert!(false, "{}.{name}", self.domain.name);
        None
    }
    /// Length of a variable.
    pub(super) fn length(&self, name: &str) -> usize {
        self.domain.variables.iter().find(|v| v.name == name).map_or(0, |v| v.length)
    }
    /// Bytes of a text, at most the variable's length.
    pub(super) fn text(&mut self, name: &str, bytes: &[u8]) {
        if let Some(place) = self.place(name) {
            let fits = bytes.len().min(place.len());
            place[..fits].copy_from_slice(&bytes[..fits]);
        }
    }
    /// A number; what the format cannot hold is missing.
    pub(super) fn number(&mut self, name: &str, value: f64) {
        if let Some(place) = self.place(name) {
            place.copy_from_slice(&ibm::to_ibm(value).unwrap_or(ibm::MISSING));
        }
    }
    /// Ends the row.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.row)?;
        self.bytes += self.row.len();
        self.rows += 1;
        self.blank();
        Ok(())
    }
    /// Takes the row back.
    pub(super) fn drop_row(&mut self) {
        self.blank();
    }
    /// Fills the last record.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        let rest = self.bytes.next_multiple_of(80) - self.bytes;
        self.sink.write_all(&vec![b' '; rest])?;
        self.sink.flush()?;
        Ok(self.rows)
    }
}

/// The description of a variable, 140 bytes.
fn namestr(head: &mut Vec<u8>, variable: &Variable, number: usize, position: usize) {
    let short = |head: &mut Vec<u8>, n: usize| head.extend((n as u16).to_be_bytes());
    short(head, if variable.number { 1 } else { 2 });
    short(head, 0);
    short(head, variable.length);
    short(head, number);
    head.extend(padded(variable.name, 8));
    head.extend(padded(variable.label, 40));
    // No format and no informat.
    head.extend(padded("", 8));
    for _ in 0..3 {
        short(head, 0);
    }
    head.extend([0, 0]);
    head.extend(padded("", 8));
    short(head, 0);
    short(head, 0);
    head.extend((position as u32).to_be_bytes());
    head.extend([0; 52]);
}
