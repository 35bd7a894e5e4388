//! The Merkle tree (RFC 6962, by `tlog_tiles`): appending to stored hashes, and recomputing from leaves.

use std::collections::HashMap;

use tlog_tiles::tlog::{self, Hash, HashReader};

/// Hashes fetched beforehand, by stored hash index.
#[derive(Default)]
pub(crate) struct Fetched(pub(crate) HashMap<u64, Hash>);

impl HashReader for Fetched {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        indexes
            .iter()
            .map(|i| self.0.get(i).copied().ok_or(tlog::Error::IndexesNotInTree))
            .collect()
    }
}

/// Stored hash indexes that appending leaf `n` (counted from 0) reads: those that complete subtrees
/// with it, and those of the new root. Together they are also those of the root before it.
pub(crate) fn needed_for(n: u64) -> Vec<u64> {
    let completed = (n + 1).trailing_zeros();
    let mut needed: Vec<u64> =
        (0..completed).map(|i| tlog::stored_hash_index(i as u8, (n >> i) - 1)).collect();
    let first_new = tlog::stored_hash_index(0, n);
    needed
        .extend(tlog::sub_tree_index(0, n + 1, Vec::new()).into_iter().filter(|i| *i < first_new));
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// The hashes to store for leaf `n`, beginning at `stored_hash_index(0, n)`, and the new root.
pub(crate) fn append(
    n: u64,
    leaf: Hash,
    mut known: Fetched,
) -> Result<(Vec<Hash>, Hash), tlog::Error> {
    let new = tlog::stored_hashes_for_record_hash(n, leaf, &known)?;
    let first = tlog::stored_hash_index(0, n);
    for (i, hash) in new.iter().enumerate() {
        known.0.insert(first + i as u64, *hash);
    }
    let root = tlog::tree_hash(n + 1, &known)?;
    Ok((new, root))
}

/// The roots of the complete subtrees left of the next leaf: all that recomputing needs to remember.
#[derive(Default, Clone)]
pub(crate) struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// Number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The root if `leaf` came next.
    pub(crate) fn root_with(&self, leaf: Hash) -> Hash {
        self.subtrees.iter().rev().fold(leaf, |right, left| tlog::node_hash(*left, right))
    }

    /// The root.
    pub(crate) fn root(&self) -> Hash {
        match self.subtrees.split_last() {
            None => tlog::EMPTY_HASH,
            Some((last, rest)) => {
                rest.iter().rev().fold(*last, |right, left| tlog::node_hash(*left, right))
            }
        }
    }

    /// Append a leaf; gives the hashes that complete with it, lowest first.
    pub(crate) fn push(&mut self, leaf: Hash) -> Vec<Hash> {
        let mut complete = vec![leaf];
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = tlog::node_hash(left, hash);
                complete.push(hash);
            }
        }
        self.subtrees.push(hash);
        self.size += 1;
        complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appending_and_recomputing_agree_with_the_definition() {
        let mut stored = Fetched::default();
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root(), tlog::EMPTY_HASH);
        for n in 0..600_u64 {
            let leaf = tlog::record_hash(&n.to_be_bytes());
            let needed = needed_for(n);
            let known = Fetched(needed.iter().map(|i| (*i, stored.0[i])).collect());
            assert_eq!(tlog::tree_hash(n, &known).unwrap(), frontier.root());
            let (new, root) = append(n, leaf, known).unwrap();
            for (i, hash) in new.iter().enumerate() {
                stored.0.insert(tlog::stored_hash_index(0, n) + i as u64, *hash);
            }
            assert_eq!(frontier.root_with(leaf), root);
            assert_eq!(frontier.push(leaf), new);
            assert_eq!(frontier.root(), root);
            assert_eq!(tlog::tree_hash(n + 1, &stored).unwrap(), root);
            assert_eq!(frontier.size(), n + 1);
        }
    }
}
