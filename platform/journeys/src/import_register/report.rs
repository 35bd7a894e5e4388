//! The reconciliation report: every row read is accepted, known before, or refused by a rule with its position.

use std::collections::BTreeMap;

use kiban_kernel::{Id, kinds};
use serde::{Deserialize, Serialize};

use super::ImportKind;

/// Positions kept of a rule.
pub(super) const MOST_POSITIONS: usize = 200;

/// Rows under one rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuleCount {
    /// How many.
    pub rows: u64,
    /// The first rows, from 1 for the first below the header; at most 200.
    pub positions: Vec<u64>,
}

impl RuleCount {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        let room = MOST_POSITIONS.saturating_sub(self.positions.len());
        self.positions.extend(other.positions.iter().take(room));
    }
}

/// Counts of one file or batch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportCounts {
    /// Rows below the header.
    pub read: u64,
    /// Rows that are on the register now and were not before.
    pub accepted: u64,
    /// Rows that were on the register already, or stand twice in the file.
    pub known: u64,
    /// Rows refused, by rule.
    pub refused: BTreeMap<String, RuleCount>,
    /// Accepted rows of which something was assumed, by rule.
    pub remarks: BTreeMap<String, RuleCount>,
    /// Notices accepted, by regime.
    pub notices: BTreeMap<String, u64>,
    /// Stops carried over, by regime; a stop of both counts under each.
    pub stops: BTreeMap<String, u64>,
}

impl ImportCounts {
    pub(super) fn refuse(&mut self, rule: &str, row: u64) {
        self.refused
            .entry(rule.to_owned())
            .or_default()
            .add(&RuleCount { rows: 1, positions: vec![row] });
    }
    pub(super) fn remark(&mut self, rule: &str, row: u64) {
        self.remarks
            .entry(rule.to_owned())
            .or_default()
            .add(&RuleCount { rows: 1, positions: vec![row] });
    }
    /// Rows refused in all.
    pub fn refused_rows(&self) -> u64 {
        self.refused.values().map(|r| r.rows).sum()
    }
    /// Does every row read stand in one of the three?
    pub fn adds_up(&self) -> bool {
        self.read == self.accepted + self.known + self.refused_rows()
    }
    pub(super) fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.accepted += other.accepted;
        self.known += other.known;
        for (mine, theirs) in
            [(&mut self.refused, &other.refused), (&mut self.remarks, &other.remarks)]
        {
            for (rule, count) in theirs {
                mine.entry(rule.clone()).or_default().add(count);
            }
        }
        for (mine, theirs) in [(&mut self.notices, &other.notices), (&mut self.stops, &other.stops)]
        {
            for (regime, n) in theirs {
                *mine.entry(regime.clone()).or_default() += n;
            }
        }
    }
}

/// Persons with a notice on the register, by regime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonCounts {
    /// Under Art. 52.
    pub anon52: u64,
    /// Under Art. 57.
    pub pseudo57: u64,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// The import; the same file gives the same id.
    pub import: Id<kinds::Delivery>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What it holds.
    pub kind: ImportKind,
    /// Batches committed now.
    pub batches: u64,
    /// Batches that an earlier run had committed.
    pub batches_before: u64,
    /// All rows of the file, whenever committed.
    pub counts: ImportCounts,
    /// Persons before the import began.
    pub before: PersonCounts,
    /// Persons after it.
    pub after: PersonCounts,
    /// Stops that are not yet in effect in every store.
    pub stops_open: u64,
    /// Withdrawals that wait for that.
    pub withdrawals_waiting: u64,
}

/// The Japanese sentence of a rule.
pub fn import_rule_ja(rule: &str) -> &'static str {
    match rule {
        "import.columns" => "列の数が見出しと異なります。",
        "import.encoding" => "UTF-8 として読めません。",
        "import.holder" => "提供元が登録されていません。",
        "import.person" => "提供元での番号がありません。",
        "import.regime" => "制度（anon52・pseudo57）を読み取れません。",
        "import.version" => "通知文書の版が、その提供元・制度で登録されていません。",
        "import.date" => "通知日を読み取れません。",
        "import.future" => "通知日が引継ぎの日より後です。",
        "import.before-version" => "通知日が、その版を使い始めた日より前です。",
        "import.before-regime" => "通知日にはまだ制度が施行されていません。",
        "import.birth" => "生年月日を読み取れません。",
        "import.death" => "死亡日を読み取れません。",
        "import.died-before" => "通知前に死亡しています（前後が分からない場合を含む）。",
        "import.guardian" => "通知時に規則の年齢未満ですが、保護者等への通知がありません。",
        "import.guardian-code" => "保護者等への通知の有無（0・1）を読み取れません。",
        "import.channel" => "通知の方法がありません。",
        "import.stopped" => {
            "提供停止の求めがあるため、通知の記録は引き継ぎません（求めは引き継がれています）。"
        }
        "import.stop-regimes" => {
            "対象の制度を読み取れないため、両方の制度の求めとして引き継ぎました。"
        }
        "import.stop-date" => "求めの日を読み取れないため、引継ぎの日の求めとして引き継ぎました。",
        "import.stop-receipt" => "受付番号がないため、ファイルと行から番号を付けて引き継ぎました。",
        "import.stop-receipt-taken" => {
            "受付番号が別の求めに使われているため、行の番号を加えて引き継ぎました。"
        }
        "import.stop-requester" => "求めた人を読み取れないため、本人の求めとして引き継ぎました。",
        "import.stop-evidence" => {
            "資格の確認資料の番号がないため、引継ぎファイルを資料として記録しました。"
        }
        "import.withdrawal" => {
            "撤回の日または番号を読み取れないため、撤回は引き継いでいません（停止したままです）。"
        }
        _ => "規則の説明がありません。",
    }
}
