//! From an answer or a fault to a response: a page in its frame, JSON, a problem document, a file, the cookie.

use std::fmt::Write as _;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use kiban_govern::Actor;
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    app::App,
    ctx::FormToken,
    fault::Fault,
    layout::{self, Frame},
    routes::Row,
    session::Token,
    visitor::{Visitor, set_cookie},
};

pub(crate) fn see_other(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

pub(crate) fn json_response(status: StatusCode, kind: &'static str, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, kind)], value.to_string()).into_response()
}

/// The first answer once more.
pub(crate) fn again(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub(crate) fn problem(fault: &Fault) -> Response {
    json_response(fault.status, "application/problem+json", &fault.problem())
}

/// Signing in and out change the cookie alike for pages and programs.
fn signed(app: &App, visitor: &Visitor, answer: &Answer) -> Result<Option<Token>, Fault> {
    match answer {
        Answer::SignedIn(account) => {
            let (old, now) = (Some(&visitor.token), app.now());
            let begun = app.0.sessions.begin(old, *account, now, &*app.0.world.entropy);
            Ok(Some(begun.map_err(|e| Fault::incident(&e))?))
        }
        Answer::SignedOut => {
            app.0.sessions.end(&visitor.token);
            let token = Token::new(&*app.0.world.entropy).map_err(|e| Fault::incident(&e))?;
            Ok(Some(token))
        }
        _ => Ok(None),
    }
}

pub(crate) async fn as_json(app: &App, visitor: &Visitor, answer: Answer) -> Response {
    let token = match signed(app, visitor, &answer) {
        Ok(token) => token,
        Err(fault) => return problem(&fault),
    };
    if let Some(token) = token {
        let body = json!({ "csrf": app.0.sessions.form_token(&token) });
        let mut response = json_response(StatusCode::OK, "application/json", &body);
        set_cookie(app, &mut response, &token);
        return response;
    }
    match answer {
        Answer::Data(value) => json_response(StatusCode::OK, "application/json", &value),
        Answer::Elsewhere(to) | Answer::Onward { to, .. } => {
            json_response(StatusCode::OK, "application/json", &json!({ "location": to }))
        }
        Answer::Page { fault: Some(fault), .. } => problem(&fault),
        Answer::Page { content, .. } => match content.json() {
            Ok(value) => json_response(StatusCode::OK, "application/json", &value),
            Err(e) => problem(&Fault::incident(&e)),
        },
        Answer::Done { say, to, mut data } => {
            data["done"] = Value::String(say);
            data["location"] = Value::String(format!("/api/v1{to}"));
            json_response(StatusCode::OK, "application/json", &data)
        }
        other => file(other).await,
    }
}

async fn file(answer: Answer) -> Response {
    match answer {
        Answer::Text { kind, name, body } => {
            let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
            if let Some(name) = name {
                attach(&mut response, &name);
            }
            response
        }
        Answer::Bytes { name, bytes } => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            let mut response = (kind, bytes).into_response();
            attach(&mut response, &name);
            response
        }
        Answer::Pdf { name, bytes } => {
            let mut response = ([(header::CONTENT_TYPE, "application/pdf")], bytes).into_response();
            attach(&mut response, &name);
            response
        }
        Answer::File { name, path } => match tokio::fs::read(&path).await {
            Ok(bytes) => {
                let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
                let mut response = (kind, bytes).into_response();
                attach(&mut response, &name);
                response
            }
            Err(e) => problem(&Fault::incident(&e)),
        },
        _ => problem(&Fault::not_found()),
    }
}

/// The browser saves it. The name is given in plain letters, and whole (RFC 5987).
fn attach(response: &mut Response, name: &str) {
    let plain: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
    let mut text = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        text.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
                text.push(char::from(byte));
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
}

pub(crate) async fn as_page(
    app: &App,
    visitor: &Visitor,
    row: &'static Row,
    actor: Option<&Actor>,
    answer: Answer,
) -> Response {
    match signed(app, visitor, &answer) {
        Ok(Some(token)) => {
            let to = if matches!(answer, Answer::SignedIn(_)) { "/home" } else { "/" };
            let mut response = see_other(to);
            set_cookie(app, &mut response, &token);
            return response;
        }
        Ok(None) => {}
        Err(fault) => return fault_page(app, visitor, actor, &fault).await,
    }
    match answer {
        Answer::Page { title, band, content, fault } => {
            let title = if title.is_empty() { row.title.to_owned() } else { title };
            let body = match content.html() {
                Ok(body) => body,
                Err(e) => return fault_page(app, visitor, actor, &Fault::incident(&e)).await,
            };
            let status = fault.as_ref().map_or(StatusCode::OK, |f| f.status);
            let said = app.0.sessions.said(&visitor.token);
            let frame = Frame { title, band, said, fault, name: row.name };
            whole(app, visitor, actor, frame, body, status).await
        }
        Answer::Elsewhere(to) => see_other(&to),
        Answer::Onward { to, content } => {
            let body = content.html().unwrap_or_default();
            let title = row.title.to_owned();
            let frame = Frame { title, band: None, said: None, fault: None, name: row.name };
            let mut response = whole(app, visitor, actor, frame, body, StatusCode::OK).await;
            if let Ok(value) = HeaderValue::from_str(&format!("0; url={to}")) {
                response.headers_mut().insert(header::REFRESH, value);
            }
            response
        }
        Answer::Done { say, to, .. } => {
            app.0.sessions.say(&visitor.token, &say);
            see_other(&to)
        }
        other => file(other).await,
    }
}

pub(crate) async fn fault_page(
    app: &App,
    visitor: &Visitor,
    actor: Option<&Actor>,
    fault: &Fault,
) -> Response {
    let title = match fault.status {
        StatusCode::NOT_FOUND => "見つかりません",
        StatusCode::UNAUTHORIZED => "サインインが必要です",
        StatusCode::FORBIDDEN if fault.code == "confirm" => "本人の確認が必要です",
        StatusCode::FORBIDDEN => "利用できません",
        StatusCode::CONFLICT => "いまは行えません",
        StatusCode::UNPROCESSABLE_ENTITY => "記入を直してください",
        StatusCode::TOO_MANY_REQUESTS => "しばらくお待ちください",
        _ => "処理できませんでした",
    };
    let form = FormToken(app.0.sessions.form_token(&visitor.token));
    let body = layout::fault_body(fault, &form);
    let frame =
        Frame { title: title.to_owned(), band: None, said: None, fault: None, name: "fault" };
    whole(app, visitor, actor, frame, body, fault.status).await
}

async fn whole(
    app: &App,
    visitor: &Visitor,
    actor: Option<&Actor>,
    frame: Frame,
    body: String,
    status: StatusCode,
) -> Response {
    let form = FormToken(app.0.sessions.form_token(&visitor.token));
    match layout::page(app, actor, frame, body, form).await {
        Ok(text) => {
            let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (status, kind, text).into_response()
        }
        Err(fault) => json_response(
            StatusCode::INTERNAL_SERVER_ERROR,
            "application/problem+json",
            &json!({ "status": 500, "detail": fault.ja }),
        ),
    }
}
