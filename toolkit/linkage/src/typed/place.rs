//! An address taken apart: area, numbers, room.

use hashbrown::HashTable;

use crate::{
    address::address,
    list::{hash_bytes, mix},
    rule::RuleSet,
    text::compatible,
};

/// What comparison needs of an address.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// What stands before the house numbers (in Western addresses: the street).
    pub(crate) area: Vec<char>,
    /// Hash of the area, 0 if there is none.
    pub(crate) area_hash: u64,
    /// House numbers, up to three, 0 if not given.
    pub(crate) numbers: [u32; 3],
    /// The last number after them: a room.
    pub(crate) room: u32,
}

impl Place {
    /// Hash of area and numbers; 0 without a number.
    pub(crate) fn house(&self) -> u64 {
        if self.numbers[0] == 0 || self.area_hash == 0 {
            return 0;
        }
        self.numbers.iter().fold(self.area_hash, |h, n| mix(h, u64::from(*n)))
    }
    pub(crate) fn is_known(&self) -> bool {
        self.area_hash != 0
    }
    pub(crate) fn depth(&self) -> usize {
        self.numbers.iter().take_while(|n| **n != 0).count()
    }
}

/// Places, each kept once; number 0 is none.
#[derive(Clone)]
pub(crate) struct Places {
    table: HashTable<u32>,
    list: Vec<Place>,
}

impl Default for Places {
    fn default() -> Self {
        Self { table: HashTable::new(), list: vec![Place::default()] }
    }
}

impl Places {
    /// The number of a place, a new one if it was not seen; 0 if it is not known.
    pub(crate) fn intern(&mut self, place: Place) -> u32 {
        if !place.is_known() {
            return 0;
        }
        let hash = |p: &Place| {
            mix(p.numbers.iter().fold(p.area_hash, |h, n| mix(h, u64::from(*n))), u64::from(p.room))
        };
        let Self { table, list } = self;
        let key = hash(&place);
        if let Some(id) = table.find(key, |id| list[*id as usize] == place) {
            return *id;
        }
        let id = list.len() as u32;
        list.push(place);
        table.insert_unique(key, id, |id| hash(&list[*id as usize]));
        id
    }
    pub(crate) fn at(&self, id: u32) -> &Place {
        &self.list[id as usize]
    }
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

/// Takes an address apart.
pub(crate) fn place(text: &str) -> Place {
    if text.is_ascii() {
        return western(text);
    }
    let Some(normal) = address(text) else { return Place::default() };
    let chars: Vec<char> = normal.text.chars().collect();
    // numbers inside the name of a town (第2区) do not begin the house numbers: they end it
    let start = house_start(&chars);
    let area: Vec<char> = chars[..start].iter().copied().filter(|c| *c != '字').collect();
    let (mut numbers, mut room, mut given) = ([0; 3], 0, 0);
    let mut i = start;
    let mut in_house = true;
    while i < chars.len() {
        let Some(mut value) = chars[i].to_digit(10) else {
            in_house &= chars[i] == '-';
            i += 1;
            continue;
        };
        i += 1;
        while let Some(digit) = chars.get(i).and_then(|c| c.to_digit(10)) {
            value = value.saturating_mul(10).saturating_add(digit);
            i += 1;
        }
        if in_house && given < 3 {
            numbers[given] = value;
            given += 1;
        } else {
            room = value;
        }
    }
    made(area, numbers, room)
}

/// Where the house numbers begin: the first digit that a hyphen, the end or a building follows, at best after the
/// last mark of a place name.
fn house_start(chars: &[char]) -> usize {
    let mut i = 0;
    while i < chars.len() {
        if chars[i].is_ascii_digit() {
            let mut end = i;
            while end < chars.len() && chars[end].is_ascii_digit() {
                end += 1;
            }
            if matches!(chars.get(end), Some('条' | '線' | '区' | '地' | '丁' | '号')) {
                i = end;
                continue;
            }
            return i;
        }
        i += 1;
    }
    chars.len()
}

fn western(text: &str) -> Place {
    let text = compatible(text, &mut RuleSet::default()).to_uppercase();
    let mut numbers = [0; 3];
    let mut given = 0;
    let mut area = Vec::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()) {
        if let Ok(number) = word.parse::<u32>() {
            if given < 3 {
                numbers[given] = number;
                given += 1;
            }
            continue;
        }
        area.extend(word.chars());
    }
    made(area, numbers, 0)
}

pub(crate) fn made(area: Vec<char>, numbers: [u32; 3], room: u32) -> Place {
    let text: String = area.iter().collect();
    let area_hash = if text.is_empty() { 0 } else { hash_bytes(text.as_bytes()) };
    Place { area, area_hash, numbers, room }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_house_has_one_hash() {
        let a = place("東京都千代田区霞が関1丁目2番3号 コーポ桜302");
        assert_eq!((a.numbers, a.room), ([1, 2, 3], 302));
        for text in [
            "千代田区霞ヶ関一丁目２－３",
            "東京都千代田区霞が関1-2-3-302",
            "千代田区霞が関１丁目２番地３",
        ] {
            assert_eq!(place(text).house(), a.house(), "{text}");
        }
        let w = place("177 Pridham street");
        assert_eq!(
            (w.area.iter().collect::<String>().as_str(), w.numbers[0]),
            ("PRIDHAMSTREET", 177)
        );
        assert!(!place("不明").is_known() && !place("").is_known());
    }
}
