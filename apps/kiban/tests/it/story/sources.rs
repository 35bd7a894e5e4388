//! What the lake holds against what the sources were made from.

use super::*;

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
