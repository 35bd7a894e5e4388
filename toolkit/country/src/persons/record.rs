//! One record of a person at a source: what the source knew on the day, in its house style, with
//! its errors.

use crate::{
    chance::Chance,
    day::Day,
    persons::{
        ListProfile,
        life::{Person, at, before},
        names::{Name, NameLists},
        places::Places,
        slips,
        source::{SPARSE, Source, Style, column},
        tag::{Tag, Tags},
    },
};

/// What writing needs beside the person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) names: &'a NameLists,
    pub(crate) places: &'a Places,
    pub(crate) profile: ListProfile,
    /// An error that happens wherever it can.
    pub(crate) force: Option<Tag>,
}

/// A record on its way to paper.
struct Sheet {
    /// Kanji and kana of family, middle and given name.
    family: [String; 2],
    middle: [String; 2],
    given: [String; 2],
    foreign: bool,
    tags: Tags,
}

/// Columns `name_kanji` to `branch`.
pub(crate) type Cells = [String; 11];

/// Share of records that carry a state that had already changed.
const STALE: (f64, f64) = (0.03, 0.05);

impl Desk<'_> {
    fn rate(&self, tag: Tag) -> f64 {
        let (base, sparse) = tag.rates();
        match self.profile {
            ListProfile::Base => base,
            ListProfile::Sparse => sparse,
            ListProfile::Clean => 0.0,
        }
    }

    pub(crate) fn slips(&self, tag: Tag, chance: &mut Chance) -> bool {
        self.force == Some(tag) || chance.chance(self.rate(tag))
    }

    pub(crate) fn stale(&self, chance: &mut Chance) -> bool {
        chance.chance(match self.profile {
            ListProfile::Base => STALE.0,
            ListProfile::Sparse => STALE.1,
            ListProfile::Clean => 0.0,
        })
    }

    /// Whether a column has a value in this record.
    pub(crate) fn has(&self, style: &Style, column: usize, chance: &mut Chance) -> bool {
        let share = if self.profile == ListProfile::Sparse { SPARSE[column] } else { 1.0 };
        style.has[column] && chance.chance(share)
    }

    /// Write the record.
    pub(crate) fn write(
        &self,
        person: &Person,
        source: Source,
        style: &Style,
        on: Day,
        chance: &mut Chance,
    ) -> (Cells, Tags) {
        let mut sheet = self.name(person, on, chance);
        let mut cells = Cells::default();
        self.write_name(&mut sheet, style, person, on, &mut cells, chance);

        // sex
        let male = person.male != self.slips(Tag::SexWrong, chance);
        if male != person.male {
            sheet.tags.add(Tag::SexWrong);
        }
        if self.has(style, column::SEX, chance) {
            if self.slips(Tag::SexMissing, chance) {
                sheet.tags.add(Tag::SexMissing);
            } else {
                style.sex[usize::from(!male)].clone_into(&mut cells[2]);
            }
        }

        // birth
        if self.has(style, column::BIRTH, chance) {
            cells[3] = self.birth(person.born, style, on, &mut sheet.tags, chance);
        }

        self.write_home(person, style, on, &mut sheet.tags, &mut cells, chance);

        self.write_phone(person, style, on, &mut sheet.tags, &mut cells, chance);
        self.write_policy(person, source, style, on, &mut sheet.tags, &mut cells, chance);
        (cells, sheet.tags)
    }

    /// The name as the source learnt it, before its own slips.
    fn name(&self, person: &Person, on: Day, chance: &mut Chance) -> Sheet {
        let mut tags = Tags::default();
        let mut family = *at(&person.family, on);
        if let Some(old) = before(&person.family, on).filter(|_| self.stale(chance)) {
            family = *old;
        }
        if family != person.family[person.family.len() - 1].1 {
            tags.add(Tag::Marriage);
        }
        let mut given = person.given;
        let mut middle = person.middle;
        let mut foreign = person.foreign();
        if let Some([surname, name]) = person.alias
            && self.slips(Tag::Alias, chance)
        {
            (family, given, middle, foreign) = (surname, name, None, false);
            tags.add(Tag::Alias);
        }
        if middle.is_some() && self.slips(Tag::MiddleDropped, chance) {
            middle = None;
            tags.add(Tag::MiddleDropped);
        }
        if self.slips(Tag::Reading, chance) {
            let part = if chance.chance(0.5) { &mut family } else { &mut given };
            if let Some(other) = self.names.reread(*part, chance) {
                *part = other;
                tags.add(Tag::Reading);
            }
        }
        let text =
            |name: Name| [self.names.kanji(name).to_owned(), self.names.kana(name).to_owned()];
        Sheet {
            family: text(family),
            middle: middle.map(text).unwrap_or_default(),
            given: text(given),
            foreign,
            tags,
        }
    }

    fn write_name(
        &self,
        sheet: &mut Sheet,
        style: &Style,
        person: &Person,
        on: Day,
        cells: &mut Cells,
        chance: &mut Chance,
    ) {
        type Slip = fn(&str, &mut Chance) -> Option<String>;
        let kana: [(Tag, Slip); 5] = [
            (Tag::KanaTypo, slips::kana_typo),
            (Tag::Voiced, slips::voiced),
            (Tag::SmallKana, slips::small),
            (Tag::LongVowel, slips::long_vowel),
            (Tag::LookAlike, slips::look_alike),
        ];
        for (tag, slip) in kana {
            if self.slips(tag, chance) {
                let first = chance.chance(0.5);
                for family in [first, !first] {
                    let part = if family { &mut sheet.family } else { &mut sheet.given };
                    if let Some(other) = slip(&part[1], chance) {
                        part[1] = other;
                        sheet.tags.add(tag);
                        break;
                    }
                }
            }
        }
        let kanji: [(Tag, Slip); 2] =
            [(Tag::KanjiTypo, slips::confused), (Tag::Itaiji, slips::variant)];
        for (tag, slip) in kanji {
            if !sheet.foreign && self.slips(tag, chance) {
                // variants are a matter of family names
                let first = chance.chance(if tag == Tag::Itaiji { 0.9 } else { 0.35 });
                let part = if first { &mut sheet.family } else { &mut sheet.given };
                if let Some(other) = slip(&part[0], chance) {
                    part[0] = other;
                    sheet.tags.add(tag);
                }
            }
        }
        let days = on.days_since(person.born);
        let registers = self.profile == ListProfile::Clean && self.force != Some(Tag::Newborn);
        if (0..=14).contains(&days) && !registers {
            // no name is registered yet
            sheet.given = match chance.below(4) {
                0 => Default::default(),
                1 => ["乳児".into(), "ニユウジ".into()],
                _ => ["ベビー".into(), "ベビー".into()],
            };
            sheet.tags.add(Tag::Newborn);
        }
        if self.slips(Tag::Swapped, chance) && !sheet.foreign {
            std::mem::swap(&mut sheet.family, &mut sheet.given);
            sheet.tags.add(Tag::Swapped);
        }
        if self.slips(Tag::GivenMissing, chance) && !sheet.given[1].is_empty() {
            sheet.given = Default::default();
            sheet.tags.add(Tag::GivenMissing);
        }
        if self.slips(Tag::FamilyMissing, chance) && !sheet.given[1].is_empty() {
            sheet.family = Default::default();
            sheet.tags.add(Tag::FamilyMissing);
        }
        let reversed = sheet.foreign && self.slips(Tag::NameOrder, chance);
        if reversed {
            sheet.tags.add(Tag::NameOrder);
        }
        let whole = |form: usize| {
            let mut parts = [&sheet.family[form], &sheet.given[form], &sheet.middle[form]];
            if reversed {
                parts = [&sheet.given[form], &sheet.middle[form], &sheet.family[form]];
            }
            let parts: Vec<&str> =
                parts.into_iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
            let between = if sheet.foreign && form == 0 { " " } else { style.between[form] };
            parts.join(between)
        };
        let both = self.has(style, column::KANA, chance);
        if both {
            if self.slips(Tag::KanaMissing, chance) {
                sheet.tags.add(Tag::KanaMissing);
            } else {
                cells[1] = style.kana(&whole(1));
            }
        }
        if self.has(style, column::KANJI, chance) || cells[1].is_empty() {
            if !cells[1].is_empty() && self.slips(Tag::KanjiMissing, chance) {
                sheet.tags.add(Tag::KanjiMissing);
            } else {
                let (kanji, gaiji) = style.encoded(&whole(0), chance);
                cells[0] = kanji;
                if gaiji {
                    sheet.tags.add(Tag::Gaiji);
                }
            }
        }
        if self.slips(Tag::Placeholder, chance) && chance.chance(0.15) {
            for (cell, unknown) in cells.iter_mut().zip(["不明", "フメイ"]) {
                if !cell.is_empty() {
                    unknown.clone_into(cell);
                }
            }
            sheet.tags.add(Tag::Placeholder);
        }
    }

    fn birth(
        &self,
        born: Day,
        style: &Style,
        on: Day,
        tags: &mut Tags,
        chance: &mut Chance,
    ) -> String {
        if self.slips(Tag::BirthMissing, chance) {
            tags.add(Tag::BirthMissing);
            return String::new();
        }
        if self.slips(Tag::Placeholder, chance) && chance.chance(0.2) {
            tags.add(Tag::Placeholder);
            return Day::from_civil(1900, 1, 1).to_string();
        }
        let mut written = born;
        let (year, month, day) = born.civil();
        let mut take = |tag: Tag, other: Option<Day>| {
            // nobody is written before birth, nor older than anybody is
            if let Some(other) = other.filter(|o| *o != born && *o <= on && o.age_on(on) <= 112) {
                written = other;
                tags.add(tag);
            }
        };
        if self.slips(Tag::BirthDigit, chance) {
            let text = born.compact();
            for _ in 0..8 {
                let from = if chance.chance(0.25) { 3 } else { 4 };
                let other = slips::digit(&text[from..], chance)
                    .and_then(|tail| Day::parse(&format!("{}{tail}", &text[..from])));
                if other.is_some_and(|o| o <= on) {
                    take(Tag::BirthDigit, other);
                    break;
                }
            }
        } else if self.slips(Tag::MonthDay, chance) {
            if day <= 12 {
                take(Tag::MonthDay, Some(Day::from_civil(year, day, month)));
            }
        } else if self.slips(Tag::EraYear, chance) {
            // one year off, or the year of one era read in another
            let shift = match chance.below(10) {
                0..4 => 1,
                4..7 => -1,
                7 => 63,
                8 => -63,
                _ => 14,
            };
            take(Tag::EraYear, Some(born.birthday(shift)).filter(|o| o.age_on(on) <= 105));
        } else if self.slips(Tag::Birth0101, chance) {
            take(Tag::Birth0101, Some(Day::from_civil(year, 1, 1)));
        }
        style.date(written)
    }
}
