//! A bereaved child asks on paper, after the hospital merged two numbers and after a delivery to users.

use std::{fs, process::Command};

use kiban_audit::sqlx;
use kiban_journeys::{
    Fate, Parties, STORES,
    holder::Gate,
    kernel::{Id, OsEntropy, kinds},
};

use super::{in_both, request};
use crate::support::{
    acts, files, run,
    site::{self, Site, day_after},
};

const HOLDER: &str = "hospital_b";

/// Where the ids of persons may stand after a stop: who asked, and what their hospital said of their numbers.
const REMEMBERED: [&str; 2] = ["register_stop_person", "register_correction"];

/// Rows of persons in any table of any snapshot, keys of their source bytes, and rows of the database that name them.
pub(crate) async fn traces(site: &Site, persons: &[Id<kinds::PersonSource>]) -> Vec<String> {
    let mut found = Vec::new();
    let lake = site.on.lake();
    for table in kiban_lake::schema::tables() {
        for batch in lake.scan_persons_ever(&table.name, persons).await.unwrap() {
            found.push(format!("{}: {} rows", table.name, batch.num_rows()));
        }
    }
    let ids: Vec<String> = persons.iter().map(ToString::to_string).collect();
    let pool = site.on.log().db().pool();
    for id in &ids {
        let keys: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM lake_person_key WHERE person = $1")
                .bind(id.clone())
                .fetch_one(pool)
                .await
                .unwrap();
        if keys > 0 {
            found.push(format!("{keys} keys"));
        }
    }
    for row in files::database(&site.dir).await {
        let table = row.split(':').next().unwrap();
        if !REMEMBERED.contains(&table) && ids.iter().any(|id| row.contains(id.as_str())) {
            found.push(format!("database: {table}"));
        }
    }
    found
}

#[test]
fn a_childs_paper_stop_after_a_merge_and_a_delivery_leaves_nothing_anywhere() {
    let delivered = site::delivered();
    run(|| async {
        let site = delivered.copy().await;
        let organization = Parties::organization_id(HOLDER);
        let persons = in_both(&site, HOLDER);
        let (a, b) = (persons[0].as_str(), persons[1].as_str());
        // The hospital merges two numbers and says so with its next delivery.
        let day = day_after(site.calendar.product_date, 1);
        let list = format!("kind,from,to,reason,on\nsame_person,{b},{a},番号の統合,{day}\n");
        fs::write(site.home(HOLDER).join("corrections.csv"), list).unwrap();
        let sealed = site.seal(HOLDER, day, Gate::On).unwrap();
        site.receive(HOLDER, &sealed.path).await;
        kiban_journeys::link_persons(&site.on, &site.actor("processor")).await.unwrap();
        let sources = kiban_journeys::person_sources(&site.on, organization, [a, b]).await.unwrap();
        assert!(!traces(&site, &sources).await.is_empty(), "there is something to erase");

        // The child asks for the number on the old card.
        let day = day_after(site.calendar.product_date, 3);
        site.clock.set_date(day);
        let intake = site.actor("intake");
        let request = request(HOLDER, b, "紙-2026-17", day);
        let received = kiban_journeys::record_stop(&site.on, &intake, &request).await.unwrap();
        assert_eq!(received.stop.persons.len(), 2, "both numbers of the merged person");
        let applied =
            kiban_journeys::apply_stop(&site.on, &intake, received.stop.id).await.unwrap();
        assert_eq!(applied.open, []);
        assert_eq!(applied.acknowledged.len(), STORES.len(), "each store for itself");
        let rows = |store: &str| {
            let (_, ack) = applied.acknowledged.iter().find(|(s, _)| s == store).unwrap();
            ack.counts.get("rows").copied().unwrap_or_default()
        };
        for store in ["vault", "source", "history", "notices", "links"] {
            assert!(rows(store) > 0, "{store}");
        }
        assert_eq!(traces(&site, &sources).await, Vec::<String>::new());
        // Sent again, both are refused.
        fs::remove_file(site.home(HOLDER).join("corrections.csv")).unwrap();
        let day = day_after(site.calendar.product_date, 4);
        let sealed = site.seal(HOLDER, day, Gate::On).unwrap();
        let again = site.receive(HOLDER, &sealed.path).await;
        assert!(again.report.counts.refused_persons["stopped"] >= 2);
        assert_eq!(traces(&site, &sources).await, Vec::<String>::new());

        // What was packed and never fetched is gone; what its user works with here stays.
        let made = acts::delivered(&site);
        let mut fates: Vec<_> =
            kiban_journeys::datasets_of_stop(&site.on, received.stop.id).await.unwrap();
        fates.sort_unstable_by_key(|(id, _)| made.iter().position(|d| d.id == *id));
        let fates: Vec<Fate> = fates.into_iter().map(|(_, fate)| fate).collect();
        assert_eq!(fates, [Fate::PackageErased, Fate::PackageErased, Fate::HandedOver]);
        assert!(!site.dir.join("packages").join(made[0].id.to_string()).exists());
        assert!(site.dir.join("packages").join(made[2].id.to_string()).exists());
        let researcher = site.actor("researcher_university");
        let refused = kiban_journeys::fetch_package(&site.on, &researcher, made[0].id).await;
        assert!(refused.unwrap_err().ja().contains("提供停止"));

        // The sheet is checked by a process that knows nothing but the file and the key.
        let alone = crate::support::Scratch::new("proof");
        let sheet = alone.join("proof.note");
        fs::write(&sheet, applied.proof().unwrap()).unwrap();
        let key = site.on.log().verify_key().to_string();
        let verify = |path: &std::path::Path, key: &str| {
            Command::new(env!("CARGO_BIN_EXE_kiban"))
                .args(["audit", "verify-proof", path.to_str().unwrap(), "--key", key])
                .current_dir(alone.path())
                .output()
                .unwrap()
        };
        let good = verify(&sheet, &key);
        let said = String::from_utf8_lossy(&good.stdout).into_owned();
        assert!(good.status.success() && said.contains("紙-2026-17"), "{said}");
        assert!(STORES.iter().all(|s| said.contains(kiban_journeys::store_ja(s))), "{said}");
        let changed = alone.join("changed.note");
        let text = applied.proof().unwrap().replacen("rows ", "rows 1", 1);
        fs::write(&changed, text).unwrap();
        assert!(!verify(&changed, &key).status.success());
        let other = kiban_audit::LogSigner::generate(&OsEntropy, "kiban.invalid/other").unwrap();
        assert!(!verify(&sheet, &other.verify_key().to_string()).status.success());
        assert_eq!(fs::read_dir(alone.path()).unwrap().count(), 2, "nothing was made");

        assert_eq!(site.findings().await, Vec::<String>::new());
        site.close().await;
    });
}
