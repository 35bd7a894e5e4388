//! The plain tables shipped in `data/`: names, towns, occupations.

use crate::{chance::Chance, error::CountryError, kana};

/// A surname.
#[derive(Debug)]
pub(crate) struct Surname {
    pub(crate) kanji: &'static str,
    pub(crate) kana: &'static str,
    pub(crate) key: String,
    weight: u32,
}

/// A given name with the years in which it was given.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) kanji: &'static str,
    pub(crate) kana: &'static str,
    pub(crate) key: String,
    from: i32,
    to: i32,
}

/// An occupation with the ages that have it.
#[derive(Debug)]
pub(crate) struct Occupation {
    pub(crate) name: &'static str,
    weight: u32,
    from: i32,
    to: i32,
}

/// A public place.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) prefecture: &'static str,
    pub(crate) city: &'static str,
    pub(crate) postal: &'static str,
    pub(crate) code: &'static str,
}

/// A cause of death.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) code: &'static str,
    pub(crate) text: &'static str,
    weight: u32,
    from: i32,
}

/// All tables.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) surnames: Vec<Surname>,
    surname_total: u32,
    pub(crate) male: Vec<Given>,
    pub(crate) female: Vec<Given>,
    pub(crate) towns: Vec<&'static str>,
    pub(crate) buildings: Vec<&'static str>,
    occupations: Vec<Occupation>,
    pub(crate) places: Vec<Place>,
    causes: Vec<Cause>,
}

impl Tables {
    pub(crate) fn load() -> Result<Self, CountryError> {
        let surnames =
            rows("surnames", include_str!("../data/surnames.tsv"), |[kanji, kana, w]| {
                Some(Surname { kanji, kana, key: kana::key(kana), weight: w.parse().ok()? })
            })?;
        let given = |[kanji, kana, from, to]: [&'static str; 4]| {
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            Some(Given { kanji, kana, key: kana::key(kana), from, to })
        };
        Ok(Self {
            surname_total: surnames.iter().map(|s| s.weight).sum(),
            surnames,
            male: rows("given_male", include_str!("../data/given_male.tsv"), given)?,
            female: rows("given_female", include_str!("../data/given_female.tsv"), given)?,
            towns: rows("towns", include_str!("../data/towns.tsv"), |[name]| Some(name))?,
            buildings: rows("buildings", include_str!("../data/buildings.tsv"), |[n]| Some(n))?,
            occupations: rows(
                "occupations",
                include_str!("../data/occupations.tsv"),
                |[name, weight, from, to]| {
                    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
                    Some(Occupation { name, weight: weight.parse().ok()?, from, to })
                },
            )?,
            places: rows(
                "municipalities",
                include_str!("../data/municipalities.tsv"),
                |[prefecture, city, postal, code]| Some(Place { prefecture, city, postal, code }),
            )?,
            causes: rows(
                "death_causes",
                include_str!("../data/death_causes.tsv"),
                |[code, text, weight, from]| {
                    let (weight, from) = (weight.parse().ok()?, from.parse().ok()?);
                    Some(Cause { code, text, weight, from })
                },
            )?,
        })
    }

    pub(crate) fn surname(&self, chance: &mut Chance) -> u16 {
        let mut left = chance.below(self.surname_total);
        for (i, s) in self.surnames.iter().enumerate() {
            if left < s.weight {
                return i as u16;
            }
            left -= s.weight;
        }
        0
    }

    pub(crate) fn given(&self, male: bool) -> &[Given] {
        if male { &self.male } else { &self.female }
    }

    /// A given name in use in the year of birth, if the table has one.
    pub(crate) fn given_name(&self, male: bool, born: i32, chance: &mut Chance) -> u16 {
        let list = self.given(male);
        let in_use = |g: &Given| (g.from..=g.to).contains(&born);
        let count = list.iter().filter(|g| in_use(g)).count() as u32;
        if count == 0 {
            return chance.below(list.len() as u32) as u16;
        }
        let nth = chance.below(count) as usize;
        list.iter().enumerate().filter(|(_, g)| in_use(g)).nth(nth).map_or(0, |(i, _)| i as u16)
    }

    pub(crate) fn occupation(&self, age: i32, chance: &mut Chance) -> &'static str {
        match age {
            ..6 => return "",
            6..19 => return "学生",
            19..23 if chance.chance(0.5) => return "学生",
            65..75 if chance.chance(0.65) => return "無職",
            75.. if chance.chance(0.95) => return "無職",
            _ => {}
        }
        let fits = |o: &&Occupation| (o.from..=o.to).contains(&age);
        let total: u32 = self.occupations.iter().filter(fits).map(|o| o.weight).sum();
        if total == 0 {
            return "無職";
        }
        let mut left = chance.below(total);
        for o in self.occupations.iter().filter(fits) {
            if left < o.weight {
                return o.name;
            }
            left -= o.weight;
        }
        "無職"
    }

    pub(crate) fn cause(&self, age: i32, chance: &mut Chance) -> Option<&Cause> {
        let fits = |c: &&Cause| age >= c.from;
        let total: u32 = self.causes.iter().filter(fits).map(|c| c.weight).sum();
        let mut left = chance.below(total.max(1));
        self.causes.iter().filter(fits).find(|c| {
            let here = left < c.weight;
            left = left.saturating_sub(c.weight);
            here
        })
    }
}

fn rows<const N: usize, T>(
    table: &'static str,
    text: &'static str,
    make: impl Fn([&'static str; N]) -> Option<T>,
) -> Result<Vec<T>, CountryError> {
    let mut out = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let wrong = || CountryError::Table { table, line: i + 1 };
        let cells: Vec<&'static str> = line.split('\t').collect();
        let cells: [&'static str; N] = cells.try_into().map_err(|_| wrong())?;
        out.push(make(cells).ok_or_else(wrong)?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tables_load_and_fit_the_encoding_of_municipal_files() {
        let tables = Tables::load().expect("tables");
        let names = tables.surnames.iter().map(|s| s.kanji);
        let given = tables.male.iter().chain(&tables.female).map(|g| g.kanji);
        for name in names.chain(given).chain(tables.towns.iter().copied()) {
            assert!(!encoding_rs::SHIFT_JIS.encode(name).2, "not in CP932");
        }
        assert!(tables.surnames.len() > 100 && tables.male.len() > 70 && tables.female.len() > 70);
    }
}
