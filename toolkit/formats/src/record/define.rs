//! The macros that turn the lists of canonical tables into record types.
//!
//! Enters: types, table names and documented columns ([`tables`]); variants in order ([`records`]). Leaves:
//! one struct per table with its columns in order, the [`Record`](super::Record) enum over them, and `Debug`
//! without values.

macro_rules! tables {
    ($( $(#[$doc:meta])* $name:ident = $table:literal {
        $( $(#[$fdoc:meta])* $field:ident ),+ $(,)?
    } )+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Default, PartialEq, Eq)]
            pub struct $name<'a> {
                /// Where in the source it was read: `OBX[3]`, `line 17`, `row 5`, `row 5 column 12`.
                pub position: crate::Position<'a>,
                $( $(#[$fdoc])* pub $field: crate::record::Text<'a>, )+
            }

            impl<'a> $name<'a> {
                /// Name of the canonical table.
                pub const TABLE: &'static str = $table;
                /// Names of the columns, in the order of [`Self::values`].
                pub const COLUMNS: &'static [&'static str] = &[$( stringify!($field) ),+];

                /// Values in the order of [`Self::COLUMNS`].
                pub fn values(&self) -> [Option<&str>; [$( stringify!($field) ),+].len()] {
                    [$( self.$field.as_deref() ),+]
                }
                /// Calls `f` with the place of each column that has a value, in order, and the value.
                pub fn for_each_filled<'s>(&'s self, f: &mut impl FnMut(usize, &'s str)) {
                    let mut place = 0;
                    $(
                        if let Some(value) = &self.$field {
                            f(place, value);
                        }
                        place += 1;
                    )+
                    let _all = place;
                }
                /// Sets a column by name; `false` if there is none of that name.
                pub fn set(&mut self, column: &str, value: crate::record::Text<'a>) -> bool {
                    match column {
                        $( stringify!($field) => self.$field = value, )+
                        _ => return false,
                    }
                    true
                }
                /// The same record, owning its text.
                pub fn into_owned(self) -> $name<'static> {
                    $name {
                        position: self.position.into_owned(),
                        $( $field: self.$field.map(|t| std::borrow::Cow::Owned(t.into_owned())), )+
                    }
                }
            }

            impl std::fmt::Debug for $name<'_> {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    let filled = Self::COLUMNS.iter().zip(self.values()).filter(|(_, v)| v.is_some());
                    write!(f, "{}@{}", Self::TABLE, self.position)?;
                    f.debug_list().entries(filled.map(|(c, _)| c)).finish()
                }
            }
        )+
    };
}

macro_rules! records {
    ($( $(#[$doc:meta])* $variant:ident($name:ident), )+) => {
        /// One fact about a person.
        #[derive(Clone, PartialEq, Eq)]
        pub enum Record<'a> {
            $( $(#[$doc])* $variant($name<'a>), )+
        }

        impl Record<'_> {
            /// Names of the canonical tables.
            pub const TABLES: &'static [&'static str] = &[$( $name::TABLE ),+];

            /// Name of the canonical table the record belongs to.
            pub fn table(&self) -> &'static str {
                match self { $( Self::$variant(_) => $name::TABLE, )+ }
            }
            /// The table's place in [`Self::TABLES`].
            pub fn table_index(&self) -> usize {
                enum Place { $( $variant, )+ }
                match self { $( Self::$variant(_) => Place::$variant as usize, )+ }
            }
            /// Columns of the record's table.
            pub fn columns(&self) -> &'static [&'static str] {
                match self { $( Self::$variant(_) => $name::COLUMNS, )+ }
            }
            /// Where in the source the record was read.
            pub fn position(&self) -> &crate::Position<'_> {
                match self { $( Self::$variant(r) => &r.position, )+ }
            }
            /// Calls `f` with each column and its value, in the order of the columns.
            pub fn for_each<'s>(&'s self, mut f: impl FnMut(&'static str, Option<&'s str>)) {
                match self { $(
                    Self::$variant(r) => {
                        for (column, value) in $name::COLUMNS.iter().zip(r.values()) {
                            f(column, value);
                        }
                    }
                )+ }
            }
            /// Calls `f` with the place of each column that has a value, in order, and the value.
            pub fn for_each_filled<'s>(&'s self, f: &mut impl FnMut(usize, &'s str)) {
                match self { $( Self::$variant(r) => r.for_each_filled(f), )+ }
            }
            /// An empty record of a table, `None` if there is no such table.
            pub fn empty(table: &str, position: impl Into<crate::Position<'static>>) -> Option<Record<'static>> {
                $(
                    if table == $name::TABLE {
                        return Some(Record::$variant($name {
                            position: position.into(),
                            ..$name::default()
                        }));
                    }
                )+
                None
            }
            /// The same record, owning its text.
            pub fn into_owned(self) -> Record<'static> {
                match self { $( Self::$variant(r) => Record::$variant(r.into_owned()), )+ }
            }
        }

        impl<'a> Record<'a> {
            /// Sets a column by name; `false` if the table has none of that name.
            pub fn set(&mut self, column: &str, value: Text<'a>) -> bool {
                match self { $(
                    Self::$variant(r) => r.set(column, value),
                )+ }
            }
        }

        impl fmt::Debug for Record<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $( Self::$variant(r) => fmt::Debug::fmt(r, f), )+ }
            }
        }

        $( impl<'a> From<$name<'a>> for Record<'a> {
            fn from(record: $name<'a>) -> Self {
                Self::$variant(record)
            }
        } )+
    };
}

pub(crate) use {records, tables};
