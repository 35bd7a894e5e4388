//! What is left under way for the pages: an application in each early phase, votes half cast, requests at the desks, a
//! dataset with findings and one with a single approval.

use kiban_journeys::{
    Asking, Parties, ProduceRequest, Route, Written,
    blind::Verdict,
    committee::{Ballot, Outcome as Vote},
    enquiry::{self, RowAsked},
    kernel::{Bases, Id, Product, kinds},
    output_check::{self, Asked},
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
    regulator(demo).await?;
    outputs(demo, delivered).await?;
    datasets(demo, delivered).await?;
    stops(demo).await?;
    applications(demo).await
}

/// The type I user's dataset handed to the regulator, and an enquiry that one person agreed to open.
async fn regulator(demo: &Demo) -> Outcome {
    let on = &demo.on;
    let researcher = demo.actor("researcher_pharma_1")?;
    // The one delivered after the stops: what was delivered before them cannot be made again as it was.
    let own = kiban_journeys::datasets(on, &researcher).await?;
    let Some(dataset) = own.iter().find(|d| d.delivery.is_some()) else { return Ok(()) };
    let to = Parties::organization_id("regulator");
    let purpose = "製造販売後の有効性に関する申請資料（架空）の根拠として提出する。";
    let made = enquiry::submit_to_regulator(on, &researcher, dataset.id, to, purpose);
    let submission = Box::pin(made).await?;
    let officer = demo.actor("regulator")?;
    let rows = [("condition", 1), ("measurement", 2)]
        .map(|(table, row)| RowAsked { table: table.to_owned(), row });
    let question = "次の行の診断と検査値について、元の記録との一致を確認されたい。";
    let id = enquiry::ask_enquiry(on, &officer, submission, question, &rows).await?;
    enquiry::unlock_enquiry(on, &demo.actor("enquiry")?, id).await?;
    Ok(())
}

/// Outputs of the type II user: one released, one checked by one, one sent back.
async fn outputs(demo: &Demo, delivered: &Delivered) -> Outcome {
    let on = &demo.on;
    let used = delivered.uses.iter().zip(&delivered.datasets);
    let Some((_, dataset)) =
        used.into_iter().find(|(one, _)| one.route == Route::ProducerEnvironment)
    else {
        return Ok(());
    };
    let researcher = demo.actor("researcher_pharma_2")?;
    let (first, second) = (demo.actor("examiner")?, demo.actor("examiner_2")?);
    let asked = |name, bytes, exception| Asked {
        context: "対象者を人で数えた集計表。10未満の人数は「10未満」と表示した。",
        exception,
        name,
        bytes,
    };
    let clean = "年齢階級,男,女\n40-49,31,28\n50-59,44,40\n60-69,52,57\n70以上,10未満,12\n";
    let ask = asked("年齢階級別の人数.csv", clean.as_bytes(), "");
    let title = "年齢階級・性別の人数";
    let id = output_check::ask_output(on, &researcher, *dataset, title, &ask).await?;
    for checker in [&first, &second] {
        let reason = "小さい値が残っておらず、他の出力との差からも個人は分からない。";
        output_check::check_output(on, checker, id, Verdict::Release, reason).await?;
    }
    let small = "腎機能区分,人数,中央値\nG1,18,95.1\nG2,41,74.9\nG3a,22,52.0\nG4,4,24.3\n";
    let ask = asked(
        "腎機能区分別.csv",
        small.as_bytes(),
        "G4の人数は、用量の安全性を示すために必要である。",
    );
    let id =
        output_check::ask_output(on, &researcher, *dataset, "腎機能区分別の人数と中央値", &ask)
            .await?;
    let reason = "G4が10未満で、中央値から個人の値が分かるおそれがある。G3bと合わせること。";
    output_check::check_output(on, &first, id, Verdict::Return, reason).await?;
    let ask = asked("処方の期間.csv", "期間,人数\n30日まで,3\n31日以上,80\n".as_bytes(), "");
    let id = output_check::ask_output(on, &researcher, *dataset, "処方の期間の分布", &ask).await?;
    for checker in [&first, &second] {
        let reason = "「30日まで」が10未満である。区分を広げること。";
        output_check::check_output(on, checker, id, Verdict::Return, reason).await?;
    }
    Ok(())
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
