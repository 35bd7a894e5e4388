//! Why a specification is not accepted: first its text ([`SpecError`]), then its law ([`SpecFinding`]).

use kiban_kernel::{ColumnClass, LawKey, Product};

/// A place in the specification's text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl Position {
    /// The position of a byte offset in `text`.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        Self { line, column }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a text is not a specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Not TOML, an unknown field, a missing field, an unknown rule or class.
    #[error("{position}: {message}")]
    Syntax {
        /// Where.
        position: Position,
        /// The parser's words; a specification holds no personal data.
        message: String,
    },
    /// A parameter that makes no sense.
    #[error("{position}: {table}.{column}: {problem}")]
    Parameter {
        /// Where.
        position: Position,
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// What is wrong.
        problem: ParameterProblem,
    },
    /// No table is declared.
    #[error("the specification declares no table")]
    NoTable,
}

/// Parameters that make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterProblem {
    /// Width of a band.
    #[error("a band's width must be a number greater than 0")]
    Width,
    /// Bounds in the wrong order, or not a number.
    #[error("the low bound must be under the high bound")]
    BoundOrder,
    /// Offset.
    #[error("max_days must be 1 to 3650")]
    MaxDays,
    /// Persons.
    #[error("the number of persons must be at least 1")]
    Persons,
    /// Characters.
    #[error("the number of characters must be at least 1")]
    Characters,
    /// No value listed.
    #[error("at least one value must be listed")]
    NoValues,
    /// A list that does not exist.
    #[error("no such list of rare values")]
    UnknownList,
    /// A column that the table does not declare.
    #[error("names a column that the table does not declare")]
    UnknownColumn,
    /// Shifts of different size.
    #[error("all shifted dates must name the same max_days: one offset per person")]
    SeveralOffsets,
    /// Target.
    #[error("the target of k must be at least 1")]
    KTarget,
    /// Levels.
    #[error(
        "levels are two or more coarsening rules, from fine to coarse; only the last may be drop"
    )]
    Levels,
    /// Adversary.
    #[error("an adversary knows something, counts are at least 1, limits are numbers from 0 to 1")]
    Adversary,
    /// Local suppression.
    #[error(
        "columns to empty are declared, as table.column, no quasi-identifiers and not known as a whole"
    )]
    LocalSuppression,
    /// Search.
    #[error("shares are numbers from 0 to 1, models are written as for kiban tool anonymize")]
    Search,
}

impl ParameterProblem {
    fn ja(self) -> &'static str {
        match self {
            Self::Width => "階級の幅（width）は0より大きい数にしてください",
            Self::BoundOrder => "下限（low）は上限（high）より小さい数にしてください",
            Self::MaxDays => "max_days は1から3650までにしてください",
            Self::Persons => "人数は1以上にしてください",
            Self::Characters => "文字数は1以上にしてください",
            Self::NoValues => "値を1つ以上挙げてください",
            Self::UnknownList => {
                "その名前の希少値リストはありません。[lists] に定義するか designated_intractable を使ってください"
            }
            Self::UnknownColumn => "同じ表で宣言していない列名です",
            Self::SeveralOffsets => {
                "日付のずらし幅は1人につき1つです。すべての shift_date で max_days を同じにしてください"
            }
            Self::KTarget => "k の目標は1以上にしてください",
            Self::LocalSuppression => {
                "local_suppression の columns には、宣言済みの列を「表.列」の形で書いてください（準識別子と knows の列は書けません）。rows_of には、columns と items の両方にある同じ表の列を書いてください"
            }
            Self::Levels => {
                "levels には、細かい順に2つ以上の一般化の規則を並べてください（drop は最後だけ）"
            }
            Self::Adversary => {
                "攻撃者（adversaries）には知っている列（表.列）を1つ以上、count は1以上、上限は0から1までで書いてください"
            }
            Self::Search => {
                "suppression と gs_factor は0から1まで、models は「l=2,kind=entropy,attribute=表.列」の形にしてください"
            }
        }
    }
}

impl SpecError {
    /// The Japanese sentence, with position and remedy.
    pub fn ja(&self) -> String {
        match self {
            Self::Syntax { position, message } => format!(
                "加工仕様書の{}行{}桁を読めません。書き方を確かめてください（{message}）。",
                position.line, position.column
            ),
            Self::Parameter { position, table, column, problem } => format!(
                "加工仕様書の{}行{}桁（表 {table} の列 {column}）: {}。",
                position.line,
                position.column,
                problem.ja()
            ),
            Self::NoTable => "加工仕様書に表（[tables.…]）が1つもありません。".to_owned(),
        }
    }
}

/// A place where a specification breaks the table of house rule 4, or the schema.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SpecFinding {
    /// Where the column is declared.
    pub position: Position,
    /// Table.
    pub table: String,
    /// Column; empty for a finding about the whole specification.
    pub column: String,
    /// Declared class, if the finding is about a column that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<ColumnClass>,
    /// For which product.
    pub product: Product,
    /// What is wrong.
    pub breach: Breach,
    /// The provision.
    pub law: LawKey,
}

/// What is wrong, and thereby the remedy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Breach {
    /// Must be dropped (`rule` was given instead).
    MustDrop {
        /// The rule that was given.
        rule: &'static str,
    },
    /// Must be dropped or replaced by a pseudonym.
    DropOrPseudonym {
        /// The rule that was given.
        rule: &'static str,
    },
    /// Must be made coarser.
    NeedsGeneralising {
        /// The rule that was given.
        rule: &'static str,
    },
    /// Must be one of the model's quasi-identifiers.
    OutsideModel,
    /// There are quasi-identifiers in the output, but no `[k]`.
    NoModel,
    /// A singular value would stay.
    NeedsSingularRule {
        /// The rule that was given.
        rule: &'static str,
    },
    /// One end of a number stays unbounded, with no reason given.
    OneEndOpen,
    /// Rarity in the population is not looked at.
    NeedsRareList,
    /// Rarity in the data is not looked at.
    NeedsMinPersons,
    /// A date must be shifted or made coarser.
    ShiftOrCoarsen {
        /// The rule that was given.
        rule: &'static str,
    },
    /// Free text must be withheld.
    MustWithhold {
        /// The rule that was given.
        rule: &'static str,
    },
    /// An address is finer than the dated rule allows.
    RegionTooFine {
        /// The finest level allowed.
        finest: String,
    },
    /// Declared weaker than the canonical schema has it.
    WeakerClass {
        /// The schema's class.
        canonical: ColumnClass,
    },
    /// The canonical schema has no such table.
    UnknownTable,
    /// The canonical schema has no such column.
    UnknownColumn,
    /// The target of k is under the dated floor.
    KUnderFloor {
        /// The floor.
        floor: i64,
    },
    /// A rule that this product does not know here (a pseudonym of a value that is no code, say).
    NotForClass {
        /// The rule that was given.
        rule: &'static str,
    },
    /// A fixed id or offset in a deployment.
    Fixed,
    /// Part of a group is residual, another part is kept: the kept part would tell the value.
    GroupBroken,
    /// Levels of a column that is outside the person-level model, or judged together with others.
    LevelsOutsideModel,
}

impl SpecFinding {
    /// The Japanese sentence: place, class, provision, remedy.
    pub fn ja(&self) -> String {
        let class = self.class.map_or(String::new(), |c| format!("（{}）", c.label_ja()));
        let place = if self.column.is_empty() {
            if self.table.is_empty() {
                "仕様書全体".to_owned()
            } else {
                format!("表 {}", self.table)
            }
        } else {
            format!("表 {} の列 {}{class}", self.table, self.column)
        };
        format!(
            "{}: {}行: {place}: {}［{} {}（{}）］",
            self.product.label_ja(),
            self.position.line,
            self.breach.ja(),
            self.law.article(),
            self.law.title_ja(),
            self.law
        )
    }
}

impl std::fmt::Display for SpecFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let class = self.class.map_or("", |c| c.as_str());
        write!(
            f,
            "{}: {}.{} ({class}): {:?}: {} {}",
            self.product.as_str(),
            self.table,
            self.column,
            self.breach,
            self.law,
            self.position
        )
    }
}

impl Breach {
    fn ja(&self) -> String {
        match self {
            Self::MustDrop { rule } => format!("削除が必要ですが規則は {rule} です。drop にしてください。"),
            Self::DropOrPseudonym { rule } => {
                format!("連結する符号に {rule} は使えません。drop または pseudonym にしてください。")
            }
            Self::NeedsGeneralising { rule } => format!(
                "一般化が必要ですが規則は {rule} です。truncate_date、band、region、category、rare_to_residual、code_to_parent のいずれか、または drop にしてください。"
            ),
            Self::OutsideModel => {
                "出力に残る準識別子が k の対象から外れています。[k] quasi_identifiers に加えるか drop にしてください。".to_owned()
            }
            Self::NoModel => {
                "出力に準識別子が残りますが [k] がありません。target を定めてください。".to_owned()
            }
            Self::NeedsSingularRule { rule } => format!(
                "特異な値への措置がありません（規則は {rule}）。数値は bounds、extremes、上下限つきの band、コードや名称は rare_to_residual、または drop にしてください。"
            ),
            Self::OneEndOpen => {
                "数値の片側に限界がありません。bounds にするか、other_end に不要とする理由を書いてください。".to_owned()
            }
            Self::NeedsRareList => {
                "人口における希少性を見ていません。rare_to_residual の lists にリスト（例: designated_intractable）を挙げてください。".to_owned()
            }
            Self::NeedsMinPersons => {
                "データ中の人数を見ていません。rare_to_residual の min_persons を2以上にしてください。".to_owned()
            }
            Self::ShiftOrCoarsen { rule } => {
                format!("日付に {rule} は使えません。shift_date、truncate_date または drop にしてください。")
            }
            Self::MustWithhold { rule } => format!(
                "自由記述は本文の匿名化手段が整うまで出せません（規則は {rule}）。withhold または drop にしてください。"
            ),
            Self::RegionTooFine { finest } => {
                format!("所在地が細かすぎます。region を {finest} またはそれより粗くするか drop にしてください。")
            }
            Self::WeakerClass { canonical } => format!(
                "標準スキーマの区分「{}」より弱い区分で宣言されています。class = \"{}\" にしてください。",
                canonical.label_ja(),
                canonical.as_str()
            ),
            Self::UnknownTable => "標準スキーマにない表です。表の名前を確かめてください。".to_owned(),
            Self::UnknownColumn => "標準スキーマにない列です。列の名前を確かめてください。".to_owned(),
            Self::KUnderFloor { floor } => format!("k の目標が下限 {floor} を下回ります。"),
            Self::NotForClass { rule } => {
                format!("この区分に {rule} は使えません。drop または区分に合う規則にしてください。")
            }
            Self::Fixed => {
                "固定の番号・日数（[fixed]）は実運用では使えません。[fixed] を消してください。".to_owned()
            }
            Self::LevelsOutsideModel => {
                "levels は匿名加工の準識別子だけに使えます（group とは併用できません）。規則を1つに決めてください。".to_owned()
            }
            Self::GroupBroken => {
                "同じ group の列のうち一部だけが希少値の措置を受け、他が値を明かします。すべて rare_to_residual にするか drop にしてください。".to_owned()
            }
        }
    }
}
