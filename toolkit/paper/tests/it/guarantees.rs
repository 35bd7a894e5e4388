//! One test for each guarantee of the crate, over generated documents.

use kiban_paper::{Block, Column, Day, Paper, Table};
use proptest::prelude::*;

fn paper(blocks: Vec<Block>) -> Paper {
    Paper {
        title: "試験の文書".to_owned(),
        author: "試験機関".to_owned(),
        made: Day { year: 2026, month: 11, day: 28 },
        footer: "第1号".to_owned(),
        blocks,
    }
}

fn words() -> impl Strategy<Value = String> {
    // Any characters of an application: kanji, kana, marks, Latin, digits, spaces, line feeds, signs no font has.
    proptest::collection::vec(
        prop_oneof![
            5 => proptest::char::range('一', '龠'),
            5 => proptest::char::range('ぁ', 'ヶ'),
            2 => proptest::char::range('!', '~'),
            1 => proptest::sample::select(vec!['、', '。', '「', '」', '（', '）', ' ', '\n', '\u{1f600}', '𠮷', '\u{7}']),
        ],
        0..120,
    )
    .prop_map(|c| c.into_iter().collect())
}

fn block() -> impl Strategy<Value = Block> {
    let rows = proptest::collection::vec(proptest::collection::vec(words(), 0..5), 0..6);
    prop_oneof![
        words().prop_map(Block::Text),
        words().prop_map(Block::Heading),
        words().prop_map(Block::Right),
        words().prop_map(Block::Note),
        proptest::collection::vec(words(), 0..4).prop_map(Block::Items),
        proptest::collection::vec((words(), words()), 0..4).prop_map(Block::Facts),
        rows.prop_map(|rows| {
            let columns =
                vec![Column::text("項目", 2), Column::text("内容", 5), Column::number("数", 1)];
            Block::Table(Table {
                summary: "表".to_owned(),
                columns,
                rows,
                empty: "ありません".to_owned(),
            })
        }),
    ]
}

/// The words of a block in reading order.
fn said(block: &Block) -> Vec<String> {
    match block {
        Block::Text(t) | Block::Heading(t) | Block::Right(t) | Block::Note(t) | Block::Title(t) => {
            vec![t.clone()]
        }
        Block::Items(items) => {
            items.iter().enumerate().flat_map(|(i, t)| [(i + 1).to_string(), t.clone()]).collect()
        }
        Block::Facts(facts) => facts.iter().flat_map(|(k, v)| [k.clone(), v.clone()]).collect(),
        Block::Table(t) => {
            let mut out: Vec<String> = t.columns.iter().map(|c| c.head.clone()).collect();
            if t.rows.is_empty() {
                out.push(t.empty.clone());
            }
            for row in &t.rows {
                for (i, cell) in row.iter().enumerate() {
                    if i >= t.columns.len() {
                        out.push("、".to_owned());
                    }
                    out.push(cell.clone());
                }
            }
            out
        }
        Block::Seal(_) | Block::Room(..) | Block::NewPage => Vec::new(),
    }
}

/// A text without what breaking lines may take away.
fn solid(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != ' ').collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// `paper.all-said`: blocks short enough to stay on a page are read in order, cell by cell.
    #[test]
    fn everything_is_said_in_order(blocks in proptest::collection::vec(block(), 1..5)) {
        for block in blocks {
            let lines = paper(vec![block.clone()]).lines().unwrap();
            if lines.len() > 1 {
                continue;
            }
            let read: String = lines.concat().iter().map(|l| solid(l)).collect();
            let wanted: String = said(&block).iter().map(|t| solid(t)).collect();
            prop_assert_eq!(read, wanted);
        }
    }

    /// `paper.same-bytes`, whatever is written.
    #[test]
    fn any_document_is_written_and_the_same_twice(blocks in proptest::collection::vec(block(), 0..6)) {
        let mut all = vec![Block::Title("試験の文書".to_owned())];
        all.extend(blocks);
        let one = paper(all.clone()).pdf();
        prop_assert!(one.is_ok(), "{:?}", one.err());
        prop_assert_eq!(one.unwrap(), paper(all).pdf().unwrap());
    }
}

#[test]
fn a_long_table_repeats_its_head_and_loses_no_row() {
    let rows: Vec<Vec<String>> =
        (0..200).map(|i| vec![format!("行{i:03}"), "内容".repeat(30)]).collect();
    let columns = vec![Column::text("番号の欄", 1), Column::text("内容", 4)];
    let table = Table { summary: "長い表".to_owned(), columns, rows, empty: String::new() };
    let pages = paper(vec![Block::Table(table)]).lines().unwrap();
    assert!(pages.len() > 3, "{} pages", pages.len());
    for (i, page) in pages.iter().enumerate() {
        assert_eq!(page[0], "番号の欄", "page {i} begins with the head");
    }
    let numbers: Vec<&String> = pages.iter().flatten().filter(|l| l.starts_with("行")).collect();
    let wanted: Vec<String> = (0..200).map(|i| format!("行{i:03}")).collect();
    assert_eq!(numbers, wanted.iter().collect::<Vec<_>>());
}

#[test]
fn a_row_longer_than_a_page_goes_on() {
    let text: String = "0の1の2の3の4の5の6の7の8の9の".repeat(300);
    let pages = paper(vec![Block::Facts(vec![("目的".to_owned(), text.clone())])]).lines().unwrap();
    assert!(pages.len() > 1);
    let read: String = pages.concat().iter().filter(|l| *l != "目的").cloned().collect();
    assert_eq!(read, text);
}

#[test]
fn a_heading_is_not_alone_at_the_foot() {
    for filling in 30..46 {
        let mut blocks: Vec<Block> =
            (0..filling).map(|i| Block::Text(format!("段落{i}"))).collect();
        blocks.push(Block::Heading("見出し".to_owned()));
        blocks.push(Block::Text("本文".to_owned()));
        for page in paper(blocks).lines().unwrap() {
            assert_ne!(
                page.last().map(String::as_str),
                Some("見出し"),
                "{filling} paragraphs before"
            );
        }
    }
}

#[test]
fn an_empty_document_has_a_page() {
    assert_eq!(paper(Vec::new()).lines().unwrap().len(), 1);
    assert!(paper(Vec::new()).pdf().is_ok());
}
