//! `kiban mapping`: what holders' local codes mean: masters, items, candidates, proposals, a second person's signature.

mod items;
mod list;

use std::path::PathBuf;

use kiban_journeys::{
    Deployment, World,
    kernel::Date,
    map_codes::{
        self, EVERY_HOLDER, MappingId, NewMapping, NewMaster, UnitRule, import_master,
        links_of_master, propose_mappings, refuse_mapping, sign_mappings, withdraw_mapping,
    },
};

use crate::{
    At,
    say::{self, Failure, Outcome},
};

/// Who acts, and where.
#[derive(clap::Args)]
pub(crate) struct By {
    #[command(flatten)]
    at: At,
    /// 操作する人（parties.toml のアカウント名）
    #[arg(long = "as", default_value = "intake")]
    actor: String,
}

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// 取り込めるマスターの様式
    Layouts,
    /// 手元のコードマスター（CSV・TSV、UTF-8 または CP932）を取り込みます
    ImportMaster {
        #[command(flatten)]
        by: By,
        /// 様式（kiban mapping layouts）
        #[arg(long)]
        layout: String,
        /// 版（例：2026-04）
        #[arg(long)]
        edition: String,
        /// 出典：入手元と利用条件
        #[arg(long)]
        source: String,
        /// マスターのファイル
        file: PathBuf,
    },
    /// 取り込んだマスターの一覧
    Masters(By),
    /// 院内コードの一覧（件数・人数・名称・単位・対応付けの有無）
    Items(items::Items),
    /// 院内コードの対応先の候補（名称・単位・材料・方法・値の分布による点数と理由）
    Candidates(items::Candidates),
    /// 対応付けを提案します（別の人が承認するまで効力はありません）
    Propose(Propose),
    /// 提案を承認します（提案した本人は承認できません）
    Sign {
        #[command(flatten)]
        by: By,
        /// 番号（3、または 3-20）
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// 提案を却下します
    Refuse {
        #[command(flatten)]
        by: By,
        /// 番号
        id: u64,
        /// 理由
        #[arg(long)]
        reason: String,
    },
    /// 提案または承認済みの対応付けを取り下げます
    Withdraw {
        #[command(flatten)]
        by: By,
        /// 番号
        id: u64,
        /// 理由
        #[arg(long)]
        reason: String,
    },
    /// 対応付けの一覧
    List(list::List),
    /// 対応付けが変える行数と人数、換算後の値の分布
    Preview(list::Preview),
}

#[derive(clap::Args)]
pub(crate) struct Propose {
    #[command(flatten)]
    by: By,
    /// 提案の一覧（CSV：system,holder,local,code,unit_from,unit_to,analyte,target_analyte,from,until,replaces）
    #[arg(long, conflicts_with_all = ["system", "holder", "local", "code", "from"])]
    list: Option<PathBuf>,
    /// マスター自身が示す対応（例：disease から icd10）をすべての提供元について提案します（--system と --from とともに）
    #[arg(long, conflicts_with_all = ["list", "holder", "local", "code"], requires = "system")]
    links_of: Option<String>,
    /// 対応先のコード体系（jlac10、jlac11、yj、hot、receipt-drug、icd10）
    #[arg(long, required_unless_present = "list")]
    system: Option<String>,
    /// 提供元（parties.toml の名、または * ＝すべての提供元）
    #[arg(long, required_unless_present_any = ["list", "links_of"])]
    holder: Option<String>,
    /// 院内コード（items に表示される「体系|コード」、名称だけなら「||名称」）
    #[arg(long, required_unless_present_any = ["list", "links_of"])]
    local: Option<String>,
    /// 対応先のコード
    #[arg(long, required_unless_present_any = ["list", "links_of"])]
    code: Option<String>,
    /// 元の単位（--unit-to とともに）
    #[arg(long, requires = "unit_to")]
    unit_from: Option<String>,
    /// 標準の単位
    #[arg(long, requires = "unit_from")]
    unit_to: Option<String>,
    /// 分析物（質量と物質量の換算に用います。JLAC10 なら省略できます）
    #[arg(long, requires = "unit_from")]
    analyte: Option<String>,
    /// 適用する最初の日
    #[arg(long, required_unless_present = "list")]
    from: Option<Date>,
    /// 適用する最後の日
    #[arg(long)]
    until: Option<Date>,
    /// 置き換える承認済みの対応付けの番号
    #[arg(long)]
    replaces: Option<u64>,
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::Layouts => {
            map_codes::layouts().for_each(say::line);
            Ok(())
        }
        Command::ImportMaster { by, layout, edition, source, file } => {
            import(&by, &layout, &edition, &source, &file).await
        }
        Command::Masters(by) => list::masters(&by).await,
        Command::Items(items) => items::items(items).await,
        Command::Candidates(candidates) => items::candidates(candidates).await,
        Command::Propose(new) => propose(new).await,
        Command::Sign { by, ids } => {
            let (deployment, actor) = open(&by).await?;
            let ids = numbers(&ids)?;
            sign_mappings(&deployment, &actor, &ids).await?;
            say::line(&format!(
                "{} 件の対応付けを承認しました。今後の加工に反映されます。",
                ids.len()
            ));
            Ok(())
        }
        Command::Refuse { by, id, reason } => {
            let (deployment, actor) = open(&by).await?;
            refuse_mapping(&deployment, &actor, MappingId(id), &reason).await?;
            say::line("提案を却下しました。");
            Ok(())
        }
        Command::Withdraw { by, id, reason } => {
            let (deployment, actor) = open(&by).await?;
            withdraw_mapping(&deployment, &actor, MappingId(id), &reason).await?;
            say::line("対応付けを取り下げました。今後の加工には用いません。");
            Ok(())
        }
        Command::List(list) => list::list(list).await,
        Command::Preview(preview) => list::preview(preview).await,
    }
}

async fn open(by: &By) -> Result<(Deployment, kiban_journeys::Actor), Failure> {
    let deployment = Deployment::open(&by.at.dir, World::real()).await?;
    let actor = kiban_journeys::actor_named(&deployment, &by.actor).await?;
    Ok((deployment, actor))
}

async fn import(
    by: &By,
    layout: &str,
    edition: &str,
    source: &str,
    file: &std::path::Path,
) -> Outcome {
    let (deployment, actor) = open(by).await?;
    let bytes = std::fs::read(file).map_err(Failure::io("マスターのファイルを読めません。"))?;
    let new = NewMaster { bytes: &bytes, layout, edition, source };
    let imported = import_master(&deployment, &actor, &new).await?;
    if imported.known {
        say::line("この版は取込み済みです。何も変わっていません。");
        return Ok(());
    }
    let row = &imported.row;
    say::line(&format!(
        "{} {}：{} 件を取り込みました（使わなかった行 {}）。",
        row.layout, row.edition, row.entries, row.dropped
    ));
    for defect in imported.defects.iter().take(20) {
        say::line(&format!("  {}", defect.japanese()));
    }
    if imported.defects.len() > 20 {
        say::line(&format!("  ほか {} 件", imported.defects.len() - 20));
    }
    if !imported.unread.is_empty() {
        say::line(&format!("  使わない列：{}", imported.unread.join("、")));
    }
    Ok(())
}

/// `3`, `3-20`.
fn numbers(texts: &[String]) -> Result<Vec<MappingId>, Failure> {
    let bad = || {
        Failure::plain("番号は 3 または 3-20 の形で指定してください。", "no number of a mapping")
    };
    let mut out = Vec::new();
    for text in texts {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let from: u64 = from.parse().map_err(|_| bad())?;
        let to: u64 = to.parse().map_err(|_| bad())?;
        if to < from || to - from > 1_000_000 {
            return Err(bad());
        }
        out.extend((from..=to).map(MappingId));
    }
    Ok(out)
}

async fn propose(new: Propose) -> Outcome {
    let (deployment, actor) = open(&new.by).await?;
    let all = if let Some(path) = &new.list {
        read_list(&std::fs::read(path).map_err(Failure::io("提案の一覧を読めません。"))?)?
    } else if let Some(layout) = &new.links_of {
        let system = new.system.as_deref().unwrap_or_default();
        let from = new.from.unwrap_or_default();
        links_of_master(&deployment, &actor, layout, system, from).await?
    } else {
        vec![one(&new)]
    };
    let count = all.len();
    let ids = propose_mappings(&deployment, &actor, all).await?;
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
        say::line("提案がありません。");
        return Ok(());
    };
    let shown = if count == 1 { first.0.to_string() } else { format!("{}-{}", first.0, last.0) };
    say::line(&format!(
        "対応付け {shown} を提案しました（{count} 件）。別の人が承認するまで効力はありません。"
    ));
    Ok(())
}

/// The holder's id of a key of the parties' description; an id or `*` stays.
pub(super) fn holder_id(text: &str) -> String {
    if text == EVERY_HOLDER || text.starts_with("org_") {
        return text.to_owned();
    }
    kiban_journeys::Parties::organization_id(text).to_string()
}

fn one(new: &Propose) -> NewMapping {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    NewMapping {
        system: said(&new.system),
        holder: holder_id(&said(&new.holder)),
        local: said(&new.local),
        code: said(&new.code),
        unit: new.unit_from.clone().zip(new.unit_to.clone()).map(|(from, to)| UnitRule {
            from,
            to,
            analyte: new.analyte.clone(),
            target_analyte: None,
        }),
        from: new.from.unwrap_or_default(),
        until: new.until,
        replaces: new.replaces.map(MappingId),
    }
}

const COLUMNS: [&str; 11] = [
    "system",
    "holder",
    "local",
    "code",
    "unit_from",
    "unit_to",
    "analyte",
    "target_analyte",
    "from",
    "until",
    "replaces",
];

fn read_list(bytes: &[u8]) -> Result<Vec<NewMapping>, Failure> {
    let bad = |line: u64, what: &str| {
        Failure::plain(
            format!(
                "一覧の{line}行目を使えません（{what}）。見出しは {} です。何も登録していません。",
                COLUMNS.join(",")
            ),
            format!("line {line} of the list cannot be read"),
        )
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let heading = reader.headers().map_err(|_| bad(1, "見出し"))?;
    if heading.iter().map(str::trim).ne(COLUMNS) {
        return Err(bad(1, "見出し"));
    }
    let mut out = Vec::new();
    for (row, line) in reader.records().zip(2..) {
        let row = row.map_err(|_| bad(line, "列の数または文字コード"))?;
        let cell = |at: usize| row.get(at).unwrap_or_default().trim().to_owned();
        let some = |at: usize| Some(cell(at)).filter(|t| !t.is_empty());
        let day = |at: usize| some(at).map(|t| t.parse::<Date>()).transpose();
        let unit = match (some(4), some(5)) {
            (Some(from), Some(to)) => {
                Some(UnitRule { from, to, analyte: some(6), target_analyte: some(7) })
            }
            (None, None) => None,
            _ => return Err(bad(line, "単位は両方を書くか、両方を空にします")),
        };
        out.push(NewMapping {
            system: cell(0),
            holder: holder_id(&cell(1)),
            local: cell(2),
            code: cell(3),
            unit,
            from: day(8).map_err(|_| bad(line, "from"))?.ok_or_else(|| bad(line, "from"))?,
            until: day(9).map_err(|_| bad(line, "until"))?,
            replaces: some(10)
                .map(|t| t.parse().map(MappingId))
                .transpose()
                .map_err(|_| bad(line, "replaces"))?,
        });
    }
    Ok(out)
}
