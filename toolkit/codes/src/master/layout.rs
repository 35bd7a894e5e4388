//! Which column of a master is what: shipped layouts, and a layout of one's own.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use super::code::Shape;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Code,
    Name,
    Kana,
    Unit,
    Specimen,
    Method,
    From,
    Until,
    Link(String),
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) field: Field,
    /// 0-based place in a file without a heading.
    pub(super) place: Option<usize>,
    /// Plain headings, best first.
    pub(super) headings: Vec<String>,
    pub(super) shape: Shape,
    pub(super) needed: bool,
}

/// A layout: the columns of one kind of master.
#[derive(Clone, Debug)]
pub struct Layout {
    name: String,
    pub(super) columns: Vec<Column>,
    /// `Some` where the caller says whether there is a heading; else the file's first row tells.
    pub(super) heading: Option<bool>,
}

/// Why a layout of one's own is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// No such shipped layout.
    #[error("no layout of this name")]
    Unknown,
    /// The text is no TOML or JSON of a layout; line of the first fault, where known.
    #[error("the layout cannot be read (line {line:?})")]
    Syntax {
        /// 1-based line.
        line: Option<usize>,
    },
    /// A column without place and heading, a shape that is unknown, or no code and name.
    #[error("the layout names no code and name column, or a shape that is unknown")]
    Incomplete,
}

impl LayoutError {
    /// The sentence shown to staff.
    pub const fn japanese(&self) -> &'static str {
        match self {
            Self::Unknown => "この名前のマスター様式はありません。",
            Self::Syntax { .. } => {
                "マスター様式の記述を読めません。該当行の書き方を確認してください。"
            }
            Self::Incomplete => "マスター様式にコードと名称の列がないか、知らない種別があります。",
        }
    }
}

impl Layout {
    /// A shipped layout: `receipt-drug`, `disease`, `medis-disease`, `icd10`, `hot`, `yj`, `jlac10`, `jlac11`, and the element
    /// tables `jlac10-analyte` … `jlac11-unit` (`layouts/masters.csv`).
    pub fn shipped(name: &str) -> Result<Self, LayoutError> {
        Self::all().iter().find(|layout| layout.name == name).cloned().ok_or(LayoutError::Unknown)
    }

    /// The names of all shipped layouts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::all().iter().map(|layout| layout.name.as_str())
    }

    /// Its name, the code system of the master that it reads.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Layout>> = OnceLock::new();
        // Safety of expect: the table is shipped with the crate and read by every test.
        ALL.get_or_init(|| read(include_str!("../../layouts/masters.csv")).expect("masters.csv"))
    }

    /// A layout of one's own, as TOML:
    /// ```
    /// let layout = kiban_codes::master::Layout::from_toml(r#"
    ///     system = "house-drug"
    ///     [columns]
    ///     code = "品番"
    ///     name = ["品名", "略称"]
    ///     unit = 4              # 1-based place
    ///     [links]
    ///     yj = { column = "YJ", shape = "yj" }
    /// "#)?;
    /// assert_eq!(layout.name(), "house-drug");
    /// # Ok::<(), kiban_codes::master::LayoutError>(())
    /// ```
    /// Columns: `code`, `name`, `kana`, `unit`, `specimen`, `method`, `from`, `until`; each a heading, a place or a list of
    /// them. `code_shape` names the shape of the code (default `text`); `heading = true | false` settles the first row.
    pub fn from_toml(text: &str) -> Result<Self, LayoutError> {
        let own: Own = toml::from_str(text).map_err(|error| LayoutError::Syntax {
            line: error
                .span()
                .and_then(|span| text.get(..span.start))
                .map(|before| before.matches('\n').count() + 1),
        })?;
        own.layout()
    }

    /// The same as JSON.
    pub fn from_json(text: &str) -> Result<Self, LayoutError> {
        let own: Own = serde_json::from_str(text)
            .map_err(|error| LayoutError::Syntax { line: Some(error.line()) })?;
        own.layout()
    }
}

/// A heading without width, blanks, brackets and case.
pub(super) fn plain_heading(text: &str) -> String {
    text.nfkc()
        .filter(|c| !c.is_whitespace() && !"()[]「」『』・_\"\u{feff}".contains(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

fn field(name: &str) -> Option<Field> {
    Some(match name {
        "code" => Field::Code,
        "name" => Field::Name,
        "kana" => Field::Kana,
        "unit" => Field::Unit,
        "specimen" => Field::Specimen,
        "method" => Field::Method,
        "from" => Field::From,
        "until" => Field::Until,
        _ => Field::Link(name.strip_prefix("link:")?.to_owned()),
    })
}

fn read(text: &str) -> Option<Vec<Layout>> {
    let mut layouts: Vec<Layout> = Vec::new();
    for row in crate::shipped::rows(text) {
        let [master, name, place, headings, shape, need] = row.as_slice() else { return None };
        let column = Column {
            field: field(name)?,
            place: place.parse::<usize>().ok().map(|p| p - 1),
            headings: headings.split('|').map(plain_heading).filter(|h| !h.is_empty()).collect(),
            shape: Shape::of_name(shape)?,
            needed: need == "code",
        };
        match layouts.last_mut().filter(|layout| layout.name == *master) {
            Some(layout) => layout.columns.push(column),
            None => {
                layouts.push(Layout { name: master.clone(), columns: vec![column], heading: None });
            }
        }
    }
    Some(layouts)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    system: String,
    heading: Option<bool>,
    code_shape: Option<String>,
    columns: BTreeMap<String, Places>,
    #[serde(default)]
    links: BTreeMap<String, Link>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Place {
    Number(usize),
    Heading(String),
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Places {
    One(Place),
    Many(Vec<Place>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Link {
    Shaped { column: Places, shape: String },
    Plain(Places),
}

impl Own {
    fn layout(self) -> Result<Layout, LayoutError> {
        let mut columns = Vec::new();
        for (name, places) in &self.columns {
            let field = field(name)
                .filter(|f| !matches!(f, Field::Link(_)))
                .ok_or(LayoutError::Incomplete)?;
            let shape = match &field {
                Field::Code => self.code_shape.as_deref().unwrap_or("text"),
                Field::From | Field::Until => "date",
                _ => "text",
            };
            add(&mut columns, &field, places, shape)?;
        }
        for (kind, link) in &self.links {
            let field = Field::Link(kind.clone());
            match link {
                Link::Shaped { column, shape } => add(&mut columns, &field, column, shape)?,
                Link::Plain(places) => add(&mut columns, &field, places, "text")?,
            }
        }
        let has = |wanted: &Field| columns.iter().any(|column: &Column| column.field == *wanted);
        if !has(&Field::Code) || !has(&Field::Name) || self.system.is_empty() {
            return Err(LayoutError::Incomplete);
        }
        Ok(Layout { name: self.system, columns, heading: self.heading })
    }
}

/// A name column may be named several times: each is a column. Other fields take the first heading that the file has.
fn add(
    columns: &mut Vec<Column>,
    field: &Field,
    places: &Places,
    shape: &str,
) -> Result<(), LayoutError> {
    let shape = Shape::of_name(shape).ok_or(LayoutError::Incomplete)?;
    let list = match places {
        Places::One(place) => vec![place.clone()],
        Places::Many(places) => places.clone(),
    };
    if list.is_empty() {
        return Err(LayoutError::Incomplete);
    }
    for (at, place) in list.into_iter().enumerate() {
        let needed = at == 0 && matches!(field, Field::Code | Field::Name);
        let mut column =
            Column { field: field.clone(), place: None, headings: Vec::new(), shape, needed };
        match place {
            Place::Number(0) => return Err(LayoutError::Incomplete),
            Place::Number(number) => column.place = Some(number - 1),
            Place::Heading(heading) => column.headings.push(plain_heading(&heading)),
        }
        columns.push(column);
    }
    Ok(())
}
