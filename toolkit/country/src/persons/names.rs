//! Names: lists of whole names and of parts whose products make the long tail, with readings, years
//! of use and weights. A name is an index; its text is looked up when a record is written.

use std::collections::{HashMap, HashSet};

use crate::{chance::Chance, error::CountryError};

/// Which list a name stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum List {
    Surname,
    Male,
    Female,
    ForeignFamily,
    ForeignMale,
    ForeignFemale,
    ForeignMiddle,
}

/// A name as one person bears it: which entry, read in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) list: List,
    pub(crate) entry: u16,
    pub(crate) reading: u8,
}

#[derive(Debug)]
struct Entry {
    kanji: String,
    readings: Vec<(String, u32)>,
    weight: u32,
    from: i32,
    to: i32,
}

/// Entries of one list with the sums by which they are drawn.
#[derive(Debug, Default)]
struct Names {
    entries: Vec<Entry>,
    /// Cumulative weights per five years of birth from 1900 (surnames: one table).
    drawn: Vec<Vec<(u32, u16)>>,
    by_kana: HashMap<String, Vec<u16>>,
    by_first: HashMap<char, Vec<u16>>,
}

/// All names.
#[derive(Debug)]
pub(crate) struct NameLists {
    lists: [Names; 7],
}

const FIRST_YEAR: i32 = 1900;
const BUCKET: i32 = 5;
const BUCKETS: i32 = 27;
/// Part of the mass of surnames that the products of parts make, in percent of the whole names'.
const SURNAME_TAIL: u64 = 70;
/// Weight of a product of given-name parts against a whole name's.
const GIVEN_WHOLE: u32 = 60;

impl NameLists {
    pub(crate) fn load() -> Result<Self, CountryError> {
        let surname_parts = include_str!("../../data/persons/surname_parts.tsv");
        let given_parts = include_str!("../../data/persons/given_parts.tsv");
        let mut surnames = whole("surnames", include_str!("../../data/persons/surnames.tsv"))?;
        let head: u64 = surnames.iter().map(|e| u64::from(e.weight)).sum();
        let mut tail = products(
            &parts("surname_parts", surname_parts, "1", 0)?,
            &parts("surname_parts", surname_parts, "2", 0)?,
        );
        let tail_sum: u64 = tail.iter().map(|e| u64::from(e.weight)).sum();
        for entry in &mut surnames {
            entry.weight *= 1000;
        }
        for entry in &mut tail {
            let scaled = u64::from(entry.weight) * head * 1000 * SURNAME_TAIL / 100 / tail_sum;
            entry.weight = (scaled as u32).max(1);
        }
        surnames.extend(tail);
        let given = |table, text, sex: &str| -> Result<Names, CountryError> {
            let mut all = whole(table, text)?;
            for entry in &mut all {
                entry.weight *= GIVEN_WHOLE;
            }
            let of = |place: &str| parts("given_parts", given_parts, &format!("{sex}\t{place}"), 1);
            all.extend(products(&of("1")?, &of("2")?));
            Ok(Names::new(all, true))
        };
        let foreign = include_str!("../../data/persons/foreign.tsv");
        let abroad = |kind| -> Result<Names, CountryError> {
            Ok(Names::new(latin("foreign", foreign, kind)?, false))
        };
        Ok(Self {
            lists: [
                Names::new(surnames, false),
                given("given_male", include_str!("../../data/persons/given_male.tsv"), "1")?,
                given("given_female", include_str!("../../data/persons/given_female.tsv"), "2")?,
                abroad("F")?,
                abroad("1")?,
                abroad("2")?,
                abroad("0")?,
            ],
        })
    }

    fn of(&self, list: List) -> &Names {
        &self.lists[list as usize]
    }

    /// A name of the list in use in the year of birth.
    pub(crate) fn draw(&self, list: List, born: i32, chance: &mut Chance) -> Name {
        let names = self.of(list);
        let bucket = ((born - FIRST_YEAR) / BUCKET).clamp(0, names.drawn.len() as i32 - 1);
        let table = &names.drawn[bucket as usize];
        let total = table.last().map_or(1, |(sum, _)| *sum);
        let at = chance.below(total);
        let place = table.partition_point(|(sum, _)| *sum <= at);
        let entry = table.get(place).map_or(0, |(_, entry)| *entry);
        self.read(list, entry, chance)
    }

    fn read(&self, list: List, entry: u16, chance: &mut Chance) -> Name {
        let readings = &self.of(list).entries[usize::from(entry)].readings;
        let total: u32 = readings.iter().map(|(_, w)| w).sum();
        let mut at = chance.below(total);
        let mut reading = 0;
        for (i, (_, weight)) in readings.iter().enumerate() {
            if at < *weight {
                reading = i as u8;
                break;
            }
            at -= weight;
        }
        Name { list, entry, reading }
    }

    /// The name's characters.
    pub(crate) fn kanji(&self, name: Name) -> &str {
        &self.of(name.list).entries[usize::from(name.entry)].kanji
    }

    /// The name's reading in full-width katakana.
    pub(crate) fn kana(&self, name: Name) -> &str {
        &self.of(name.list).entries[usize::from(name.entry)].readings[usize::from(name.reading)].0
    }

    /// The same characters read otherwise, if they can be.
    pub(crate) fn reread(&self, name: Name, chance: &mut Chance) -> Option<Name> {
        let count = self.of(name.list).entries[usize::from(name.entry)].readings.len() as u32;
        let reading = (u32::from(name.reading) + 1 + chance.below(count.max(2) - 1)) % count;
        (count > 1).then_some(Name { reading: reading as u8, ..name })
    }

    /// Other characters with the same sound, if the lists have any.
    pub(crate) fn homophone(&self, name: Name, chance: &mut Chance) -> Option<Name> {
        let names = self.of(name.list);
        let kana = self.kana(name);
        let same = names.by_kana.get(kana)?;
        let entry = *chance.pick(same);
        let readings = &names.entries[usize::from(entry)].readings;
        let reading = readings.iter().position(|(r, _)| r == kana)? as u8;
        (entry != name.entry).then_some(Name { list: name.list, entry, reading })
    }

    /// A name that begins with the same character, as fathers and sons have, if the list has any
    /// in use in the year.
    pub(crate) fn kindred(&self, name: Name, born: i32, chance: &mut Chance) -> Option<Name> {
        let names = self.of(name.list);
        let same = names.by_first.get(&self.kanji(name).chars().next()?)?;
        for _ in 0..8 {
            let entry = *chance.pick(same);
            let found = &names.entries[usize::from(entry)];
            if entry != name.entry && (found.from..=found.to).contains(&born) {
                return Some(self.read(name.list, entry, chance));
            }
        }
        None
    }

    /// Number of entries of a list.
    #[cfg(test)]
    pub(crate) fn count(&self, list: List) -> usize {
        self.of(list).entries.len()
    }
}

impl Names {
    fn new(mut entries: Vec<Entry>, by_year: bool) -> Self {
        let mut seen = HashSet::new();
        entries.retain(|e| seen.insert(e.kanji.clone()));
        let mut names = Self::default();
        for bucket in 0..if by_year { BUCKETS } else { 1 } {
            // names begin in 1905 and are open until 2026
            let year = (FIRST_YEAR + bucket * BUCKET + BUCKET / 2).clamp(1907, 2024);
            let mut sum = 0;
            let mut table = Vec::new();
            for (i, entry) in entries.iter().enumerate() {
                if !by_year || (entry.from..=entry.to).contains(&year) {
                    sum += entry.weight;
                    table.push((sum, i as u16));
                }
            }
            names.drawn.push(table);
        }
        for (i, entry) in entries.iter().enumerate() {
            for (reading, _) in &entry.readings {
                names.by_kana.entry(reading.clone()).or_default().push(i as u16);
            }
            if let Some(first) = entry.kanji.chars().next() {
                names.by_first.entry(first).or_default().push(i as u16);
            }
        }
        names.entries = entries;
        names
    }
}

/// Lines of a table with their numbers, without its comment.
fn lines(text: &'static str) -> impl Iterator<Item = (usize, &'static str)> {
    text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty())
}

fn malformed(table: &'static str, line: usize) -> CountryError {
    CountryError::Table { table, line: line + 1 }
}

/// `ナカジマ:7|ナカシマ:3`.
fn readings(text: &str) -> Option<Vec<(String, u32)>> {
    text.split('|')
        .map(|one| match one.split_once(':') {
            Some((kana, weight)) => Some((kana.to_owned(), weight.parse().ok()?)),
            None => Some((one.to_owned(), 1)),
        })
        .collect()
}

fn whole(table: &'static str, text: &'static str) -> Result<Vec<Entry>, CountryError> {
    lines(text)
        .map(|(line, row)| {
            let cells: Vec<&str> = row.split('\t').collect();
            let entry = match cells[..] {
                [kanji, kana, weight] => entry(kanji, kana, weight, "0", "9999"),
                [kanji, kana, from, to, weight] => entry(kanji, kana, weight, from, to),
                _ => None,
            };
            entry.ok_or_else(|| malformed(table, line))
        })
        .collect()
}

fn entry(kanji: &str, kana: &str, weight: &str, from: &str, to: &str) -> Option<Entry> {
    Some(Entry {
        kanji: kanji.to_owned(),
        readings: readings(kana)?,
        weight: weight.parse().ok()?,
        from: from.parse().ok()?,
        to: to.parse().ok()?,
    })
}

/// The parts whose first cells are `key`.
fn parts(
    table: &'static str,
    text: &'static str,
    key: &str,
    years: usize,
) -> Result<Vec<Entry>, CountryError> {
    lines(text)
        .filter_map(|(line, row)| {
            let rest = row.strip_prefix(key)?.strip_prefix('\t')?;
            let cells: Vec<&str> = rest.split('\t').collect();
            let part = match (&cells[..], years) {
                ([kanji, kana, weight], 0) => entry(kanji, kana, weight, "0", "9999"),
                ([kanji, kana, weight, from, to], 1) => entry(kanji, kana, weight, from, to),
                _ => None,
            };
            Some(part.ok_or_else(|| malformed(table, line)))
        })
        .collect()
}

/// Every first part with every second one of the same years.
fn products(first: &[Entry], second: &[Entry]) -> Vec<Entry> {
    let mut out = Vec::with_capacity(first.len() * second.len());
    for one in first {
        for two in second {
            let (from, to) = (one.from.max(two.from), one.to.min(two.to));
            if from + 10 > to || one.kanji == two.kanji {
                continue;
            }
            let mut readings = Vec::new();
            for (a, p) in &one.readings {
                for (b, q) in &two.readings {
                    readings.push((format!("{a}{b}"), p * q));
                }
            }
            // the commonest readings only: rare by rare is not a name
            readings.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            readings.truncate(3);
            let kanji = format!("{}{}", one.kanji, two.kanji);
            out.push(Entry { kanji, readings, weight: one.weight * two.weight, from, to });
        }
    }
    out
}

fn latin(table: &'static str, text: &'static str, kind: &str) -> Result<Vec<Entry>, CountryError> {
    lines(text)
        .filter_map(|(line, row)| {
            let rest = row.strip_prefix(kind)?.strip_prefix('\t')?;
            let found = rest.split_once('\t').and_then(|(a, k)| entry(a, k, "1", "0", "9999"));
            Some(found.ok_or_else(|| malformed(table, line)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::{Purpose, Streams};

    #[test]
    fn lists_are_long_and_have_several_readings_and_characters() {
        let lists = NameLists::load().expect("tables");
        assert!(lists.count(List::Surname) > 3_000);
        assert!(lists.count(List::Male) > 2_000 && lists.count(List::Female) > 1_500);
        let chance = &mut Streams::new(1, Purpose::ListHousehold).of(1);
        let (mut reread, mut homophones) = (0, 0);
        for _ in 0..1000 {
            let name = lists.draw(List::Male, 1970, chance);
            assert!(lists.kana(name).chars().all(|c| ('ァ'..='ー').contains(&c)));
            if let Some(other) = lists.reread(name, chance) {
                assert_eq!(lists.kanji(name), lists.kanji(other));
                assert_ne!(lists.kana(name), lists.kana(other));
                reread += 1;
            }
            if let Some(other) = lists.homophone(name, chance) {
                assert_eq!(lists.kana(name), lists.kana(other));
                assert_ne!(lists.kanji(name), lists.kanji(other));
                homophones += 1;
            }
        }
        assert!(reread > 300 && homophones > 300);
    }

    #[test]
    fn names_follow_the_year_of_birth() {
        let lists = NameLists::load().expect("tables");
        let chance = &mut Streams::new(2, Purpose::ListHousehold).of(1);
        for (born, list) in [(1930, List::Female), (2015, List::Male)] {
            for _ in 0..500 {
                let name = lists.draw(list, born, chance);
                let entry = &lists.of(list).entries[usize::from(name.entry)];
                assert!(entry.from <= born + BUCKET && born - BUCKET <= entry.to);
            }
        }
    }
}
