//! The insured-number history (履歴照会): a file to ask with, the answer's file.

use askama::Template;
use serde::Serialize;
use serde_json::json;

use crate::{
    answer::Answer,
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::number,
};

/// Largest file of an answer, in bytes.
pub(crate) const LARGEST: usize = 16 * 1024 * 1024;

#[derive(Template, Serialize)]
#[template(path = "link_history.html")]
struct Show {
    #[serde(skip)]
    form: FormToken,
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    Answer::page(Show { form: ctx.form.clone() })
}

/// It holds insured numbers: saved as a file, never shown inside the pages.
pub(crate) async fn ask(ctx: Ctx) -> Result<Answer, Fault> {
    let everybody = ctx.input.text("of") == "everybody";
    let asked = kiban_journeys::history_request(ctx.on(), ctx.actor()?, everybody).await;
    // The command's words are not the page's.
    let body = asked.map_err(|e| match e {
        kiban_journeys::Error::Field { field: "of", .. } => {
            let ja = "確認を待つ組がありません。照会するときは「全員」を選んでください。";
            Fault::fields(vec![("of".to_owned(), ja.to_owned())])
        }
        other => other.into(),
    })?;
    let name = Some("history-request.csv".to_owned());
    Ok(Answer::Text { kind: "text/csv; charset=utf-8", name, body })
}

pub(crate) async fn take(ctx: Ctx) -> Result<Answer, Fault> {
    let unreadable = || {
        let ja = "回答のファイルを読めません。UTF-8 の文字のファイルを選んでください。";
        Fault::fields(vec![("file".to_owned(), ja.to_owned())])
    };
    let bytes = ctx.input.file("file").ok_or_else(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    let taken = kiban_journeys::take_history(ctx.on(), ctx.actor()?, &text).await?;
    let say = format!(
        "回答{}件を取り込みました。同じ人の組{}（うち新しいもの{}）、照会していないもの{}件、読めない行{}行。次の名寄せで、理由「履歴」として反映します。",
        number(taken.queries),
        number(taken.pairs),
        number(taken.new),
        number(taken.unknown),
        number(taken.unread)
    );
    let data = json!({
        "queries": taken.queries, "pairs": taken.pairs, "new": taken.new,
        "unknown": taken.unknown, "unread": taken.unread,
    });
    Ok(Answer::Done { say, to: "/links/history".to_owned(), data })
}
