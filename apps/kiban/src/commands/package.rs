//! `kiban package open FILE --key KEY --out DIR`

use std::path::PathBuf;

use crate::say::{self, Failure, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// 包みを開きます（署名と要約値を確かめ、一つでも合わなければ何も残しません）
    Open {
        /// 包み（package.age）
        file: PathBuf,
        /// 受領者の鍵（recipient.key）
        #[arg(long)]
        key: PathBuf,
        /// 開く先の新しいフォルダ
        #[arg(long)]
        out: PathBuf,
    },
}

pub(crate) fn run(command: Command) -> Outcome {
    let Command::Open { file, key, out } = command;
    let opened =
        kiban_journeys::open_package(&file, &key, &out).map_err(|e| Failure::new(e.ja(), &e))?;
    let manifest = &opened.manifest;
    say::line(&format!(
        "開きました：{}（データセット {}、{}、{} 人、{} ファイル）",
        out.display(),
        manifest.dataset,
        manifest.product.label_ja(),
        manifest.persons,
        opened.files
    ));
    for table in &manifest.tables {
        say::line(&format!("  {} {} 行 {} 列", table.name, table.rows, table.columns));
    }
    Ok(())
}
