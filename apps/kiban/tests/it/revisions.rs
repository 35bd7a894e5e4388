//! Corrections of a holder, from its client to the list of datasets they touch; and the slot that stays locked.

use std::fs;

use kiban_formats::Format;
use kiban_journeys::{
    Actor, CorrectionKind, Employer, Error, Parties, Received, RecordsOf, Refusal, Role,
    VersionState,
    holder::{self, Gate, SealReport, SealRequest},
    kernel::{Id, NoSteps, OsEntropy, Regime},
};

use crate::support::{
    acts,
    files::{self, csv_rows},
    lake, run,
    site::{self, Site, Template, day_after},
};

const HOLDER: &str = "hospital_b";

/// Local ids of the hospital that reach both products.
fn accepted(site: &Site) -> Vec<String> {
    csv_rows(&site.truth().join("regimes.csv"))
        .into_iter()
        .filter(|r| {
            r["holder"] == HOLDER && r["reaches_anon"] == "yes" && r["reaches_pseudo"] == "yes"
        })
        .map(|r| r["local_id"].clone())
        .collect()
}

fn id_of(line: &str) -> &str {
    line.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap()
}

/// Seals what lies in a folder, and receives it.
async fn send(site: &Site, days: i64) -> (SealReport, Received) {
    let day = day_after(site.calendar.product_date, days);
    site.clock.set_date(day);
    let inputs = vec![site.source(HOLDER)];
    let request = SealRequest::from_home(site.home(HOLDER), inputs, day).unwrap();
    let rules = site.on.rules();
    let sealed = holder::seal(&request, rules, &*site.clock, &OsEntropy, &NoSteps, &mut |_| {});
    let sealed = sealed.unwrap();
    let received = site.receive(HOLDER, &sealed.path).await;
    (sealed, received)
}

#[test]
fn a_correction_and_a_merge_are_followed_to_the_datasets_they_touch() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let holder = Parties::organization_id(HOLDER);
        let persons = accepted(&site);
        let stopped: Vec<String> =
            site.stops(HOLDER, "stops_after_sending.csv").into_iter().map(|s| s.local_id).collect();
        let mut persons = persons.into_iter().filter(|p| !stopped.contains(p));
        let (a, b) = (persons.next().unwrap(), persons.next().unwrap());
        // One condition of `a` says something else now, another is taken back.
        let path = files::find(&site.source(HOLDER), |p| p.ends_with("Condition.ndjson"));
        let text = fs::read_to_string(&path).unwrap();
        let of_a = format!("\"Patient/{a}\"");
        let mine: Vec<&str> = text.lines().filter(|l| l.contains(&of_a)).collect();
        let (changed, gone) = (mine[0].to_owned(), id_of(mine[mine.len() - 1]).to_owned());
        assert_ne!(id_of(&changed), gone, "two conditions are needed");
        // The disease's code of the receipt, which the table keeps: no status, no other coding.
        let at = changed.find("\"code\":\"99999999\"").unwrap() + 8;
        let end = at + changed[at..].find('"').unwrap();
        let new = format!("{}ZZ9{}", &changed[..at], &changed[end..]);
        fs::write(&path, text.replace(&changed, &new)).unwrap();
        fs::write(
            site.home(HOLDER).join("retractions.csv"),
            format!(
                "local_id,format,record,reason,on\n{a},fhir_ndjson,Condition/{gone},誤登録,{}\n",
                site.calendar.product_date
            ),
        )
        .unwrap();
        fs::write(
            site.home(HOLDER).join("corrections.csv"),
            format!(
                "kind,from,to,reason,on\nsame_person,{b},{a},番号の統合,{}\n",
                site.calendar.product_date
            ),
        )
        .unwrap();
        // The record that is taken back is not in the source any more.
        let text = fs::read_to_string(&path).unwrap();
        let left: Vec<&str> = text.lines().filter(|l| id_of(l) != gone).collect();
        fs::write(&path, left.join("\n") + "\n").unwrap();

        let own = kiban_journeys::person_sources(&site.on, holder, [a.as_str()]).await.unwrap();
        let own = own[0].to_string();
        let conditions = async || {
            let rows = lake::rows(&site.on, "condition").await;
            rows.iter().filter(|r| r["person_source"] == own).count()
        };
        let rows = conditions().await;
        let (sealed, received) = send(&site, 1).await;
        assert_eq!((sealed.retractions, sealed.corrections), (1, 1));
        let counts = &received.report.counts;
        // Beside the changed one come the records of who waited when the holder sent last.
        assert!(counts.accepted_segments >= 1 && counts.duplicate_segments > 0, "{counts:?}");
        assert_eq!(counts.withdrawn_records, 1, "{counts:?}");
        assert_eq!(counts.superseded_segments, 2);
        assert_eq!(conditions().await, rows - 1);

        // The history: both values to whom it is permitted, to the intake officer what became of them alone.
        let name = format!("Condition/{}", id_of(&changed));
        let of = RecordsOf::Named(Format::FhirNdjson, &name);
        let intake = site.actor("intake");
        let versions = kiban_journeys::record_history(&site.on, &intake, holder, of).await.unwrap();
        assert_eq!(versions.len(), 2);
        assert!(!versions[0].in_use && versions[1].in_use);
        let record = versions[0].record;
        let refused = kiban_journeys::record_values(&site.on, &intake, holder, record).await;
        assert!(matches!(refused, Err(Error::Refusal(Refusal { .. }))));
        let enquiry = site.actor("enquiry");
        let read = kiban_journeys::record_values(&site.on, &enquiry, holder, record).await.unwrap();
        let code = |i: usize| {
            let (_, values) = read[i].content.as_ref().unwrap();
            values.iter().find(|v| v.column == "code").unwrap().value.clone()
        };
        assert_eq!((code(0).as_str(), code(1).as_str()), (&changed[at..end], "ZZ9"));
        let of = RecordsOf::Named(Format::FhirNdjson, "Condition/none");
        assert!(
            kiban_journeys::record_history(&site.on, &intake, holder, of).await.unwrap().is_empty()
        );
        let gone = format!("Condition/{gone}");
        let of = RecordsOf::Named(Format::FhirNdjson, &gone);
        let versions = kiban_journeys::record_history(&site.on, &intake, holder, of).await.unwrap();
        assert_eq!(versions.last().map(|v| v.state), Some(VersionState::Withdrawn));

        // The merge: the datasets that hold the two, on record; linked from now on.
        let listed = kiban_journeys::corrections(&site.on, &intake).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].kind, CorrectionKind::SamePerson);
        let mut touched: Vec<_> = listed[0].datasets.iter().map(|(d, _)| *d).collect();
        touched.sort_unstable();
        let mut made: Vec<_> = acts::delivered(&site).iter().map(|d| d.id).collect();
        made.sort_unstable();
        assert_eq!(touched, made, "both persons reach both products");
        let outsider =
            Actor::new(Id::from_bytes([1; 16]), holder, Employer::Holder, [Role::HolderStaff]);
        assert!(kiban_journeys::corrections(&site.on, &outsider).await.is_err());
        let processor = site.actor("processor");
        kiban_journeys::link_persons(&site.on, &processor).await.unwrap();
        let ids = [a.as_str(), b.as_str()];
        let sources = kiban_journeys::person_sources(&site.on, holder, ids).await.unwrap();
        let links = lake::rows(&site.on, "person_link").await;
        let person = |source: &str| {
            links.iter().find(|l| l["person_source"] == source).unwrap()["person"].clone()
        };
        assert_eq!(person(&sources[0].to_string()), person(&sources[1].to_string()));

        // The same again changes nothing.
        let before = lake::counts(&site.on).await;
        let (_, again) = send(&site, 2).await;
        let counts = &again.report.counts;
        assert_eq!((counts.accepted_segments, counts.withdrawn_records), (0, 0));
        assert_eq!(lake::counts(&site.on).await, before);
        assert_eq!(kiban_journeys::corrections(&site.on, &intake).await.unwrap().len(), 1);
        let Some(scratch) = site.close().await else { return };
        let findings =
            kiban_journeys::verify_deployment(scratch.path(), &[]).await.unwrap().findings;
        assert_eq!(findings, Vec::<String>::new());
    });
}

#[test]
fn a_locked_slot_refuses_what_was_sealed_and_says_what_is_missing() {
    let registered = site::registered();
    let filings = Parties::parse(site::PARTIES).unwrap().filing;
    let early = filings.iter().map(|f| f.effective_from).min().unwrap();
    // Before the filing took effect nothing may come, whatever the holder sealed.
    let early = Template { dir: registered.dir.clone(), day: day_after(early, -1) };
    run(|| async {
        let hospital = registered.copy().await;
        let sealed = hospital.seal(HOLDER, hospital.calendar.delivery_date, Gate::On).unwrap();
        let site = early.copy().await;
        let holder = Parties::organization_id(HOLDER);
        let intake = site.actor("intake");
        let refused = kiban_journeys::receive_delivery(&site.on, &intake, &sealed.path).await;
        match refused {
            Err(e @ Error::SlotLocked(_)) => {
                assert!(e.ja().contains("届出の効力がまだ生じていません"), "{}", e.ja());
            }
            other => panic!("{other:?}"),
        }
        let slot = kiban_journeys::delivery_slot(&site.on, holder).await.unwrap();
        assert!(slot.regimes().all(|(r, lock)| lock.is_some() && Regime::ALL.contains(&r)));
        assert_eq!(lake::counts(&site.on).await.values().sum::<usize>(), 0);
        site.clock.set_date(site.calendar.delivery_date);
        assert!(kiban_journeys::delivery_slot(&site.on, holder).await.unwrap().is_open());
        kiban_journeys::receive_delivery(&site.on, &intake, &sealed.path).await.unwrap();
        // A holder that nothing is registered of is locked for the same reason.
        let unknown = kiban_journeys::delivery_slot(&site.on, Id::from_bytes([9; 16])).await;
        assert!(!unknown.unwrap().is_open());
        site.close().await;
        hospital.close().await;
    });
}
