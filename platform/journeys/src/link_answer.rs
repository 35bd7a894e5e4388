//! What readers of a pair say, and what their answers lead to.

/// What a reader says of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkAnswer {
    /// One person.
    Same,
    /// Two persons.
    Different,
    /// It cannot be told.
    Unsure,
}

impl LinkAnswer {
    /// All.
    pub const ALL: [Self; 3] = [Self::Same, Self::Different, Self::Unsure];
    /// Text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::Unsure => "unsure",
        }
    }
    /// Japanese name.
    pub fn label_ja(self) -> &'static str {
        match self {
            Self::Same => "同じ人",
            Self::Different => "別の人",
            Self::Unsure => "判断できない",
        }
    }
    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
}

/// Why an act of the review is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkRefused {
    /// There is no such pair.
    #[error("there is no such pair")]
    NoSuchCase,
    /// It was decided already.
    #[error("the pair was decided already")]
    Closed,
    /// This reader answered already.
    #[error("this reader answered already")]
    Answered,
    /// Nothing was decided that could be undone.
    #[error("nothing was decided that could be undone")]
    NotDecided,
    /// This reader has not opened the records.
    #[error("this reader has not opened the records of the pair")]
    NotRead,
    /// A reason is needed.
    #[error("a reason is needed")]
    NoReason,
}

impl LinkRefused {
    /// Sentence for the user.
    pub fn ja(self) -> &'static str {
        match self {
            Self::NoSuchCase => "該当する組がありません。一覧で確かめてください。",
            Self::Closed => "この組は判断が済んでいます。",
            Self::Answered => "この組には既に回答しています。",
            Self::NotDecided => "取り消せる判断がありません。",
            Self::NotRead => "両方の記載を開いて確かめてから、回答してください。",
            Self::NoReason => "理由を書いてください。",
        }
    }
}

/// What an answer led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterAnswer {
    /// Another reader is needed.
    Waits,
    /// The readers agree.
    Decided(LinkAnswer),
    /// Three readers, and no two say the same: two persons stay two.
    Unsettled,
}

/// What so many answers, in their order, lead to. Two that cannot tell ask for a third, too.
pub(crate) fn after(answers: &[LinkAnswer]) -> AfterAnswer {
    let sure = |of: LinkAnswer| answers.iter().filter(|a| **a == of).count();
    for of in [LinkAnswer::Same, LinkAnswer::Different] {
        if sure(of) >= 2 {
            return AfterAnswer::Decided(of);
        }
    }
    if answers.len() >= 3 { AfterAnswer::Unsettled } else { AfterAnswer::Waits }
}

#[cfg(test)]
mod tests {
    use super::{AfterAnswer, LinkAnswer, after};

    #[test]
    fn two_equal_answers_decide_and_a_third_breaks_the_tie() {
        use AfterAnswer::{Decided, Unsettled, Waits};
        use LinkAnswer::{Different, Same, Unsure};
        for (answers, expected) in [
            (vec![Same], Waits),
            (vec![Same, Same], Decided(Same)),
            (vec![Same, Different], Waits),
            (vec![Same, Different, Different], Decided(Different)),
            (vec![Unsure, Unsure], Waits),
            (vec![Unsure, Unsure, Same], Unsettled),
            (vec![Same, Different, Unsure], Unsettled),
            (vec![Unsure, Same, Same], Decided(Same)),
        ] {
            assert_eq!(after(&answers), expected, "{answers:?}");
        }
    }
}
