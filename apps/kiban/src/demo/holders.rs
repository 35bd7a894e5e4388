//! The country is made, the parties are registered, the holders send, the producer receives and links.

use std::{collections::BTreeMap, fs, path::PathBuf};

use kiban_country::{Country, Params, Progress, Stage};
use kiban_journeys::{
    DeliveryReport, Received, govern_reason_ja,
    holder::{self, SealReport, SealRequest},
    kernel::{NoSteps, OsEntropy, Regime},
    rule_ja,
};

use super::{
    Demo, HOLDERS, day_after,
    story::{DeliveryStory, Held},
    truth,
};
use crate::say::{Failure, Outcome};

struct Told<'a>(&'a super::stage::Stages);

impl Progress for Told<'_> {
    fn begin(&mut self, stage: Stage, _total: u64) {
        self.0.note(stage.ja());
    }
    fn advance(&mut self, _units: u64) {}
}

pub(crate) fn make_country(demo: &mut Demo, seed: u64, persons: u32) -> Outcome {
    demo.stages.begin("模擬の国の作成");
    let params = Params {
        seed,
        persons,
        calendar: demo.calendar,
        notice_versions: ["2025-1".to_owned(), "2025-1".to_owned()],
        ..Params::default()
    };
    let failed = |e: kiban_country::CountryError| Failure::new(e.ja(), &e);
    let country = Country::generate(&params).map_err(failed)?;
    country.write(&demo.dir.join("country"), &mut Told(&demo.stages)).map_err(failed)?;
    Ok(())
}

pub(crate) async fn register(demo: &mut Demo) -> Outcome {
    demo.stages.begin("関係者の登録と取扱事業者の端末の準備");
    let registrar = demo.actor("registrar")?;
    kiban_journeys::register_parties(&demo.on, &registrar, &demo.parties).await?;
    kiban_journeys::keep_roster(&demo.on, &demo.actor("secretary")?, &demo.parties.members())
        .await?;
    for holder in HOLDERS {
        let home = demo.home(holder);
        kiban_journeys::set_up_holder(&demo.on, &registrar, &demo.parties, holder, &home).await?;
        for list in ["notices.csv", "stops.csv"] {
            let from = demo.dir.join("country/holders").join(holder).join(list);
            fs::copy(from, home.join(list))
                .map_err(Failure::io("通知と停止の一覧を写せません。"))?;
        }
    }
    Ok(())
}

fn seal(
    demo: &Demo,
    holder: &str,
    on: kiban_journeys::kernel::Date,
) -> Result<SealReport, holder::SealError> {
    let source: PathBuf = demo.dir.join("country/holders").join(holder).join("source");
    let request = SealRequest::from_home(demo.home(holder), vec![source], on)?;
    demo.clock.set_date(on);
    let stages = &demo.stages;
    holder::seal(&request, demo.on.rules(), &*demo.clock, &OsEntropy, &NoSteps, &mut |p| {
        stages.note(&format!("{holder} の封緘 {}/{} ファイル", p.files, p.files_total));
    })
}

pub(crate) async fn send_and_receive(demo: &mut Demo) -> Outcome {
    demo.stages.begin("封緘と受入れ");
    let delivery_day = demo.calendar.delivery_date;
    // Day 30: the wait still runs for everybody notified on the first day.
    let day_30 = day_after(demo.calendar.notice_date, 30);
    demo.story.day_30_held = match seal(demo, "hospital_b", day_30) {
        Ok(report) => report.withheld.get("wait_running").copied().unwrap_or_default(),
        Err(holder::SealError::NobodyToSend { withheld, .. }) => withheld,
        Err(e) => return Err(Failure::new(e.ja(), &e)),
    };
    let mut sealed = Vec::new();
    for holder in HOLDERS {
        sealed.push((
            holder,
            seal(demo, holder, delivery_day).map_err(|e| Failure::new(e.ja(), &e))?,
        ));
    }
    // Between sealing and receipt some persons ask the hospitals to stop: their sealed records are refused.
    demo.clock.set_date(day_after(delivery_day, 1));
    for holder in ["hospital_a", "hospital_b"] {
        apply_stops(demo, holder, "stops_after_sending.csv").await?;
    }
    let intake = demo.actor("intake")?;
    let producer_key = demo.on.log().verify_key().clone();
    for (holder, report) in &sealed {
        demo.stages.note(&format!("{holder} の受入れ"));
        let received = kiban_journeys::receive_delivery(&demo.on, &intake, &report.path).await?;
        holder::accept_receipt(&demo.home(holder), &received.receipt, &producer_key)
            .map_err(|e| Failure::new(e.ja(), &e))?;
        if *holder == "hospital_b" {
            demo.story.day_31_passed = report.kept_persons;
        }
        let story = delivery_story(demo, holder, delivery_day.to_string(), report, &received);
        demo.story.deliveries.push(story);
    }
    // The municipality's came after receipt: they are erased again.
    apply_stops(demo, "municipality", "stops_after_sending.csv").await
}

/// Record and apply the stop requests of a holder's list.
pub(crate) async fn apply_stops(demo: &Demo, holder: &str, list: &str) -> Outcome {
    let intake = demo.actor("intake")?;
    let path = demo.dir.join("country/holders").join(holder).join(list);
    for request in truth::stops(&path, holder)? {
        let received = kiban_journeys::record_stop(&demo.on, &intake, &request).await?;
        kiban_journeys::apply_stop(&demo.on, &intake, received.stop.id).await?;
    }
    Ok(())
}

fn delivery_story(
    demo: &Demo,
    holder: &str,
    on: String,
    sealed: &SealReport,
    received: &Received,
) -> DeliveryStory {
    let name = demo.parties.organization.get(holder).map_or(holder, |o| o.name.as_str()).to_owned();
    let held_by_holder = sealed
        .withheld_by_regime
        .iter()
        .flat_map(|(regime, reasons)| reasons.iter().map(|(reason, n)| held(*regime, reason, *n)))
        .collect();
    let report = &received.report;
    DeliveryStory {
        holder: name,
        on,
        persons_in_source: sealed.kept_persons + sealed.withheld.values().sum::<u64>(),
        persons_sealed: sealed.kept_persons,
        segments_sealed: sealed.kept_segments,
        held_by_holder,
        held_by_producer: report
            .counts
            .refused_persons
            .iter()
            .map(|(reason, n)| Held {
                regime: "両制度".to_owned(),
                reason_ja: govern_reason_ja(reason).to_owned(),
                persons: *n,
            })
            .collect(),
        persons_accepted: report.counts.accepted_persons,
        rows: report.counts.rows.clone(),
        quarantined: defects(report),
        unread: report.unread.iter().map(|(n, c)| (n.clone(), *c)).collect(),
    }
}

fn held(regime: Regime, reason: &str, persons: u64) -> Held {
    Held {
        regime: regime.label_ja().to_owned(),
        reason_ja: govern_reason_ja(reason).to_owned(),
        persons,
    }
}

fn defects(report: &DeliveryReport) -> Vec<(String, u64)> {
    let mut by_rule: BTreeMap<String, u64> = BTreeMap::new();
    for (rule, count) in &report.rules {
        *by_rule.entry(rule_ja(rule).to_owned()).or_default() += count.count;
    }
    by_rule.into_iter().collect()
}

pub(crate) async fn link(demo: &mut Demo) -> Outcome {
    demo.stages.begin("名寄せ");
    demo.clock.set_date(demo.calendar.product_date);
    kiban_journeys::link_persons(&demo.on, &demo.actor("processor")?).await?;
    demo.story.linkage = truth::linkage(&demo.on, &demo.truth()).await?;
    demo.story.groups =
        truth::groups(&demo.on, &demo.truth(), ["reaches_anon", "reaches_pseudo"]).await?;
    Ok(())
}
