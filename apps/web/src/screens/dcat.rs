//! The catalogue as HealthDCAT-AP (JSON-LD): the profile in which European and other catalogues describe health data.
//! A number of persons that may not be shown is left out.

use kiban_journeys::{Catalogue, TableFacts};
use serde_json::{Value, json};

use crate::{answer::Answer, ctx::Ctx, fault::Fault};

fn dataset(table: &TableFacts, snapshot: u64, publisher: &str) -> Value {
    let ja = |text: &str| json!({ "@value": text, "@language": "ja" });
    let mut out = json!({
        "@id": format!("/catalogue/tables/{}", table.name),
        "@type": "dcat:Dataset",
        "dct:identifier": format!("{}@{snapshot}", table.name),
        "dct:title": ja(&table.ja),
        "dct:description": ja(&format!("{}（{}）の記録。変数 {} 個。", table.ja, table.name, table.variables.len())),
        "dct:publisher": { "@type": "foaf:Agent", "foaf:name": ja(publisher) },
        "dct:accessRights": { "@id": "http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC" },
        "dcat:theme": { "@id": "http://publications.europa.eu/resource/authority/data-theme/HEAL" },
        "dct:spatial": { "@id": "http://publications.europa.eu/resource/authority/country/JPN" },
        "healthdcatap:numberOfRecords": table.rows,
        "healthdcatap:hasCodeValues": table.code_systems.iter().map(|c| c.name.clone()).collect::<Vec<_>>(),
    });
    if let Some(persons) = table.persons {
        out["healthdcatap:numberOfUniqueIndividuals"] = json!(persons);
    }
    if let Some((from, until)) = table.period {
        out["dct:temporal"] = json!({
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": { "@value": from.to_string(), "@type": "xsd:date" },
            "dcat:endDate": { "@value": until.to_string(), "@type": "xsd:date" },
        });
    }
    out
}

fn document(catalogue: &Catalogue, publisher: &str) -> Value {
    let datasets: Vec<Value> =
        catalogue.tables.iter().map(|t| dataset(t, catalogue.snapshot, publisher)).collect();
    json!({
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
            "healthdcatap": "http://healthdataportal.eu/ns/health#",
        },
        "@id": "/catalogue",
        "@type": "dcat:Catalog",
        "dct:title": { "@value": "医療情報基盤 データカタログ", "@language": "ja" },
        "dct:language": { "@id": "http://publications.europa.eu/resource/authority/language/JPN" },
        "dcat:dataset": datasets,
    })
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let catalogue = ctx.app.catalogue().await?;
    let publisher = match kiban_journeys::system_actor(ctx.on()).await {
        Ok(system) => ctx.names().await?.organization(system.organization),
        Err(_) => String::new(),
    };
    Ok(Answer::Text {
        kind: "application/ld+json",
        name: None,
        body: document(&catalogue, &publisher).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_persons_are_left_out() {
        let table = |persons| TableFacts {
            name: "condition".into(),
            ja: "傷病".into(),
            rows: 3,
            persons,
            period: None,
            variables: Vec::new(),
            code_systems: Vec::new(),
            mapping: None,
        };
        let catalogue = Catalogue {
            snapshot: 1,
            mapping_version: 0,
            persons: None,
            records: None,
            tables: vec![table(None), table(Some(10))],
            empty: Vec::new(),
            prefectures: Vec::new(),
        };
        let document = document(&catalogue, "架空機構");
        let of = |i: usize| {
            document["dcat:dataset"][i].get("healthdcatap:numberOfUniqueIndividuals").cloned()
        };
        assert_eq!((of(0), of(1)), (None, Some(json!(10))));
    }
}
