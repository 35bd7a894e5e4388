//! A person with everything that changes in a life: names, homes, telephones, policies.

use crate::{
    day::Day,
    persons::{
        insurance::Policy,
        names::Name,
        places::{Home, Phone},
    },
};

/// What a person is in the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kin {
    Head,
    Spouse,
    Child,
    /// Of the child, or the single person, before.
    Twin,
    Grandparent,
}

/// A person's life within the window.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) household: u64,
    pub(crate) kin: Kin,
    pub(crate) born: Day,
    pub(crate) male: bool,
    pub(crate) died: Option<Day>,
    /// Made to resemble a person of another household.
    pub(crate) namesake: bool,
    pub(crate) family: Vec<(Day, Name)>,
    pub(crate) given: Name,
    pub(crate) middle: Option<Name>,
    /// 通称名 of a foreign person.
    pub(crate) alias: Option<[Name; 2]>,
    pub(crate) homes: Vec<(Day, Home)>,
    pub(crate) phones: Vec<(Day, Phone)>,
    pub(crate) policies: Vec<(Day, Policy)>,
}

impl Person {
    pub(crate) fn foreign(&self) -> bool {
        !matches!(
            self.given.list,
            crate::persons::names::List::Male | crate::persons::names::List::Female
        )
    }
}

/// What holds on the day: the last that began by then, or the first of all.
pub(crate) fn at<T>(dated: &[(Day, T)], day: Day) -> &T {
    let place = dated.partition_point(|(from, _)| *from <= day).max(1) - 1;
    &dated[place].1
}

/// What held before the present state: `None` if nothing had changed by then.
pub(crate) fn before<T>(dated: &[(Day, T)], day: Day) -> Option<&T> {
    let place = dated.partition_point(|(from, _)| *from <= day).max(1) - 1;
    place.checked_sub(1).map(|p| &dated[p].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_holds_from_its_day_on() {
        let states = [(Day(10), 'a'), (Day(20), 'b')];
        for (day, now, earlier) in
            [(5, 'a', None), (10, 'a', None), (19, 'a', None), (20, 'b', Some('a'))]
        {
            assert_eq!(*at(&states, Day(day)), now);
            assert_eq!(before(&states, Day(day)).copied(), earlier);
        }
    }
}
