//! A person drawn: the sources as nodes, how strongly each pair speaks for one person, which edges hold it together alone.

use std::collections::BTreeMap;

use kiban_kernel::{Id, kinds};

use super::model::{Memory, owner};

type Source = Id<kinds::PersonSource>;

/// More records of one source than this are not compared with each other's.
const MOST_RECORDS: usize = 12;

/// An edge between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct GraphEdge {
    /// Place of the one node.
    pub a: usize,
    /// Place of the other, higher one.
    pub b: usize,
    /// Log2 odds of the pair of records that speaks most for one person.
    pub score: f64,
    /// It speaks for one person, and without it the person falls apart.
    pub weak_bridge: bool,
}

/// A person's sources and what connects them. Names nobody.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Graph {
    /// The sources, sorted.
    pub nodes: Vec<Source>,
    /// Records of each source that the linker holds.
    pub records: Vec<u64>,
    /// All pairs of nodes that the linker can compare, the strongest first.
    pub edges: Vec<GraphEdge>,
    /// Parts that are left if only edges that speak for one person count. More than one: exact keys, a reviewer or a holder
    /// joined them, not the linker.
    pub parts: usize,
}

impl Memory {
    /// Draws the person that these sources are.
    pub fn graph(&self, sources: &[Source]) -> Graph {
        let mut nodes = sources.to_vec();
        nodes.sort_unstable();
        nodes.dedup();
        let place: BTreeMap<String, usize> =
            nodes.iter().enumerate().map(|(i, s)| (s.to_string(), i)).collect();
        let mut of: Vec<Vec<String>> = vec![Vec::new(); nodes.len()];
        for record in self.records_list() {
            if let Some(at) = place.get(owner(&record)) {
                of[*at].push(record);
            }
        }
        let mut edges = Vec::new();
        for a in 0..nodes.len() {
            for b in a + 1..nodes.len() {
                let mut best: Option<f64> = None;
                for l in of[a].iter().take(MOST_RECORDS) {
                    for r in of[b].iter().take(MOST_RECORDS) {
                        if let Some(score) = self.score_of(l, r)
                            && best.is_none_or(|known| known < score)
                        {
                            best = Some(score);
                        }
                    }
                }
                edges.extend(best.map(|score| GraphEdge { a, b, score, weak_bridge: false }));
            }
        }
        edges.sort_by(|x, y| y.score.total_cmp(&x.score).then((x.a, x.b).cmp(&(y.a, y.b))));
        let speaks: Vec<(usize, usize)> =
            edges.iter().filter(|e| e.score > 0.0).map(|e| (e.a, e.b)).collect();
        let whole = parts(nodes.len(), &speaks, None);
        for edge in &mut edges {
            edge.weak_bridge =
                edge.score > 0.0 && parts(nodes.len(), &speaks, Some((edge.a, edge.b))) > whole;
        }
        let records = of.iter().map(|r| r.len() as u64).collect();
        Graph { nodes, records, edges, parts: whole }
    }
}

/// Connected parts of `n` nodes, one edge left out.
fn parts(n: usize, edges: &[(usize, usize)], without: Option<(usize, usize)>) -> usize {
    let mut root: Vec<usize> = (0..n).collect();
    fn find(root: &mut [usize], mut i: usize) -> usize {
        while root[i] != i {
            root[i] = root[root[i]];
            i = root[i];
        }
        i
    }
    let mut left = n;
    for edge in edges.iter().filter(|e| Some(**e) != without) {
        let (a, b) = (find(&mut root, edge.0), find(&mut root, edge.1));
        if a != b {
            root[a.max(b)] = a.min(b);
            left -= 1;
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_is_an_edge_without_which_there_is_one_part_more() {
        // A triangle and a tail.
        let edges = [(0, 1), (1, 2), (0, 2), (2, 3)];
        assert_eq!(parts(4, &edges, None), 1);
        assert_eq!(parts(4, &edges, Some((0, 1))), 1);
        assert_eq!(parts(4, &edges, Some((2, 3))), 2);
        assert_eq!(parts(5, &edges, None), 2);
    }
}
