//! `kiban tool convert`: files of the readers' formats as canonical tables, OMOP, FHIR or transport files.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressStyle};
use kiban_formats::{
    CutError, Format, Piece, Record, Want, cut,
    out::{self, OutError, Summary},
};
use kiban_journeys::{
    kernel::{Clock as _, Date, SystemClock},
    plain::{Keep, Place, PlainError, PlainTables},
    rule_ja,
};
use serde_json::{Value, json};

use super::source_files::{MAX_SEGMENT, begin, format_named, walk};
use crate::say::{self, Failure, Outcome};

#[derive(Clone, Copy, clap::ValueEnum)]
enum To {
    /// 標準の表（Parquet、1表1ファイル）
    Parquet,
    /// OMOP CDM 5.4（CSV）
    Omop,
    /// FHIR R4（NDJSON）
    Fhir,
    /// SAS 移送ファイル（XPORT v5、SDTM 風）
    Xport,
}

#[derive(clap::Args)]
pub(crate) struct Convert {
    /// 形式（auto なら先頭から判定。inspect と同じ名前）
    format: String,
    /// ファイルまたはフォルダ（.xz は展開しながら読みます）
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// 出力の様式
    #[arg(long, value_enum)]
    to: To,
    /// 出力先のフォルダ（まだないもの）
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// 氏名・住所・番号・職員・元の患者番号も出力します
    #[arg(long)]
    identifiers: bool,
    /// 自由文も出力します
    #[arg(long)]
    texts: bool,
    /// 標準概念の対応表（CSV：code_system,code,concept_id。OMOP だけ）
    #[arg(long, value_name = "FILE")]
    concepts: Option<PathBuf>,
    /// 公開日（YYYY-MM-DD。省略時は今日）
    #[arg(long, value_name = "DATE")]
    released_on: Option<Date>,
    /// 結果を JSON で出力します
    #[arg(long)]
    json: bool,
}

/// Why a file's rows stopped.
enum Stop {
    Cut(CutError),
    Out(OutError),
    Plain(PlainError),
}

impl From<CutError> for Stop {
    fn from(e: CutError) -> Self {
        Self::Cut(e)
    }
}

/// What was read, the same in every pass.
#[derive(Default)]
struct Read {
    /// Files of a known format.
    files: u64,
    /// Segments that go into quarantine: nothing of them is converted.
    rejected: u64,
    /// Defects by rule.
    issues: BTreeMap<&'static str, u64>,
    /// Files left out, or read up to a point: path, sentence.
    left_out: Vec<(String, String)>,
}

/// What came out.
#[derive(Default)]
struct Written {
    summary: Summary,
    /// Rows by file.
    rows: BTreeMap<String, u64>,
    /// Dates and numbers that could not be read.
    issues: BTreeMap<String, u64>,
}

pub(crate) fn convert(args: &Convert) -> Outcome {
    let only = format_named(&args.format)?;
    let mut files = Vec::new();
    for path in &args.paths {
        walk(path, "", &mut files)?;
    }
    if args.out.exists() {
        return Err(Failure::plain(
            "出力先のフォルダが既にあります。まだない名前を指定してください。",
            "the output exists",
        ));
    }
    // Half an output never stands under the name asked for.
    let partial = args.out.with_extension("partial");
    let unwritable = || Failure::io("出力先を作れません。場所と権限を確認してください。");
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(unwritable())?;
    }
    fs::create_dir_all(&partial).map_err(unwritable())?;
    let made = make(args, only, &files, &partial);
    let (read, written) = match made {
        Ok(made) => made,
        Err(e) => {
            let _ = fs::remove_dir_all(&partial);
            return Err(e);
        }
    };
    if read.files == 0 {
        let _ = fs::remove_dir_all(&partial);
        return Err(Failure::plain("読み取れるファイルがありません。", "nothing was read"));
    }
    fs::rename(&partial, &args.out).map_err(unwritable())?;
    if args.json {
        say::line(&as_json(&read, &written).to_string());
    } else {
        print(&read, &written);
    }
    Ok(())
}

type Files = [(PathBuf, String)];

fn make(
    args: &Convert,
    only: Option<Format>,
    files: &Files,
    folder: &Path,
) -> Result<(Read, Written), Failure> {
    let today = SystemClock.today();
    let released_on = args.released_on.unwrap_or(today);
    let target = match args.to {
        To::Parquet => return plain(args, only, files, folder, released_on),
        To::Omop => out::Target::Omop,
        To::Fhir => out::Target::Fhir,
        To::Xport => out::Target::Xport,
    };
    let concepts = args.concepts.as_deref().map(concepts).transpose()?;
    let vocabulary = concepts.as_ref().map(|of| {
        move |system: &str, code: &str| of.get(system).and_then(|codes| codes.get(code)).copied()
    });
    let mut survey = out::Survey::default();
    rows(only, files, "1/2", &mut |person, _, record| {
        survey.note(person, record);
        Ok(())
    })?;
    let released_on = released_on.to_string();
    let options = out::Options {
        released_on: &released_on,
        vocabulary: vocabulary.as_ref().map(|v| v as &out::Vocabulary<'_>),
        vocabulary_version: if vocabulary.is_some() { "operator" } else { "none" },
        identifiers: args.identifiers,
        texts: args.texts,
        ..out::Options::default()
    };
    let sinks = |name: &str| File::create_new(folder.join(name)).map(BufWriter::new);
    let failed = |e: OutError| Failure::new(e.ja(), &e);
    let mut writer = out::Out::new(target, survey, options, sinks).map_err(failed)?;
    let read = rows(only, files, "2/2", &mut |person, _, record| {
        writer.push(person, record).map_err(Stop::Out)
    })?;
    let summary = writer.finish().map_err(failed)?;
    let rows = summary.rows_out.clone();
    Ok((read, Written { summary, rows, ..Written::default() }))
}

fn plain(
    args: &Convert,
    only: Option<Format>,
    files: &Files,
    folder: &Path,
    received_on: Date,
) -> Result<(Read, Written), Failure> {
    let failed = |e: PlainError| Failure::new(e.ja(), &e);
    let keep = Keep { identifiers: args.identifiers, texts: args.texts };
    let mut tables = PlainTables::new(folder, keep, received_on).map_err(failed)?;
    let read = rows(only, files, "1/1", &mut |person, place, record| {
        tables.push(person, place, record).map_err(Stop::Plain)
    })?;
    let (totals, quality) = tables.finish().map_err(failed)?;
    let rows = totals.iter().map(|(table, n)| (format!("{table}.parquet"), n)).collect();
    let issues = quality.rules().iter().map(|(rule, n)| (rule.clone(), n.count)).collect();
    Ok((read, Written { rows, issues, ..Written::default() }))
}

type Each<'e> = dyn FnMut(&str, Place<'_>, &Record<'_>) -> Result<(), Stop> + 'e;

/// Every record of the files. A file that cannot be read to its end gives what it gave until then, and is named.
fn rows(
    only: Option<Format>,
    files: &Files,
    pass: &str,
    each: &mut Each<'_>,
) -> Result<Read, Failure> {
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{msg} {bytes} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut read = Read::default();
    for (number, (disk, path)) in (1_u64..).zip(files) {
        bar.set_message(format!("{pass} {number}/{}", files.len()));
        let name = path.strip_suffix(".xz").unwrap_or(path);
        let (format, input) = match begin(only, disk, name) {
            Ok(begun) => begun,
            Err(ja) => {
                read.left_out.push((path.clone(), ja.into()));
                continue;
            }
        };
        read.files += 1;
        let parser = format.parser();
        let done = cut(format, name, input, MAX_SEGMENT, Want::All, |piece| {
            let (parsed, line) = match &piece {
                Piece::Header(_) => return Ok(()),
                Piece::Remark(parsed) => (parsed, 0),
                Piece::Segment(unit) => {
                    bar.inc(unit.bytes.len() as u64);
                    (&unit.parsed, unit.line)
                }
            };
            for issue in &parsed.issues {
                *read.issues.entry(issue.rule).or_default() += u64::from(issue.count);
            }
            if parsed.rejected {
                read.rejected += 1;
                return Ok(());
            }
            let place = Place { file: name, number, line, parser };
            let person = parsed.person.unwrap_or_default();
            parsed.records.iter().try_for_each(|record| each(person, place, record))
        });
        match done {
            Ok(()) => {}
            Err(Stop::Cut(e)) => read.left_out.push((path.clone(), e.ja())),
            Err(Stop::Out(e)) => return Err(Failure::new(e.ja(), &e)),
            Err(Stop::Plain(e)) => return Err(Failure::new(e.ja(), &e)),
        }
    }
    bar.finish_and_clear();
    Ok(read)
}

/// Concepts by code system and code.
type Concepts = HashMap<String, HashMap<String, i32>>;

fn concepts(path: &Path) -> Result<Concepts, Failure> {
    let bad = |line: u64, cause: &str| {
        let ja = format!(
            "標準概念の対応表の{line}行目を読み取れません。見出し code_system,code,concept_id と、整数の番号にしてください。"
        );
        Failure::plain(ja, cause.to_owned())
    };
    let text = fs::read_to_string(path).map_err(Failure::io(
        "標準概念の対応表を読み取れません。場所と、文字コード（UTF-8）を確かめてください。",
    ))?;
    let mut lines = (1_u64..).zip(text.trim_start_matches('\u{feff}').lines());
    if lines.next().is_none_or(|(_, header)| header.trim_end() != "code_system,code,concept_id") {
        return Err(bad(1, "another header"));
    }
    let mut of = Concepts::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let mut cells = line.trim_end().split(',');
        let (Some(system), Some(code), Some(concept), None) =
            (cells.next(), cells.next(), cells.next(), cells.next())
        else {
            return Err(bad(number, "not three cells"));
        };
        let concept = concept.parse().map_err(|_| bad(number, "no number"))?;
        let codes = of.entry(system.to_owned()).or_default();
        if codes.insert(code.to_owned(), concept).is_some_and(|other| other != concept) {
            return Err(bad(number, "one code, two concepts"));
        }
    }
    Ok(of)
}

fn as_json(read: &Read, written: &Written) -> Value {
    let summary = &written.summary;
    let left_out: Vec<Value> = summary
        .left_out
        .iter()
        .map(|((table, reason), n)| {
            json!({"table": table, "reason": reason.as_str(), "ja": reason.ja(), "rows": n})
        })
        .collect();
    let imputed: Vec<Value> = summary
        .imputed
        .iter()
        .map(|((column, rule), n)| json!({"column": column, "rule": rule, "values": n}))
        .collect();
    let files: Vec<Value> =
        read.left_out.iter().map(|(path, ja)| json!({"path": path, "ja": ja})).collect();
    let mut issues: BTreeMap<&str, u64> = read.issues.iter().map(|(r, n)| (*r, *n)).collect();
    for (rule, n) in &written.issues {
        *issues.entry(rule).or_default() += n;
    }
    json!({
        "files": read.files,
        "files_left_out": files,
        "rejected_segments": read.rejected,
        "issues": issues,
        "rows_in": summary.rows_in,
        "carried": summary.carried,
        "rows_left_out": left_out,
        "completed": imputed,
        "shortened": summary.shortened,
        "rows_out": written.rows,
    })
}

fn print(read: &Read, written: &Written) {
    say::line(&format!("{} ファイルを読み取り、次のファイルを書きました。", read.files));
    for (file, rows) in &written.rows {
        say::line(&format!("  {file}：{rows} 行"));
    }
    for ((table, reason), rows) in &written.summary.left_out {
        say::line(&format!("  載せない行 {table}（{rows}）：{}", reason.ja()));
    }
    for ((column, rule), values) in &written.summary.imputed {
        say::line(&format!("  補った値 {column}（{rule}）：{values}"));
    }
    for (column, values) in &written.summary.shortened {
        say::line(&format!("  様式の長さを超える値 {column}：{values}"));
    }
    if read.rejected > 0 {
        say::line(&format!("  隔離すべき断片（変換していません）：{}", read.rejected));
    }
    for (rule, n) in &read.issues {
        say::line(&format!("  不備 {rule}（{n} 件）：{}", rule_ja(rule)));
    }
    for (rule, n) in &written.issues {
        say::line(&format!("  不備 {rule}（{n} 件）：{}", rule_ja(rule)));
    }
    for (path, ja) in &read.left_out {
        say::line(&format!("対象外 {path}：{ja}"));
    }
}
