//! Where people live: public municipalities; towns, blocks, postal codes and telephone numbers that
//! do not exist.

use crate::{chance::Chance, error::CountryError};

/// A municipality.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) prefecture: &'static str,
    pub(crate) city: &'static str,
    postal: &'static str,
    pub(crate) code: &'static str,
    area: &'static str,
}

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) all: Vec<Place>,
    towns: Vec<&'static str>,
    buildings: Vec<&'static str>,
    /// How many of `all` are used.
    used: u32,
}

/// A home: which place, town, block, house and room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) place: u8,
    pub(crate) town: u8,
    pub(crate) chome: u8,
    pub(crate) block: u16,
    pub(crate) house: u8,
    /// Building and room, in a flat.
    pub(crate) room: Option<(u8, u16)>,
}

/// A telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phone {
    /// In the place's area.
    Landline(u8, u32),
    /// `090`, `080` or `070`.
    Mobile(u8, u32),
}

impl Places {
    pub(crate) fn load(used: u32) -> Result<Self, CountryError> {
        let mut all = Vec::new();
        for (i, line) in include_str!("../../data/persons/places.tsv").lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            let cells: Vec<&str> = line.split('\t').collect();
            let [prefecture, city, postal, code, area] = cells[..] else {
                return Err(CountryError::Table { table: "places", line: i + 1 });
            };
            all.push(Place { prefecture, city, postal, code, area });
        }
        let plain = |text: &'static str| text.lines().filter(|l| !l.starts_with('#')).collect();
        Ok(Self {
            used: used.clamp(1, all.len() as u32),
            all,
            towns: plain(include_str!("../../data/persons/towns.tsv")),
            buildings: plain(include_str!("../../data/persons/buildings.tsv")),
        })
    }

    pub(crate) fn place(&self, home: &Home) -> &Place {
        &self.all[usize::from(home.place)]
    }

    /// A home anywhere. Large and small places: the square of a uniform number.
    pub(crate) fn anywhere(&self, chance: &mut Chance) -> Home {
        let unit = chance.unit();
        let rank = (unit * unit * f64::from(self.used)) as u32;
        // the order of the table is geographic: spread the ranks over it
        let place = u64::from(rank) * 23 % u64::from(self.all.len() as u32);
        self.within(place as u8, chance)
    }

    /// Another home after a move: mostly in the same municipality.
    pub(crate) fn moved(&self, from: &Home, chance: &mut Chance) -> Home {
        if chance.chance(0.6) { self.within(from.place, chance) } else { self.anywhere(chance) }
    }

    /// A home in the place. Blocks from 201 on: no town has so many.
    pub(crate) fn within(&self, place: u8, chance: &mut Chance) -> Home {
        // every place has about half of the towns
        let town = loop {
            let town = chance.below(self.towns.len() as u32) as u8;
            if (u32::from(town) * 7 + u32::from(place) * 13) % 5 < 3 {
                break town;
            }
        };
        let room = chance.chance(0.42).then(|| {
            let floor = 1 + chance.below(12) * chance.below(12) / 12;
            let room = floor * 100 + 1 + chance.below(9);
            (chance.below(self.buildings.len() as u32) as u8, room as u16)
        });
        Home {
            place,
            town,
            chome: 1 + (chance.below(9) * chance.below(9) / 9) as u8,
            block: 201 + chance.below(60) as u16,
            house: 1 + chance.below(30) as u8,
            room,
        }
    }

    pub(crate) fn town(&self, home: &Home) -> &'static str {
        self.towns[usize::from(home.town)]
    }

    pub(crate) fn building(&self, building: u8) -> &'static str {
        self.buildings[usize::from(building)]
    }

    /// Seven digits: the public first three, and `9` with three that are not assigned.
    pub(crate) fn postal(&self, home: &Home) -> String {
        let place = self.place(home);
        format!("{}9{:03}", place.postal, (u32::from(home.town) * 37 + 501) % 1000)
    }

    /// A landline of the place. An exchange that begins with 0 is not assigned.
    pub(crate) fn landline(home: &Home, chance: &mut Chance) -> Phone {
        Phone::Landline(home.place, chance.below(10_000_000))
    }

    /// A mobile number; a subscriber number that begins with 0 is not assigned.
    pub(crate) fn mobile(chance: &mut Chance) -> Phone {
        let net = [9, 9, 9, 8, 8, 7][chance.below(6) as usize];
        Phone::Mobile(net, chance.below(10_000_000))
    }

    /// The number's three groups.
    pub(crate) fn digits(&self, phone: Phone) -> [String; 3] {
        match phone {
            Phone::Mobile(net, number) => [
                format!("0{net}0"),
                format!("0{:03}", number / 10_000),
                format!("{:04}", number % 10_000),
            ],
            Phone::Landline(place, number) => {
                let area = self.all[usize::from(place)].area;
                // area and exchange are six digits together, the exchange's first is 0
                let free = 5 - area.len();
                let exchange = number / 10_000 % 10_u32.pow(free as u32);
                [area.to_owned(), format!("0{exchange:0free$}"), format!("{:04}", number % 10_000)]
            }
        }
    }
}
