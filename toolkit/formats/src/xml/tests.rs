use super::*;
use crate::arena::lasting;
use proptest::prelude::*;

#[test]
fn elements_attributes_and_text_are_found_by_local_name() {
    let text = "\u{FEFF}<?xml version=\"1.0\"?><!-- c --><p:a xmlns:p='u' x=\"1 &lt; 2\" p:y='&#x3042;'>\n <b>t &amp; u</b><p:b/>v<![CDATA[<&>]]></p:a>\n";
    let document = Document::parse(text, lasting()).unwrap();
    let root = document.root();
    assert_eq!((root.name(), root.prefix()), ("a", "p"));
    assert_eq!(root.attribute("x"), Some("1 < 2"));
    assert_eq!(root.attribute("y"), Some("あ"));
    assert_eq!(root.attribute("p"), None, "name spaces are no attributes");
    assert_eq!(root.text(), Some("v<&>"));
    assert_eq!(root.child_text("b"), Some("t & u"));
    assert_eq!(root.all("b").count(), 2);
    assert_eq!(root.whole_text(), Some("t & u\nv\n<&>"));
}

#[test]
fn what_nobody_looked_at_is_named() {
    let document = Document::parse("<a><b><c/><日本/></b><d><e/></d></a>", lasting()).unwrap();
    document.root().child("b");
    let mut names = Vec::new();
    document.unread(|parent, name| names.push(format!("{parent}/{name}")));
    names.sort();
    assert_eq!(names, ["a/d", "b/?", "b/c"]);
}

#[test]
fn what_could_harm_is_refused() {
    let laughs = "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
    assert_eq!(Document::parse(laughs, lasting()).err(), Some(XmlError::Doctype { at: 0 }));
    assert_eq!(Document::parse("<a>&c;</a>", lasting()).err(), Some(XmlError::Entity { at: 3 }));
    assert_eq!(Document::parse("<a x='&c;'/>", lasting()).err(), Some(XmlError::Entity { at: 6 }));
    let deep = "<a>".repeat(MAX_DEPTH + 1) + &"</a>".repeat(MAX_DEPTH + 1);
    assert_eq!(
        Document::parse(&deep, lasting()).err(),
        Some(XmlError::TooDeep { at: 3 * MAX_DEPTH })
    );
    let many = format!("<a>{}</a>", "<b/>".repeat(MAX_PARTS));
    assert_eq!(Document::parse(&many, lasting()).err(), Some(XmlError::TooLarge));
    for text in [
        "",
        "x",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><a/>",
        "<a",
        "<a x>",
        "<a x=1/>",
        "<a x='1'y='2'/>",
        "<a x='1' x='2'/>",
        "<a x='&amp;<'/>",
        "<a a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' i=''/>",
        "<a x='<'/>",
        "<1/>",
        "<a><!--</a>",
        "<a>&#0;</a>",
        "<a/>x",
        "<!x><a/>",
    ] {
        let error = Document::parse(text, lasting()).err().unwrap_or_else(|| panic!("{text}"));
        assert!(!crate::rule_ja(error.rule()).is_empty());
    }
}

#[test]
fn the_encoding_is_the_declared_one_and_strict() {
    let text = "<?xml version='1.0' encoding='Shift_JIS'?><a>髙</a>";
    let (bytes, ..) = encoding_rs::SHIFT_JIS.encode(text);
    assert_eq!(decode(&bytes).unwrap(), text);
    assert_eq!(decode(b"<a>\xff</a>"), Err(XmlError::Encoding));
    assert_eq!(decode(b"<?xml version='1.0' encoding='nothing'?><a/>"), Err(XmlError::Encoding));
    assert_eq!(decode(b"\xFF\xFE<\0a\0/\0>\0").unwrap(), "<a/>");
    assert_eq!(root_name(b"\n<?xml?><!--<x>--><p:a y='1'>").as_deref(), Some("a"));
    assert_eq!(root_name(b"<!DOCTYPE a [ ]>\n<HealthData a>").as_deref(), Some("HealthData"));
    assert_eq!(root_name(b"a,b"), None);
}

proptest! {
    #[test]
    fn any_text_is_a_document_or_an_error(text in "[<>/a b='\"&;!\\-\\[\\]x:あ]{0,60}") {
        if let Ok(document) = Document::parse(&text, lasting()) {
            let root = document.root();
            let _ = (root.attribute("a"), root.text(), root.whole_text(), root.descendants("b"));
            document.unread(|_, _| panic!("everything was marked"));
        }
    }

    #[test]
    fn text_and_attributes_come_back(value in "[ -~あ]{1,20}") {
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let text = format!("<a x=\"{escaped}\"><b>{escaped}</b></a>");
        let document = Document::parse(&text, lasting()).unwrap();
        prop_assert_eq!(document.root().attribute("x").unwrap(), value.as_str());
        prop_assert_eq!(document.root().child_text("b").unwrap_or_default(), value.trim());
    }
}
