//! `kiban audit verify DIR [--against CHECKPOINT]` and `kiban audit verify-proof FILE --key KEY`

mod verify_proof;

use std::{fs, path::PathBuf};

use crate::say::{self, Failure, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// 事象・表・包みを検証します（鍵は不要、何も書きません）
    Verify {
        /// 基盤のフォルダ
        dir: PathBuf,
        /// 手元の検査点（checkpoint）のファイル。複数可
        #[arg(long, value_name = "CHECKPOINT")]
        against: Vec<PathBuf>,
    },
    /// 提供停止の処理完了証・日次証を、ファイルと公開鍵だけで検証します
    VerifyProof(verify_proof::Args),
}

pub(crate) async fn run(command: Command) -> Outcome {
    let (dir, against) = match command {
        Command::Verify { dir, against } => (dir, against),
        Command::VerifyProof(args) => return verify_proof::run(&args),
    };
    let mut held = Vec::new();
    for path in against {
        let text = fs::read_to_string(&path)
            .map_err(Failure::io("検査点のファイルを読めません。場所を確かめてください。"))?;
        // A checkpoint as it is, or a receipt that carries one.
        let checkpoint = kiban_journeys::checkpoint_of_receipt(&text).unwrap_or(text);
        held.push((path.display().to_string(), checkpoint));
    }
    let verified = kiban_journeys::verify_deployment(&dir, &held).await?;
    if verified.findings.is_empty() {
        say::line(&format!(
            "検証しました：事象 {} 件、検査点 {} 件、表と容器のファイル {} 個（スナップショット {}）、包み {} 件。すべて一致しています。",
            verified.events,
            verified.checkpoints,
            verified.files,
            verified.snapshots,
            verified.packages
        ));
        return Ok(());
    }
    for finding in &verified.findings {
        say::line(&format!("不一致：{finding}"));
    }
    Err(Failure::plain(
        format!("検証で {} 件の不一致が見つかりました。", verified.findings.len()),
        "verification failed",
    ))
}
