//! The application's form: from fields to content and back. A draft may leave anything open; what is missing is named
//! by the service when it is submitted.

use kiban_journeys::release::application::{Content, Named};
use kiban_kernel::{Date, Id, kinds};
use serde::Serialize;

use crate::{ctx::Ctx, input::Input, japanese::day, names::Names};

/// A field as the form shows it.
#[derive(Serialize, Clone)]
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    pub(crate) ja: &'static str,
    pub(crate) value: String,
    /// Its label and value as a page shows them.
    pub(crate) label: &'static str,
    pub(crate) text: String,
    pub(crate) help: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) wrong: String,
    /// Differs from the version before.
    pub(crate) changed: bool,
}

fn people(text: &str) -> Vec<Named> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, affiliation) = line.split_once(['／', '/']).unwrap_or((line, ""));
            Named { name: name.trim().to_owned(), affiliation: affiliation.trim().to_owned() }
        })
        .collect()
}

fn organizations(input: &Input, name: &str) -> Vec<Id<kinds::Organization>> {
    input.lines(name).iter().filter_map(|line| line.parse().ok()).collect()
}

/// A day that is missing: before any other, so that the period is no period yet.
fn day_or(input: &Input, name: &str, default: Date) -> Date {
    input.text(name).parse().unwrap_or(default)
}

/// The content that the fields give.
pub(crate) fn content(ctx: &Ctx) -> Content {
    let input = &ctx.input;
    let text = |name: &str| input.text(name).to_owned();
    // A period without both days ends before it begins: the service names it as missing.
    let (late, early) = (Date::constant(9999, 12, 31), Date::constant(1, 1, 1));
    Content {
        title: text("title"),
        responsible: Named {
            name: text("responsible_name"),
            affiliation: text("responsible_affiliation"),
        },
        handlers: people(input.text("handlers")),
        purpose: text("purpose"),
        method: text("method"),
        items: input.lines("items"),
        population: text("population"),
        data_from: day_or(input, "data_from", late),
        data_until: day_or(input, "data_until", early),
        minimality: text("minimality"),
        place: text("place"),
        environment: text("environment"),
        security: text("security"),
        co_users: organizations(input, "co_users"),
        trustees: organizations(input, "trustees"),
        publication: text("publication"),
        funding: text("funding"),
        conflicts: text("conflicts"),
        interested: organizations(input, "interested"),
        use_from: day_or(input, "use_from", late),
        use_until: day_or(input, "use_until", early),
    }
}

fn day_text(date: Date) -> String {
    // The two days that stand for "missing".
    if date.year() == 9999 || date.year() == 1 { String::new() } else { date.to_string() }
}

fn people_text(people: &[Named]) -> String {
    people.iter().map(|p| format!("{}／{}", p.name, p.affiliation)).collect::<Vec<_>>().join("\n")
}

fn ids_text(ids: &[Id<kinds::Organization>]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const HELP: &[(&str, &str)] = &[
    ("purpose", "医療分野の研究開発に資する目的を、専門外の人にも分かるように書いてください。"),
    (
        "items",
        "データカタログの変数を、1行に1つ、「表.列」の形で書いてください（例：condition.code）。",
    ),
    ("minimality", "なぜこの項目・期間・対象より少なくできないかを書いてください。"),
    ("handlers", "1行に1人、「氏名／所属」の形で書いてください。"),
    (
        "interested",
        "申請者のほかに利害関係のある事業者の識別子。関係する審査委員は審議に加わりません。",
    ),
    ("co_users", "共同利用する事業者の識別子。ないときは空のままにします。"),
    ("trustees", "取扱いを委託する事業者の識別子。ないときは空のままにします。"),
];

fn value_of(name: &str, content: &Content) -> String {
    match name {
        "title" => content.title.clone(),
        "responsible_name" => content.responsible.name.clone(),
        "responsible_affiliation" => content.responsible.affiliation.clone(),
        "handlers" => people_text(&content.handlers),
        "purpose" => content.purpose.clone(),
        "method" => content.method.clone(),
        "items" => content.items.join("\n"),
        "population" => content.population.clone(),
        "data_from" => day_text(content.data_from),
        "data_until" => day_text(content.data_until),
        "minimality" => content.minimality.clone(),
        "place" => content.place.clone(),
        "environment" => content.environment.clone(),
        "security" => content.security.clone(),
        "co_users" => ids_text(&content.co_users),
        "trustees" => ids_text(&content.trustees),
        "interested" => ids_text(&content.interested),
        "publication" => content.publication.clone(),
        "funding" => content.funding.clone(),
        "conflicts" => content.conflicts.clone(),
        "use_from" => day_text(content.use_from),
        "use_until" => day_text(content.use_until),
        _ => String::new(),
    }
}

fn kind_of(name: &str) -> &'static str {
    match name {
        "title" | "responsible_name" | "responsible_affiliation" => "line",
        "data_from" | "data_until" | "use_from" | "use_until" => "day",
        _ => "text",
    }
}

/// The fields with the values of a content, marked where they differ from the one before.
pub(crate) fn shown(content: &Content, earlier: Option<&Content>) -> Vec<Shown> {
    crate::fields::APPLICATION
        .iter()
        .filter(|f| f.name != "product")
        .map(|f| {
            let value = value_of(f.name, content);
            Shown {
                changed: earlier.is_some_and(|e| value_of(f.name, e) != value),
                name: f.name,
                ja: f.ja,
                help: HELP.iter().find(|(name, _)| *name == f.name).map_or("", |(_, help)| help),
                kind: kind_of(f.name),
                wrong: String::new(),
                label: f.ja.split('（').next().unwrap_or(f.ja),
                text: match value.parse::<Date>() {
                    Ok(date) if kind_of(f.name) == "day" => day(date),
                    _ => value.clone(),
                },
                value,
            }
        })
        .collect()
}

/// Writes out what the fields hold as codes: variables by their descriptions, organizations by their names.
pub(crate) fn read_out(fields: &mut [Shown], names: &Names) {
    for field in fields {
        let line: fn(&Names, &str) -> String = match field.name {
            "items" => |_, item| {
                let ja = item
                    .split_once('.')
                    .and_then(|(table, column)| kiban_journeys::column_ja(table, column));
                ja.map_or_else(|| item.to_owned(), |ja| format!("{ja}（{item}）"))
            },
            "co_users" | "trustees" | "interested" => |names, id| names.organization_text(id),
            _ => continue,
        };
        field.text =
            field.text.lines().map(|text| line(names, text)).collect::<Vec<_>>().join("\n");
    }
}

/// The fields as they came, with what is wrong.
pub(crate) fn as_sent(ctx: &Ctx, wrong: &[(String, String)]) -> Vec<Shown> {
    let mut fields = shown(&content(ctx), None);
    for field in &mut fields {
        let raw = ctx.input.all(field.name);
        if !raw.is_empty() {
            field.value = raw.join("\n");
        }
        if let Some((_, ja)) = wrong.iter().find(|(name, _)| name == field.name) {
            field.wrong.clone_from(ja);
        }
    }
    fields
}
