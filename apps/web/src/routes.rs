//! The route table: every address with its title, who may use it, its fields and its handler. The router, the
//! permission page, the OpenAPI document and the matrix test are made from it; there is no other way to add a route.

use std::pin::Pin;

use kiban_govern::{
    Act,
    Employer::{self, Holder, Other, Producer, User},
    Role::{
        self, Auditor, CommitteeMember, CommitteeSecretary, DeliveryOfficer, EnquiryOfficer,
        Examiner, GeneralManager, HolderStaff, IntakeOfficer, Processor, Registrar,
        RegulatorOfficer, ReleaseApprover, Researcher, SecurityOfficer,
    },
};

use crate::{
    access::Who::{self, Anyone, Do, Look, SignedIn},
    answer::Answer,
    ctx::Ctx,
    fault::Fault,
    fields::{
        APPLICATION, ATTACHMENT, COPY_PROOF, CREATED, ENQUIRY, ENQUIRY_ANSWER, HISTORY_ANSWER,
        INCIDENT, LINK_ANSWER, LINK_KEY, LINK_PAIR, LINK_UNDO, LOOK_UP, MAPPING, MAPPING_FOR,
        NUMBER, OUTPUT, OUTPUT_AGAIN, OUTPUT_CHECK, PRESENTED, PROOF, PROVIDER_ANSWER,
        PROVIDER_BIND, REASON, REGIME, ROUTES_OUT, STOP, STOP_WHO, SUBMISSION, may, must,
    },
    limit::Pace,
    paging::PAGE,
    screens::{
        accounts, application_acts, application_print, applications, audit, books, case_parts,
        catalogue, committee, contract_paper, contracts, dataset_acts, dataset_paper, datasets,
        dcat, deliveries, desk, desk_receipt, enquiries, evidence, home, incident, incidents,
        joint_uses, link_case, link_history, link_keys, link_why, links, mappings, minutes,
        notices, outbox, outputs, passkeys, permissions, person, provided, provider, public,
        recalls, review, sign_in, stop, stop_rates, stops, submissions, tracks, users, uses,
    },
};

pub use crate::input::{Field, Kind};

/// How a route is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// To look.
    Get,
    /// To act.
    Post,
}

impl Verb {
    /// As in HTTP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

type Working = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send>>;

/// A row of the table.
pub struct Row {
    /// Short name, in the matrix and the OpenAPI document.
    pub name: &'static str,
    /// How it is asked.
    pub method: Verb,
    /// Its address; under `/api/v1` too.
    pub path: &'static str,
    /// Japanese title.
    pub title: &'static str,
    /// Who may use it.
    pub who: Who,
    /// What it takes.
    pub fields: &'static [Field],
    /// How often one address may use it.
    pub(crate) pace: Option<Pace>,
    /// The handler checks the fields and gives the form back with what is wrong.
    pub(crate) keeps_form: bool,
    pub(crate) handler: fn(Ctx) -> Working,
}

impl Row {
    const fn paced(mut self, burst: u32, seconds: u32) -> Self {
        self.pace = Some(Pace { burst, seconds });
        self
    }
    const fn keeping(mut self) -> Self {
        self.keeps_form = true;
        self
    }
}

const fn row(
    name: &'static str,
    method: Verb,
    path: &'static str,
    title: &'static str,
    who: Who,
    fields: &'static [Field],
    handler: fn(Ctx) -> Working,
) -> Row {
    Row { name, method, path, title, who, fields, pace: None, keeps_form: false, handler }
}

macro_rules! get {
    ($name:literal, $path:literal, $title:literal, $who:expr, $fields:expr, $handler:path) => {
        row($name, Verb::Get, $path, $title, $who, $fields, |ctx| Box::pin($handler(ctx)))
    };
}
macro_rules! post {
    ($name:literal, $path:literal, $title:literal, $who:expr, $fields:expr, $handler:path) => {
        row($name, Verb::Post, $path, $title, $who, $fields, |ctx| Box::pin($handler(ctx)))
    };
}

const ALL: &[Employer] = &Employer::ALL;
const STAFF: &[Employer] = &[Producer];
const CASES: &[Role] = &[
    Researcher,
    CommitteeSecretary,
    CommitteeMember,
    GeneralManager,
    Processor,
    Examiner,
    ReleaseApprover,
    DeliveryOfficer,
    SecurityOfficer,
    Auditor,
];
const REVIEWS: &[Role] = &[CommitteeSecretary, CommitteeMember, GeneralManager, Auditor];
const DATASETS: &[Role] = &[
    Researcher,
    Processor,
    Examiner,
    ReleaseApprover,
    DeliveryOfficer,
    GeneralManager,
    SecurityOfficer,
    Auditor,
];
const DELIVERIES: &[Role] =
    &[HolderStaff, IntakeOfficer, Processor, SecurityOfficer, GeneralManager, Auditor];
const STOPS: &[Role] =
    &[HolderStaff, IntakeOfficer, SecurityOfficer, GeneralManager, ReleaseApprover, Auditor];
const USERS: &[Role] = &[
    Registrar,
    CommitteeSecretary,
    GeneralManager,
    ReleaseApprover,
    DeliveryOfficer,
    SecurityOfficer,
    Auditor,
];

const USES: &[Role] =
    &[Researcher, DeliveryOfficer, ReleaseApprover, GeneralManager, SecurityOfficer, Auditor];
const INCIDENTS: &[Role] =
    &[SecurityOfficer, GeneralManager, IntakeOfficer, Processor, DeliveryOfficer, Auditor];
const OUTPUTS: &[Role] =
    &[Researcher, Processor, Examiner, GeneralManager, SecurityOfficer, Auditor];
const SUBMISSIONS: &[Role] =
    &[Researcher, RegulatorOfficer, EnquiryOfficer, GeneralManager, SecurityOfficer, Auditor];
const ENQUIRIES: &[Role] =
    &[RegulatorOfficer, EnquiryOfficer, GeneralManager, SecurityOfficer, Auditor];
const BOOKS: &[Role] = &[Auditor, SecurityOfficer, GeneralManager];
const YEAR: Field = may("year", "年度", Kind::Number);

/// Every route: a line each.
#[rustfmt::skip]
pub static ROUTES: &[Row] = &[
    // Anybody
    get!("top", "/", "医療データの利用について", Anyone, &[], public::top),
    get!("projects", "/projects", "利用が決まった研究の一覧", Anyone, &[PAGE], public::projects),
    get!("projects_csv", "/projects.csv", "利用が決まった研究の一覧（CSV）", Anyone, &[], public::projects_csv),
    get!("provided", "/provided", "だれの記録が何に使われたか", Anyone, &[PAGE], provided::show),
    get!("provided_csv", "/provided.csv", "だれの記録が何に使われたか（CSV）", Anyone, &[], provided::show_csv),
    get!("hospitals", "/hospitals", "医療機関・市町村をさがす", Anyone, &[PAGE], public::hospitals),
    get!("stop_who", "/stop", "提供を止める", Anyone, STOP_WHO, stop::who),
    get!("stop_person", "/stop/person", "提供を止める（患者さんについて）", Anyone, STOP_WHO, stop::person),
    post!("stop_confirm", "/stop/confirm", "提供を止める（確認）", Anyone, STOP, stop::confirm).keeping(),
    post!("stop_ask", "/stop", "提供を止める（送信）", Anyone, STOP, stop::ask).keeping().paced(6, 60),
    get!("stop_status", "/stop/status", "提供停止の状況を調べる", Anyone, &[], stop::status),
    post!("stop_status_show", "/stop/status", "提供停止の状況", Anyone, &[NUMBER], stop::status_of).keeping().paced(12, 10),
    get!("sign_in", "/sign-in", "サインイン", Anyone, &[may("enrolled", "登録直後", Kind::Tick)], sign_in::picker),
    post!("sign_in_as", "/sign-in", "サインイン（実行）", Anyone, &[must("account", "役割", Kind::Line(40))], sign_in::begin).paced(20, 6),
    post!("sign_in_begin", "/sign-in/begin", "パスキーを求める", Anyone, &[], passkeys::sign_in_begin).paced(20, 3),
    post!("sign_in_finish", "/sign-in/finish", "パスキーでサインインする", Anyone, PRESENTED, passkeys::sign_in_finish).paced(20, 3),
    get!("provider", "/sign-in/with/{provider}", "認証基盤でサインイン", Anyone, &[], provider::leave).paced(20, 3),
    get!("provider_answer", "/sign-in/provider/answer", "サインインを続けています", Anyone, PROVIDER_ANSWER, provider::back).paced(20, 3),
    get!("provider_finish", "/sign-in/provider/finish", "認証基盤の回答を確かめる", Anyone, PROVIDER_ANSWER, provider::finish).paced(20, 3),
    get!("second", "/sign-in/second", "二つ目の要素の確認", Anyone, &[], provider::second),
    post!("second_begin", "/sign-in/second/begin", "二つ目の要素を求める", Anyone, &[], provider::second_begin).paced(20, 3),
    post!("second_finish", "/sign-in/second/finish", "二つ目の要素でサインインする", Anyone, PRESENTED, provider::second_finish).paced(20, 3),
    get!("enrol", "/enrol", "パスキーの登録", Anyone, &[], passkeys::enrol),
    post!("enrol_begin", "/enrol/begin", "登録コードを示す", Anyone, &[must("code", "登録コード", Kind::Line(40))], passkeys::enrol_begin).paced(6, 30),
    post!("enrol_finish", "/enrol/finish", "パスキーを登録する", Anyone, CREATED, passkeys::enrol_finish).paced(6, 30),
    post!("confirm_begin", "/confirm/begin", "本人の確認を求める", SignedIn, &[], passkeys::confirm_begin).paced(20, 3),
    post!("confirm_finish", "/confirm/finish", "本人であることを確かめる", SignedIn, PRESENTED, passkeys::confirm_finish).paced(20, 3),
    post!("sign_out", "/sign-out", "サインアウト", SignedIn, &[], sign_in::end),
    get!("catalogue", "/catalogue", "データカタログ", Anyone, &[may("q", "ことば", Kind::Line(100))], catalogue::list),
    get!("catalogue_csv", "/catalogue.csv", "データカタログ（CSV）", Anyone, &[], catalogue::list_csv),
    get!("catalogue_regions_csv", "/catalogue/prefectures.csv", "都道府県別の人数（CSV）", Anyone, &[], catalogue::regions_csv),
    get!("catalogue_dcat", "/catalogue.jsonld", "データカタログ（HealthDCAT-AP）", Anyone, &[], dcat::show),
    get!("catalogue_table", "/catalogue/tables/{table}", "表の内容", Anyone, &[], catalogue::table),
    // Everybody signed in
    get!("home", "/home", "ホーム", SignedIn, &[], home::show),
    get!("permissions", "/permissions", "権限表", SignedIn, &[], permissions::show),
    // Applications
    get!("applications", "/applications", "利用申請", Look(CASES, ALL), &[PAGE], applications::list),
    get!("application_new", "/applications/new", "新しい利用申請", Do(Act::SubmitApplication), &[], application_acts::new),
    post!("application_draft", "/applications", "利用申請の下書きを作る", Do(Act::SubmitApplication), APPLICATION, application_acts::draft).keeping(),
    get!("application", "/applications/{id}", "利用申請の内容", Look(CASES, ALL), &[], applications::show),
    get!("application_print", "/applications/{id}/print", "利用申請書（印刷用）", Look(CASES, ALL), &[], application_print::print),
    get!("application_pdf", "/applications/{id}/application.pdf", "利用申請書（PDF）", Look(CASES, ALL), &[], application_print::pdf),
    get!("application_edit", "/applications/{id}/edit", "利用申請を書く", Do(Act::SubmitApplication), &[may("saved", "保存した版を表示", Kind::Tick)], application_acts::edit),
    post!("application_amend", "/applications/{id}/edit", "利用申請を保存する", Do(Act::SubmitApplication), APPLICATION, application_acts::amend).keeping(),
    post!("application_keep", "/applications/{id}/keep", "書きかけを保存する", Do(Act::SubmitApplication), APPLICATION, application_acts::keep).paced(30, 4),
    post!("application_attach", "/applications/{id}/attachments", "ファイルを添付する", Do(Act::SubmitApplication), ATTACHMENT, case_parts::attach).paced(20, 10),
    get!("attachment", "/applications/{id}/attachments/{attachment}", "添付ファイル", Look(CASES, ALL), &[], case_parts::attachment),
    post!("application_detach", "/applications/{id}/attachments/{attachment}/remove", "添付を外す", Do(Act::SubmitApplication), &[], case_parts::detach),
    post!("application_quote", "/applications/{id}/quote", "見積りを提示する", Do(Act::QuoteApplication), &[must("yen", "金額（円、税抜き）", Kind::Number), must("days", "提出から提供までの日数", Kind::Number)], case_parts::quote),
    post!("application_submit", "/applications/{id}/submit", "利用申請を提出する", Do(Act::SubmitApplication), &[], application_acts::submit),
    post!("application_withdraw", "/applications/{id}/withdraw", "利用申請を取り下げる", Do(Act::SubmitApplication), &[], application_acts::withdraw),
    post!("application_follow", "/applications/{id}/follow-up", "同じ集団の続きを申請する", Do(Act::SubmitApplication), &[], application_acts::follow_up),
    post!("application_message", "/applications/{id}/messages", "申請の連絡を書く", Do(Act::WriteMessage), &[must("text", "連絡", Kind::Text(4_000))], application_acts::message),
    post!("application_screen", "/applications/{id}/screen", "審査委員会に付議する", Do(Act::ScreenApplication), &[], application_acts::screen),
    post!("application_track", "/applications/{id}/track", "審査の方法を選ぶ", Do(Act::ScreenApplication), &[must("track", "審査の方法", Kind::Choice(&["meeting", "paper", "expedited"]))], tracks::choose),
    post!("condition_close", "/applications/{id}/conditions", "条件が満たされたことを記録する", Do(Act::ScreenApplication), &[must("condition", "条件", Kind::Line(64)), must("note", "満たされたことの説明", Kind::Text(1_000))], tracks::close_condition),
    post!("application_return", "/applications/{id}/return", "申請者に差し戻す", Do(Act::ScreenApplication), &[REASON], application_acts::send_back),
    // Committee
    get!("committee", "/committee", "審査委員会", Look(REVIEWS, ALL), &[], committee::show),
    get!("review", "/applications/{id}/review", "審査", Look(REVIEWS, ALL), &[], review::show),
    post!("review_interest", "/applications/{id}/interest", "利益相反を申告する", Do(Act::Vote), &[must("interest", "利益相反の有無", Kind::Choice(&["yes", "no"])), may("reason", "内容", Kind::Text(2_000))], review::interest),
    post!("review_vote", "/applications/{id}/vote", "評決する", Do(Act::Vote), &[must("vote", "評決", Kind::Choice(&["approve", "approve_with_conditions", "revise", "reject"])), REASON, may("conditions", "条件（1行に1つ）", Kind::Lines(2_000))], review::vote),
    post!("review_close", "/applications/{id}/close", "評決を締め切る", Do(Act::CloseVotes), &[], review::close),
    post!("review_minutes", "/applications/{id}/minutes", "議事録を確定する", Do(Act::RecordSession), &[], review::minutes),
    get!("minutes", "/applications/{id}/minutes", "審査委員会の議事録（印刷用）", Look(REVIEWS, ALL), &[], minutes::page),
    get!("minutes_pdf", "/applications/{id}/minutes.pdf", "審査委員会の議事録（PDF）", Look(REVIEWS, ALL), &[], minutes::pdf),
    post!("decide", "/applications/{id}/decide", "提供の可否を決定する", Do(Act::DecideApplication), &[must("accept", "決定", Kind::Choice(&["yes", "no"])), REASON, may("conditions", "条件（1行に1つ）", Kind::Lines(2_000))], review::decide),
    // Contracts
    post!("contract_draw", "/applications/{id}/contract", "契約案を作る", Do(Act::SignContract), &[must("specification", "加工仕様書", Kind::Text(60_000)), must("from", "契約の始め", Kind::Day), must("until", "契約の終わり", Kind::Day), must("text", "契約の本文", Kind::Text(20_000))], contracts::draw),
    get!("contract", "/contracts/{id}", "利用契約", Look(CASES, ALL), &[], contract_paper::page),
    get!("contract_pdf", "/contracts/{id}/contract.pdf", "利用契約書（PDF）", Look(CASES, ALL), &[], contract_paper::pdf),
    post!("contract_accept", "/contracts/{id}/accept", "契約に同意する", Do(Act::AcceptContract), &[], contracts::accept),
    post!("contract_sign", "/contracts/{id}/sign", "契約を締結する", Do(Act::SignContract), &[], contracts::sign),
    // Datasets
    get!("datasets", "/datasets", "データセット", Look(DATASETS, ALL), &[PAGE], datasets::list),
    get!("dataset", "/datasets/{id}", "データセットの内容", Look(DATASETS, ALL), &[], datasets::show),
    get!("dataset_pdf", "/datasets/{id}/delivery.pdf", "提供書（PDF）", Look(DATASETS, ALL), &[], dataset_paper::pdf),
    post!("dataset_produce", "/applications/{id}/produce", "加工を実行する", Do(Act::ProduceDataset), &[], dataset_acts::produce),
    post!("dataset_again", "/datasets/{id}/produce", "判断を反映して加工し直す", Do(Act::ProduceDataset), &[], dataset_acts::again),
    post!("finding_decide", "/datasets/{id}/findings/{finding}", "所見を判断する", Do(Act::DecideFinding), &[must("decision", "判断", Kind::Choice(&["keep", "coarsen", "drop"])), REASON], dataset_acts::decide),
    post!("release_approve", "/datasets/{id}/approve", "提供を承認する", Do(Act::ApproveRelease), &[must("route", "提供の方法", Kind::Choice(ROUTES_OUT)), must("confirm", "確認のための番号", Kind::Line(40))], dataset_acts::approve),
    post!("dataset_deliver", "/datasets/{id}/deliver", "提供する", Do(Act::DeliverDataset), &[must("route", "提供の方法", Kind::Choice(ROUTES_OUT))], dataset_acts::deliver),
    post!("dataset_continuity", "/datasets/{id}/continuity", "前回の提供とのつながりを数える", Do(Act::ProduceDataset), &[], dataset_acts::continuity),
    get!("package", "/datasets/{id}/package", "提供データの受取り", Do(Act::OpenPackage), &[], dataset_acts::package),
    get!("uses", "/uses", "利用の終了と消去", Look(USES, &[Producer, User]), &[PAGE], uses::list),
    post!("use_report", "/uses/{id}/report", "消去を報告する", Do(Act::ReportErasure), PROOF, uses::report).paced(20, 10),
    post!("use_check", "/uses/{id}/check", "消去の報告を確かめる", Do(Act::ConfirmErasure), &[must("accept", "証拠の確認", Kind::Choice(&["yes", "no"])), may("reason", "差し戻す理由", Kind::Text(1_000))], uses::check),
    get!("use_proof", "/uses/{id}/proof", "消去の証拠", Look(USES, &[Producer, User]), &[], uses::proof),
    post!("dataset_recall", "/datasets/{id}/recall", "提供データを回収する", Do(Act::RecallDataset), &[must("reason", "回収する理由", Kind::Text(1_000))], recalls::begin),
    get!("recalls", "/recalls", "提供データの回収", Look(USES, &[Producer, User]), &[PAGE], recalls::list),
    get!("recall", "/recalls/{id}", "回収の内容", Look(USES, &[Producer, User]), &[], recalls::show),
    post!("recall_prove", "/recalls/{id}/prove", "写しの消去を証明する", Do(Act::ReportErasure), PROOF, recalls::prove).paced(20, 10),
    post!("recall_prove_for", "/recalls/{id}/prove-for", "写しの消去の証拠を代わりに記録する", Do(Act::RecallDataset), COPY_PROOF, recalls::prove_for).paced(20, 10),
    post!("recall_check", "/recalls/{id}/check", "写しの消去を確かめる", Do(Act::ConfirmErasure), &[must("organization", "写しを持つ事業者", Kind::Line(40)), must("accept", "証拠の確認", Kind::Choice(&["yes", "no"])), may("reason", "差し戻す理由", Kind::Text(1_000))], recalls::check),
    get!("recall_proof", "/recalls/{id}/proof", "写しの消去の証拠", Look(USES, &[Producer, User]), &[must("organization", "写しを持つ事業者", Kind::Line(40))], recalls::proof),
    // What is taken out of the producer's environment
    get!("outputs", "/outputs", "出力の持出しと検査", Look(OUTPUTS, &[Producer, User]), &[PAGE], outputs::list),
    post!("output_ask", "/outputs", "出力の持出しを申請する", Do(Act::AskOutput), OUTPUT, outputs::ask).paced(20, 10),
    get!("output", "/outputs/{id}", "出力の内容と検査", Look(OUTPUTS, &[Producer, User]), &[], outputs::show),
    get!("output_file", "/outputs/{id}/file", "出力のファイル", Look(OUTPUTS, &[Producer, User]), &[must("version", "版", Kind::Number)], outputs::file),
    post!("output_again", "/outputs/{id}/again", "出力の新しい版を提出する", Do(Act::AskOutput), OUTPUT_AGAIN, outputs::again).paced(20, 10),
    post!("output_check", "/outputs/{id}/check", "出力を検査する", Do(Act::CheckOutput), OUTPUT_CHECK, outputs::check),
    // Regulators
    get!("submissions", "/submissions", "承認審査機関等への提出", Look(SUBMISSIONS, &[Producer, User, Other]), &[PAGE], submissions::submissions),
    post!("submission_make", "/submissions", "承認審査機関等に提出する", Do(Act::SubmitToRegulator), SUBMISSION, submissions::submit).paced(6, 30),
    get!("submission", "/submissions/{id}", "提出の内容", Look(SUBMISSIONS, &[Producer, User, Other]), &[], submissions::submission),
    get!("submission_package", "/submissions/{id}/package", "提出されたデータの受取り", Do(Act::SeeSubmission), &[], submissions::package),
    post!("enquiry_ask", "/submissions/{id}/enquiries", "提出されたデータを照会する", Do(Act::AskEnquiry), ENQUIRY, enquiries::ask).paced(20, 10),
    get!("enquiries", "/enquiries", "承認審査機関等の照会", Look(ENQUIRIES, &[Producer, Other]), &[PAGE], enquiries::list),
    get!("enquiry", "/enquiries/{id}", "照会の内容", Look(ENQUIRIES, &[Producer, Other]), &[], enquiries::show),
    post!("enquiry_unlock", "/enquiries/{id}/unlock", "照会された行の開封に同意する", Do(Act::OpenIdentified), &[], enquiries::unlock),
    post!("enquiry_open", "/enquiries/{id}/open", "照会された行を開く", Do(Act::OpenIdentified), &[], enquiries::open),
    post!("enquiry_answer", "/enquiries/{id}/answer", "照会に回答する", Do(Act::AnswerEnquiry), ENQUIRY_ANSWER, enquiries::answer),
    get!("enquiry_read", "/enquiries/{id}/answer", "照会への回答", Do(Act::AskEnquiry), &[], enquiries::read),
    get!("enquiry_charts", "/enquiries/{id}/charts", "照会に伴う診療録の確認", Do(Act::AnswerStopRequest), &[], enquiries::charts),
    get!("joint_uses", "/joint-uses", "共同利用", Look(&[Researcher], &[User]), &[PAGE], joint_uses::list),
    post!("user_step", "/users/{id}/step", "認定の状態を記録する", Do(Act::RegisterCertification), &[must("state", "状態", Kind::Choice(&["certified", "revoked", "abolished", "dissolved"])), may("number", "認定番号", Kind::Line(40)), may("expires", "期限", Kind::Day)], users::step),
    get!("users", "/users", "認定利用者名簿", Look(USERS, STAFF), &[], users::list),
    // Deliveries of holders
    get!("deliveries", "/deliveries", "医療情報の受入れ", Look(DELIVERIES, &[Producer, Holder]), &[PAGE], deliveries::list),
    get!("delivery", "/deliveries/{id}", "受入れの検査報告", Look(DELIVERIES, &[Producer, Holder]), &[], deliveries::show),
    get!("delivery_csv", "/deliveries/{id}/report.csv", "受入れの検査報告（CSV）", Look(DELIVERIES, &[Producer, Holder]), &[], deliveries::show_csv),
    get!("delivery_pdf", "/deliveries/{id}/receipt.pdf", "医療情報の受領書（PDF）", Look(DELIVERIES, &[Producer, Holder]), &[], deliveries::receipt_pdf),
    // What local codes mean
    get!("mappings", "/mappings", "コードの対応付け", Do(Act::SeeMappings), &[PAGE], mappings::list),
    get!("mapping_items", "/mappings/items", "院内コードの一覧", Do(Act::SeeMappings), &[PAGE, may("table", "表", Kind::Choice(&["measurement", "checkup", "medication", "condition"])), may("unmapped", "標準コードのないものだけ", Kind::Tick)], mappings::items),
    get!("mapping_new", "/mappings/new", "対応先の候補", Do(Act::SeeMappings), MAPPING_FOR, mappings::new),
    post!("mapping_propose", "/mappings", "対応付けを提案する", Do(Act::ProposeMapping), MAPPING, mappings::propose),
    get!("mapping", "/mappings/{id}", "対応付けの内容と影響", Do(Act::SeeMappings), &[], mappings::show),
    post!("mapping_sign", "/mappings/{id}/sign", "対応付けを承認する", Do(Act::SignMapping), &[], mappings::sign),
    post!("mapping_refuse", "/mappings/{id}/refuse", "対応付けを却下する", Do(Act::SignMapping), &[REASON], mappings::refuse),
    post!("mapping_withdraw", "/mappings/{id}/withdraw", "対応付けを取り下げる", Do(Act::ProposeMapping), &[REASON], mappings::withdraw),
    // Who is who
    get!("links", "/links", "名寄せ", Do(Act::SeeLinks), &[PAGE], links::list),
    post!("link_run", "/links/run", "名寄せを行う", Do(Act::LinkPersons), &[], links::run),
    get!("link_events", "/links/log", "人の記録の変遷", Do(Act::SeeLinks), &[PAGE], links::events),
    get!("link_explain", "/links/explain", "同じ人とみなす理由", Do(Act::SeeLinks), &[], link_why::explain),
    post!("link_explain_of", "/links/explain", "同じ人とみなす理由（二つの番号）", Do(Act::SeeLinks), LINK_PAIR, link_why::explain_of),
    get!("link_keys", "/links/keys", "連結キー", Do(Act::SeeLinks), &[REGIME], link_keys::show),
    post!("link_keys_make", "/links/keys", "連結キーを作る", Do(Act::MakeLinkKeys), LINK_KEY, link_keys::make),
    get!("link_history", "/links/history", "被保険者番号の履歴照会", Do(Act::AskHistory), &[], link_history::show),
    post!("link_history_ask", "/links/history/request", "履歴照会のファイルを作る", Do(Act::AskHistory), &[must("of", "照会する人", Kind::Choice(&["waiting", "everybody"]))], link_history::ask),
    post!("link_history_take", "/links/history/answer", "履歴照会の回答を取り込む", Do(Act::AskHistory), HISTORY_ANSWER, link_history::take),
    get!("link_case", "/links/cases/{id}", "名寄せの組", Do(Act::SeeLinks), &[], link_case::show),
    post!("link_read", "/links/cases/{id}/read", "名寄せの組（両方の記載）", Do(Act::ReviewLinks), &[], link_case::read),
    post!("link_answer", "/links/cases/{id}/answer", "名寄せの組に回答する", Do(Act::ReviewLinks), LINK_ANSWER, link_case::answer),
    post!("link_undo", "/links/cases/{id}/undo", "名寄せの判断を取り消す", Do(Act::UndoLink), LINK_UNDO, link_case::undo),
    // The holder's desk
    get!("desk", "/desk", "提供停止の受付窓口", Do(Act::AnswerStopRequest), &[PAGE], desk::list),
    get!("desk_request", "/desk/requests/{id}", "提供停止の求め", Do(Act::AnswerStopRequest), &[], desk::show),
    post!("desk_open", "/desk/requests/{id}/open", "求めの内容を開く", Do(Act::AnswerStopRequest), &[], desk::open),
    post!("desk_receipt", "/desk/requests/{id}/receipt", "受付書面を交付する", Do(Act::AnswerStopRequest), &[must("local_id", "患者番号", Kind::Line(64)), must("receipt_number", "受付書面の番号", Kind::Line(64)), must("evidence", "本人等の確認資料", Kind::Line(200))], desk::receipt),
    post!("desk_decline", "/desk/requests/{id}/decline", "受付できないと回答する", Do(Act::AnswerStopRequest), &[must("reason", "理由", Kind::Line(400))], desk::decline),
    get!("desk_receipt_print", "/desk/requests/{id}/receipt", "提供停止の受付書面（印刷用）", Do(Act::AnswerStopRequest), &[], desk_receipt::page),
    get!("desk_receipt_pdf", "/desk/requests/{id}/receipt.pdf", "提供停止の受付書面（PDF）", Do(Act::AnswerStopRequest), &[], desk_receipt::pdf),
    // Stops
    get!("notices", "/notices", "通知の版と時計", Do(Act::SeeNotices), &[PAGE, may("on", "日", Kind::Day)], notices::show),
    get!("person", "/persons", "一人の状況を調べる", Do(Act::LookUpPerson), &[], person::ask),
    post!("person_look_up", "/persons", "一人の状況", Do(Act::LookUpPerson), LOOK_UP, person::show).paced(30, 4),
    get!("stops", "/stops", "停止の伝わり", Look(STOPS, &[Producer, Holder]), &[PAGE], stops::matrix),
    get!("stop_rates", "/stops/rates", "提供元ごとの停止の割合", Do(Act::SeeStopRates), &[PAGE], stop_rates::show),
    get!("stop_rates_csv", "/stops/rates.csv", "提供元ごとの停止の割合（CSV）", Do(Act::SeeStopRates), &[], stop_rates::show_csv),
    get!("stop_proof", "/stops/{id}/proof", "処理完了証", Look(STOPS, &[Producer, Holder]), &[], stops::proof),
    post!("stop_apply", "/stops/{id}/apply", "すべての保管先に停止を反映する", Do(Act::ApplyStop), &[], stops::apply),
    // Incidents
    get!("incidents", "/incidents", "漏えい等の事態", Look(INCIDENTS, &[Producer, Employer::Trustee]), &[PAGE], incidents::list),
    get!("incident", "/incidents/{id}", "事態の内容", Look(INCIDENTS, &[Producer, Employer::Trustee]), &[], incident::show),
    get!("incident_pdf", "/incidents/{id}/report.pdf", "漏えい等の報告書案（PDF）", Look(INCIDENTS, &[Producer, Employer::Trustee]), &[], incident::report_pdf),
    post!("incident_record", "/incidents", "事態を記録する", Do(Act::RecordIncident), INCIDENT, incidents::record),
    post!("incident_report", "/incidents/{id}/report", "事態を報告する", Do(Act::ReportIncident), &[must("stage", "段階", Kind::Choice(&["prompt", "full", "closed"])), must("text", "内容", Kind::Text(4_000))], incidents::report),
    // Accounts
    get!("accounts", "/accounts", "アカウント", Do(Act::ManageAccounts), &[PAGE], accounts::list),
    post!("account_invite", "/accounts/{id}/invite", "パスキーの登録コード", Do(Act::ManageAccounts), &[], accounts::invite),
    post!("account_train", "/accounts/{id}/training", "教育を記録する", Do(Act::ManageAccounts), &[must("completed_on", "教育を終えた日", Kind::Day), must("course", "教育の名称", Kind::Line(100))], accounts::train),
    post!("account_bind", "/accounts/{id}/provider", "認証基盤の利用者を結び付ける", Do(Act::ManageAccounts), PROVIDER_BIND, provider::bind),
    post!("account_unbind", "/accounts/{id}/provider/remove", "認証基盤との結び付きを外す", Do(Act::ManageAccounts), &[], provider::unbind),
    post!("account_revoke", "/accounts/{id}/revoke", "パスキーを無効にする", Do(Act::ManageAccounts), &[], accounts::revoke),
    // Reminders
    get!("outbox", "/outbox", "送る連絡", Do(Act::SendReminders), &[PAGE], outbox::list),
    get!("outbox_csv", "/outbox.csv", "送る連絡（CSV）", Do(Act::SendReminders), &[], outbox::list_csv),
    post!("outbox_queue", "/outbox", "必要な連絡を作る", Do(Act::SendReminders), &[], outbox::queue),
    // Audit
    get!("books", "/books", "帳簿", Look(BOOKS, STAFF), &[YEAR], books::show),
    get!("books_csv", "/books.csv", "帳簿（CSV）", Look(BOOKS, STAFF), &[YEAR], books::show_csv),
    get!("books_pdf", "/books.pdf", "帳簿（PDF）", Look(BOOKS, STAFF), &[YEAR], books::show_pdf),
    get!("audit", "/audit", "監査と証跡", Do(Act::VerifyAudit), &[], audit::show),
    post!("audit_verify", "/audit/verify", "証跡を検証する", Do(Act::VerifyAudit), &[], audit::verify),
    post!("audit_search", "/audit/search", "だれがだれを見たか調べる", Do(Act::VerifyAudit), &[may("kind", "事象の種類", Kind::Line(60)), may("actor", "アカウント", Kind::Line(40)), may("subject", "対象の識別子", Kind::Line(80)), may("openings", "顕名情報の閲覧だけ", Kind::Tick), may("holder", "医療機関・市町村", Kind::Line(40)), may("local_id", "患者番号", Kind::Line(64))], audit::search),
    get!("audit_sample", "/audit/sample", "申請の無作為抽出", Do(Act::VerifyAudit), &[may("seed", "種の数", Kind::Number), may("count", "選ぶ件数", Kind::Number)], evidence::sample),
    get!("audit_case", "/audit/cases/{id}", "申請の証跡", Do(Act::VerifyAudit), &[], evidence::case),
    get!("audit_case_pdf", "/audit/cases/{id}/evidence.pdf", "申請の証跡（PDF）", Do(Act::VerifyAudit), &[], evidence::case_pdf),
];
