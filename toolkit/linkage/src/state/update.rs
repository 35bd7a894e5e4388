//! A change of a state: records that come, are corrected or go.

use rayon::prelude::*;

use crate::{
    candidate::{Touch, Touched},
    constraint::{Constraint, Held},
    linker::{Score, score},
    list::{Ids, List},
    resolve::{Scored, Union},
    state::{State, prune::prune},
    typed::{Batch, Row, type_list},
};

/// A change.
pub(crate) struct Change<'a> {
    /// Records to be taken in; one whose id is there takes its place.
    pub(crate) add: Option<&'a List>,
    /// Ids of records to be erased.
    pub(crate) erase: &'a [String],
    pub(crate) constraints: &'a [Constraint],
}

/// What a change did.
pub(crate) struct Changed {
    pub(crate) state: State,
    pub(crate) held: Held,
    pub(crate) batch: Option<Batch>,
    /// New, corrected, erased, asked to be erased but not there.
    pub(crate) records: [u64; 4],
    pub(crate) unknown_constraints: u64,
    pub(crate) compared: u64,
    pub(crate) hot: u64,
    /// Rows whose component was looked at anew.
    pub(crate) touched: u64,
    /// Pairs or joins at a threshold, by rows.
    pub(crate) ties: Vec<(u32, u32, f64)>,
}

const GONE: u32 = u32::MAX;

/// Old rows and new ones in one order.
struct Merged {
    ids: Ids,
    rows: Vec<Row>,
    /// Of each row: did it come?
    came: Vec<bool>,
    /// Of each old row its new place, or [`GONE`].
    place: Vec<u32>,
    went: Vec<Row>,
    corrected: u64,
}

fn merge(state: &State, new: &Ids, rows: &[Row], erased: &[bool]) -> Merged {
    let (old, n, m) = (&state.typed.rows, state.ids.len(), new.len());
    let mut out = Merged {
        ids: Ids::default(),
        rows: Vec::with_capacity(n + m),
        came: Vec::with_capacity(n + m),
        place: vec![GONE; n],
        went: Vec::new(),
        corrected: 0,
    };
    let (mut i, mut j) = (0, 0);
    while i < n || j < m {
        let order = match (i < n, j < m) {
            (true, true) => state.ids.at(i).cmp(new.at(j)),
            (true, false) => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Greater,
        };
        if order.is_le() {
            if erased[i] || order.is_eq() {
                out.went.push(old[i]);
                out.corrected += u64::from(order.is_eq());
            } else {
                out.place[i] = out.rows.len() as u32;
                out.ids.push(state.ids.at(i));
                out.rows.push(old[i]);
                out.came.push(false);
            }
            i += 1;
        }
        if order.is_ge() {
            out.ids.push(new.at(j));
            out.rows.push(rows[j]);
            out.came.push(true);
            j += 1;
        }
    }
    out
}

/// Two sorted lists of pairs in one; what both have once.
fn merge_pairs(a: Vec<Scored>, b: Vec<Scored>) -> Vec<Scored> {
    if b.is_empty() {
        return a;
    }
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) => (x.0, x.1).cmp(&(y.0, y.1)),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return out,
        };
        if order.is_eq() {
            a.next();
        }
        out.extend(if order.is_lt() { a.next() } else { b.next() });
    }
}

/// Makes a change. Record ids of the added list must be different from each other.
pub(crate) fn update(mut state: State, change: &Change<'_>) -> Changed {
    let batch = change.add.map(|list| type_list(list, &mut state.typed, false));
    let none = Ids::default();
    let (new_ids, new_rows) = match (&batch, change.add) {
        (Some(b), Some(list)) => (list.record_ids.in_order(&b.order), &b.rows[..]),
        _ => (none, &[][..]),
    };
    let mut erased = vec![false; state.ids.len()];
    let mut not_there = 0;
    for id in change.erase {
        match state.ids.place(id.as_bytes()) {
            Some(place) => erased[place as usize] = true,
            None => not_there += 1,
        }
    }
    let merged = merge(&state, &new_ids, new_rows, &erased);
    let Merged { ids, rows, came, place, went, corrected } = merged;
    let there = |i: u32| place[i as usize] != GONE;

    // rows whose components must be looked at: who lost a neighbour or a fellow record of the person
    let mut touched = came.clone();
    let mut lost = vec![false; place.len()];
    for (i, p) in place.iter().enumerate().filter(|(_, p)| **p == GONE) {
        debug_assert_eq!(*p, GONE, "a row that went");
        lost[state.person[i] as usize] = true;
    }
    for (i, person) in state.person.iter().enumerate() {
        if lost[*person as usize] && there(i as u32) {
            touched[place[i] as usize] = true;
        }
    }
    let mut edges = Vec::with_capacity(state.pairs.len());
    for (a, b, score) in &state.pairs {
        match (there(*a), there(*b)) {
            (true, true) => edges.push((place[*a as usize], place[*b as usize], *score)),
            (true, false) => touched[place[*a as usize] as usize] = true,
            (false, true) => touched[place[*b as usize] as usize] = true,
            (false, false) => {}
        }
    }
    let mut person: Vec<u32> = (0..rows.len() as u32).collect();
    for (i, old) in state.person.iter().enumerate() {
        if there(i as u32) && there(*old) {
            person[place[i] as usize] = place[*old as usize];
        }
    }
    let mut bounds = std::mem::take(&mut state.bounds);
    for bound in &bounds {
        for end in [bound.a, bound.b] {
            if there(end) {
                touched[place[end as usize] as usize] = true;
            }
        }
    }
    bounds.retain(|b| there(b.a) && there(b.b));
    for bound in &mut bounds {
        (bound.a, bound.b) = (place[bound.a as usize], place[bound.b as usize]);
    }
    state.ids = ids;
    state.typed.rows = rows;
    let (more, unknown_constraints) = state.bounds_of(change.constraints);
    bounds.extend(more);
    bounds.sort_unstable();
    bounds.dedup();
    state.bounds = bounds;
    for bound in &state.bounds {
        touched[bound.a as usize] = true;
        touched[bound.b as usize] = true;
    }

    let touch = Touch { typed: &state.typed, came: &came, went: &went, left_out: &state.left_out };
    let Touched { new, gone, hot } = touch.touched(&edges);
    for at in gone.iter().rev() {
        let (a, b, _) = edges[*at];
        touched[a as usize] = true;
        touched[b as usize] = true;
    }
    if !gone.is_empty() {
        let mut gone = gone.into_iter().peekable();
        let mut at = 0;
        edges.retain(|_| {
            let goes = gone.next_if_eq(&at).is_some();
            at += 1;
            !goes
        });
    }
    let Score { scored, mut ties } = score(&state.scorer(), &new, None, &state.settings);
    for (a, b, _) in &scored {
        touched[*a as usize] = true;
        touched[*b as usize] = true;
    }
    let compared = new.len() as u64;
    drop(new);
    state.pairs = merge_pairs(edges, scored);

    // whole components of touched rows
    let held = state.held();
    let mut union = Union::new(person.len());
    for (a, b, _) in &state.pairs {
        union.join(*a, *b);
    }
    for (a, b) in &held.must {
        union.join(*a, *b);
    }
    let mut anew = vec![false; person.len()];
    for i in (0..person.len()).filter(|i| touched[*i]) {
        anew[union.root(i as u32) as usize] = true;
    }
    let roots: Vec<u32> = (0..person.len() as u32).map(|i| union.root(i)).collect();
    let is_anew = |i: u32| anew[roots[i as usize] as usize];
    let looked: Vec<Scored> =
        state.pairs.par_iter().filter(|(a, _, _)| is_anew(*a)).copied().collect();
    let (found, joins) = state.resolve(&held, &looked);
    ties.extend(joins);
    for (i, p) in person.iter_mut().enumerate() {
        if is_anew(i as u32) {
            *p = found[i];
        }
    }
    state.person = person;
    let touched = (0..roots.len() as u32).filter(|i| is_anew(*i)).count() as u64;
    let records =
        [new_ids.len() as u64 - corrected, corrected, went.len() as u64 - corrected, not_there];
    if !went.is_empty() {
        prune(&mut state);
    }
    Changed { state, held, batch, records, unknown_constraints, compared, hot, touched, ties }
}
