//! Union-find over positions.

/// Path halving; the lowest member is the root, so that the result has one form.
#[derive(Clone)]
pub(crate) struct Union(Vec<u32>);

impl Union {
    pub(crate) fn new(n: usize) -> Self {
        Self((0..n as u32).collect())
    }
    pub(crate) fn root(&mut self, mut i: u32) -> u32 {
        while self.0[i as usize] != i {
            let up = self.0[self.0[i as usize] as usize];
            self.0[i as usize] = up;
            i = up;
        }
        i
    }
    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
