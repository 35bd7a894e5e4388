//! The simulated country's truth, read back from its files and held against the deployment.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use kiban_journeys::{
    Deployment, Parties, StopRequest,
    kernel::{Bases, Regime},
    stop::{Requester, Scope},
};

use super::story::{GroupStory, LinkageStory};
use crate::say::Failure;

fn rows(path: &Path) -> Result<Vec<BTreeMap<String, String>>, Failure> {
    let failed = |e: csv::Error| Failure::new("模擬の国のファイルを読めません。", &e);
    let mut reader = csv::Reader::from_path(path).map_err(failed)?;
    let header = reader.headers().map_err(failed)?.clone();
    reader
        .records()
        .map(|record| {
            let record = record.map_err(failed)?;
            Ok(header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect())
        })
        .collect()
}

fn group_ja(group: &str) -> &str {
    match group {
        "both" => "法52条・57条とも通知",
        "anon_only" => "法52条のみ通知",
        "pseudo_only" => "法57条のみ通知",
        "neither" => "通知なし",
        "waiting" => "待機期間中",
        "refused" => "送付前に停止の求め",
        "dead_before_notice" => "通知前に死亡",
        "later_stop" => "送付後に停止の求め",
        other => other,
    }
}

/// Who must and who did reach each product, by group.
pub(crate) async fn groups(
    on: &Deployment,
    truth: &Path,
    column: [&str; 2],
) -> Result<Vec<GroupStory>, Failure> {
    let mut cleared = Vec::new();
    for regime in Regime::ALL {
        cleared.push(kiban_journeys::cleared_sources(on, regime).await?);
    }
    let all = rows(&truth.join("regimes.csv"))?;
    let mut by_holder: BTreeMap<&str, Vec<&BTreeMap<String, String>>> = BTreeMap::new();
    for row in &all {
        by_holder.entry(row["holder"].as_str()).or_default().push(row);
    }
    let mut groups: BTreeMap<String, GroupStory> = BTreeMap::new();
    for (holder, of_holder) in by_holder {
        let organization = Parties::organization_id(holder);
        let locals = of_holder.iter().map(|r| r["local_id"].as_str());
        let sources = kiban_journeys::person_sources(on, organization, locals).await?;
        for (row, source) in of_holder.iter().zip(sources) {
            let group = groups.entry(row["group"].clone()).or_insert_with(|| GroupStory {
                group_ja: group_ja(&row["group"]).to_owned(),
                people: 0,
                expected: [0, 0],
                reached: [0, 0],
                wrong: 0,
            });
            group.people += 1;
            for (i, name) in column.iter().enumerate() {
                let expected = row[*name] == "yes";
                let reached = cleared[i].contains(&source.to_string());
                group.expected[i] += u64::from(expected);
                group.reached[i] += u64::from(reached);
                group.wrong += u64::from(expected != reached);
            }
        }
    }
    Ok(groups.into_values().collect())
}

/// Of the persons planted to be found (mayor, oldest, extreme values): how many the product could hold, and how many an
/// adversary singles out.
pub(crate) async fn planted(
    on: &Deployment,
    truth: &Path,
    regime: Regime,
    singled_out: &[(String, Vec<String>)],
) -> Result<[u64; 2], Failure> {
    let links = kiban_journeys::links(on).await?;
    let cleared = kiban_journeys::cleared_sources(on, regime).await?;
    let found: BTreeSet<&str> =
        singled_out.iter().flat_map(|(_, persons)| persons).map(String::as_str).collect();
    let mut counts = [0, 0];
    for row in rows(&truth.join("planted.csv"))? {
        if matches!(row["kind"].as_str(), "homonym" | "twin") {
            continue;
        }
        let holder = Parties::organization_id(&row["holder"]);
        let sources =
            kiban_journeys::person_sources(on, holder, [row["local_id"].as_str()]).await?;
        let persons = sources
            .iter()
            .filter(|source| cleared.contains(&source.to_string()))
            .filter_map(|source| links.get(source));
        for person in persons {
            counts[0] += 1;
            counts[1] += u64::from(found.contains(person.to_string().as_str()));
        }
    }
    Ok(counts)
}

/// Links over holders against the true pairs whose records were both taken in.
pub(crate) async fn linkage(on: &Deployment, truth: &Path) -> Result<LinkageStory, Failure> {
    let links = kiban_journeys::links(on).await?;
    let persons: BTreeSet<_> = links.values().collect();
    let mut story = LinkageStory {
        records: links.len() as u64,
        persons: persons.len() as u64,
        ..Default::default()
    };
    let mut members: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (source, person) in &links {
        members.entry(*person).or_default().push(*source);
    }
    let mut found = BTreeSet::new();
    for of_person in members.values() {
        for (i, a) in of_person.iter().enumerate() {
            for b in &of_person[i + 1..] {
                found.insert((*a.min(b), *a.max(b)));
            }
        }
    }
    story.pairs_found = found.len() as u64;
    let pairs = rows(&truth.join("pairs.csv"))?;
    let record = |row: &BTreeMap<String, String>, end: &str| {
        (row[&format!("holder_{end}")].clone(), row[&format!("local_id_{end}")].clone())
    };
    let mut by_holder: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (holder, local) in pairs.iter().flat_map(|row| ["a", "b"].map(|end| record(row, end))) {
        by_holder.entry(holder).or_default().insert(local);
    }
    let mut sources = BTreeMap::new();
    for (holder, locals) in by_holder {
        let organization = Parties::organization_id(&holder);
        let ids = locals.iter().map(String::as_str);
        let found = kiban_journeys::person_sources(on, organization, ids).await?;
        sources.extend(locals.iter().map(|local| (holder.clone(), local.clone())).zip(found));
    }
    let mut right = BTreeSet::new();
    for row in &pairs {
        let ends = ["a", "b"].map(|end| sources[&record(row, end)]);
        if !ends.iter().all(|e| links.contains_key(e)) {
            continue;
        }
        story.pairs_true_all += 1;
        let exact = row["exact_key"] == "yes";
        story.pairs_true_exact += u64::from(exact);
        let pair = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        if found.contains(&pair) {
            right.insert(pair);
            story.pairs_exact_found += u64::from(exact);
        }
    }
    story.pairs_right = right.len() as u64;
    story.pairs_wrong = story.pairs_found - story.pairs_right;
    Ok(story)
}

/// Stop requests of a holder's list (`local_id,regimes,requested_on,receipt_no`).
pub(crate) fn stops(list: &Path, holder: &str) -> Result<Vec<StopRequest>, Failure> {
    if !list.exists() {
        return Ok(Vec::new());
    }
    rows(list)?
        .iter()
        .map(|row| {
            let requested_on = row["requested_on"].parse().map_err(|_| {
                Failure::plain("停止の求めの日付を読めません。", "bad date in a list of stops")
            })?;
            let regimes: Bases =
                row["regimes"].split(';').filter_map(|r| r.parse::<Regime>().ok()).collect();
            Ok(StopRequest {
                holder: Parties::organization_id(holder),
                local_id: row["local_id"].clone(),
                regimes,
                requested_on,
                receipt_number: row["receipt_no"].clone(),
                requester: Requester::Person,
                evidence: "本人確認記録".to_owned(),
                scope: Scope::Holder,
                identities: Vec::new(),
            })
        })
        .collect()
}
