//! What is left under way for the pages: an application in each early phase, votes half cast, requests at the desks, a
//! dataset with findings and one with a single approval.

use kiban_journeys::{
    Asking, Parties, ProduceRequest, Route, Written,
    committee::{Ballot, Outcome as Vote},
    kernel::{Bases, Id, Product, kinds},
    release::application::Content,
    stop::Requester,
};

use super::{
    Demo, day_after,
    products::{self, Delivered},
};
use crate::say::{Failure, Outcome};

pub(crate) async fn leave(demo: &mut Demo, delivered: &Delivered) -> Outcome {
    demo.stages.begin("画面のための途中の案件");
    datasets(demo, delivered).await?;
    stops(demo).await?;
    applications(demo).await
}

/// One dataset approved by one person, one with findings to decide.
async fn datasets(demo: &Demo, delivered: &Delivered) -> Outcome {
    let processor = demo.actor("processor")?;
    for one in &delivered.uses {
        let request = ProduceRequest {
            application: one.application,
            specification: products::SPECIFICATION.to_owned(),
            dataset: None,
        };
        let route = one.route;
        match (one.product, route) {
            (Product::Anonymized, _) => {
                let made = kiban_journeys::produce_dataset(&demo.on, &processor, &request).await?;
                let approver = demo.actor("approver_1")?;
                kiban_journeys::approve_release(&demo.on, &approver, made.dataset, route).await?;
            }
            (Product::Pseudonymized, Route::ProducerEnvironment) => {
                kiban_journeys::produce_dataset(&demo.on, &processor, &request).await?;
            }
            (Product::Pseudonymized, _) => {}
        }
    }
    Ok(())
}

async fn stops(demo: &Demo) -> Outcome {
    // None is on the register yet: a stop that waits for the vault would hold up clearing and approvals.
    let today = demo.on.today();
    demo.clock.set_date(day_after(today, 2));
    for (holder, name) in [("hospital_a", "架空 花子"), ("municipality", "架空 太郎")] {
        let asking = Asking {
            holder: Parties::organization_id(holder),
            requester: Requester::Person,
            regimes: Bases::BOTH,
            electronic: holder == "hospital_a",
            written: Written {
                name: name.to_owned(),
                birth: "昭和40年1月1日".to_owned(),
                local_id: String::new(),
                contact: "架空市架空町九十九丁目 電話 000-0000-0000".to_owned(),
            },
        };
        kiban_journeys::ask_stop(&demo.on, &asking).await?;
    }
    Ok(())
}

async fn drafted(
    demo: &Demo,
    researcher: &str,
    product: Product,
    content: &Content,
) -> Result<Id<kinds::Application>, Failure> {
    let actor = demo.actor(researcher)?;
    Ok(kiban_journeys::draft_application(&demo.on, &actor, product, content).await?)
}

async fn applications(demo: &Demo) -> Outcome {
    let on = &demo.on;
    let secretary = demo.actor("secretary")?;
    // A draft that lacks its purpose.
    let mut unfinished =
        products::content(demo, "university", "睡眠薬の処方と転倒に関する予備的検討");
    unfinished.purpose = String::new();
    drafted(demo, "researcher_university", Product::Anonymized, &unfinished).await?;
    // Submitted, with a question of the secretariat.
    let content = products::content(demo, "pharma_1", "抗凝固薬の実臨床での安全性に関する研究");
    let id = drafted(demo, "researcher_pharma_1", Product::Pseudonymized, &content).await?;
    let researcher = demo.actor("researcher_pharma_1")?;
    kiban_journeys::submit_application(on, &researcher, id).await?;
    let text = "対象集団の年齢の下限を教えてください。";
    kiban_journeys::write_message(on, &secretary, id, text).await?;
    // Before the committee, three votes cast. The member employed by the university is recused.
    let content = products::content(demo, "university", "慢性腎臓病の進行と健診の値に関する研究");
    let id = drafted(demo, "researcher_university", Product::Anonymized, &content).await?;
    let researcher = demo.actor("researcher_university")?;
    kiban_journeys::submit_application(on, &researcher, id).await?;
    kiban_journeys::screen(on, &secretary, id).await?;
    for (member, vote, reason) in [
        ("member_2", Vote::Approve, "目的と方法は適切である。"),
        ("member_3", Vote::Approve, "必要な項目に限られている。"),
        ("member_7", Vote::ApproveWithConditions, "公表の前に結果の確認を求めたい。"),
    ] {
        let member = demo.actor(member)?;
        kiban_journeys::declare_interest(on, &member, id, false, "").await?;
        let conditions = match vote {
            Vote::ApproveWithConditions => {
                vec!["公表の前に集計結果を事務局に示すこと。".to_owned()]
            }
            _ => Vec::new(),
        };
        let ballot = Ballot { vote, reason: reason.to_owned(), conditions };
        kiban_journeys::cast_vote(on, &member, id, &ballot).await?;
    }
    Ok(())
}
