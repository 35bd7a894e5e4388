//! `kiban audit verify-proof FILE --key KEY`: a proof sheet of stops, from the file and the public key alone. Opens no
//! deployment and no database.

use std::{fs, path::PathBuf};

use kiban_journeys::{
    stop::proof::{self, Sheet},
    store_ja, verify_key,
};

use crate::say::{self, Failure, Outcome};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// 処理完了証または日次証
    file: PathBuf,
    /// 作成事業者の公開鍵（「名前+符号+鍵」の文字列、またはそれを書いたファイル）
    #[arg(long)]
    key: String,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let sheet = fs::read_to_string(&args.file)
        .map_err(Failure::io("証のファイルを読めません。場所を確かめてください。"))?;
    let text = fs::read_to_string(&args.key).unwrap_or_else(|_| args.key.clone());
    let key = verify_key(text.trim()).map_err(|e| {
        Failure::new("公開鍵を読み取れません。鍵の文字列かファイルを確かめてください。", &e)
    })?;
    let sheet = proof::verify(&sheet, &[key]).map_err(|e| Failure::new(e.ja(), &e))?;
    match sheet {
        Sheet::Case { stop, receipt_number, closed_at, stores, .. } => {
            say::line(&format!(
                "検証しました：求め {stop}（受付 {receipt_number}）は {closed_at} に完了しています。"
            ));
            for store in stores {
                let counts: Vec<String> =
                    store.counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
                let counts =
                    if counts.is_empty() { "保管なし".to_owned() } else { counts.join("、") };
                say::line(&format!(
                    "  {}：{counts}（{}、事象 {}）",
                    store_ja(&store.store),
                    store.at,
                    store.event
                ));
            }
        }
        Sheet::Day { day, closed, open, overdue } => say::line(&format!(
            "検証しました：{day} の日次証。完了 {closed} 件、未完了 {open} 件（うち期限超過 {overdue} 件）。"
        )),
        _ => say::line("検証しました。"),
    }
    Ok(())
}
