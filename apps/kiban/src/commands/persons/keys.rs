//! `kiban link key`: keys by which persons are joined with another database.

use std::{collections::BTreeSet, fs, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use kiban_journeys::{KeyRequest, Parties, Profile, kernel::Regime, key_profiles};

use super::Processor;
use crate::{
    output::Output,
    say::{self, Failure, Outcome},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 使える定義の一覧（公的な識別子と同じであることを示すものではありません）
    Profiles {
        /// 定義のファイル（省略時は組込みのもの）
        #[arg(long)]
        profiles: Option<PathBuf>,
    },
    /// 提供先と提供ごとの連結キーを作ります
    Make(Make),
    /// 前の提供のキーを、別の提供のキーに引き継ぎます
    Carry(Carry),
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// 匿名加工（法52条）
    Anon52,
    /// 仮名加工（法57条）
    Pseudo57,
}

#[derive(Args)]
pub(crate) struct Make {
    #[command(flatten)]
    who: Processor,
    /// 定義の名
    #[arg(long)]
    profile: String,
    /// 定義のファイル（省略時は組込みのもの）
    #[arg(long)]
    profiles: Option<PathBuf>,
    /// 公的な仕様書のファイル（定義がそれと同じであるとするときに要ります）
    #[arg(long)]
    specification: Vec<PathBuf>,
    /// 制度
    #[arg(long, value_enum, default_value = "anon52")]
    regime: Of,
    /// 提供先（parties.toml の名）
    #[arg(long)]
    recipient: String,
    /// 提供の名
    #[arg(long)]
    provision: String,
    /// 書き先（CSV：row,profile,version,key）
    #[arg(long)]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Carry {
    #[command(flatten)]
    who: Processor,
    /// 定義の名
    #[arg(long)]
    profile: String,
    /// 定義のファイル（省略時は組込みのもの）
    #[arg(long)]
    profiles: Option<PathBuf>,
    /// 引継ぎ元の提供先と提供の名
    #[arg(long, num_args = 2, value_names = ["提供先", "提供"])]
    from: Vec<String>,
    /// 引継ぎ先の提供先と提供の名
    #[arg(long, num_args = 2, value_names = ["提供先", "提供"])]
    to: Vec<String>,
    /// 前の提供のキー（一行に一つ）
    #[arg(long)]
    keys: PathBuf,
    /// 書き先（CSV：from,to）
    #[arg(long)]
    out: PathBuf,
}

fn read(file: Option<&PathBuf>) -> Result<Vec<Profile>, Failure> {
    let text = file
        .map(|path| fs::read_to_string(path).map_err(Failure::io("定義のファイルを読めません。")))
        .transpose()?;
    Ok(key_profiles(text.as_deref())?)
}

fn request(profile: &str, to: &[String], regime: Of) -> Result<KeyRequest, Failure> {
    let [recipient, provision] = to else {
        return Err(Failure::plain("提供先と提供の名を指定してください。", "two values needed"));
    };
    Ok(KeyRequest {
        profile: profile.to_owned(),
        regime: match regime {
            Of::Anon52 => Regime::Anon52,
            Of::Pseudo57 => Regime::Pseudo57,
        },
        recipient: Parties::organization_id(recipient),
        provision: provision.clone(),
    })
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::Profiles { profiles } => {
            for p in read(profiles.as_ref())? {
                let claim = p.official.map(|o| format!("  仕様書：{}", o.name)).unwrap_or_default();
                say::line(&format!("{} 第{}版  {}{claim}", p.id, p.version, p.ja));
            }
            Ok(())
        }
        Command::Make(args) => make(args).await,
        Command::Carry(args) => carry(args).await,
    }
}

async fn make(args: Make) -> Outcome {
    let profiles = read(args.profiles.as_ref())?;
    let mut specifications = Vec::new();
    for path in &args.specification {
        specifications.push(fs::read(path).map_err(Failure::io("仕様書のファイルを読めません。"))?);
    }
    let to = [args.recipient, args.provision];
    let request = request(&args.profile, &to, args.regime)?;
    let (on, actor) = args.who.open().await?;
    let released =
        kiban_journeys::make_link_keys(&on, &actor, &profiles, &specifications, &request).await?;
    let version = profiles
        .iter()
        .find(|p| p.id == args.profile)
        .map(|p| p.version.clone())
        .unwrap_or_default();
    let mut text = String::from("row,profile,version,key\n");
    for (row, key) in &released.rows {
        text.push_str(
            &[row.as_str(), args.profile.as_str(), version.as_str(), key.as_str()].join(","),
        );
        text.push('\n');
    }
    Output::write(&args.out, text.as_bytes())?;
    let c = &released.coverage;
    let share = if c.persons == 0 { 0.0 } else { c.with_key as f64 / c.persons as f64 * 100.0 };
    say::line(&format!(
        "連結キー {} 個：{} 人中 {} 人（{share:.1} %）、うち複数 {} 人、複数の人に共通するキー {} 個。",
        c.keys, c.persons, c.with_key, c.with_several, c.shared
    ));
    for (field, persons) in &c.lacking {
        say::line(&format!("  キーのない人：{field} がない {persons} 人"));
    }
    Ok(())
}

async fn carry(args: Carry) -> Outcome {
    let profiles = read(args.profiles.as_ref())?;
    let requests = [
        request(&args.profile, &args.from, Of::Anon52)?,
        request(&args.profile, &args.to, Of::Anon52)?,
    ];
    let text =
        fs::read_to_string(&args.keys).map_err(Failure::io("キーのファイルを読めません。"))?;
    let keys: BTreeSet<String> =
        text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
    let (on, actor) = args.who.open().await?;
    let pair = [&requests[0], &requests[1]];
    let carried = kiban_journeys::carry_link_keys(&on, &actor, &profiles, pair, &keys).await?;
    let mut out = String::from("from,to\n");
    for (from, to) in &carried {
        out.push_str(&[from.as_str(), to.as_str()].join(","));
        out.push('\n');
    }
    Output::write(&args.out, out.as_bytes())?;
    say::line(&format!("{} 個のうち {} 個を引き継ぎました。", keys.len(), carried.len()));
    Ok(())
}
