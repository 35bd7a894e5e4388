//! The weight of a pair taken apart.

use crate::{
    compare::{Pattern, Variable},
    model::{Class, Model},
};

/// One bar of the waterfall: what a variable says for one person, in bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The variable; `None` for what is not one: how common such pairs are, how rare the values are, and what other
    /// classes of pairs add.
    pub variable: Option<Variable>,
    /// Id of the level, or of what else it is.
    pub level: String,
    /// Bits for (positive) or against one person.
    pub bits: f64,
}

impl Model {
    /// The bars of a pattern; they sum to the score.
    pub(crate) fn why(&self, pattern: Pattern, rarity: f64) -> (Vec<Reason>, f64) {
        let joint = self.joint(pattern);
        let likeliest = |one: bool| {
            Class::ALL.into_iter().filter(|c| c.is_one_person() == one).fold(
                if one { Class::Same } else { Class::Strangers },
                |best, c| {
                    if joint[c as usize] > joint[best as usize] { c } else { best }
                },
            )
        };
        let (one, other) = (likeliest(true), likeliest(false));
        let score = self.weigh(pattern).score(rarity);
        let other_name = |what: &str| format!("{what}:{}/{}", one.id(), other.id());
        let prior = (self.share[one as usize] / self.share[other as usize]).log2();
        let mut out = vec![Reason { variable: None, level: other_name("prior"), bits: prior }];
        for v in Variable::ALL {
            let level = pattern.level(v);
            let at = |c: Class| self.tables[c as usize][v as usize][level];
            out.push(Reason {
                variable: Some(v),
                level: v.level_id(level),
                bits: (at(one) / at(other)).log2(),
            });
        }
        let sum: f64 = out.iter().map(|r| r.bits).sum();
        let rest = "frequency_and_other_classes".to_owned();
        out.push(Reason { variable: None, level: rest, bits: score - sum });
        (out, score)
    }
}
