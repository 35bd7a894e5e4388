//! The articles with which a contract begins: a draft that the general manager changes as the case asks.

use kiban_kernel::Product;

/// The articles for a project.
pub fn contract_draft(title: &str, product: Product) -> String {
    let what = product.label_ja();
    let certified = match product {
        Product::Pseudonymized => {
            "乙の認定が効力を失ったとき、又は乙がこの契約に違反したときは、この契約は終了する。"
        }
        Product::Anonymized => {
            "乙がこの契約に違反したときは、甲は、この契約を解除することができる。"
        }
    };
    format!(
        "第1条（目的）　乙は、甲が提供する{what}を「{title}」のためにのみ利用する。\n\
         第2条（提供）　甲は、別紙2の加工仕様書により作成した別紙1の項目を乙に提供する。\n\
         第3条（禁止）　乙は、本人を識別するために{what}を他の情報と照合せず、加工の方法に関する情報を取得しない。\n\
         第4条（安全管理）　乙は、申請書に記載した利用場所、利用環境及び取扱者の範囲で{what}を取り扱う。\n\
         第5条（第三者への提供）　乙は、法令に定める場合を除き、{what}を第三者に提供しない。\n\
         第6条（事故）　乙は、漏えい等の事態を知ったときは、直ちに甲に報告する。\n\
         第7条（終了）　乙は、契約が終わったときは、すべての写しを消去し、その証拠を添えて甲に報告する。\n\
         第8条（監査）　乙は、甲がこの契約の履行を確かめるための調査に協力する。\n\
         第9条（解除）　{certified}"
    )
}
