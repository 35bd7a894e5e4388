//! The grid of data quality: planted errors are counted exactly, and judged again without receiving again.

use std::{collections::BTreeMap, fs, process::Command};

use kiban_journeys::{
    DeliveryReport, Error, NewReference, NewThreshold, Parties,
    holder::Gate,
    quality::{Aspect, Context, GridCell},
    thresholds::{Limit, Scope, Verdict, judge},
};

use crate::support::{
    Scratch,
    files::{self, csv_rows},
    lake, run,
    site::{self, Site},
};

const HOLDER: &str = "hospital_b";
const PLANTED: usize = 37;

/// Lets visits of persons who are accepted begin long before anybody's birth.
fn plant(site: &Site) {
    let accepted: Vec<String> = csv_rows(&site.truth().join("regimes.csv"))
        .into_iter()
        .filter(|r| {
            r["holder"] == HOLDER && (r["reaches_anon"] == "yes" || r["reaches_pseudo"] == "yes")
        })
        .map(|r| format!("\"Patient/{}\"", r["local_id"]))
        .collect();
    let path = files::find(&site.source(HOLDER), |p| p.ends_with("Encounter.ndjson"));
    let text = fs::read_to_string(&path).unwrap();
    let mut planted = 0;
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let begin = line.find("\"period\":{\"start\":\"").map(|at| at + 19);
            match begin.filter(|_| planted < PLANTED && accepted.iter().any(|a| line.contains(a))) {
                Some(begin) => {
                    planted += 1;
                    format!("{}1850{}", &line[..begin], &line[begin + 4..])
                }
                None => line.to_owned(),
            }
        })
        .collect();
    assert_eq!(planted, PLANTED);
    fs::write(&path, lines.join("\n") + "\n").unwrap();
}

async fn received(site: &Site) -> DeliveryReport {
    let sealed = site.seal(HOLDER, site.calendar.delivery_date, Gate::On).unwrap();
    site.receive(HOLDER, &sealed.path).await.report
}

fn cells(report: &DeliveryReport) -> BTreeMap<(Aspect, String, String), (u64, u64)> {
    let one = |c: &GridCell| ((c.aspect, c.table.clone(), c.check.clone()), (c.checked, c.failed));
    report.grid.iter().map(one).collect()
}

fn before_birth() -> (Aspect, String, String) {
    (Aspect::Plausibility, "encounter".into(), "plausible.before-birth".into())
}

fn threshold(share: f64, reason: &str) -> NewThreshold {
    let (aspect, table, check) = before_birth();
    NewThreshold {
        scope: Scope {
            holder: Some(Parties::organization_id(HOLDER)),
            table: Some(table),
            check: Some(check),
            aspect,
            context: Context::Verification,
        },
        limit: Some(Limit { share: Some(share), count: None }),
        owner: "品質管理責任者".into(),
        reason: reason.into(),
    }
}

#[test]
fn planted_errors_are_counted_exactly_and_nothing_else_moves() {
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        let plain = received(&site).await;
        site.close().await;

        let site = registered.copy().await;
        plant(&site);
        let report = received(&site).await;
        let (mut before, mut after) = (cells(&plain), cells(&report));
        let (was, is) = (before.remove(&before_birth()), after.remove(&before_birth()));
        let (checked, failed) = is.unwrap();
        assert_eq!(was, Some((checked, 0)), "no visit before birth in the fixture");
        assert_eq!(failed, PLANTED as u64);
        assert_eq!(before, after, "no other check is touched");
        let rule = &report.rules["plausible.before-birth"];
        assert_eq!((rule.count, rule.places.len()), (PLANTED as u64, 5));
        assert!(rule.places.iter().all(|p| p.position.starts_with("line ")));

        // Judged when somebody looks: the threshold moves the verdict, and nothing is received again.
        let rows = lake::counts(&site.on).await;
        let deliveries = kiban_journeys::deliveries_of(&site.on, None).await.unwrap().len();
        let verdict = async |site: &Site| {
            let report = kiban_journeys::report_of(&site.on, report.delivery).await.unwrap();
            let on_record = kiban_journeys::quality_thresholds(&site.on).await.unwrap();
            let judged = judge(report.holder, &report.grid, &on_record);
            let own = judged.iter().find(|j| j.cell.check == "plausible.before-birth").unwrap();
            own.verdict
        };
        assert_eq!(verdict(&site).await, Verdict::NotJudged);
        let share = PLANTED as f64 / checked as f64;
        let intake = site.actor("intake");
        for (limit, expected) in [(share / 2.0, Verdict::Exceeded), (share * 1.01, Verdict::Kept)] {
            site.clock.set_date(site::day_after(site.calendar.delivery_date, 1));
            let new = threshold(limit, "検証");
            kiban_journeys::set_quality_threshold(&site.on, &intake, new).await.unwrap();
            assert_eq!(verdict(&site).await, expected);
        }
        let history = kiban_journeys::quality_thresholds(&site.on).await.unwrap();
        assert_eq!(history.len(), 2);
        assert!(history.iter().all(|t| t.owner == "品質管理責任者" && t.set_by == intake.account));
        assert_eq!(lake::counts(&site.on).await, rows);
        assert_eq!(kiban_journeys::deliveries_of(&site.on, None).await.unwrap().len(), deliveries);

        // Nobody else sets one, and not without a reason.
        let other = site.actor("processor");
        let refused =
            kiban_journeys::set_quality_threshold(&site.on, &other, threshold(0.1, "x")).await;
        assert!(matches!(refused, Err(Error::Refusal(_))));
        let refused =
            kiban_journeys::set_quality_threshold(&site.on, &intake, threshold(0.1, " ")).await;
        assert!(refused.unwrap_err().ja().contains("理由"));
        assert_eq!(site.findings().await, Vec::<String>::new());

        // The page and the list say the same, and quote no value.
        let id = report.delivery.to_string();
        let dir = site.dir.clone();
        let place = site.close().await;
        let out = Scratch::new("quality");
        let (html, csv) = (out.join("report.html"), out.join("report.csv"));
        let kiban = |arguments: &[&str]| {
            let out = Command::new(env!("CARGO_BIN_EXE_kiban")).args(arguments).output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            String::from_utf8(out.stdout).unwrap()
        };
        let dir = dir.to_str().unwrap();
        assert!(kiban(&["intake", "list", "--dir", dir]).contains(&id));
        let (html_to, csv_to) = (html.to_str().unwrap(), csv.to_str().unwrap());
        let said =
            kiban(&["intake", "report", "--dir", dir, &id, "--html", html_to, "--csv", csv_to]);
        assert!(said.contains("plausible.before-birth：37 / "), "{said}");
        let (page, list) = (fs::read_to_string(&html).unwrap(), fs::read_to_string(&csv).unwrap());
        for text in [&page, &list] {
            assert!(text.contains("受診日が生年月日より前です。") && text.contains("検証"));
            assert!(text.contains("適合") && !text.contains("1850"));
        }
        drop(place);
    });
}

#[test]
fn validation_holds_who_came_against_the_operators_table_when_somebody_looks() {
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        let report = received(&site).await;
        let persons: u64 = report.population.values().sum();
        assert_eq!(persons, report.counts.accepted_persons);
        let whole = async || {
            let report = kiban_journeys::report_of(&site.on, report.delivery).await.unwrap();
            let mut of_context =
                report.grid.into_iter().filter(|c| c.context == Context::Validation);
            of_context.next()
        };
        assert_eq!(whole().await, None, "nothing came before, and there is no table");
        let intake = site.actor("intake");
        let set = async |persons: BTreeMap<String, u64>, holder: Option<&str>| {
            let new = NewReference {
                persons,
                holder: holder.map(Parties::organization_id),
                source: "人口推計".into(),
                owner: "品質管理責任者".into(),
            };
            kiban_journeys::set_reference(&site.on, &intake, new).await
        };
        let doubled = report.population.iter().map(|(c, n)| (c.clone(), 2 * n)).collect();
        set(doubled, Some(HOLDER)).await.unwrap();
        let cell = whole().await.unwrap();
        assert_eq!((cell.checked, cell.failed), (persons, 0), "the same shares");
        // One class alone: everybody else would have to be of it. A table for all does not replace the holder's own.
        let alone = BTreeMap::from([("F.90+".to_owned(), 10)]);
        set(alone.clone(), None).await.unwrap();
        assert_eq!(whole().await.unwrap().failed, 0);
        set(alone, Some(HOLDER)).await.unwrap();
        let expected = persons - report.population.get("F.90+").copied().unwrap_or(0);
        assert_eq!(whole().await.unwrap().failed, expected);
        assert!(matches!(set(BTreeMap::new(), None).await, Err(Error::Reference(_))));
        let other = site.actor("processor");
        let new = NewReference {
            persons: report.population.clone(),
            holder: None,
            source: "x".into(),
            owner: "x".into(),
        };
        let refused = kiban_journeys::set_reference(&site.on, &other, new).await;
        assert!(matches!(refused, Err(Error::Refusal(_))));
        site.close().await;
    });
}
