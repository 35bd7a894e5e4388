//! Letters as one print-ready page each: A4, address window at the top left, the statutory items of each regime.

use std::fmt::Write as _;

use kiban_kernel::{Date, Regime};

use super::{NoticeVersion, Profile, letters_due::Recipient};

const STYLE: &str = "@page{size:A4;margin:18mm 20mm}body{font-family:\"Hiragino Mincho ProN\",\"Yu Mincho\",\"Noto Serif CJK JP\",serif;\
font-size:10.5pt;line-height:1.7;margin:0;color:#000}section{break-after:page;min-height:250mm}section:last-child{break-after:auto}\
.to{height:45mm;font-size:11pt}.from{text-align:right}h1{font-size:14pt;text-align:center;margin:6mm 0}h2{font-size:11.5pt;margin:5mm 0 1mm}\
dl{margin:0;display:grid;grid-template-columns:38mm 1fr;gap:1mm 3mm}dt{font-weight:bold}dd{margin:0}footer{margin-top:6mm;font-size:9pt}";

/// Text as HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn head(batch: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"ja\"><head><meta charset=\"utf-8\"><title>通知書 {}</title><style>{STYLE}</style></head><body>\n",
        escaped(batch)
    )
}

pub(super) const FOOT: &str = "</body></html>\n";

/// One letter. `number`: its number in the batch, printed so that a letter that comes back is found again.
pub(super) fn letter(
    profile: &Profile,
    versions: &[&NoticeVersion],
    to: &Recipient,
    guardian: bool,
    on: Date,
    number: &str,
) -> String {
    let mut out = String::new();
    let name = if guardian {
        format!("{} 様<br>（保護者等 {} 様）", escaped(&to.name), escaped(&to.guardian))
    } else {
        format!("{} 様", escaped(&to.name))
    };
    let _ = write!(
        out,
        "<section><div class=\"to\">〒{}<br>{}<br>{name}</div><div class=\"from\">{on}<br>{}<br>{}<br>{}</div>\n\
         <h1>医療情報の提供に関する通知</h1>\n\
         <p>次世代医療基盤法（医療分野の研究開発に資するための匿名加工医療情報及び仮名加工医療情報に関する法律）に基づき、次のとおり通知します。</p>\n",
        escaped(&to.postal_code),
        escaped(&to.address),
        escaped(&profile.provider.address),
        escaped(&profile.provider.name),
        escaped(&profile.provider.representative),
    );
    for version in versions {
        let Some(text) = &version.text else { continue };
        let _ = write!(
            out,
            "<h2>{}（通知文書 {}）</h2><dl>",
            match version.regime {
                Regime::Anon52 => "匿名加工医療情報（法第52条）",
                Regime::Pseudo57 => "仮名加工医療情報（法第57条）",
            },
            escaped(&version.version),
        );
        let holder = format!(
            "{}、{}、{}",
            profile.provider.name, profile.provider.address, profile.provider.representative
        );
        let producer = format!("{}（{}）", profile.producer_name, profile.producer_address);
        let items = [
            ("提供者", holder.as_str()),
            ("提供の目的", text.purpose.as_str()),
            ("提供する項目", text.data_items.as_str()),
            ("取得の方法", text.acquisition.as_str()),
            ("提供の方法", text.method.as_str()),
            ("提供の停止", text.stop_on_request.as_str()),
            ("求めの受付", text.request_desk.as_str()),
            ("提供先", producer.as_str()),
        ];
        for (term, value) in items {
            let _ = write!(out, "<dt>{term}</dt><dd>{}</dd>", escaped(value));
        }
        out.push_str("</dl>\n");
    }
    let _ = write!(
        out,
        "<p>提供を望まれない場合は、いつでも停止を求めることができます。理由は要りません。求めによって診療等で不利益を受けることはありません。</p>\n\
         <footer>{}</footer></section>\n",
        escaped(number)
    );
    out
}
