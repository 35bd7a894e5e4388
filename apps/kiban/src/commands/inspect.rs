//! `kiban tool inspect`: what files or trees of the readers' formats hold.

use std::{collections::BTreeMap, path::PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use kiban_formats::{Format, inspect::Inspection, rule_ja};
use serde_json::{Value, json};

use super::source_files::{MAX_SEGMENT, begin, format_named, walk};
use crate::say::{self, Failure, Outcome};

#[derive(clap::Args)]
pub(crate) struct Inspect {
    /// 形式（auto なら先頭から判定。ssmix2、ssmix2_extended、fhir_ndjson、fhir_json、municipal_csv、uke、dpc、jahis、
    /// checkup_xml、care_claims、care_certification、mml、healthkit）
    format: String,
    /// ファイルまたはフォルダ（.xz は展開しながら読みます）
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// JSON で出力します
    #[arg(long)]
    json: bool,
}

/// A file that was not read, and why.
struct LeftOut {
    number: u64,
    path: String,
    ja: String,
}

pub(crate) fn inspect(args: &Inspect) -> Outcome {
    let only = format_named(&args.format)?;
    let mut files = Vec::new();
    for path in &args.paths {
        walk(path, "", &mut files)?;
    }
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{msg} {bytes} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut found: BTreeMap<&'static str, (Format, Inspection)> = BTreeMap::new();
    let mut left_out = Vec::new();
    for (number, (disk, path)) in (1_u64..).zip(&files) {
        bar.set_message(format!("{number}/{}", files.len()));
        let mut leave = |ja: String| left_out.push(LeftOut { number, path: path.clone(), ja });
        let name = path.strip_suffix(".xz").unwrap_or(path);
        let (format, input) = match begin(only, disk, name) {
            Ok(begun) => begun,
            Err(ja) => {
                leave(ja.into());
                continue;
            }
        };
        let (_, inspection) =
            found.entry(format.as_str()).or_insert_with(|| (format, Inspection::default()));
        let read =
            inspection.read(format, name, number, input, MAX_SEGMENT, &mut |bytes| bar.inc(bytes));
        if let Err(e) = read {
            leave(e.ja());
        }
    }
    bar.finish_and_clear();
    if args.json {
        say::line(&as_json(&found, &left_out).to_string());
    } else {
        print(&found, &left_out);
    }
    if found.is_empty() {
        return Err(Failure::plain("読み取れるファイルがありません。", "nothing was read"));
    }
    Ok(())
}

fn as_json(found: &BTreeMap<&'static str, (Format, Inspection)>, left_out: &[LeftOut]) -> Value {
    let formats: serde_json::Map<String, Value> = found
        .iter()
        .map(|(name, (format, i))| {
            let issues: serde_json::Map<String, Value> = i
                .issues
                .iter()
                .map(|(rule, b)| {
                    let places: Vec<Value> = b
                        .places
                        .iter()
                        .map(|(file, at)| json!({"file": file, "position": at}))
                        .collect();
                    let body = json!({
                        "ja": rule_ja(rule),
                        "count": b.count,
                        "segments": b.segments,
                        "places": places,
                    });
                    ((*rule).to_owned(), body)
                })
                .collect();
            let body = json!({
                "parser": format.parser(),
                "files": i.files,
                "bytes": i.bytes,
                "segments": i.segments,
                "rejected_segments": i.rejected,
                "segments_of_nobody": i.nobody,
                "persons": i.persons(),
                "records": i.records,
                "source_records": i.kinds,
                "from": i.days().map(|(from, _)| dashed(from)),
                "to": i.days().map(|(_, to)| dashed(to)),
                "encodings": i.encodings,
                "unread": i.unread,
                "issues": issues,
            });
            ((*name).to_owned(), body)
        })
        .collect();
    let left_out: Vec<Value> =
        left_out.iter().map(|l| json!({"file": l.number, "path": l.path, "ja": l.ja})).collect();
    json!({"formats": formats, "left_out": left_out})
}

fn dashed(day: u32) -> String {
    format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100)
}

fn print(found: &BTreeMap<&'static str, (Format, Inspection)>, left_out: &[LeftOut]) {
    for (name, (format, i)) in found {
        say::line(&format!("{}（{name}、読取り {}）", format.label_ja(), format.parser()));
        let encodings: Vec<String> =
            i.encodings.iter().map(|(e, files)| format!("{e} {files}")).collect();
        say::line(&format!(
            "  {} ファイル、{} バイト、文字コード：{}",
            i.files,
            i.bytes,
            encodings.join("、")
        ));
        say::line(&format!(
            "  {} 断片（隔離 {}、人のないもの {}）、{} 人",
            i.segments,
            i.rejected,
            i.nobody,
            i.persons()
        ));
        if let Some((from, to)) = i.days() {
            say::line(&format!("  期間：{} から {} まで", dashed(from), dashed(to)));
        }
        for (kind, rows) in &i.kinds {
            say::line(&format!("  原本の記録 {kind}：{rows}"));
        }
        for (table, rows) in &i.records {
            say::line(&format!("  記録 {table}：{rows}"));
        }
        for (rule, broken) in &i.issues {
            let places: Vec<String> = broken
                .places
                .iter()
                .map(|(file, at)| format!("{file}番目のファイル {at}"))
                .collect();
            say::line(&format!(
                "  不備 {rule}（{} 件、{} 断片）：{} {}",
                broken.count,
                broken.segments,
                rule_ja(rule),
                places.join("、")
            ));
        }
        for (part, segments) in &i.unread {
            say::line(&format!("  読み取らない部分 {part}（{segments}）"));
        }
    }
    for l in left_out {
        say::line(&format!("対象外 {}（{}番目）：{}", l.path, l.number, l.ja));
    }
}
