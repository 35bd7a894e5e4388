//! The journey and its truth: who reaches which product, what stays nowhere, stops at every time, repeats.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use kiban_country::fixtures;
use kiban_journeys::{
    Error, Parties, StopRequest,
    holder::{self, Gate, SealError, SealRequest},
    kernel::{Bases, NoSteps, OsEntropy, Regime},
    stop::{Requester, Scope},
};

use crate::support::{
    Scratch,
    acts::{self, WISHES},
    files::{self, csv_rows},
    lake, run,
    site::{self, HOLDERS, SPECIFICATION, Site, day_after},
};

/// Records of the truth file, each with its opaque id.
async fn regimes(site: &Site) -> Vec<(String, BTreeMap<String, String>)> {
    let mut found = Vec::new();
    for row in csv_rows(&site.truth().join("regimes.csv")) {
        let holder = Parties::organization_id(&row["holder"]);
        let id = kiban_journeys::person_sources(&site.on, holder, [row["local_id"].as_str()])
            .await
            .unwrap();
        found.push((id[0].to_string(), row));
    }
    found
}

/// The cleared records must be exactly those of two columns of the truth.
async fn assert_cleared(site: &Site, columns: [&str; 2]) {
    let truth = regimes(site).await;
    for (regime, column) in Regime::ALL.into_iter().zip(columns) {
        let cleared = kiban_journeys::cleared_sources(&site.on, regime).await.unwrap();
        let expected: BTreeSet<String> =
            truth.iter().filter(|(_, r)| r[column] == "yes").map(|(id, _)| id.clone()).collect();
        for (id, row) in &truth {
            let (is, must) = (cleared.contains(id), expected.contains(id));
            assert_eq!(
                is, must,
                "{column}: {} of {} ({})",
                row["local_id"], row["holder"], row["group"]
            );
        }
        assert_eq!(cleared.len(), expected.len(), "{column}: somebody the truth does not know");
        assert!(!expected.is_empty());
    }
}

fn stop(holder: &str, local_id: &str, receipt: &str, site: &Site) -> StopRequest {
    StopRequest {
        holder: Parties::organization_id(holder),
        local_id: local_id.to_owned(),
        regimes: Regime::ALL.into_iter().collect::<Bases>(),
        requested_on: site.on.today(),
        receipt_number: receipt.to_owned(),
        requester: Requester::Person,
        evidence: "本人確認記録".to_owned(),
        scope: Scope::Holder,
        identities: Vec::new(),
    }
}

#[test]
fn exactly_the_right_records_reach_each_product() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        assert_cleared(&site, ["reaches_anon", "reaches_pseudo"]).await;
        // Every group of the issue occurs, at every holder.
        let groups: BTreeSet<(String, String)> = regimes(&site)
            .await
            .into_iter()
            .map(|(_, r)| (r["holder"].clone(), r["group"].clone()))
            .collect();
        for holder in HOLDERS {
            for group in ["both", "anon_only", "pseudo_only", "neither", "waiting", "refused"] {
                assert!(
                    groups.contains(&(holder.to_owned(), group.to_owned())),
                    "{holder} has no {group}"
                );
            }
        }
        assert!(groups.iter().any(|(_, g)| g == "dead_before_notice"));
        // The persons of the opened pseudonymized package are those of the truth: as many, of the same sex and
        // birth date.
        let links = kiban_journeys::links(&site.on).await.unwrap();
        let person_of: BTreeMap<String, String> =
            links.iter().map(|(source, person)| (source.to_string(), person.to_string())).collect();
        let sources: BTreeSet<String> = regimes(&site)
            .await
            .into_iter()
            .filter(|(_, r)| r["reaches_pseudo"] == "yes")
            .map(|(s, _)| s)
            .collect();
        let mut births: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
        for row in &lake::rows(&site.on, "person").await {
            if sources.contains(&row["person_source"]) {
                let known = births.entry(&person_of[&row["person_source"]]).or_default();
                known.extend(row.get("birth_on").cloned());
            }
        }
        let datasets = acts::delivered(&site);
        for (wish, dataset) in WISHES.iter().zip(&datasets).skip(1) {
            let opened = acts::open(&site, *wish, dataset.id);
            let persons = csv_rows(&opened.join("data/person.csv"));
            assert_eq!(persons.len(), births.len());
            let mut left: Vec<&BTreeSet<String>> = births.values().collect();
            for person in &persons {
                let birth = person["birth_on"].replace('/', "-");
                // A finding on a very high age was coarsened.
                let place =
                    left.iter().position(|b| b.contains(&birth) || b.is_empty()).or_else(|| {
                        (!birth.contains('-'))
                            .then(|| left.iter().position(|b| !b.is_empty()))
                            .flatten()
                    });
                left.swap_remove(place.unwrap_or_else(|| panic!("a birth date that nobody has")));
            }
        }
        site.close().await;
    });
}

#[test]
fn of_those_who_must_not_be_sent_no_byte_is_kept() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let truth = regimes(&site).await;
        let never: Vec<&(String, BTreeMap<String, String>)> = truth
            .iter()
            .filter(|(_, r)| r["sent_anon"] == "no" && r["sent_pseudo"] == "no")
            .collect();
        let kinds: BTreeSet<&str> = never.iter().map(|(_, r)| r["group"].as_str()).collect();
        for group in ["neither", "waiting", "refused", "dead_before_notice"] {
            assert!(kinds.contains(group), "nobody of {group} was withheld altogether");
        }
        // What names them: opaque id, local id, name and phone as in the holders' own files.
        let mut values: Vec<Vec<u8>> = Vec::new();
        for (id, row) in &never {
            values.push(id.clone().into_bytes());
            values.push(row["local_id"].clone().into_bytes());
        }
        values.extend(names(&site, &never));
        assert!(values.len() > 3 * never.len(), "names were found for nearly all");
        let scanner = AhoCorasick::new(&values).unwrap();
        let mut files_read = 0;
        for path in files::walk(&site.dir) {
            let inside = path.strip_prefix(&site.dir).unwrap();
            if inside.starts_with("country") || inside.starts_with("holders") {
                continue;
            }
            files_read += 1;
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !files::holds(&bytes, &scanner),
                "{} names somebody who was never sent",
                inside.display()
            );
        }
        assert!(files_read > 50);
        // And decrypted: no row, no cell, no container, no key.
        let mut cells = 0;
        for table in lake::tables() {
            for row in lake::rows(&site.on, table).await {
                for (column, cell) in row {
                    cells += 1;
                    assert!(
                        !(scanner.is_match(&cell) && is_theirs(&cell, &never)),
                        "{table}.{column} names somebody who was never sent"
                    );
                }
            }
        }
        assert!(cells > 10_000, "{cells}");
        site.close().await;
    });
}

/// A cell of somebody else may hold the same name or household phone; ids and local ids are nobody else's.
fn is_theirs(cell: &str, never: &[&(String, BTreeMap<String, String>)]) -> bool {
    never
        .iter()
        .any(|(id, row)| cell.contains(id.as_str()) || cell.contains(row["local_id"].as_str()))
}

/// Kanji names and phones of these records, as the holders' files have them, in UTF-8.
fn names(site: &Site, of: &[&(String, BTreeMap<String, String>)]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let ids: BTreeSet<&str> = of.iter().map(|(_, r)| r["local_id"].as_str()).collect();
    let bytes = std::fs::read(site.source("municipality").join("persons.csv")).unwrap();
    let (text, _, broken) = encoding_rs::SHIFT_JIS.decode(&bytes);
    assert!(!broken);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| {
        header.iter().position(|h| h.contains(name)).unwrap_or_else(|| panic!("{name}: {header:?}"))
    };
    let (id, kanji, phone) = (column("宛名番号"), column("氏名"), column("電話"));
    for row in reader.records().map(Result::unwrap) {
        if ids.contains(&row[id]) {
            found.extend([row[kanji].as_bytes().to_vec(), row[phone].as_bytes().to_vec()]);
        }
    }
    let patients =
        std::fs::read_to_string(site.source("hospital_b").join("Patient.ndjson")).unwrap();
    for line in patients.lines() {
        let patient: serde_json::Value = serde_json::from_str(line).unwrap();
        if ids.contains(patient["id"].as_str().unwrap()) {
            found.extend(
                patient["name"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|n| n["text"].as_str())
                    .map(|n| n.as_bytes().to_vec()),
            );
        }
    }
    found.retain(|value| value.len() >= 6);
    found
}

#[test]
fn day_30_is_held_and_day_31_passes_and_the_words_say_so() {
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        let notice = site.calendar.notice_date;
        let held = match site.seal("hospital_b", day_after(notice, 30), Gate::On) {
            Ok(report) => report.withheld["wait_running"],
            Err(SealError::NobodyToSend { withheld }) => withheld,
            Err(e) => panic!("{}", e.ja()),
        };
        let passed = site.seal("hospital_b", day_after(notice, 31), Gate::On).unwrap();
        assert!(passed.kept_persons > 20 && held > passed.kept_persons);
        let waiting =
            passed.withheld_by_regime.values().map(|r| r.get("wait_running").copied().unwrap_or(0));
        assert!(waiting.sum::<u64>() > 0, "those notified one day later still wait");
        for (reason, words) in [
            ("wait_running", "待機"),
            ("not_notified", "通知"),
            ("stopped", "停止"),
            ("died_before_notice", "死亡"),
        ] {
            assert!(kiban_journeys::govern_reason_ja(reason).contains(words), "{reason}");
        }
        site.close().await;
    });
}

#[test]
fn the_producer_judges_again_what_a_holder_should_not_have_sent() {
    let registered = site::registered();
    run(|| async {
        let site = registered.copy().await;
        let day = site.calendar.delivery_date;
        let mut refused = BTreeMap::new();
        for holder in HOLDERS {
            let sealed = site.seal(holder, day, Gate::Off).unwrap();
            let received = site.receive(holder, &sealed.path).await;
            let counts = received.report.counts;
            assert!(counts.balances());
            for (reason, persons) in counts.refused_persons {
                *refused.entry(reason).or_insert(0) += persons;
            }
        }
        assert!(refused["not_notified"] > 5, "{refused:?}");
        // The holder's own list of stops was not heeded either; those the producer cannot know of. All others:
        for (id, row) in regimes(&site).await {
            if row["group"] == "refused" || row["stop_phase"] == "before_sending" {
                continue;
            }
            for (regime, column) in Regime::ALL.into_iter().zip(["sent_anon", "sent_pseudo"]) {
                let cleared = kiban_journeys::cleared_sources(&site.on, regime).await.unwrap();
                let must = row[column] == "yes";
                assert_eq!(
                    cleared.contains(&id),
                    must,
                    "{} of {} ({})",
                    row["local_id"],
                    row["holder"],
                    row["group"]
                );
            }
        }
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;

        // A holder whose clock is a day ahead: at the producer it is day 30, and the wait still runs.
        let site = registered.copy().await;
        let notice = site.calendar.notice_date;
        let ahead = kiban_kernel::ScriptedClock::starting(day_after(notice, 31));
        let mut request = SealRequest::from_home(
            site.home("hospital_b"),
            vec![site.source("hospital_b")],
            day_after(notice, 31),
        )
        .unwrap();
        request.gate = Gate::On;
        let sealed =
            holder::seal(&request, site.on.rules(), &ahead, &OsEntropy, &NoSteps, &mut |_| {})
                .unwrap();
        site.clock.set_date(day_after(notice, 30));
        let received = site.receive("hospital_b", &sealed.path).await;
        let counts = &received.report.counts;
        assert_eq!(
            counts.refused_persons.get("wait_running"),
            Some(&sealed.kept_persons),
            "{counts:?}"
        );
        assert_eq!((counts.accepted_persons, counts.accepted_segments), (0, 0));
        for (table, rows) in lake::counts(&site.on).await {
            assert_eq!(rows, 0, "{table} has rows of persons whose wait runs");
        }
        assert!(
            files::walk(&site.dir.join("lake/source")).is_empty(),
            "source bytes of persons whose wait runs"
        );
        site.close().await;
    });
}

#[test]
fn a_delivery_twice_is_once_and_gives_the_same_receipt() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let (events, counts) = (verified(&site).await, lake::counts(&site.on).await);
        let sealed =
            files::find(&site.home("hospital_a").join("outbox"), |p| p.ends_with(".kiban"));
        let again = site.receive("hospital_a", &sealed).await;
        assert!(again.known);
        assert_eq!((verified(&site).await, lake::counts(&site.on).await), (events, counts.clone()));
        // Sealed anew as of the same day, the same segments are recognised one by one.
        let anew = site.seal("hospital_a", site.calendar.delivery_date, Gate::On).unwrap();
        let received = site.receive("hospital_a", &anew.path).await;
        assert!(!received.known && received.report.counts.duplicate_segments > 0);
        assert_eq!(received.report.counts.accepted_segments, 0);
        let notices = "person_notice";
        let without = |mut counts: BTreeMap<String, usize>| {
            counts.remove(notices);
            counts
        };
        assert_eq!(without(lake::counts(&site.on).await), without(counts));
        site.close().await;
    });
}

async fn verified(site: &Site) -> u64 {
    let verified = kiban_journeys::verify_deployment(&site.dir, &[]).await.unwrap();
    assert_eq!(verified.findings, Vec::<String>::new());
    verified.events
}

#[test]
fn stops_after_delivery_change_what_comes_and_what_is_rebuilt() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let system = kiban_journeys::system_actor(&site.on).await.unwrap();
        let datasets = acts::delivered(&site);
        let scratch = Scratch::new("rebuilt");
        let before: Vec<BTreeSet<String>> = WISHES
            .iter()
            .zip(&datasets)
            .map(|(w, d)| pseudonyms(&acts::open(&site, *w, d.id)))
            .collect();
        // Rebuilt, each is the same, byte for byte.
        for (wish, dataset) in WISHES.iter().zip(&datasets) {
            let out = scratch.join(&dataset.id.to_string());
            let again = kiban_journeys::rebuild_dataset(&site.on, &system, dataset.id, &out, false)
                .await
                .unwrap();
            assert!(again.identical && again.stops == 0 && again.persons > 0);
            let opened = site.dir.join("opened").join(dataset.id.to_string());
            let (a, b) = (files::digests(&out.join("data")), files::digests(&opened.join("data")));
            assert!(a == b && !a.is_empty(), "{:?}", wish.product);
        }
        // Two lines share no pseudonym, nor do the products.
        assert!(before.iter().all(|p| !p.is_empty()));
        assert!(before[0].is_disjoint(&before[1]) && before[0].is_disjoint(&before[2]));
        assert!(before[1].is_disjoint(&before[2]));

        // Somebody in the pseudonymized product stops, besides those of the country's list.
        site.clock.set_date(day_after(site.calendar.product_date, 30));
        let mut stopped = Vec::new();
        for holder in HOLDERS {
            let requests = site.stops(holder, "stops_after_product.csv");
            for request in &requests {
                let id = [request.local_id.as_str()];
                stopped.extend(
                    kiban_journeys::person_sources(&site.on, request.holder, id).await.unwrap(),
                );
            }
            site.apply(&requests).await;
        }
        assert_cleared(&site, ["reaches_anon_after_stops", "reaches_pseudo_after_stops"]).await;
        let extra = regimes(&site)
            .await
            .into_iter()
            .find(|(_, r)| {
                r["holder"] == "municipality" && r["group"] == "both" && r["stop_phase"].is_empty()
            })
            .map(|(_, r)| r["local_id"].clone())
            .unwrap();
        site.apply(&[stop("municipality", &extra, "受付-試験-1", &site)]).await;
        let id = Parties::organization_id("municipality");
        stopped
            .extend(kiban_journeys::person_sources(&site.on, id, [extra.as_str()]).await.unwrap());
        assert_eq!(kiban_journeys::rows_of(&site.on, &stopped).await.unwrap(), 0);

        // The old dataset is not rebuilt as it was; the reason is given; without the stopped it is.
        let refused = scratch.join("refused");
        let answer =
            kiban_journeys::rebuild_dataset(&site.on, &system, datasets[1].id, &refused, false)
                .await;
        let error = answer.expect_err("refused");
        assert!(matches!(error, Error::StoppedSince { .. }), "{error:?}");
        assert!(
            error.ja().contains("提供停止") && error.ja().contains("--without-stopped"),
            "{}",
            error.ja()
        );
        assert!(!refused.exists());
        let without = scratch.join("without");
        let rebuilt =
            kiban_journeys::rebuild_dataset(&site.on, &system, datasets[1].id, &without, true)
                .await
                .unwrap();
        assert!(
            !rebuilt.identical && rebuilt.stops > 0 && rebuilt.persons < rebuilt.persons_before
        );
        let left = pseudonyms(&without);
        assert!(left.is_subset(&before[1]) && left.len() as u64 == rebuilt.persons);

        // The next datasets of the same lines: clean; same pseudonyms within a line.
        for (i, wish) in WISHES.iter().enumerate().take(2) {
            let granted = acts::Granted {
                wish: *wish,
                application: datasets[i].application,
                specification: SPECIFICATION.to_owned(),
            };
            let produced = acts::make(&site, &granted).await;
            let next = pseudonyms(&acts::open(&site, *wish, produced.dataset));
            if i == 0 {
                assert!(next.is_disjoint(&before[0]), "two anonymized datasets share no id");
            } else {
                assert_eq!(next, left, "the same persons under the same pseudonyms");
            }
        }
        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}

fn pseudonyms(opened: &std::path::Path) -> BTreeSet<String> {
    let path = opened.join("data/person.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.records().map(|r| r.unwrap()[0].to_owned()).collect()
}

#[test]
fn the_lake_holds_the_events_from_which_the_storage_was_made() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        // The multisets of one patient are as good as a name: the truth has no patient numbers.
        let scratch = Scratch::new("truth");
        fixtures::unpack_ssmix2_truth(scratch.path()).unwrap();
        let mut expected: Vec<Events> =
            files::walk(scratch.path()).iter().map(|p| Events::of_truth(&csv_rows(p))).collect();
        assert_eq!(expected.len(), 20);
        let mut found: BTreeMap<String, Events> = BTreeMap::new();
        let holder = Parties::organization_id("hospital_a").to_string();
        let ours = |row: &lake::Row| row["holder"] == holder;
        for row in lake::rows(&site.on, "person").await.iter().filter(|r| ours(r)) {
            found.entry(row["person_source"].clone()).or_default();
        }
        for table in ["condition", "measurement", "medication"] {
            for row in lake::rows(&site.on, table).await.iter().filter(|r| ours(r)) {
                found.get_mut(&row["person_source"]).unwrap().take(table, row);
            }
        }
        let accepted = regimes(&site).await.into_iter().filter(|(_, r)| {
            r["holder"] == "hospital_a"
                && (r["reaches_anon"] == "yes" || r["reaches_pseudo"] == "yes")
        });
        assert_eq!(found.len(), accepted.count());
        let (mut diagnoses, mut results, mut drugs) = (0, 0, 0);
        for events in found.values() {
            let place = expected.iter().position(|e| e == events);
            expected.swap_remove(
                place.expect("a patient of the lake whose events are not those of any truth file"),
            );
            diagnoses += events.diagnoses.len();
            results += events.results.len();
            drugs += events.drugs.len();
        }
        assert!(diagnoses > 0 && results > 0 && drugs > 0);
        say(&format!(
            "SS-MIX2: {} of 20 patients accepted, {diagnoses} diagnoses, {results} results, {drugs} drugs equal",
            found.len()
        ));
        site.close().await;
    });
}

#[expect(clippy::print_stderr, reason = "counts that the issue asks to be printed")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// What happened to a patient: day and disease; minute, test, value, unit; day and drug. Sorted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Events {
    diagnoses: Vec<String>,
    results: Vec<String>,
    drugs: Vec<String>,
}

fn digits(text: &str, n: usize) -> String {
    text.chars().filter(char::is_ascii_digit).take(n).collect()
}

impl Events {
    fn of_truth(rows: &[lake::Row]) -> Self {
        let mut events = Self::default();
        for row in rows {
            let at = row["timestamp"].as_str();
            match row["type"].as_str() {
                "2" => events.diagnoses.push(format!("{} {}", digits(at, 8), row["icd10"])),
                "5" => events.results.push(format!(
                    "{} {} {} {}",
                    digits(at, 12),
                    row["jlac10"],
                    row["lab_value"],
                    row["unit"]
                )),
                "3" if row["hot"].is_empty() => {
                    events.drugs.push(format!("{} local {}", digits(at, 8), row["text"]));
                }
                "3" => events.drugs.push(format!("{} {}", digits(at, 8), row["hot"])),
                _ => {}
            }
        }
        events.sorted()
    }

    fn take(&mut self, table: &str, row: &lake::Row) {
        let value = |name: &str| row.get(name).map_or("", String::as_str);
        match table {
            "condition" => {
                self.diagnoses.push(format!(
                    "{} {}",
                    digits(value("recorded_at"), 8),
                    value("icd10")
                ));
            }
            "measurement" if value("category") != "laboratory" => {}
            "measurement" => self.results.push(format!(
                "{} {} {} {}",
                digits(value("measured_at"), 12),
                value("code"),
                value("value_text"),
                value("unit")
            )),
            _ => {
                let system = value("code_system");
                let drug = if system.starts_with("99") {
                    format!("local {}", value("text"))
                } else {
                    value("code").to_owned()
                };
                self.drugs.push(format!("{} {drug}", digits(value("ordered_at"), 8)));
            }
        }
        *self = std::mem::take(self).sorted();
    }

    fn sorted(mut self) -> Self {
        self.diagnoses.sort();
        self.results.sort();
        self.drugs.sort();
        self
    }
}

#[test]
fn linked_persons_are_the_pairs_of_the_truth() {
    let linked = site::linked();
    run(|| async {
        let site = linked.copy().await;
        let links = kiban_journeys::links(&site.on).await.unwrap();
        let mut members: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (source, person) in &links {
            members.entry(person).or_default().insert(*source);
        }
        let mut found = BTreeSet::new();
        for of_person in members.values() {
            let of_person: Vec<_> = of_person.iter().collect();
            for (i, a) in of_person.iter().enumerate() {
                found.extend(of_person[i + 1..].iter().map(|b| (**a, **b)));
            }
        }
        let (mut expected, mut all) = (BTreeSet::new(), 0);
        for row in csv_rows(&site.truth().join("pairs.csv")) {
            let mut ends = Vec::new();
            for end in ["a", "b"] {
                let holder = Parties::organization_id(&row[&format!("holder_{end}")]);
                let local = row[&format!("local_id_{end}")].clone();
                ends.extend(
                    kiban_journeys::person_sources(&site.on, holder, [local.as_str()])
                        .await
                        .unwrap(),
                );
            }
            if ends.iter().all(|end| links.contains_key(end)) {
                all += 1;
                if row["exact_key"] == "yes" {
                    expected.insert((ends[0].min(ends[1]), ends[0].max(ends[1])));
                }
            }
        }
        say(&format!(
            "pairs: {} true with both records, {} with an exact key, {} found",
            all,
            expected.len(),
            found.len()
        ));
        assert!(expected.len() >= 5);
        assert_eq!(found, expected);
        site.close().await;
    });
}
