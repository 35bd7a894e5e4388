//! From a request to an answer: session, row, rate, form token, fields, handler, headers.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Path, Query, Request},
    http::{StatusCode, header},
    response::Response,
    routing::{MethodFilter, get, on},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kiban_govern::Actor;
use tokio::net::TcpListener;

use crate::{
    access::Closed,
    answer::Answer,
    app::App,
    assets,
    ctx::{Ctx, FormToken},
    fault::Fault,
    headers,
    input::{Field, Input, Kind},
    multipart,
    once::Turn,
    openapi,
    respond::{again, as_json, as_page, fault_page, json_response, problem, see_other},
    routes::{ROUTES, Row, Verb},
    visitor::{Visitor, actor_of, set_cookie, visitor},
};

/// Largest body without a file, in bytes.
const MOST_BYTES: usize = 512 * 1024;

/// Largest body of a row: a file travels as base64 in JSON.
fn most_bytes(row: &Row) -> usize {
    let file = |f: &Field| if let Kind::File(most) = f.kind { most.div_ceil(3) * 4 } else { 0 };
    MOST_BYTES + row.fields.iter().map(file).sum::<usize>()
}
/// Longest time for one answer.
const LONGEST: Duration = Duration::from_mins(10);
/// The header by which a program shows the form token.
const TOKEN_HEADER: &str = "x-csrf-token";
/// The header of an idempotency key.
const KEY_HEADER: &str = "idempotency-key";

/// The router of all rows of the table, as pages and as the interface.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for row in ROUTES {
        let filter = match row.method {
            Verb::Post => MethodFilter::POST,
            Verb::Get => MethodFilter::GET,
        };
        for api in [false, true] {
            let app = app.clone();
            let handler = move |Path(params): Path<BTreeMap<String, String>>, request: Request| {
                serve_row(app, row, api, params, request)
            };
            let path = if api { format!("/api/v1{}", row.path) } else { row.path.to_owned() };
            router = router.route(path.trim_end_matches('/').or_root(), on(filter, handler));
        }
    }
    let secure = app.0.settings.secure;
    let lost = app.clone();
    router
        .route(
            "/assets/{name}",
            get(|Path(name): Path<String>| async move { assets::asset(&name) }),
        )
        .route(
            "/api/v1/openapi.json",
            get(|| async {
                json_response(StatusCode::OK, "application/json", &openapi::document())
            }),
        )
        .fallback(move |request: Request| lost_way(lost, request))
        .layer(axum::middleware::map_response(move |mut response: Response| async move {
            headers::add(response.headers_mut(), secure);
            response
        }))
}

/// Serve until `stop` is ready.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}

trait OrRoot {
    fn or_root(&self) -> &str;
}

impl OrRoot for str {
    fn or_root(&self) -> &str {
        if self.is_empty() { "/" } else { self }
    }
}

async fn lost_way(app: App, request: Request) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let fault = Fault::not_found();
    if api {
        return problem(&fault);
    }
    match visitor(&app, request.headers()) {
        Ok(visitor) => {
            let actor = actor_of(&app, &visitor).await;
            fault_page(&app, &visitor, actor.as_ref(), &fault).await
        }
        Err(fault) => problem(&fault),
    }
}

async fn serve_row(
    app: App,
    row: &'static Row,
    api: bool,
    params: BTreeMap<String, String>,
    request: Request,
) -> Response {
    let visitor = match visitor(&app, request.headers()) {
        Ok(visitor) => visitor,
        Err(fault) => return problem(&fault),
    };
    let key = request.headers().get(KEY_HEADER).map(|v| v.as_bytes().to_owned());
    match key {
        Some(key) if api && row.method == Verb::Post => {
            once(app, row, params, visitor, &String::from_utf8_lossy(&key), request).await
        }
        _ => respond(app, row, api, params, visitor, request).await,
    }
}

/// An act under an idempotency key: done once, answered as often as it is asked.
async fn once(
    app: App,
    row: &'static Row,
    params: BTreeMap<String, String>,
    visitor: Visitor,
    key: &str,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = match body_of(body, most_bytes(row)).await {
        Ok(bytes) => bytes,
        Err(fault) => return problem(&fault),
    };
    let act = [parts.uri.path().as_bytes(), b"\n", &bytes].concat();
    let name = match app.0.once.begin(visitor.token.as_str(), key, &act, app.now()) {
        Ok(Turn::Do(name)) => name,
        Ok(Turn::Done(status, body)) => return again(status, body),
        Err(fault) => return problem(&fault),
    };
    let request = Request::from_parts(parts, Body::from(bytes));
    let response = respond(app.clone(), row, true, params, visitor, request).await;
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    app.0.once.end(name, parts.status, &String::from_utf8_lossy(&bytes));
    Response::from_parts(parts, Body::from(bytes))
}

async fn respond(
    app: App,
    row: &'static Row,
    api: bool,
    params: BTreeMap<String, String>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let actor = actor_of(&app, &visitor).await;
    // The work goes on to its end even if the visitor goes away: an act is done whole or not at all.
    let task = tokio::spawn(answer(
        app.clone(),
        row,
        actor.clone(),
        visitor.clone(),
        params,
        request,
        api,
    ));
    let answered = match tokio::time::timeout(LONGEST, task).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(e)) => Err(Fault::incident(&e)),
        Err(e) => Err(Fault::incident(&e)),
    };
    let mut response = match answered {
        Ok(answer) if api => as_json(&app, &visitor, answer).await,
        Ok(answer) => as_page(&app, &visitor, row, actor.as_ref(), answer).await,
        Err(fault) if api => problem(&fault),
        Err(fault) if fault.status == StatusCode::UNAUTHORIZED && row.method == Verb::Get => {
            see_other("/sign-in")
        }
        Err(fault) => fault_page(&app, &visitor, actor.as_ref(), &fault).await,
    };
    // A page that another site led to was asked for without our cookie: the one the browser has stays.
    let leads_on = response.headers().contains_key(header::REFRESH);
    if visitor.fresh && !leads_on && !response.headers().contains_key(header::SET_COOKIE) {
        set_cookie(&app, &mut response, &visitor.token);
    }
    response
}

async fn answer(
    app: App,
    row: &'static Row,
    actor: Option<Actor>,
    visitor: Visitor,
    params: BTreeMap<String, String>,
    request: Request,
    api: bool,
) -> Result<Answer, Fault> {
    match row.who.admits(actor.as_ref()) {
        Ok(()) => {}
        Err(Closed::SignIn) => return Err(Fault::sign_in()),
        Err(Closed::Role) => return Err(Fault::role(row.title)),
    }
    if let Some(pace) = row.pace {
        let peer = request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |c| c.0.ip());
        app.0.limiter.take(peer, row.name, pace, app.now()).map_err(Fault::too_often)?;
    }
    let grave = row.who.act().is_some_and(kiban_govern::Act::needs_confirmation);
    if row.method == Verb::Post && grave && !app.is_confirmed(&visitor.token) {
        return Err(Fault::confirm());
    }
    let mut input = read(request, row, &app, &visitor, api).await?;
    if row.method == Verb::Get {
        input.check(row.fields)?;
    } else {
        input.take("csrf");
        if !row.keeps_form {
            input.check(row.fields)?;
        }
    }
    let form = FormToken(app.0.sessions.form_token(&visitor.token));
    let ctx = Ctx { app, row, who: actor, form, token: visitor.token, params, input };
    (row.handler)(ctx).await
}

/// The input, once it is sure that the visitor's own page sent it.
async fn read(
    request: Request,
    row: &Row,
    app: &App,
    visitor: &Visitor,
    api: bool,
) -> Result<Input, Fault> {
    if row.method == Verb::Get {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
            .map_err(|_| Fault::malformed("アドレスの ? の後を読めません。"))?;
        return Ok(Input::of_pairs(pairs.0));
    }
    let (parts, body) = request.into_parts();
    // A browser says where a request comes from; another site is refused whatever it sends.
    let site = parts.headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    if matches!(site, Some("cross-site" | "same-site")) {
        return Err(Fault::token());
    }
    let bytes = body_of(body, most_bytes(row)).await?;
    let whole_kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let kind = whole_kind.split(';').next().unwrap_or("").trim();
    let (input, given) = if api {
        if !bytes.is_empty() && kind != "application/json" {
            return Err(Fault::malformed("application/json で送ってください。"));
        }
        let header = parts.headers.get(TOKEN_HEADER).and_then(|v| v.to_str().ok());
        (Input::of_json(&bytes)?, header.unwrap_or("").to_owned())
    } else if kind == "multipart/form-data" && takes_file(row) {
        let input = of_parts(whole_kind, &bytes)?;
        let given = input.text("csrf").to_owned();
        (input, given)
    } else {
        if !bytes.is_empty() && kind != "application/x-www-form-urlencoded" {
            return Err(Fault::malformed("画面の書式から送ってください。"));
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Fault::malformed("送られた文字を読めません。"))?;
        let uri = format!("/?{text}");
        let pairs = uri
            .parse()
            .ok()
            .and_then(|uri| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok())
            .ok_or_else(|| Fault::malformed("送られた内容を読めません。"))?;
        let input = Input::of_pairs(pairs.0);
        let given = input.text("csrf").to_owned();
        (input, given)
    };
    if visitor.fresh || !app.0.sessions.is_form_token(&visitor.token, &given) {
        return Err(Fault::token());
    }
    Ok(input)
}

fn takes_file(row: &Row) -> bool {
    row.fields.iter().any(|f| matches!(f.kind, Kind::File(_)))
}

/// A form with a file: its bytes become base64, as in JSON, and its name the field `name`.
fn of_parts(content_type: &str, bytes: &[u8]) -> Result<Input, Fault> {
    let parts = multipart::boundary(content_type).and_then(|b| multipart::parts(b, bytes));
    let parts = parts.ok_or_else(|| Fault::malformed("送られた内容を読めません。"))?;
    let mut pairs = Vec::new();
    for part in parts {
        if let Some(name) = part.file {
            // A browser sends a field without a file as one without a name.
            if !name.is_empty() {
                pairs.push((part.name, STANDARD.encode(part.content)));
                pairs.push(("name".to_owned(), name));
            }
        } else {
            let text = std::str::from_utf8(part.content)
                .map_err(|_| Fault::malformed("送られた文字を読めません。"))?;
            pairs.push((part.name, text.to_owned()));
        }
    }
    Ok(Input::of_pairs(pairs))
}

async fn body_of(body: Body, most: usize) -> Result<Bytes, Fault> {
    to_bytes(body, most).await.map_err(|_| Fault::too_large())
}
