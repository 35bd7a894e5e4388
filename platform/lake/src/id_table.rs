//! A table from ids to small values, for millions of ids.
//!
//! Enters: ids that are keyed hashes, one value each. Leaves: the value and the place of an id; a place stays as the table
//! grows, so that other tables may name an id in 4 bytes instead of 16. Refuses: nothing, unless a shard is full; ids are
//! never removed.
//!
//! # Memory
//! 16 bytes an id, its value, and 4.6 to 5.7 bytes of an index that is at least seven tenths full. The table is cut in
//! [`SHARDS`] by the id itself: growing copies the index of one shard, and no id or value ever moves. A shard has room for
//! 16 million ids: four thousand million in all, which take a quarter of a terabyte; one more is a panic, and the
//! delivery is not stored.

use std::{fmt, marker::PhantomData};

use kiban_kernel::{Id, Kind};

/// Items of a list that are taken from memory at once.
const CHUNK: usize = 128;

/// A list that grows without moving what it holds, and is never much larger than that.
#[derive(Clone)]
pub struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunks<T> {
    /// Number of items.
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * CHUNK + last.len())
    }

    /// None yet?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The item at a place below [`Self::len`].
    pub fn at(&self, place: usize) -> &T {
        &self.0[place / CHUNK][place % CHUNK]
    }

    /// As [`Self::at`], to be changed.
    pub fn at_mut(&mut self, place: usize) -> &mut T {
        &mut self.0[place / CHUNK][place % CHUNK]
    }

    /// Adds an item behind the others.
    pub fn push(&mut self, item: T) {
        match self.0.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(item),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(item);
                self.0.push(chunk);
            }
        }
    }

    /// All items in their order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

/// Parts of a table that grow by themselves.
const SHARDS: usize = 256;
/// The bits of a place, and of a slot, that say where in its shard an id stands; the eight above them are the shard's
/// number in a place, and bits of the id in a slot.
const LOCAL: u32 = (1 << 24) - 1;

/// Where an id stands in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(u32);

impl Place {
    /// No place: a shard is never so full.
    pub const NONE: Self = Self(u32::MAX);

    fn parts(self) -> (usize, usize) {
        ((self.0 >> 24) as usize, (self.0 & LOCAL) as usize)
    }
}

/// An id as bytes: as a number it would be held at multiples of 16.
#[derive(Clone)]
struct Entry<V> {
    id: [u8; 16],
    value: V,
}

/// Ids that begin alike.
#[derive(Clone)]
struct Shard<V> {
    /// Open addressing, each slot 0 or eight bits of the id and the place of its entry, from 1.
    slots: Vec<u32>,
    entries: Chunks<Entry<V>>,
}

impl<V> Shard<V> {
    /// The slot from which an id is looked for.
    fn home(&self, key: Key) -> usize {
        ((u64::from(key.rest) * self.slots.len() as u64) >> 32) as usize
    }

    fn after(&self, slot: usize) -> usize {
        if slot + 1 == self.slots.len() { 0 } else { slot + 1 }
    }

    fn find(&self, id: &[u8; 16], key: Key) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = self.home(key);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            // Most other ids differ in these eight bits: no look at the entry.
            if slot & !LOCAL == key.tag && self.entries.at((slot & LOCAL) as usize - 1).id == *id {
                return Some((slot & LOCAL) - 1);
            }
            at = self.after(at);
        }
    }

    /// Adds an id that is not there.
    fn add(&mut self, id: [u8; 16], key: Key, value: V) -> u32 {
        let local = self.entries.len() as u32;
        assert!(local + 1 < LOCAL, "a table of ids is full");
        self.entries.push(Entry { id, value });
        if self.entries.len() * 8 > self.slots.len() * 7 {
            self.slots = vec![0; (self.slots.len() * 5 / 4).max(16)];
            for local in 0..=local {
                self.note(key_of(&self.entries.at(local as usize).id), local);
            }
        } else {
            self.note(key, local);
        }
        local
    }

    /// Notes in the index where an id stands.
    fn note(&mut self, key: Key, local: u32) {
        let mut at = self.home(key);
        while self.slots[at] != 0 {
            at = self.after(at);
        }
        self.slots[at] = key.tag | (local + 1);
    }
}

/// What an id is found by. Ids are keyed hashes already, and nobody can choose them.
#[derive(Clone, Copy)]
struct Key {
    shard: usize,
    tag: u32,
    rest: u32,
}

fn key_of(id: &[u8; 16]) -> Key {
    let low = u128::from_be_bytes(*id) as u64;
    Key { shard: (low >> 56) as usize, tag: (low >> 24) as u32 & !LOCAL, rest: low as u32 }
}

/// The table.
pub struct IdTable<K, V> {
    shards: Vec<Shard<V>>,
    kind: PhantomData<fn() -> K>,
}

impl<K, V> Default for IdTable<K, V> {
    fn default() -> Self {
        let shard = || Shard { slots: Vec::new(), entries: Chunks::default() };
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), kind: PhantomData }
    }
}

// By hand: a kind need not be one.
impl<K, V: Clone> Clone for IdTable<K, V> {
    fn clone(&self) -> Self {
        Self { shards: self.shards.clone(), kind: PhantomData }
    }
}

impl<K, V> fmt::Debug for IdTable<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdTable(..)")
    }
}

impl<K: Kind, V: Copy + Default> IdTable<K, V> {
    /// None yet?
    pub fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.entries.is_empty())
    }

    /// The place of an id, if it is there.
    pub fn find(&self, id: Id<K>) -> Option<Place> {
        let id = id.to_bytes();
        let key = key_of(&id);
        self.shards[key.shard].find(&id, key).map(|local| place(key.shard, local))
    }

    /// The place of an id; one that is not there is added, with the default value.
    pub fn insert(&mut self, id: Id<K>) -> Place {
        let id = id.to_bytes();
        let key = key_of(&id);
        let shard = &mut self.shards[key.shard];
        let local = match shard.find(&id, key) {
            Some(local) => local,
            None => shard.add(id, key, V::default()),
        };
        place(key.shard, local)
    }

    /// The id at a place of this table.
    pub fn id(&self, place: Place) -> Id<K> {
        let (shard, local) = place.parts();
        Id::from_bytes(self.shards[shard].entries.at(local).id)
    }

    /// The value at a place of this table.
    pub fn value(&self, place: Place) -> V {
        let (shard, local) = place.parts();
        self.shards[shard].entries.at(local).value
    }

    /// As [`Self::value`], to be changed.
    pub fn value_mut(&mut self, place: Place) -> &mut V {
        let (shard, local) = place.parts();
        &mut self.shards[shard].entries.at_mut(local).value
    }

    /// All ids with their values, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (Id<K>, V)> {
        let entries = self.shards.iter().flat_map(|shard| shard.entries.iter());
        entries.map(|entry| (Id::from_bytes(entry.id), entry.value))
    }
}

fn place(shard: usize, local: u32) -> Place {
    Place((shard as u32) << 24 | local)
}

/// Values beside those of a table, by place, as long as they are needed. At most a quarter more memory than values.
#[derive(Debug, Clone)]
pub struct Beside<T>(Vec<Vec<T>>);

impl<T: Copy + Default> Default for Beside<T> {
    fn default() -> Self {
        Self(vec![Vec::new(); SHARDS])
    }
}

impl<T: Copy + Default> Beside<T> {
    /// The value at a place; at first the default.
    pub fn at(&mut self, place: Place) -> &mut T {
        let (shard, local) = place.parts();
        let values = &mut self.0[shard];
        if values.len() <= local {
            if values.capacity() <= local {
                values.reserve_exact(local + 1 - values.len() + values.len() / 4);
            }
            values.resize(local + 1, T::default());
        }
        &mut values[local]
    }

    /// The value at a place, if it, or one behind it in its shard, was asked for to be changed.
    pub fn get(&self, place: Place) -> Option<&T> {
        let (shard, local) = place.parts();
        self.0[shard].get(local)
    }

    /// No value was asked for to be changed?
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// All places up to the last of each shard, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &T)> {
        let shards = self.0.iter().enumerate();
        shards.flat_map(|(shard, values)| {
            (0..).zip(values).map(move |(local, value)| (place(shard, local), value))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use kiban_kernel::kinds;
    use proptest::prelude::*;

    use super::*;

    /// Few ids that often meet: of one shard, of one slot, with the same eight bits.
    fn ids() -> impl Strategy<Value = Id<kinds::Record>> {
        let low = prop_oneof![
            Just(0_u64),
            Just(u64::MAX),
            0..4_u64,
            any::<u8>().prop_map(|b| u64::from(b) << 56)
        ];
        (0..40_u64, low).prop_map(|(high, low)| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&high.to_be_bytes());
            bytes[8..].copy_from_slice(&low.to_be_bytes());
            Id::from_bytes(bytes)
        })
    }

    proptest! {
        #[test]
        fn a_table_holds_what_a_plain_map_holds(
            sent in proptest::collection::vec((ids(), any::<u32>(), any::<bool>()), 0..600),
        ) {
            let mut table: IdTable<kinds::Record, u32> = IdTable::default();
            let mut beside: Beside<u32> = Beside::default();
            let mut model: HashMap<Id<kinds::Record>, (Place, u32)> = HashMap::new();
            for (id, value, write) in sent {
                prop_assert_eq!(table.find(id), model.get(&id).map(|(place, _)| *place));
                if write {
                    let place = table.insert(id);
                    let before = model.insert(id, (place, value)).unwrap_or((place, 0));
                    prop_assert_eq!((before.0, table.value(place)), (place, before.1));
                    prop_assert_eq!(*beside.at(place), before.1);
                    prop_assert_eq!(beside.get(place), Some(&before.1));
                    *table.value_mut(place) = value;
                    *beside.at(place) = value;
                    prop_assert_eq!(table.id(place), id);
                }
            }
            let mut found: Vec<_> = table.iter().collect();
            let mut expected: Vec<_> = model.iter().map(|(id, (_, v))| (*id, *v)).collect();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
            for (id, (place, value)) in model {
                prop_assert_eq!((table.find(id), table.value(place)), (Some(place), value));
            }
        }
    }

    #[test]
    fn an_entry_is_its_id_and_its_value() {
        assert_eq!(size_of::<Entry<()>>(), 16);
        assert_eq!(size_of::<Entry<u32>>(), 20);
    }
}
