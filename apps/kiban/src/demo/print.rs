//! What the demo did, in plain words.

use super::Demo;
use crate::say::line;

pub(crate) fn summary(demo: &Demo) {
    let s = &demo.story;
    line("");
    line("■ 受入れ（取扱事業者の端末 → 認定作成事業者のゲート）");
    line(&format!(
        "  30日目：{} 人すべて保留（待機期間中）。31日目：{} 人を送付。",
        s.day_30_held, s.day_31_passed
    ));
    for d in &s.deliveries {
        line(&format!(
            "  {}：{} 人のうち送付 {} 人（{} 断片）、受入れ {} 人、{} 行",
            d.holder,
            d.persons_in_source,
            d.persons_sealed,
            d.segments_sealed,
            d.persons_accepted,
            d.rows.values().sum::<u64>()
        ));
        for h in &d.held_by_holder {
            line(&format!("    端末で保留 {:>5} 人  {}：{}", h.persons, h.regime, h.reason_ja));
        }
        for h in &d.held_by_producer {
            line(&format!(
                "    作成事業者で不受理 {:>3} 人  {}：{}",
                h.persons, h.regime, h.reason_ja
            ));
        }
        for (rule, count) in &d.quarantined {
            line(&format!("    検査の指摘 {count:>5} 件  {rule}"));
        }
    }
    let l = &s.linkage;
    line("■ 名寄せ（完全一致の鍵）");
    line(&format!(
        "  {} 記録 → {} 人。結んだ組 {}（真値と一致 {}、誤り {}）。完全一致の鍵がある真値の組 {} のうち {} を結合。",
        l.records,
        l.persons,
        l.pairs_found,
        l.pairs_right,
        l.pairs_wrong,
        l.pairs_true_exact,
        l.pairs_exact_found
    ));
    line("■ 制度ごとの到達（真値との照合）");
    for g in &s.groups {
        line(&format!(
            "  {}：{} 人  匿名 {}/{}、仮名 {}/{}（届いた/届くべき）{}",
            g.group_ja,
            g.people,
            g.reached[0],
            g.expected[0],
            g.reached[1],
            g.expected[1],
            if g.wrong == 0 { "一致" } else { "【不一致】" }
        ));
    }
    line("■ データセット");
    for d in &s.datasets {
        line(&format!(
            "  {}（{}）→ {}：{} 人のうち {} 人（k の実測 {}、除いた人 {}）、{} 行。漏えい検査 {} セルで一致 {}",
            d.product_ja,
            d.title,
            d.recipient,
            d.persons_cleared,
            d.persons_out,
            d.k_measured,
            d.persons_suppressed,
            d.rows.values().sum::<u64>(),
            d.cells_scanned,
            d.leaks
        ));
        let worst = d.adversaries.iter().map(|a| a.after.singled_out).max().unwrap_or_default();
        line(&format!(
            "    攻撃者 {} 通り：一人に絞られる人は最も多くて {worst} 人。目立つよう植え込んだ {} 人のうち {} 人を特定。",
            d.adversaries.len(),
            d.planted[0],
            d.planted[1]
        ));
        line(&format!("    {}  {}", d.id, d.package));
    }
    line(&format!(
        "  仮名の共有：同じ研究の2回の提供で {} 人が同じ番号、別の研究と {}、匿名加工と {}",
        s.pseudonyms[0], s.pseudonyms[1], s.pseudonyms[2]
    ));
    line("■ 断ったこと");
    for (tried, answer) in &s.refusals {
        line(&format!("  {tried}\n    → {}", answer.replace('\n', "\n      ")));
    }
    line("■ 提供後の停止");
    line(&format!(
        "  {} が確認。消した行 {}、復号できなくした鍵 {}、残り {} 行。",
        s.stop.stores.join("、"),
        s.stop.rows_erased,
        s.stop.segments_shredded,
        s.stop.present_after
    ));
    line(&format!("  以前のデータセットの再作成 → {}", s.stop.rebuild_refused));
    line(&format!(
        "  --without-stopped：{} 人で再作成。次のデータセット：{} 人。",
        s.stop.rebuilt_without, s.stop.next_persons
    ));
    line("■ 検証");
    line(&format!("  事象 {} 件、ファイル {} 個：すべて一致。", s.events, s.files_verified));
    let total: f64 = s.seconds.iter().map(|(_, t)| t).sum();
    line(&format!("  所要時間 {total:.1} 秒"));
    let dir = demo.dir.display();
    line("");
    line(&format!("報告：{dir}/report.html"));
    line("次に見るところ：");
    line(&format!("  kiban audit verify {dir}"));
    if let Some(d) = s.datasets.first() {
        line(&format!("  kiban rebuild --dir {dir} {} --out rebuilt --without-stopped", d.id));
    }
}
