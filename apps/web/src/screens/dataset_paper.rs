//! The note that goes with a delivered dataset, as a document.

use kiban_kernel::{Id, jst_date, kinds};
use kiban_paper::{Block, Column, Table};

use crate::{
    answer::Answer,
    ctx::Ctx,
    document::{self, Sheet, fact},
    fault::Fault,
    japanese::{era_day, moment, number},
};

pub(crate) async fn pdf(ctx: Ctx) -> Result<Answer, Fault> {
    let id: Id<kinds::Dataset> = ctx.id("id")?;
    let d = kiban_journeys::dataset(ctx.on(), ctx.actor()?, id).await?;
    let delivery = d.delivery.as_ref().ok_or_else(Fault::not_found)?;
    let manifest = d.manifest.as_ref().ok_or_else(Fault::not_found)?;
    let names = ctx.names().await?;
    let user = names.organization(delivery.recipient);
    let product = d.application.application.product.label_ja();
    let files =
        manifest.files.iter().map(|f| vec![f.path.clone(), number(f.size), f.sha256.to_string()]);
    let (made, title) = (jst_date(delivery.at), format!("{product}の提供書"));
    let blocks = vec![
        Block::Right(era_day(made)),
        Block::Title(title.clone()),
        Block::Text(format!("{user}　御中")),
        Block::Seal(vec![document::producer(&ctx).await?]),
        Block::Text(format!("　契約に基づき、次のとおり{product}を提供しました。")),
        Block::Facts(vec![
            fact("データセット", id.to_string()),
            fact("研究の題名", d.application.content.title.as_str()),
            fact("契約の番号", delivery.contract.to_string()),
            fact("提供した日時", moment(delivery.at)),
            fact("提供の方法", delivery.route.label_ja()),
            fact("人の数", number(d.risk.persons_out)),
            fact("目録のダイジェスト", manifest.digest().to_string()),
            fact("包みのSHA-256", delivery.package.to_string()),
            fact("加工仕様書のダイジェスト", d.specification.as_str()),
        ]),
        Block::Heading("提供したファイル".to_owned()),
        Block::Table(Table {
            summary: "提供したファイルの名前、大きさとSHA-256".to_owned(),
            columns: vec![
                Column::text("ファイル", 3),
                Column::number("バイト", 1),
                Column::text("SHA-256", 5),
            ],
            rows: files.collect(),
            empty: "ファイルはありません。".to_owned(),
        }),
        Block::Text(
            "　利用が終わったときは、すべての写しを消去し、その証拠を添えて報告してください。識別の行為は禁止されています。"
                .to_owned(),
        ),
    ];
    let sheet =
        Sheet {
            file: "提供書".to_owned(), title, footer: format!("データセット {id}"), made
        };
    document::pdf(&ctx, sheet, None, blocks).await
}
