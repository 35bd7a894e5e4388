//! What `kiban tool link` does, without files, clock or process.

use std::io::{Read, Write};

use crate::{
    linker::{Linked, Settings, Stage, link},
    list::{ColumnMap, ListError, read},
    model::Model,
};

/// Why a run ended without persons.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The list cannot be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// Writing failed.
    #[error("the output cannot be written")]
    Write(#[source] std::io::Error),
}

/// A run that found persons; its outputs can be written.
pub struct Run {
    ids: crate::list::Ids,
    pub(crate) linked: Linked,
}

/// Reads a list and links it.
pub fn run(
    data: impl Read,
    map: &ColumnMap,
    model: Option<&Model>,
    settings: &Settings,
    progress: &(dyn Fn(Stage) + Sync),
) -> Result<Run, ToolError> {
    let mut list = read(data, map, &|n| progress(Stage::Read(n)))?;
    let ids = std::mem::take(&mut list.record_ids);
    list.record_ids = ids.clone();
    Ok(Run { ids, linked: link(list, model, settings, progress) })
}

impl Run {
    /// Writes `record_id,cluster_id`, sorted by record id.
    pub fn write_clusters(&self, out: impl Write) -> Result<(), ToolError> {
        let mut out = csv::WriterBuilder::new().buffer_capacity(1 << 18).from_writer(out);
        let go = |out: &mut csv::Writer<_>| -> Result<(), csv::Error> {
            out.write_record(["record_id", "cluster_id"])?;
            let order = &self.linked.typed.order;
            for (i, person) in self.linked.person.iter().enumerate() {
                out.write_record([
                    self.ids.at(order[i] as usize),
                    self.ids.at(order[*person as usize] as usize),
                ])?;
            }
            out.flush()?;
            Ok(())
        };
        go(&mut out).map_err(|e| ToolError::Write(std::io::Error::other(e)))
    }

    /// Explains pairs for developers.
    pub fn explain(&self, a: &str, b: &str) -> String {
        let l = &self.linked;
        let find = |id: &str| (0..l.typed.order.len()).find(|i| self.ids.at(l.typed.order[*i] as usize) == id.as_bytes());
        let (Some(x), Some(y)) = (find(a), find(b)) else { return String::new() };
        let (r, q) = (&l.typed.rows[x], &l.typed.rows[y]);
        let p = crate::compare::compare(&l.typed, r, q);
        let f = crate::model::Frequency::of(&l.typed);
        let lv: Vec<String> = crate::compare::Variable::ALL.iter().map(|v| format!("{}={}", v.id(), p.level(*v))).collect();
        let rarity = f.rarity(p, r, q);
        format!("{} rarity {rarity:.4} score {:.2} joint {:.2?}", lv.join(" "), l.model.weigh(p).score(rarity), l.model.joint(p).map(f64::log2))
    }
    /// Text for developers.
    pub fn debug(&self) -> String {
        use std::fmt::Write as _;
        let l = &self.linked;
        let mut s = String::new();
        for p in &l.passes {
            let _ = writeln!(s, "{:40} sharing {:9} made {:9} {} {:?}", p.pass, p.sharing, p.made, p.left_out, p.capped);
        }
        let _ = writeln!(s, "candidates {} patterns {} rounds {} expected {:?} split {} {}", l.candidates, l.patterns, l.rounds, l.expected,
            l.typed.kana.split, l.typed.kanji.split);
        for v in crate::compare::Variable::ALL {
            for level in 0..32 {
                if let Some((g, k)) = v.level(level) {
                    if k == crate::compare::Kind::Missing { continue; }
                    let t: Vec<String> = (0..CL).map(|c| format!("{:9.2e}", l.model.tables[c][v as usize][level])).collect();
                    let _ = writeln!(s, "{:10} {level:2} g{g} {k:?} {}", v.id(), t.join(" "));
                }
            }
        }
        s
    }
}
const CL: usize = crate::model::CLASSES;
