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
            #[derive(Clone, Copy, Default, PartialEq, Eq)]
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
                pub fn values(&self) -> [crate::record::Text<'a>; [$( stringify!($field) ),+].len()] {
                    [$( self.$field ),+]
                }
                /// Calls `f` with the place of each column that has a value, in order, and the value.
                pub fn for_each_filled(&self, f: &mut impl FnMut(usize, &'a str)) {
                    let mut place = 0;
                    $(
                        if let Some(value) = self.$field {
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
                /// The same record, with its texts in another arena.
                pub fn copy_in<'b>(&self, arena: &'b crate::Arena) -> $name<'b> {
                    $name {
                        position: self.position.copy_in(arena),
                        $( $field: self.$field.map(|text| arena.text(text)), )+
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
        /// One fact about a person; it stands in an [`Arena`](crate::Arena).
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum Record<'a> {
            $( $(#[$doc])* $variant(&'a $name<'a>), )+
        }

        impl<'a> Record<'a> {
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
            pub fn position(&self) -> &'a crate::Position<'a> {
                match self { $( Self::$variant(r) => &r.position, )+ }
            }
            /// Calls `f` with each column and its value, in the order of the columns.
            pub fn for_each(&self, mut f: impl FnMut(&'static str, Text<'a>)) {
                match self { $(
                    Self::$variant(r) => {
                        for (column, value) in $name::COLUMNS.iter().zip(r.values()) {
                            f(column, value);
                        }
                    }
                )+ }
            }
            /// Calls `f` with the place of each column that has a value, in order, and the value.
            pub fn for_each_filled(&self, f: &mut impl FnMut(usize, &'a str)) {
                match self { $( Self::$variant(r) => r.for_each_filled(f), )+ }
            }
            /// Columns of a table by its name; `None` if there is no such table.
            pub fn columns_of(table: &str) -> Option<&'static [&'static str]> {
                [$( ($name::TABLE, $name::COLUMNS) ),+]
                    .into_iter()
                    .find_map(|(name, columns)| (name == table).then_some(columns))
            }
            /// A record of a table with these columns; `None` if there is no such table, or no such column in it.
            pub fn of_table<'c>(
                table: &str,
                position: crate::Position<'a>,
                columns: impl IntoIterator<Item = (&'c str, Text<'a>)>,
                arena: &'a crate::Arena,
            ) -> Option<Self> {
                $(
                    if table == $name::TABLE {
                        let mut record = $name { position, ..$name::default() };
                        return columns
                            .into_iter()
                            .all(|(column, value)| record.set(column, value))
                            .then(|| arena.record(record));
                    }
                )+
                None
            }
            /// The same record, in another arena.
            pub fn copy_in<'b>(&self, arena: &'b crate::Arena) -> Record<'b> {
                match self { $( Self::$variant(r) => arena.record(r.copy_in(arena)), )+ }
            }
        }

        impl fmt::Debug for Record<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $( Self::$variant(r) => fmt::Debug::fmt(r, f), )+ }
            }
        }

        $( impl<'a> From<&'a $name<'a>> for Record<'a> {
            fn from(record: &'a $name<'a>) -> Self {
                Self::$variant(record)
            }
        } )+
    };
}

pub(crate) use {records, tables};
