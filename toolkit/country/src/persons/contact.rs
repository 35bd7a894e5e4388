//! The columns by which a source reaches a person and is paid: postal code, address, telephone,
//! insurance.

use crate::{
    chance::Chance,
    day::Day,
    kana,
    persons::{
        insurance::Insurer,
        life::{Person, at, before},
        places::Home,
        record::{Cells, Desk},
        slips,
        source::{AddressStyle, Kind, Source, Style, column},
        tag::{Tag, Tags},
    },
};

impl Desk<'_> {
    pub(crate) fn write_home(
        &self,
        person: &Person,
        style: &Style,
        on: Day,
        tags: &mut Tags,
        cells: &mut Cells,
        chance: &mut Chance,
    ) {
        let mut home = *at(&person.homes, on);
        if let Some(old) = before(&person.homes, on).filter(|_| self.stale(chance)) {
            home = *old;
        }
        let past = home != person.homes[person.homes.len() - 1].1;
        if self.has(style, column::POSTAL, chance) {
            let mut digits = self.places.postal(&home);
            if self.slips(Tag::Placeholder, chance) {
                digits = "0000000".into();
                tags.add(Tag::Placeholder);
            } else if self.slips(Tag::PostalTypo, chance) {
                digits = slips::digit(&digits, chance).unwrap_or(digits);
                tags.add(Tag::PostalTypo);
            }
            cells[4] = style.postal(&digits);
            if past {
                tags.add(Tag::Moved);
            }
        }
        if self.has(style, column::ADDRESS, chance) {
            if self.slips(Tag::Placeholder, chance) && chance.chance(0.5) {
                cells[5] = "不明".into();
                tags.add(Tag::Placeholder);
            } else {
                let text = self.address(home, style, tags, chance);
                cells[5] = style.encoded(&text, chance).0;
                if past {
                    tags.add(Tag::Moved);
                }
            }
        }
    }

    pub(crate) fn write_phone(
        &self,
        person: &Person,
        style: &Style,
        on: Day,
        tags: &mut Tags,
        cells: &mut Cells,
        chance: &mut Chance,
    ) {
        let mut phone = *at(&person.phones, on);
        if let Some(old) = before(&person.phones, on).filter(|_| self.stale(chance)) {
            phone = *old;
        }
        if self.has(style, column::PHONE, chance) {
            let mut digits = self.places.digits(phone);
            if self.slips(Tag::Placeholder, chance) {
                digits = ["000".into(), "0000".into(), "0000".into()];
                tags.add(Tag::Placeholder);
            } else {
                if phone != person.phones[person.phones.len() - 1].1 {
                    tags.add(Tag::PhoneChanged);
                }
                if self.slips(Tag::PhoneTypo, chance)
                    && let Some(other) = slips::digit(&digits[2], chance)
                {
                    digits[2] = other;
                    tags.add(Tag::PhoneTypo);
                }
            }
            cells[6] = style.phone(&digits);
        }
    }

    fn address(&self, home: Home, style: &Style, tags: &mut Tags, chance: &mut Chance) -> String {
        let place = self.places.place(&home);
        let mut town = self.places.town(&home).to_owned();
        let mut spelling = style.address;
        if self.slips(Tag::AddressSpelled, chance) {
            tags.add(Tag::AddressSpelled);
            match slips::town(&town, chance) {
                Some(other) => town = other,
                None => {
                    spelling = match spelling {
                        AddressStyle::Words => AddressStyle::Mixed,
                        AddressStyle::Mixed => AddressStyle::WideHyphens,
                        _ => AddressStyle::Words,
                    }
                }
            }
        }
        let (mut block, mut house) = (u32::from(home.block), u32::from(home.house));
        if self.slips(Tag::AddressTypo, chance) {
            tags.add(Tag::AddressTypo);
            if chance.chance(0.5) {
                house = house % 30 + 1;
            } else {
                block = 201 + (block - 200) % 60;
            }
        }
        let chome = u32::from(home.chome);
        let numbers = match spelling {
            AddressStyle::Words => format!("{chome}丁目{block}番{house}号"),
            AddressStyle::Hyphens => format!("{chome}-{block}-{house}"),
            AddressStyle::WideHyphens => kana::wide_digits(&format!("{chome}－{block}－{house}")),
            AddressStyle::Mixed => {
                let kanji = ["一", "二", "三", "四", "五", "六", "七", "八", "九"];
                format!("{}丁目{block}番地{house}", kanji[(chome as usize - 1) % 9])
            }
        };
        let prefecture = if style.prefecture { place.prefecture } else { "" };
        let mut text = format!("{prefecture}{}{town}{numbers}", place.city);
        if let Some((building, room)) = home.room {
            if self.slips(Tag::BuildingDropped, chance) {
                tags.add(Tag::BuildingDropped);
            } else if matches!(style.address, AddressStyle::Hyphens | AddressStyle::Words) {
                text = format!("{text}　{}{room}号室", self.places.building(building));
            } else {
                text = format!("{text}－{}", kana::wide_digits(&room.to_string()));
            }
        }
        text
    }

    #[expect(clippy::too_many_arguments, reason = "one column group of one record")]
    pub(crate) fn write_policy(
        &self,
        person: &Person,
        source: Source,
        style: &Style,
        on: Day,
        tags: &mut Tags,
        cells: &mut Cells,
        chance: &mut Chance,
    ) {
        let mut policy = *at(&person.policies, on);
        if let Some(old) = before(&person.policies, on).filter(|_| self.stale(chance))
            && source.kind != Kind::Insurer
        {
            policy = *old;
        }
        if !self.has(style, column::INSURANCE, chance) {
            return;
        }
        if !policy.same_cover(&person.policies[person.policies.len() - 1].1) {
            tags.add(Tag::InsurerChanged);
        }
        let mut insurer = policy.insurer_no(self.places);
        let mut number = policy.number();
        if self.slips(Tag::Placeholder, chance) && chance.chance(0.5) {
            number = "9999999".into();
            tags.add(Tag::Placeholder);
        } else if self.slips(Tag::NumberTypo, chance) {
            tags.add(Tag::NumberTypo);
            if chance.chance(0.3) {
                insurer = slips::digit(&insurer, chance).unwrap_or(insurer);
            } else {
                number = slips::digit(&number, chance).unwrap_or(number);
            }
        }
        let symbol = policy.symbol(self.places);
        if style.drops_zero {
            insurer.drain(..insurer.len() - insurer.trim_start_matches('0').len());
        }
        let wide = |text: &str| {
            if style.wide_number { kana::wide_digits(text) } else { text.to_owned() }
        };
        cells[7] = insurer;
        cells[8] = wide(&symbol);
        cells[9] = wide(&number);
        let branched = !matches!(policy.insurer, Insurer::Elder(_));
        if branched && self.has(style, column::BRANCH, chance) {
            if self.slips(Tag::BranchMissing, chance) {
                tags.add(Tag::BranchMissing);
            } else if style.short_branch {
                cells[10] = policy.branch.to_string();
            } else {
                cells[10] = format!("{:02}", policy.branch);
            }
        }
    }
}
