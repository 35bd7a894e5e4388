//! Postal code and address together: they say the same thing twice.

use crate::{
    compare::{
        Kind,
        edit::{jaro_winkler, within_one},
    },
    typed::{Place, Row, Typed},
};

/// States of the address: missing, same house, coarser or slightly other, same area, other.
const ADDRESS: usize = 5;

pub(crate) fn level(level: usize) -> Option<(u8, Kind)> {
    if level >= 4 * ADDRESS {
        return None;
    }
    let (postal, address) = (level / ADDRESS, level % ADDRESS);
    let group = u8::from(postal != 0) + 2 * u8::from(address != 0);
    let kind = match (postal, address) {
        (0, 0) => Kind::Missing,
        (_, 1) | (1, 0) => Kind::Same,
        (_, 2) | (2, 0) => Kind::Near,
        (1, _) | (_, 3) => Kind::Part,
        _ => Kind::Other,
    };
    Some((group, kind))
}

pub(crate) fn level_id(level: usize) -> String {
    let postal = ["missing", "same", "one_edit", "other"][(level / ADDRESS).min(3)];
    let address = ["missing", "same", "near", "area", "other"][level % ADDRESS];
    format!("postal_{postal}.address_{address}")
}

pub(crate) fn compare(t: &Typed, a: &Row, b: &Row) -> usize {
    let postal = match (a.postal, b.postal) {
        (0, _) | (_, 0) => 0,
        (x, y) if x == y => 1,
        (x, y) if within_one(t.postal.chars.at(x), t.postal.chars.at(y)) => 2,
        _ => 3,
    };
    let address = match (a.place, b.place) {
        (0, _) | (_, 0) => 0,
        (x, y) if x == y => 1,
        (x, y) => address(t.places.at(x), t.places.at(y)),
    };
    postal * ADDRESS + address
}

fn address(a: &Place, b: &Place) -> usize {
    let area = area(a, b);
    let numbers = a.numbers == b.numbers;
    let depth = a.depth().min(b.depth());
    let (short, long) = if a.depth() <= b.depth() { (a, b) } else { (b, a) };
    let coarser = short.numbers[..short.depth()] == long.numbers[..short.depth()];
    let rooms = a.room == 0 || b.room == 0 || a.room == b.room;
    match area {
        Area::Same if numbers && depth > 0 => {
            if rooms {
                1
            } else {
                3
            }
        }
        Area::Same if coarser => 2,
        Area::Near if numbers && depth > 0 && rooms => 2,
        // the Western house number is one number: streets carry the rest
        Area::Same | Area::Near if near_numbers(a, b) => 2,
        Area::Same => 3,
        Area::Near => 3,
        Area::Other => 4,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Area {
    Same,
    Near,
    Other,
}

fn area(a: &Place, b: &Place) -> Area {
    if a.area_hash == b.area_hash {
        return Area::Same;
    }
    let (short, long) =
        if a.area.len() <= b.area.len() { (&a.area, &b.area) } else { (&b.area, &a.area) };
    // 市 left out in front, or the town left out behind
    if long.ends_with(short) && short.len() >= 4 || within_one(short, long) && long.len() >= 4 {
        return Area::Near;
    }
    if long.starts_with(short) && short.len() >= 4 {
        return Area::Near;
    }
    if long[0].is_ascii() && jaro_winkler(short, long) >= 0.9 { Area::Near } else { Area::Other }
}

/// Do exactly two numbers stand in other order, or does one differ in one digit?
fn near_numbers(a: &Place, b: &Place) -> bool {
    if a.depth() != b.depth() || a.room != b.room && a.room != 0 && b.room != 0 {
        return false;
    }
    let differing: Vec<usize> = (0..3).filter(|i| a.numbers[*i] != b.numbers[*i]).collect();
    match differing[..] {
        [i] => {
            let text = |n: u32| n.to_string().chars().collect::<Vec<char>>();
            let (x, y) = (text(a.numbers[i]), text(b.numbers[i]));
            x.len() + y.len() > 2 && within_one(&x, &y)
        }
        [i, j] => a.numbers[i] == b.numbers[j] && a.numbers[j] == b.numbers[i],
        _ => false,
    }
}
