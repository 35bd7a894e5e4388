//! Segments: the unit whose bytes are kept, erased and traced. Which of the readers' formats a delivery may hold.

use std::io::BufRead;

pub(crate) use kiban_formats::{CutError, Piece, RawPiece, SegmentCount, SegmentParser, Want};
use kiban_formats::{Format, uke::Keyed};

/// Text form of a format in manifests.
pub fn format_name(format: Format) -> &'static str {
    format.as_str()
}

/// The format a manifest names, if a delivery may hold it.
pub fn format_of(name: &str) -> Option<Format> {
    Format::of_name(name).filter(|f| taken(*f))
}

/// May a delivery hold files of this format? An export of a telephone names nobody: whose it is cannot be
/// checked.
pub(crate) fn taken(format: Format) -> bool {
    format != Format::HealthKit
}

/// Is a file one segment?
pub(crate) fn is_whole(format: Format) -> bool {
    matches!(
        format,
        Format::SsMix2
            | Format::SsMix2Extended
            | Format::FhirJson
            | Format::CheckupXml
            | Format::Mml
    )
}

/// Path of a file in its tree: without the bundle's prefix.
pub(crate) fn tree_path(path: &str) -> &str {
    path.strip_prefix(crate::manifest::DATA_PREFIX).unwrap_or(path)
}

/// By what the persons of a file of claims are known: by their insurance in an insurer's files, else by the
/// institution's own number.
pub(crate) fn keyed(insured: bool) -> Keyed {
    if insured { Keyed::Insured } else { Keyed::Institution }
}

/// As [`kiban_formats::cut_keyed()`], for a path in a delivery.
///
/// # Errors
/// The file cannot be cut, or `each` says so.
pub(crate) fn cut<E: From<CutError>>(
    format: Format,
    keyed: Keyed,
    path: &str,
    input: impl BufRead,
    max_bytes: u64,
    want: Want,
    each: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    kiban_formats::cut_keyed(format, keyed, tree_path(path), input, max_bytes, want, each)
}

/// As [`cut`], without reading the segments.
///
/// # Errors
/// As [`cut`].
pub(crate) fn cut_raw<E: From<CutError>>(
    format: Format,
    keyed: Keyed,
    path: &str,
    input: impl BufRead,
    max_bytes: u64,
    want: Want,
    each: impl FnMut(RawPiece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    kiban_formats::cut_raw(format, keyed, tree_path(path), input, max_bytes, want, each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_what_names_nobody_is_not_taken() {
        for format in Format::ALL.into_iter().filter(|f| taken(*f)) {
            assert_eq!(format_of(format_name(format)), Some(format));
        }
        assert_eq!(format_of(format_name(Format::HealthKit)), None);
    }
}
