//! From the catalogue to a decision: applicant, secretariat, committee, manager, each on the own pages.

use serde_json::{Value, json};

use crate::support::{
    run, site,
    web::{Visitor, Web},
};

/// Everything an application needs.
pub(super) fn filled(title: &str) -> Vec<(&'static str, String)> {
    [
        ("title", title),
        ("responsible_name", "架空 責任者"),
        ("responsible_affiliation", "架空大学"),
        ("handlers", "架空 取扱者／架空大学"),
        ("purpose", "医療分野の研究開発"),
        ("method", "集計"),
        ("items", "condition.code\nmeasurement.value_num"),
        ("population", "記録のある者"),
        ("data_from", "2023-04-01"),
        ("data_until", "2025-05-12"),
        ("minimality", "必要な列に限る"),
        ("place", "管理区域"),
        ("environment", "分離した計算機"),
        ("security", "多要素認証"),
        ("publication", "学会"),
        ("funding", "自己資金"),
        ("conflicts", "なし"),
        ("use_from", "2025-05-12"),
        ("use_until", "2026-05-12"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .collect()
}

pub(super) fn pairs<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// Drafts and submits; gives the address of the case.
pub(super) async fn submitted(visitor: &mut Visitor, product: &str, title: &str) -> String {
    visitor.get("/applications/new").await.is(200);
    let mut fields = filled(title);
    fields.push(("product", product.to_owned()));
    let reply = visitor.post("/applications", &pairs(&fields)).await;
    reply.is(303);
    let path = reply.location().to_owned();
    visitor.get(&path).await.is(200).shows(title);
    visitor.post(&format!("{path}/submit"), &[]).await.is(303);
    path
}

pub(super) async fn votes(web: &Web, path: &str, members: &[&str]) {
    for key in members {
        let mut member = web.signed_in(key).await;
        member.get(&format!("{path}/review")).await.is(200);
        member.post(&format!("{path}/interest"), &[("interest", "no")]).await.is(303);
        let vote = [("vote", "approve"), ("reason", "適切である。")];
        member.post(&format!("{path}/vote"), &vote).await.is(303);
    }
}

#[test]
fn an_application_is_returned_changed_submitted_and_talked_about() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        researcher.get("/catalogue").await.is(200).shows("まだ記録を受け入れていません");
        // A draft may be unfinished; what is missing is named when it is submitted.
        researcher.get("/applications/new").await;
        let reply = researcher.post("/applications", &[("title", "途中の申請")]).await;
        let draft = reply.location().to_owned();
        researcher.get(&draft).await.is(200);
        researcher
            .post(&format!("{draft}/submit"), &[])
            .await
            .is(409)
            .shows("記入のない項目")
            .shows("利用目的");
        // Nobody else sees a draft, not even that it exists.
        let mut secretary = web.signed_in("secretary").await;
        let mut rival = web.signed_in("researcher_pharma_1").await;
        secretary.get(&draft).await.is(404);
        rival.get(&draft).await.is(404);
        rival.get("/applications").await.is(200).hides("途中の申請");

        let path = submitted(&mut researcher, "anonymized", "睡眠薬の研究").await;
        rival.get(&path).await.is(404);
        rival.get(&format!("{path}/print")).await.is(404);
        for act in ["edit", "submit", "withdraw"] {
            rival.post(&format!("{path}/{act}"), &[]).await.is(404);
        }
        rival.post(&format!("{path}/messages"), &[("text", "x")]).await.is(404);
        secretary.get(&path).await.is(200).shows("睡眠薬の研究").shows("付議する");
        secretary.post(&format!("{path}/messages"), &[("text", "対象の年齢は？")]).await.is(303);
        secretary
            .post(&format!("{path}/return"), &[("reason", "年齢の下限を書いてください。")])
            .await
            .is(303);
        researcher
            .get(&path)
            .await
            .shows("差し戻されています")
            .shows("年齢の下限")
            .shows("対象の年齢は？");
        let mut changed = filled("睡眠薬の研究");
        changed[7].1 = "二十歳以上で記録のある者".to_owned();
        researcher.get(&format!("{path}/edit")).await.is(200);
        researcher.post(&format!("{path}/edit"), &pairs(&changed)).await.is(303);
        researcher.post(&format!("{path}/submit"), &[]).await.is(303);
        // What changed is marked for whoever reads it again.
        let page = secretary.get(&path).await;
        page.shows("<span class=\"changed\"><strong>変更</strong> 二十歳以上");
        assert_eq!(page.body.matches("class=\"changed\"").count(), 1);
        // A step that the state lacks is refused with from, to and why.
        let mut manager = web.signed_in("manager").await;
        manager.get(&path).await.is(200);
        let decide = [("accept", "yes"), ("reason", "よい")];
        manager
            .post(&format!("{path}/decide"), &decide)
            .await
            .is(409)
            .shows("「提出済み」から「提供決定」へ進めません");
        secretary.get(&path).await;
        secretary.post(&format!("{path}/screen"), &[]).await.is(303);
        secretary.post(&format!("{path}/screen"), &[]).await.is(409);
        researcher.get("/home").await;
        researcher.post(&format!("{path}/withdraw"), &[]).await.is(303);
        researcher.get(&path).await.shows("取下げ");
    });
}

#[test]
fn the_committee_votes_in_secret_needs_its_categories_and_recuses() {
    run(|| async {
        let web = Web::of(site::registered().copy().await);
        let mut researcher = web.signed_in("researcher_university").await;
        let path = submitted(&mut researcher, "anonymized", "腎臓病の研究").await;
        // Before it is put to the committee, members do not have it.
        let mut first = web.signed_in("member_2").await;
        first.get(&path).await.is(404);
        first.get(&format!("{path}/review")).await.is(404);
        let mut secretary = web.signed_in("secretary").await;
        secretary.get(&path).await;
        secretary.post(&format!("{path}/screen"), &[]).await.is(303);

        // No vote without a declaration.
        first.get(&format!("{path}/review")).await.is(200).shows("利益相反の申告");
        let secret = "委員二の理由は秘密である。";
        let vote = [("vote", "approve"), ("reason", secret)];
        first.post(&format!("{path}/vote"), &vote).await.is(409).shows("利益相反の有無を申告");
        first.post(&format!("{path}/interest"), &[("interest", "no")]).await.is(303);
        first.post(&format!("{path}/vote"), &vote).await.is(303);
        first.post(&format!("{path}/vote"), &vote).await.is(409).shows("既に評決");

        // Nobody sees it: not another member, the secretariat, the manager, the auditor; page and interface alike.
        for key in ["member_1", "member_3", "member_5", "secretary", "manager", "auditor"] {
            let mut other = web.signed_in(key).await;
            other.get(&format!("{path}/review")).await.is(200).hides(secret);
            other.get(&path).await.is(200).hides(secret);
            let api = other.call("GET", &format!("{path}/review"), &json!({})).await;
            api.is(200).hides(secret);
            let seats = api.json()["seats"].as_array().unwrap().clone();
            assert!(seats.iter().all(|s| s["vote"] == ""), "{key}");
            assert_eq!(seats.iter().filter(|s| s["voted"] == true).count(), 1);
        }
        // The member of the applicant's own organization is recused.
        let mut tied = web.signed_in("member_5").await;
        tied.get(&format!("{path}/review"))
            .await
            .shows("利益相反があるため")
            .hides("この申請について<span");
        tied.post(&format!("{path}/interest"), &[("interest", "no")]).await.is(303);
        tied.post(&format!("{path}/vote"), &vote).await.is(409).shows("加わることはできません");
        // After the own vote the others' are open.
        votes(&web, &path, &["member_3"]).await;
        let mut third = web.signed_in("member_3").await;
        third.get(&format!("{path}/review")).await.shows(secret);

        // Without ③ the committee cannot advise, and says so.
        votes(&web, &path, &["member_1", "member_4", "member_6", "member_7"]).await;
        let mut chair = web.signed_in("member_1").await;
        chair.get(&format!("{path}/review")).await.shows("③").shows("いまは締め切れません");
        chair.post(&format!("{path}/close"), &[]).await.is(409).shows("③");
        secretary.post(&format!("{path}/minutes"), &[]).await.is(409).shows("締め切られていません");
        votes(&web, &path, &["member_8"]).await;
        // The chair closes, nobody else.
        first.get(&format!("{path}/review")).await;
        first.post(&format!("{path}/close"), &[]).await.is(409).shows("議長");
        chair.post(&format!("{path}/close"), &[]).await.is(303);
        chair.post(&format!("{path}/close"), &[]).await.is(409);
        secretary.get(&format!("{path}/review")).await.shows(secret).shows("委員会の意見：承認");
        tied.get(&format!("{path}/review")).await.hides(secret);
        secretary.post(&format!("{path}/minutes"), &[]).await.is(303);
        secretary
            .get(&format!("{path}/minutes"))
            .await
            .is(200)
            .shows("審査委員会議事録")
            .shows("利益相反により審議・議決に加わらない")
            .shows("承認 7票");
        tied.get(&format!("{path}/minutes")).await.is(409).hides(secret);

        // The producer decides; the public list shows it with its five columns.
        let mut manager = web.signed_in("manager").await;
        manager.get(&path).await.shows("提供の可否の決定");
        let decide = [
            ("accept", "yes"),
            ("reason", "意見を踏まえ提供する。"),
            ("conditions", "年1回の報告"),
        ];
        manager.post(&format!("{path}/decide"), &decide).await.is(303);
        let mut anybody = web.visitor();
        let list = anybody.get("/projects").await;
        list.is(200);
        for column in [
            "番号",
            "承認日",
            "課題名",
            "利用データの種類",
            "利用者の区分",
            "腎臓病の研究",
            "電子カルテ",
            "アカデミア",
        ] {
            list.shows(column);
        }
        let row: Value = anybody.get("/api/v1/projects").await.json()["projects"][0].clone();
        assert_eq!(
            (row["number"].as_u64(), row["user_class"].as_str()),
            (Some(1), Some("アカデミア"))
        );
        anybody
            .get("/projects.csv")
            .await
            .is(200)
            .shows("番号,承認日,課題名,利用データの種類,利用者の区分")
            .shows("腎臓病の研究");
        one_event_per_act(&web).await;
    });
}

/// Each act above left one event, and no event holds a word that somebody wrote.
async fn one_event_per_act(web: &Web) {
    let log = web.app.on().log();
    let events = log.events(0, log.size().await.unwrap()).await.unwrap();
    let count = |kind: &str| events.iter().filter(|e| e.kind == kind).count();
    assert_eq!(count("committee.voted"), 7);
    assert_eq!(count("committee.declared"), 8);
    for once in [
        "application.drafted",
        "application.submitted",
        "application.screened",
        "committee.closed",
        "committee.advised",
        "application.decided",
    ] {
        assert_eq!(count(once), 1, "{once}");
    }
}
