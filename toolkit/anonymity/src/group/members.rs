//! Which classes of the special node make up one of the general node, and its values.

use super::{Distribution, Scratch};
use core::ops::Range;

/// Up to so many values, looking at all is cheaper than keeping a list.
const FEW: usize = 256;

impl Scratch {
    /// Sort the classes `special` of the special node by the class of the general node that they went into, one of
    /// `general` (after grouping with `follow`).
    pub(crate) fn sort_members(&mut self, special: Range<usize>, general: Range<usize>) {
        let first = general.start;
        self.first = first;
        self.starts.clear();
        self.starts.resize(general.len() + 1, 0);
        for child in &self.child_of[special.clone()] {
            self.starts[*child as usize - first] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        self.members.clear();
        self.members.resize(special.len(), 0);
        for at in special.rev() {
            let start = &mut self.starts[self.child_of[at] as usize - first];
            *start -= 1;
            self.members[*start as usize] = at as u32;
        }
    }

    /// The classes of the special node in a class of the general one, one of those last sorted.
    fn range(&self, child: usize) -> Range<usize> {
        let at = child - self.first;
        self.starts[at] as usize..self.starts[at + 1] as usize
    }

    /// The class of the special node, if it is the only one in a class of the general one.
    pub(crate) fn only_member(&self, child: usize) -> Option<usize> {
        match self.members[self.range(child)] {
            [member] => Some(member as usize),
            _ => None,
        }
    }

    /// Sum the distributions of the members of a class into `dense` and `touched`.
    pub(crate) fn gather(&mut self, parent: &Distribution, child: usize, values: usize) {
        if let Some(member) = self.only_member(child) {
            return self.load(parent.of(member), values);
        }
        self.clear(values);
        let members = &self.members[self.range(child)];
        let pairs = || members.iter().flat_map(|member| parent.of(*member as usize));
        let few = || members.iter().map(|at| parent.of(*at as usize).len()).sum::<usize>() * 4;
        if values > FEW || members.len() * 4 <= values && few() <= values {
            for (value, count) in pairs().filter(|(_, count)| *count > 0) {
                if self.dense[*value as usize] == 0 {
                    self.touched.push(*value);
                }
                self.dense[*value as usize] += count;
            }
            self.touched.sort_unstable();
        } else {
            for (value, count) in pairs() {
                self.dense[*value as usize] += count;
            }
            self.look_at_all(values);
        }
    }

    /// Take one class's own distribution, ascending, into `dense` and `touched`.
    pub(crate) fn load(&mut self, pairs: &[(u32, u32)], values: usize) {
        self.clear(values);
        for (value, count) in pairs.iter().filter(|(_, count)| *count > 0) {
            self.dense[*value as usize] = *count;
            self.touched.push(*value);
        }
    }

    fn clear(&mut self, values: usize) {
        if self.dense.len() < values {
            self.dense.resize(values, 0);
        }
        for value in self.touched.drain(..) {
            self.dense[value as usize] = 0;
        }
    }

    /// List the values that occur, ascending.
    fn look_at_all(&mut self, values: usize) {
        self.touched.resize(values, 0);
        let mut found = 0;
        for (value, count) in self.dense[..values].iter().enumerate() {
            self.touched[found] = value as u32;
            found += usize::from(*count > 0);
        }
        self.touched.truncate(found);
    }
}
