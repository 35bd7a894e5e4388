//! `kiban spec check SPEC.toml`, `kiban spec schema`

use std::{fs, path::PathBuf};

use kiban_journeys::{
    deid::spec::Spec,
    kernel::{Clock as _, Product, Rules, SystemClock},
};

use crate::say::{self, Failure, Outcome};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// 加工仕様書を両方の加工基準について検査します
    Check {
        /// 加工仕様書（TOML）
        spec: PathBuf,
        /// 一方の加工だけを検査します
        #[arg(long, value_enum)]
        mode: Option<Mode>,
    },
    /// 加工仕様書の JSON Schema を出力します
    Schema,
}

/// Which product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// 匿名加工
    Anonymized,
    /// 仮名加工
    Pseudonymized,
}

impl Mode {
    pub(crate) fn product(self) -> Product {
        match self {
            Self::Anonymized => Product::Anonymized,
            Self::Pseudonymized => Product::Pseudonymized,
        }
    }
}

pub(crate) fn run(command: Command) -> Outcome {
    match command {
        Command::Schema => {
            let text = serde_json::to_string_pretty(&Spec::json_schema())
                .map_err(|e| Failure::new("スキーマを書き出せません。", &e))?;
            say::line(&text);
            Ok(())
        }
        Command::Check { spec, mode } => {
            let text = fs::read_to_string(&spec).map_err(Failure::io(
                "加工仕様書を読めません。場所と文字コード（UTF-8）を確かめてください。",
            ))?;
            check(&text, mode)
        }
    }
}

fn check(text: &str, mode: Option<Mode>) -> Outcome {
    let spec = Spec::parse(text).map_err(|e| Failure::new(e.ja(), &e))?;
    let rules = Rules::built_in().map_err(|e| Failure::new("規則を読み取れません。", &e))?;
    let today = SystemClock.today();
    let modes = mode.map_or(vec![Mode::Anonymized, Mode::Pseudonymized], |m| vec![m]);
    let mut faults = 0;
    for mode in modes {
        let product = mode.product();
        // A plain table may name a fixed id for an example; a deployment refuses it at production.
        let checked = if spec.is_flat() {
            spec.check_tool(product, &rules, today)
        } else {
            spec.check(product, &rules, today)
        };
        match checked {
            Ok(checked) => {
                let columns: usize = checked.tables().iter().map(|t| t.output().count()).sum();
                say::line(&format!(
                    "{}：適合しています（出力 {columns} 列）。",
                    product.label_ja()
                ));
            }
            Err(e) => {
                faults += 1;
                say::line(&format!("{}：適合していません。\n{}", product.label_ja(), e.ja()));
            }
        }
    }
    if faults == 0 {
        Ok(())
    } else {
        Err(Failure::plain(
            "加工仕様書が加工基準に適合していません。上の指摘を直してください。",
            "specification refused",
        ))
    }
}
