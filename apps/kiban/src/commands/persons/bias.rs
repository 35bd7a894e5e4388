//! `kiban link bias` and `kiban link graph`.

use std::path::{Path, PathBuf};

use kiban_journeys::{Actor, Deployment, organization_named, person_sources};

use crate::{
    link_page,
    output::Output,
    say::{self, Failure, Outcome},
};

fn json(path: &Path, value: &impl serde::Serialize) -> Outcome {
    let text =
        serde_json::to_vec_pretty(value).map_err(|e| Failure::new("報告を書き出せません。", &e))?;
    Output::write(path, &text)
}

pub(super) async fn bias(
    on: &Deployment,
    actor: &Actor,
    to_json: Option<PathBuf>,
    to_html: Option<PathBuf>,
) -> Outcome {
    let report = kiban_journeys::link_bias(on, actor).await?;
    if let Some(path) = to_json {
        json(&path, &report)?;
    }
    if let Some(path) = to_html {
        let page =
            link_page::bias(&report).map_err(|e| Failure::new("報告を書き出せません。", &e))?;
        Output::write(&path, page.as_bytes())?;
    }
    say::line(&format!(
        "記録 {} 件、同じ人と分かっている組 {} 組{}",
        report.records,
        report.known_pairs,
        if report.known_pairs == 0 { "（再現率はモデルの見込みです）" } else { "" }
    ));
    for g in report.groups.iter().take(12) {
        say::line(&format!(
            "  {}：{}　再現率 {:.3}（{:.3}〜{:.3}）　記録 {}",
            g.group.ja(),
            link_page::value_ja(&g.value),
            g.recall.value,
            g.recall.low,
            g.recall.high,
            g.records
        ));
    }
    Ok(())
}

pub(super) async fn graph(
    on: &Deployment,
    actor: &Actor,
    (holder, local_id): (&str, &str),
    out: &Path,
) -> Outcome {
    let holder = organization_named(on, holder).await?;
    let sources = person_sources(on, holder, [local_id]).await?;
    let Some(source) = sources.first() else {
        return Err(Failure::plain("番号を確かめてください。", "no source"));
    };
    let graph = kiban_journeys::link_graph(on, actor, *source).await?;
    if out.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
        json(out, &graph)?;
    } else {
        Output::write(out, kiban_web::cluster(&graph).as_bytes())?;
    }
    let weak = graph.graph.edges.iter().filter(|e| e.weak_bridge).count();
    say::line(&format!(
        "点 {}、線 {}、うち弱いつなぎ {weak}：{}",
        graph.graph.nodes.len(),
        graph.graph.edges.len(),
        out.display()
    ));
    Ok(())
}
