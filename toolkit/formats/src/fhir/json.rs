//! JSON that is borrowed, not copied: text and decimals keep the source's bytes where they can.
//!
//! Enters: one line of UTF-8. Leaves: views. Refuses: what is not of the declared shape.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde_json::value::RawValue;

/// A JSON string, borrowed unless it holds escapes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Str<'a>(pub Cow<'a, str>);

impl Str<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> Deserialize<'a> for Str<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct StrVisitor<'a>(PhantomData<&'a ()>);
        impl<'a> Visitor<'a> for StrVisitor<'a> {
            type Value = Str<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(StrVisitor(PhantomData))
    }
}

/// A JSON number as it was written: `7.20` stays `7.20`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Num<'a>(&'a str);

impl<'a> Num<'a> {
    /// The literal.
    pub fn literal(&self) -> &'a str {
        self.0
    }
}

impl<'a> Deserialize<'a> for Num<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'a RawValue>::deserialize(deserializer)?.get();
        match raw.as_bytes().first() {
            Some(b'-' | b'0'..=b'9') => Ok(Self(raw)),
            _ => Err(D::Error::invalid_type(Unexpected::Other("another value"), &"a number")),
        }
    }
}

/// Declares a view: a struct of optional elements that skips all others.
macro_rules! view {
    ($( $(#[$doc:meta])* $name:ident<$lt:lifetime> { $( $key:literal => $field:ident: $ty:ty ),+ $(,)? } )+) => { $(
        $(#[$doc])*
        #[derive(Clone, Default)]
        pub struct $name<$lt> {
            $( #[doc = concat!("Element `", $key, "`.")] pub $field: Option<$ty>, )+
        }
        impl<$lt> serde::Deserialize<$lt> for $name<$lt> {
            fn deserialize<D: serde::Deserializer<$lt>>(deserializer: D) -> Result<Self, D::Error> {
                struct ViewVisitor<$lt>(std::marker::PhantomData<&$lt ()>);
                impl<$lt> serde::de::Visitor<$lt> for ViewVisitor<$lt> {
                    type Value = $name<$lt>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<$lt>>(self, mut map: A) -> Result<$name<$lt>, A::Error> {
                        let mut view = $name::default();
                        while let Some(key) = map.next_key::<$crate::fhir::json::Str<$lt>>()? {
                            match key.as_str() {
                                $( $key => view.$field = map.next_value()?, )+
                                _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                            }
                        }
                        Ok(view)
                    }
                }
                deserializer.deserialize_map(ViewVisitor(std::marker::PhantomData))
            }
        }
    )+ };
}

/// Declares a view of a resource: as [`view!`], and it names the elements it skips and remembers
/// elements that may change its meaning.
macro_rules! resource {
    ($( $(#[$doc:meta])* $name:ident<$lt:lifetime> = $kind:literal {
        $( $key:literal => $field:ident: $ty:ty ),+ $(,)?
    } skips [ $( $skip:literal ),* $(,)? ] )+) => { $(
        $(#[$doc])*
        #[derive(Clone, Default)]
        pub struct $name<$lt> {
            $( #[doc = concat!("Element `", $key, "`.")] pub $field: Option<$ty>, )+
            /// Names of the elements that were skipped.
            pub unread: Vec<std::borrow::Cow<'static, str>>,
            /// Has it an element that may change its meaning (`modifierExtension`, `implicitRules`)?
            pub modified: bool,
        }
        impl<$lt> serde::Deserialize<$lt> for $name<$lt> {
            fn deserialize<D: serde::Deserializer<$lt>>(deserializer: D) -> Result<Self, D::Error> {
                struct ViewVisitor<$lt>(std::marker::PhantomData<&$lt ()>);
                impl<$lt> serde::de::Visitor<$lt> for ViewVisitor<$lt> {
                    type Value = $name<$lt>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<$lt>>(self, mut map: A) -> Result<$name<$lt>, A::Error> {
                        let mut view = $name::default();
                        while let Some(key) = map.next_key::<$crate::fhir::json::Str<$lt>>()? {
                            match key.as_str() {
                                $( $key => { view.$field = map.next_value()?; continue; } )+
                                "resourceType" => {
                                    let kind = map.next_value::<$crate::fhir::json::Str<$lt>>()?;
                                    if kind.as_str() != $kind {
                                        return Err(serde::de::Error::custom("two resource types"));
                                    }
                                    continue;
                                }
                                "modifierExtension" | "implicitRules" => view.modified = true,
                                $( $skip => view.unread.push(std::borrow::Cow::Borrowed(concat!($kind, ".", $skip))), )*
                                other => $crate::fhir::json::note_unread(&mut view.unread, $kind, other),
                            }
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                        Ok(view)
                    }
                }
                deserializer.deserialize_map(ViewVisitor(std::marker::PhantomData))
            }
        }
    )+ };
}

pub(crate) use {resource, view};

/// Notes the name of a skipped element, if it is a plain name; never the source's text.
pub(crate) fn note_unread(unread: &mut Vec<Cow<'static, str>>, kind: &str, key: &str) {
    let name =
        if crate::text::plain_name(key) { format!("{kind}.{key}") } else { format!("{kind}.?") };
    if unread.len() < 100 && !unread.iter().any(|known| *known == name) {
        unread.push(Cow::Owned(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_borrowed_and_numbers_keep_their_digits() {
        let plain: Str<'_> = serde_json::from_str(r#""abc 病院""#).unwrap();
        assert!(matches!(plain.0, Cow::Borrowed("abc 病院")));
        let escaped: Str<'_> = serde_json::from_str(r#""a\u00e9\n""#).unwrap();
        assert_eq!(escaped.as_str(), "aé\n");
        let number: Num<'_> = serde_json::from_str("7.20").unwrap();
        assert_eq!(number.literal(), "7.20");
        assert!(serde_json::from_str::<Num<'_>>("\"7\"").is_err());
        assert!(serde_json::from_str::<Str<'_>>("7").is_err());
    }
}
