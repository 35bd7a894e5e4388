//! Keys by which persons are joined with another database: the profiles with how far they reach, and a list for one
//! recipient and provision.

use askama::Template;
use kiban_govern::Act;
use kiban_journeys::{Coverage, KeyRequest, Profile};
use kiban_kernel::Regime;
use serde::Serialize;

use super::home::may;
use crate::{
    answer::{Answer, csv},
    ctx::{Ctx, FormToken},
    fault::Fault,
    japanese::{number, persons},
};

/// A regime of a field that was checked.
fn regime(ctx: &Ctx) -> Regime {
    match ctx.input.text("regime") {
        "pseudo57" => Regime::Pseudo57,
        _ => Regime::Anon52,
    }
}

#[derive(Serialize)]
struct ProfileView {
    id: String,
    version: String,
    ja: String,
    fields: String,
    official: String,
    persons: String,
    with_key: String,
    share: String,
    with_several: String,
    shared: String,
    lacking: Vec<String>,
}

#[derive(Template, Serialize)]
#[template(path = "link_keys.html")]
struct Keys {
    regime: &'static str,
    profiles: Vec<ProfileView>,
    recipients: Vec<(String, String)>,
    may_make: bool,
    #[serde(skip)]
    form: FormToken,
}

fn field_ja(id: &str) -> &str {
    match id {
        "insurer_no" => "保険者番号",
        "symbol" => "記号",
        "number" => "番号",
        "branch" => "枝番",
        "birth_date" => "生年月日",
        "sex" => "性別",
        "name_kanji" => "漢字氏名",
        "name_kana" => "カナ氏名",
        other => other,
    }
}

/// So few that their number is not shown.
fn is_few(n: u64) -> bool {
    (1..kiban_journeys::SMALLEST_SHOWN).contains(&n)
}

/// A number of persons, masked where it is small.
fn shown(n: u64) -> String {
    persons((!is_few(n)).then_some(n))
}

/// Why some have no key. Where one reason holds for few, the others' numbers would tell how few.
fn lacking(c: &Coverage) -> Vec<String> {
    let few = c.lacking.values().any(|n| is_few(*n));
    let say = |(field, n): (&String, &u64)| {
        let field = field_ja(field);
        if few {
            format!("{field}がない")
        } else {
            format!("{field}がない：{}人", shown(*n))
        }
    };
    c.lacking.iter().map(say).collect()
}

pub(crate) async fn show(ctx: Ctx) -> Result<Answer, Fault> {
    let actor = ctx.actor()?;
    let of = regime(&ctx);
    let profiles = kiban_journeys::key_profiles(None)?;
    let coverage = kiban_journeys::link_key_coverage(ctx.on(), actor, &profiles, of).await?;
    let names = ctx.names().await?;
    let view = |(p, c): (&Profile, &Coverage)| {
        let fields = serde_json::to_value(&p.fields).unwrap_or_default();
        let fields = fields.as_array().map(Vec::as_slice).unwrap_or_default();
        let fields: Vec<&str> = fields.iter().filter_map(|f| f.as_str()).map(field_ja).collect();
        // A share of few says how many they are.
        let few = c.persons < 10 * kiban_journeys::SMALLEST_SHOWN
            || (1..kiban_journeys::SMALLEST_SHOWN).contains(&(c.persons - c.with_key));
        ProfileView {
            id: p.id.clone(),
            version: p.version.clone(),
            ja: p.ja.clone(),
            fields: fields.join("・"),
            official: p.official.as_ref().map(|o| o.name.clone()).unwrap_or_default(),
            persons: shown(c.persons),
            with_key: if few && c.with_key != c.persons { "—".into() } else { shown(c.with_key) },
            share: match (c.persons, few) {
                (0, _) | (_, true) => "—".to_owned(),
                (all, false) => format!("{:.1}%", c.with_key as f64 / all as f64 * 100.0),
            },
            with_several: shown(c.with_several),
            shared: number(c.shared),
            // Where one reason holds for few, the others' numbers would tell how few.
            lacking: lacking(c),
        }
    };
    let profiles = profiles.iter().zip(&coverage).map(view).collect();
    let recipients = names.all().map(|o| (o.id.to_string(), o.name.clone())).collect();
    Answer::page(Keys {
        regime: if of == Regime::Pseudo57 { "pseudo57" } else { "anon52" },
        profiles,
        recipients,
        may_make: may(actor, Act::MakeLinkKeys),
        form: ctx.form.clone(),
    })
}

/// The keys as a file; they go nowhere else.
pub(crate) async fn make(ctx: Ctx) -> Result<Answer, Fault> {
    let profiles = kiban_journeys::key_profiles(None)?;
    let request = KeyRequest {
        profile: ctx.input.text("profile").to_owned(),
        regime: regime(&ctx),
        recipient: ctx.chosen("recipient", "提供先")?,
        provision: ctx.input.text("provision").to_owned(),
    };
    let made =
        kiban_journeys::make_link_keys(ctx.on(), ctx.actor()?, &profiles, &[], &request).await?;
    let version = profiles.iter().find(|p| p.id == request.profile).map(|p| p.version.clone());
    let version = version.unwrap_or_default();
    let head = ["row", "profile", "version", "key"].map(str::to_owned);
    let rows = made
        .rows
        .into_iter()
        .map(|(row, key)| [row, request.profile.clone(), version.clone(), key]);
    let name = format!("link-keys-{}-{}.csv", request.profile, request.provision);
    Ok(Answer::csv(&name, csv(std::iter::once(head).chain(rows))))
}
