//! A contract as a document: the parties, the text, the items, the specification, and who signed.

use askama::Template;
use kiban_journeys::{
    deid::spec::{Rule, Spec},
    release::contract::State,
};
use kiban_kernel::{Date, Product, jst_date};
use kiban_paper::{Block, Column, Table};
use serde::Serialize;

use crate::{
    answer::Answer,
    ctx::Ctx,
    document::{self, Sheet, fact},
    fault::Fault,
    japanese::{era_day, moment},
};

#[derive(Serialize)]
struct Party {
    name: String,
    address: String,
    representative: String,
    /// Who signed for it, and when; empty until then.
    signed: String,
}

#[derive(Template, Serialize)]
#[template(path = "contract.html")]
struct Contract {
    id: String,
    application: String,
    title: String,
    product: &'static str,
    producer: Party,
    user: Party,
    from: String,
    until: String,
    state: &'static str,
    text: String,
    conditions: Vec<String>,
    /// Name, description, legal class.
    items: Vec<(String, &'static str, &'static str)>,
    specification: String,
    specification_text: String,
    terms: String,
    #[serde(skip)]
    made: Date,
}

/// The columns that leave, with their legal class.
fn items(text: &str, product: Product) -> Vec<(String, &'static str, &'static str)> {
    let Ok(spec) = Spec::parse(text) else { return Vec::new() };
    let mut out = Vec::new();
    for (table, of) in &spec.document().tables {
        for (name, column) in &of.columns {
            let rule = match product {
                Product::Anonymized => &column.anonymized,
                Product::Pseudonymized => &column.pseudonymized,
            };
            if !matches!(rule, None | Some(Rule::Drop | Rule::Withhold)) {
                let ja = kiban_journeys::column_ja(table, name).unwrap_or_default();
                out.push((format!("{table}.{name}"), ja, column.class.label_ja()));
            }
        }
    }
    out
}

async fn read(ctx: &Ctx) -> Result<Contract, Fault> {
    use kiban_journeys::release::application::State as Application;
    let on = ctx.on();
    let (case, contract) = kiban_journeys::contract_case(on, ctx.actor()?, ctx.id("id")?).await?;
    let names = ctx.names().await?;
    let system = kiban_journeys::system_actor(on).await?;
    let (mut by_user, mut by_producer) = (String::new(), String::new());
    let said = |who, at| format!("{}・{}", names.account(who), moment(at));
    let mut made = case.head.steps.last().map_or_else(|| on.today(), |s| jst_date(s.at));
    let state = match contract.state {
        State::Drawn => "契約案（利用者の同意待ち）",
        State::AcceptedByUser { by, at } => {
            by_user = said(by, at);
            made = jst_date(at);
            "利用者が同意（締結待ち）"
        }
        State::Signed { user, producer, at } => {
            by_user = format!("{}・同意済み", names.account(user));
            by_producer = said(producer, at);
            made = jst_date(at);
            if contract.in_force(on.today()) {
                "締結済み（効力あり）"
            } else {
                "締結済み（期間外）"
            }
        }
        State::Ended { at, .. } => {
            made = jst_date(at);
            "終了"
        }
    };
    let party = |id, signed| {
        let of = names.all().find(|o| o.id == id);
        Party {
            name: names.organization(id),
            address: of.map(|o| o.address.clone()).unwrap_or_default(),
            representative: of.map(|o| o.representative.clone()).unwrap_or_default(),
            signed,
        }
    };
    let digest = contract.terms.specification.to_string();
    let text = kiban_journeys::specifications(on).await?.into_iter().find(|(d, _)| *d == digest);
    let text = text.map(|(_, text)| text).unwrap_or_default();
    let product = case.head.application.product;
    Ok(Contract {
        id: contract.id.to_string(),
        application: case.head.application.id.to_string(),
        title: case.head.content.title.clone(),
        product: product.label_ja(),
        producer: party(system.organization, by_producer),
        user: party(contract.terms.recipient, by_user),
        from: era_day(contract.terms.from),
        until: era_day(contract.terms.until),
        state,
        text: contract.terms.text.clone(),
        conditions: match &case.head.application.state {
            Application::Accepted { conditions, .. } => conditions.clone(),
            _ => Vec::new(),
        },
        items: items(&text, product),
        specification: digest,
        specification_text: text,
        terms: contract.terms.digest().to_string(),
        made,
    })
}

pub(crate) async fn page(ctx: Ctx) -> Result<Answer, Fault> {
    Answer::page(read(&ctx).await?)
}

pub(crate) async fn pdf(ctx: Ctx) -> Result<Answer, Fault> {
    let of = read(&ctx).await?;
    let title = format!("{}利用契約書", of.product);
    let mut blocks = vec![
        Block::Right(format!("契約番号　{}", of.id)),
        Block::Title(title.clone()),
        Block::Text(format!(
            "　{}（以下「甲」という。）と{}（以下「乙」という。）は、甲が作成する{}の乙による利用について、次のとおり契約する。",
            of.producer.name, of.user.name, of.product
        )),
        Block::Facts(vec![
            fact("研究の題名", of.title.as_str()),
            fact("申請の番号", of.application.as_str()),
            fact("契約の期間", format!("{}から{}の前日まで", of.from, of.until)),
            fact("契約の状態", of.state),
            fact("契約条項のダイジェスト", of.terms.as_str()),
        ]),
        Block::Heading("1　契約の本文".to_owned()),
        Block::Text(of.text.clone()),
    ];
    if !of.conditions.is_empty() {
        blocks.push(Block::Heading("2　提供の条件".to_owned()));
        blocks.push(Block::Items(of.conditions.clone()));
    }
    let rows = of
        .items
        .iter()
        .map(|(name, ja, class)| vec![(*ja).to_owned(), name.clone(), (*class).to_owned()]);
    blocks.extend([
        Block::Heading("別紙1　提供する項目".to_owned()),
        Block::Text(format!(
            "　次の加工仕様書に基づく項目に限る。仕様書を変えたときは、新たに契約を締結するまで提供しない。\n加工仕様書のダイジェスト：{}",
            of.specification
        )),
        Block::Table(Table {
            summary: "提供する項目と法律上の区分".to_owned(),
            columns: vec![
                Column::text("項目", 4),
                Column::text("名前", 4),
                Column::text("区分", 2),
            ],
            rows: rows.collect(),
            empty: "加工仕様書の本文が登録されていません。".to_owned(),
        }),
        Block::Text("　甲及び乙は、上記に同意し、次のとおり記録した。".to_owned()),
    ]);
    for (mark, party) in [("甲", &of.producer), ("乙", &of.user)] {
        let signed =
            if party.signed.is_empty() { "（未署名）" } else { party.signed.as_str() };
        blocks.push(Block::Seal(vec![
            format!("{mark}　{}", party.name),
            party.address.clone(),
            party.representative.clone(),
            format!("署名の記録：{signed}"),
        ]));
    }
    blocks.extend([
        Block::NewPage,
        Block::Heading("別紙2　加工仕様書".to_owned()),
        Block::Note(of.specification_text.clone()),
    ]);
    let sheet = Sheet {
        file: "利用契約書".to_owned(),
        title,
        footer: format!("契約 {}", of.id),
        made: of.made,
    };
    document::pdf(&ctx, sheet, None, blocks).await
}
