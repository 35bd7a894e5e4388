//! The application as a form: on a page to be printed, and as a document.

use askama::Template;
use kiban_journeys::release::application::Step;
use kiban_kernel::{Date, jst_date};
use kiban_paper::{Block, Column, Table};
use serde::Serialize;

use super::{
    application_form::{Shown, read_out, shown},
    case_parts::{FileView, file_view},
};
use crate::{
    answer::Answer,
    ctx::Ctx,
    document::{self, Sheet, fact},
    fault::Fault,
    japanese::era_day,
};

#[derive(Template, Serialize)]
#[template(path = "application_print.html")]
struct Print {
    id: String,
    applicant: String,
    address: String,
    representative: String,
    product: &'static str,
    submitted: String,
    version: i64,
    fields: Vec<Shown>,
    files: Vec<FileView>,
    #[serde(skip)]
    made: Date,
}

async fn read(ctx: &Ctx) -> Result<Print, Fault> {
    let (on, actor) = (ctx.on(), ctx.actor()?);
    let case = kiban_journeys::case(on, actor, ctx.id("id")?).await?;
    let names = ctx.names().await?;
    let head = &case.head;
    let files = kiban_journeys::attachments(on, actor, head.application.id).await?;
    let submitted = head.steps.iter().rev().find(|s| matches!(s.step, Step::Submit { .. }));
    let applicant = head.application.applicant;
    let organization = names.all().find(|o| o.id == applicant);
    let mut fields = shown(&head.content, None);
    read_out(&mut fields, &names);
    // A form is dated as an office dates it.
    for field in fields.iter_mut().filter(|f| f.kind == "day") {
        if let Ok(date) = field.value.parse() {
            field.text = era_day(date);
        }
    }
    Ok(Print {
        id: head.application.id.to_string(),
        applicant: names.organization(applicant),
        address: organization.map(|o| o.address.clone()).unwrap_or_default(),
        representative: organization.map(|o| o.representative.clone()).unwrap_or_default(),
        product: head.application.product.label_ja(),
        submitted: submitted.map(|s| era_day(jst_date(s.at))).unwrap_or_default(),
        version: head.version,
        fields,
        files: files.iter().map(file_view).collect(),
        made: head.steps.last().map_or_else(|| on.today(), |s| jst_date(s.at)),
    })
}

pub(crate) async fn print(ctx: Ctx) -> Result<Answer, Fault> {
    Answer::page(read(&ctx).await?)
}

pub(crate) async fn pdf(ctx: Ctx) -> Result<Answer, Fault> {
    let of = read(&ctx).await?;
    let producer = document::producer(&ctx).await?;
    let day = if of.submitted.is_empty() { "（未提出の下書き）" } else { &of.submitted };
    let mut blocks = vec![
        Block::Right(day.to_owned()),
        Block::Title(format!("{}利用申請書", of.product)),
        Block::Text(format!("{producer}　御中")),
        Block::Seal(vec![
            format!("所在地　{}", of.address),
            format!("名　称　{}", of.applicant),
            format!("代表者　{}", of.representative),
        ]),
        Block::Text(format!("　次のとおり、{}の利用を申請します。", of.product)),
        Block::Facts(of.fields.iter().map(|f| fact(f.label, f.text.as_str())).collect()),
    ];
    blocks.push(Block::Heading("添付書類".to_owned()));
    blocks.push(Block::Table(Table {
        summary: "添付した書類の名前、種類、大きさとダイジェスト".to_owned(),
        columns: vec![
            Column::text("名前", 4),
            Column::text("種類", 1),
            Column::number("大きさ", 1),
            Column::text("SHA-256", 5),
        ],
        rows: of
            .files
            .iter()
            .map(|f| vec![f.name.clone(), f.kind.to_owned(), f.size.clone(), f.digest.clone()])
            .collect(),
        empty: "ありません。".to_owned(),
    }));
    let sheet = Sheet {
        file: "利用申請書".to_owned(),
        title: format!("{}利用申請書", of.product),
        footer: format!("申請 {}　第{}版", of.id, of.version),
        made: of.made,
    };
    document::pdf(&ctx, sheet, Some(&of.applicant), blocks).await
}
