//! The OpenAPI document of the interface, generated from the route table: every act and look of the pages as JSON.

use kiban_govern::Role;
use serde_json::{Map, Value, json};

use crate::{
    access::{Who, employers_of},
    input::{Field, Kind},
    routes::{ROUTES, Row, Verb},
};

/// The document (OpenAPI 3.1).
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for row in ROUTES {
        let path = format!("/api/v1{}", row.path.trim_end_matches('/'));
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[row.method.as_str().to_lowercase()] = operation(row);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "医療情報基盤 API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "画面と同じ行為を JSON で行います。サインイン（POST /api/v1/sign-in）で得た Cookie と、X-CSRF-Token が必要です。",
        },
        "paths": paths,
        "components": {
            "schemas": { "Problem": problem() },
            "securitySchemes": { "session": { "type": "apiKey", "in": "cookie", "name": "kiban_session" } },
        },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "errors": { "type": "array", "items": { "type": "object", "properties": {
                "field": { "type": "string" }, "detail": { "type": "string" } } } },
        },
    })
}

fn operation(row: &Row) -> Value {
    let mut parameters: Vec<Value> = row
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .collect();
    let mut out = json!({
        "operationId": row.name,
        "summary": row.title,
        "responses": responses(row),
    });
    if row.method == Verb::Get {
        parameters.extend(row.fields.iter().map(|f| {
            json!({ "name": f.name, "in": "query", "required": f.required, "description": f.ja, "schema": schema(f) })
        }));
    } else {
        parameters.push(json!({ "name": "X-CSRF-Token", "in": "header", "required": true, "schema": { "type": "string" } }));
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string", "maxLength": 100 } }));
        out["requestBody"] = body(row.fields);
    }
    out["parameters"] = Value::Array(parameters);
    if !matches!(row.who, Who::Anyone) {
        out["security"] = json!([{ "session": [] }]);
        let roles: Vec<&str> = Role::ALL
            .into_iter()
            .filter(|role| !employers_of(row, *role).is_empty())
            .map(Role::as_str)
            .collect();
        out["x-roles"] = json!(roles);
    }
    if let Some(act) = row.who.act() {
        out["x-act"] = json!(act.as_str());
    }
    out
}

fn body(fields: &[Field]) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut of = schema(field);
        of["description"] = json!(field.ja);
        properties.insert(field.name.to_owned(), of);
    }
    let required: Vec<&str> = fields.iter().filter(|f| f.required).map(|f| f.name).collect();
    json!({
        "required": !required.is_empty(),
        "content": { "application/json": { "schema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        } } },
    })
}

fn schema(field: &Field) -> Value {
    match field.kind {
        Kind::Line(most) | Kind::Text(most) => json!({ "type": "string", "maxLength": most }),
        Kind::Day => json!({ "type": "string", "format": "date" }),
        Kind::Tick => json!({ "type": "boolean" }),
        Kind::Choice(of) => json!({ "type": "string", "enum": of }),
        Kind::Lines(most) => {
            json!({ "type": "array", "items": { "type": "string", "maxLength": most } })
        }
        Kind::File(most) => {
            json!({ "type": "string", "contentEncoding": "base64", "maxLength": most.div_ceil(3) * 4 })
        }
        Kind::Number => json!({ "type": "integer", "minimum": 0 }),
    }
}

fn responses(row: &Row) -> Value {
    let problem = |ja: &str| json!({ "description": ja, "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    let done = if row.path.rsplit('.').next() == Some("pdf") {
        json!({ "description": "文書", "content": { "application/pdf": {} } })
    } else {
        json!({ "description": "済み" })
    };
    let mut out = json!({
        "200": done,
        "400": problem("読めない要求"),
        "404": problem("存在しない、または見る資格がない"),
        "500": problem("こちらの失敗（番号つき）"),
        "503": problem("ほかの処理が記録中"),
    });
    if !matches!(row.who, Who::Anyone) {
        out["401"] = problem("サインインが必要");
        out["403"] = problem("役割または操作の印が合わない");
    }
    if row.method == Verb::Post {
        out["403"] = problem("役割または操作の印が合わない");
        out["409"] = problem("いまの状態では行えない（理由つき）");
        out["413"] = problem("大きすぎる");
        out["422"] = problem("記入が正しくない（項目つき）");
    }
    if row.pace.is_some() {
        out["429"] = problem("短い時間に繰り返された");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_the_document_with_its_fields() {
        let document = document();
        for row in ROUTES {
            let path = format!("/api/v1{}", row.path.trim_end_matches('/'));
            let of = &document["paths"][path.as_str()][row.method.as_str().to_lowercase().as_str()];
            assert_eq!(of["operationId"], row.name);
            if row.method == Verb::Post {
                let schema = &of["requestBody"]["content"]["application/json"]["schema"];
                assert_eq!(schema["properties"].as_object().unwrap().len(), row.fields.len());
            }
        }
    }
}
