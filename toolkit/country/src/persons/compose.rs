//! Who lives together: kinds of households and ages about as in Japan, with more twins.

use crate::{chance::Chance, persons::life::Kin};

/// Share of births that are twins: half as many again as Japan's, because twins are what a linker
/// confuses.
const TWINS: f64 = 0.016;
/// Share of households with a grown twin of the single person in a household of the other's own.
const TWINS_APART: f64 = 0.004;

/// A member before life begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draft {
    pub(crate) age: i32,
    pub(crate) male: bool,
    pub(crate) kin: Kin,
}

/// The members of a household, head first.
pub(crate) fn compose(chance: &mut Chance) -> Vec<Draft> {
    let mut out = Vec::with_capacity(5);
    let head = |age, male| Draft { age, male, kin: Kin::Head };
    match chance.below(1000) {
        0..130 => out.push(head(chance.between(19, 39), chance.chance(0.55))),
        130..225 => out.push(head(chance.between(40, 64), chance.chance(0.6))),
        225..380 => {
            out.push(head(chance.between(65, 90).max(chance.between(60, 97)), chance.chance(0.33)));
        }
        380..450 => couple(&mut out, (24, 44), chance),
        450..530 => couple(&mut out, (45, 64), chance),
        530..690 => couple(&mut out, (65, 91), chance),
        690..870 => {
            couple(&mut out, (27, 56), chance);
            let mother = out[1].age;
            children(&mut out, mother, chance);
        }
        870..920 => {
            couple(&mut out, (55, 82), chance);
            let age = (out[1].age - chance.between(24, 36)).max(18);
            let male = chance.chance(0.6);
            out.push(Draft { age, male, kin: Kin::Child });
        }
        920..965 => {
            out.push(head(chance.between(26, 52), chance.chance(0.14)));
            let parent = out[0].age;
            children(&mut out, parent, chance);
        }
        _ => {
            couple(&mut out, (32, 54), chance);
            let mother = out[1].age;
            children(&mut out, mother, chance);
            let age = mother + chance.between(23, 34);
            out.push(Draft { age, male: chance.chance(0.3), kin: Kin::Grandparent });
        }
    }
    if out.len() == 1 && chance.chance(TWINS_APART / 0.4) {
        let twin = Draft { kin: Kin::Twin, ..out[0] };
        out.push(twin);
    }
    out
}

fn couple(out: &mut Vec<Draft>, ages: (i32, i32), chance: &mut Chance) {
    let age = chance.between(ages.0, ages.1);
    let other = (age - 2 + chance.between(-3, 4)).max(20);
    out.push(Draft { age, male: true, kin: Kin::Head });
    out.push(Draft { age: other, male: false, kin: Kin::Spouse });
}

fn children(out: &mut Vec<Draft>, mother: i32, chance: &mut Chance) {
    let count = [1, 1, 2, 2, 2, 2, 3][chance.below(7) as usize];
    let mut at_birth = chance.between(22, 34).min(mother);
    for _ in 0..count {
        let age = mother - at_birth;
        if !(0..=26).contains(&age) {
            break;
        }
        let male = chance.chance(0.513);
        out.push(Draft { age, male, kin: Kin::Child });
        if chance.chance(TWINS) {
            let same = chance.chance(0.65);
            out.push(Draft { age, male: male == same, kin: Kin::Twin });
        }
        at_birth += chance.between(2, 4);
    }
}
