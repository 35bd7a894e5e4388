//! The patients of the two hospitals and every identifying value in their files, read by a small
//! reader of its own: truth must not come from the parsers it judges.

mod fhir;
mod ssmix2;

use std::collections::BTreeSet;

pub(crate) use fhir::{fhir_record_keys, read_fhir};
pub(crate) use ssmix2::read_ssmix2;

use crate::day::Day;

/// Kind of an identifying value, as `truth/identifiers.csv` names it.
pub(crate) mod kind {
    pub(crate) const NAME_KANJI: &str = "name_kanji";
    pub(crate) const NAME_KANA: &str = "name_kana";
    pub(crate) const PHONE: &str = "phone";
    pub(crate) const LOCAL_ID: &str = "local_id";
    pub(crate) const IDENTIFIER: &str = "identifier";
    pub(crate) const INSURED: &str = "insured_number";
    pub(crate) const ADDRESS: &str = "address";
    pub(crate) const ADDRESS_BELOW: &str = "address_below_municipality";
    pub(crate) const STAFF_NAME: &str = "staff_name";
    pub(crate) const STAFF_ID: &str = "staff_id";
    pub(crate) const CONTACT_NAME: &str = "contact_name";
    pub(crate) const EMPLOYER: &str = "employer";
    pub(crate) const RECORD_KEY: &str = "record_key";
}

/// Identifying values, each once, by kind.
pub(crate) type Identifiers = BTreeSet<(&'static str, String)>;

/// Insurance as a hospital knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Insured {
    pub(crate) insurer_no: String,
    pub(crate) insurer_name: String,
    pub(crate) symbol: String,
    pub(crate) number: String,
    pub(crate) branch: String,
}

/// A patient as the hospital's own files describe him or her.
#[derive(Debug, Clone)]
pub(crate) struct Patient {
    pub(crate) local_id: String,
    /// Surname and given name.
    pub(crate) kanji: [String; 2],
    /// Their kana; empty where the hospital has none (newborns).
    pub(crate) kana: [String; 2],
    pub(crate) male: bool,
    pub(crate) born: Day,
    pub(crate) died: Option<Day>,
    pub(crate) address: String,
    pub(crate) insured: Option<Insured>,
}

/// A hospital's patients in a fixed order, and what must not leak.
#[derive(Debug)]
pub(crate) struct Hospital {
    pub(crate) patients: Vec<Patient>,
    pub(crate) identifiers: Identifiers,
}

/// Split an address after its municipality: prefecture, (郡 town | city (ward) | ward | town | village).
pub(crate) fn below_municipality(address: &str) -> Option<&str> {
    let after = |text: &str, marks: &[char], least: usize| {
        text.char_indices()
            .enumerate()
            .find(|(n, (_, c))| *n >= least && marks.contains(c))
            .map(|(_, (i, c))| i + c.len_utf8())
    };
    let prefecture = after(address, &['都', '道', '府', '県'], 2)?;
    let rest = &address[prefecture..];
    let mut at = after(rest, &['市', '区', '町', '村', '郡'], 1)?;
    if rest[..at].ends_with('郡') {
        at += after(&rest[at..], &['町', '村'], 1)?;
    } else if rest[..at].ends_with('市') {
        // a ward within the next four characters belongs to the city
        let ward = after(&rest[at..], &['区'], 1);
        if let Some(ward) = ward.filter(|w| rest[at..at + w].chars().count() <= 4) {
            at += ward;
        }
    }
    Some(&rest[at..])
}

fn note_address(address: &str, out: &mut Identifiers) {
    note(out, kind::ADDRESS, address);
    if let Some(below) = below_municipality(address) {
        note(out, kind::ADDRESS_BELOW, below);
    }
}

fn note(out: &mut Identifiers, kind: &'static str, value: &str) {
    let value = value.trim();
    if !value.is_empty() {
        out.insert((kind, value.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fixtures_are_read_completely() {
        let a = read_ssmix2(None).expect("storage");
        assert_eq!(a.patients.len(), 20);
        assert!(a.patients.iter().all(|p| !p.kana[0].is_empty() && p.address.contains("丁目")));
        let b = read_fhir(None).expect("export");
        assert_eq!(b.patients.len(), 210);
        assert_eq!(b.patients.iter().filter(|p| p.died.is_some()).count(), 7);
        assert_eq!(b.patients.iter().filter(|p| p.kana[0].is_empty()).count(), 5);
        assert!(b.patients.iter().filter(|p| p.insured.is_some()).count() > 150);
        for hospital in [&a, &b] {
            for wanted in [kind::NAME_KANJI, kind::NAME_KANA, kind::PHONE, kind::STAFF_NAME] {
                assert!(hospital.identifiers.iter().filter(|(k, _)| *k == wanted).count() >= 10);
            }
            let split =
                hospital.patients.iter().filter(|p| below_municipality(&p.address).is_some());
            assert_eq!(split.count(), hospital.patients.len());
        }
    }

    #[test]
    fn addresses_are_cut_after_the_municipality() {
        for (address, below) in [
            ("香川県綾歌郡綾川町東分99丁目21番4号", "東分99丁目21番4号"),
            ("京都府京都市西京区桂巽町99丁目16番6号", "桂巽町99丁目16番6号"),
            ("千葉県市川市若葉3丁目23-2", "若葉3丁目23-2"),
            ("東京都新島村若郷99丁目3番15号", "若郷99丁目3番15号"),
            ("石川県加賀市七日市町99丁目12番5号", "七日市町99丁目12番5号"),
            ("東京都大田区大宮3丁目23-5", "大宮3丁目23-5"),
        ] {
            assert_eq!(below_municipality(address), Some(below));
        }
    }
}
