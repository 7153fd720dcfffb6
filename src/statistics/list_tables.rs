//! The lists of the areas as tables, each made from the page that is also sent as JSON: whatever a view keeps back, its
//! file keeps back too.

use super::sheet::{Cell, Column, ColumnKind, Sheet};
use crate::calendar::FiscalYear;
use crate::clock::UtcTime;
use crate::costs::Payer;
use crate::dispatches::report_views::ReportPage;
use crate::dispatches::views::DispatchPage;
use crate::dispatches::visit_views::VisitPage;
use crate::experts::views::ExpertPage;
use crate::organisations::people_views::UserPage;
use crate::organisations::views::OrganisationPage;
use crate::postings::views::PostingPage;
use crate::requests::views::RequestPage;
use crate::settlements::views::CostItemPage;

pub(super) const fn column(key: &'static str, label_ja: &'static str, label_en: &'static str, kind: ColumnKind) -> Column {
    Column { key, label_ja, label_en, kind }
}

pub(super) fn id(number: i64) -> Cell {
    Cell::Text(number.to_string())
}

fn year(starting_year: i32) -> Cell {
    Cell::Text(FiscalYear::new(starting_year).map_or_else(|_| starting_year.to_string(), FiscalYear::short))
}

/// Date and time in Japan to the minute.
pub(super) fn instant(time: UtcTime) -> Cell {
    Cell::Text(time.jst().format("%Y-%m-%d %H:%M").to_string())
}

pub(super) fn number(value: i32) -> Cell {
    Cell::Int(i64::from(value))
}

fn mark(flag: bool) -> Cell {
    Cell::from(if flag { "○" } else { "" })
}

/// 600 → `10:00`.
fn clock(minute: i32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Experts; no contact data, as in the list.
pub fn experts(page: &ExpertPage) -> Sheet {
    use ColumnKind::{Code, Date, Text};
    let columns = vec![
        column("id", "専門家番号", "Id", Code),
        column("name", "氏名", "Name", Text),
        column("kana", "フリガナ", "Reading", Text),
        column("alternative_name", "代替表記", "Alternative name", Text),
        column("affiliation_kind", "所属区分", "Standing", Text),
        column("affiliation", "所属", "Affiliation", Text),
        column("onsite", "現地", "On site", Text),
        column("online", "オンライン", "Online", Text),
        column("base_place", "活動拠点", "Base", Text),
        column("skills", "スキル（項目番号:レベル）", "Skills (item:level)", Text),
        column("status", "状態", "State", Text),
        column("appointed_from", "委嘱開始", "Appointed from", Date),
        column("appointed_until", "委嘱終了（この日まで）", "Appointed until", Date),
    ];
    let rows = page
        .items
        .iter()
        .map(|expert| {
            let skills: Vec<String> =
                expert.skills.iter().map(|skill| format!("{}:{}", skill.skill_item_id, skill.level)).collect();
            vec![
                id(expert.id.0),
                expert.name.as_str().into(),
                expert.kana.as_str().into(),
                expert.alternative_name.as_str().into(),
                expert.affiliation_kind.label_ja().into(),
                expert.affiliation.as_str().into(),
                mark(expert.onsite),
                mark(expert.online),
                expert.base_place.as_str().into(),
                skills.join("; ").into(),
                expert.status.label_ja().into(),
                expert.appointed_from.into(),
                expert.appointed_to.and_then(|day| day.pred_opt()).into(),
            ]
        })
        .collect();
    Sheet { title: "専門家".to_owned(), columns, rows }
}

/// Requests.
pub fn requests(page: &RequestPage) -> Sheet {
    use ColumnKind::{Code, Date, Integer, Text};
    let columns = vec![
        column("id", "申請番号", "Id", Code),
        column("fiscal_year", "年度", "Fiscal year", Text),
        column("applicant", "申請団体", "Applicant", Text),
        column("origin", "起点", "Origin", Text),
        column("activity_kind", "活動区分", "Activity", Text),
        column("theme", "テーマ", "Theme", Text),
        column("mode", "形態", "Mode", Text),
        column("period_from", "希望期間（開始）", "From", Date),
        column("period_to", "希望期間（終了）", "To", Date),
        column("visit_count", "希望回数", "Visits", Integer),
        column("minutes_per_visit", "1回の時間（分）", "Minutes per visit", Integer),
        column("status", "状態", "State", Text),
        column("stage", "進み具合", "Stage", Text),
        column("submitted_at", "申請日時", "Submitted", Text),
        column("updated_at", "更新日時", "Changed", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|request| {
            vec![
                id(request.id.0),
                year(request.fiscal_year),
                request.applicant_name.as_str().into(),
                request.origin.label_ja().into(),
                request.activity_kind.label_ja().into(),
                request.theme.as_str().into(),
                request.mode.label_ja().into(),
                request.period_from.into(),
                request.period_to.into(),
                number(request.visit_count),
                number(request.minutes_per_visit),
                request.status.label_ja().into(),
                request.stage.label_ja().into(),
                request.submitted_at.map_or(Cell::Empty, instant),
                instant(request.updated_at),
            ]
        })
        .collect();
    Sheet { title: "派遣申請".to_owned(), columns, rows }
}

/// Dispatches.
pub fn dispatches(page: &DispatchPage) -> Sheet {
    use ColumnKind::{Code, Date, Text};
    let columns = vec![
        column("number", "派遣番号", "Number", Code),
        column("document_number", "文書番号", "Document number", Code),
        column("fiscal_year", "年度", "Fiscal year", Text),
        column("applicant", "申請団体", "Applicant", Text),
        column("theme", "テーマ", "Theme", Text),
        column("activity_kind", "活動区分", "Activity", Text),
        column("experts", "専門家", "Experts", Text),
        column("decided_on", "決定日", "Decided", Date),
        column("period_from", "期間（開始）", "From", Date),
        column("period_to", "期間（終了）", "To", Date),
        column("status", "状態", "State", Text),
        column("report_status", "実績報告", "Report", Text),
        column("report_due_on", "報告期限", "Report due", Date),
    ];
    let rows = page
        .items
        .iter()
        .map(|dispatch| {
            let experts: Vec<&str> =
                dispatch.experts.iter().filter(|expert| expert.active).map(|expert| expert.name.as_str()).collect();
            vec![
                dispatch.number.clone().into(),
                dispatch.document_number.as_str().into(),
                year(dispatch.fiscal_year),
                dispatch.applicant_name.as_str().into(),
                dispatch.theme.as_str().into(),
                dispatch.activity_kind.label_ja().into(),
                experts.join("、").into(),
                dispatch.decided_on.into(),
                dispatch.period_from.into(),
                dispatch.period_to.into(),
                dispatch.status.label_ja().into(),
                dispatch.report_status.map(|status| status.label_ja()).into(),
                dispatch.report_due_on.into(),
            ]
        })
        .collect();
    Sheet { title: "派遣".to_owned(), columns, rows }
}

/// Visits.
pub fn visits(page: &VisitPage) -> Sheet {
    use ColumnKind::{Code, Date, Integer, Text};
    let columns = vec![
        column("id", "訪問番号", "Id", Code),
        column("day", "日付", "Day", Date),
        column("start", "開始", "Start", Text),
        column("applicant", "申請団体", "Applicant", Text),
        column("theme", "テーマ", "Theme", Text),
        column("expert", "専門家", "Expert", Text),
        column("activity_kind", "活動区分", "Activity", Text),
        column("mode", "形態", "Mode", Text),
        column("place", "場所", "Place", Text),
        column("status", "状態", "State", Text),
        column("planned_minutes", "予定（分）", "Planned minutes", Integer),
        column("actual_minutes", "実績（分）", "Actual minutes", Integer),
        column("attendees", "参加者数", "Attendees", Integer),
        column("participants", "参加団体数", "Participating bodies", Integer),
    ];
    let rows = page
        .items
        .iter()
        .map(|visit| {
            vec![
                id(visit.id.0),
                visit.day.into(),
                visit.start_minute.map(clock).into(),
                visit.applicant_name.as_str().into(),
                visit.theme.as_str().into(),
                visit.expert_name.as_str().into(),
                visit.activity_kind.label_ja().into(),
                visit.mode.label_ja().into(),
                visit.place.as_str().into(),
                visit.status.label_ja().into(),
                number(visit.planned_minutes),
                visit.actual_minutes.map(i64::from).into(),
                visit.attendees.map(i64::from).into(),
                Cell::Int(i64::try_from(visit.participant_ids.len()).unwrap_or(i64::MAX)),
            ]
        })
        .collect();
    Sheet { title: "訪問".to_owned(), columns, rows }
}

/// Cost items; amounts that are not disclosed to the asking party stay empty.
pub fn cost_items(page: &CostItemPage) -> Sheet {
    use ColumnKind::{Code, Text, Yen};
    let columns = vec![
        column("id", "費用番号", "Id", Code),
        column("dispatch_id", "派遣", "Dispatch", Code),
        column("visit_id", "訪問番号", "Visit", Code),
        column("fiscal_year", "年度", "Fiscal year", Text),
        column("component", "費目", "Component", Text),
        column("status", "状態", "State", Text),
        column("amount_yen", "金額（円）", "Amount (yen)", Yen),
        column("prefecture_yen", "都道府県負担（円）", "Prefecture (yen)", Yen),
        column("host_yen", "派遣先負担（円）", "Hosts (yen)", Yen),
        column("others_yen", "その他の負担（円）", "Others (yen)", Yen),
        column("explanation", "算定の説明", "Explanation", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|item| {
            let share = |wanted: &dyn Fn(Payer) -> bool| {
                let mut found = item.shares.iter().filter(|share| wanted(share.payer)).map(|share| share.amount_yen).peekable();
                // No share shown is not a share of nothing.
                if found.peek().is_some() { Cell::Int(found.sum()) } else { Cell::Empty }
            };
            vec![
                id(item.id.0),
                item.dispatch_id.map_or(Cell::Empty, |dispatch| id(dispatch.0)),
                item.visit_id.map_or(Cell::Empty, |visit| id(visit.0)),
                year(item.fiscal_year),
                item.component.label_ja().into(),
                item.status.label_ja().into(),
                item.amount_yen.into(),
                share(&|payer| payer == Payer::Prefecture),
                share(&|payer| payer == Payer::Host),
                share(&|payer| !matches!(payer, Payer::Prefecture | Payer::Host)),
                item.explanation.clone().into(),
            ]
        })
        .collect();
    Sheet { title: "費用".to_owned(), columns, rows }
}

/// Reports.
pub fn reports(page: &ReportPage) -> Sheet {
    use ColumnKind::{Code, Date, Text};
    let columns = vec![
        column("id", "報告書番号", "Id", Code),
        column("number", "派遣番号", "Dispatch number", Code),
        column("applicant", "申請団体", "Applicant", Text),
        column("theme", "テーマ", "Theme", Text),
        column("status", "状態", "State", Text),
        column("due_on", "提出期限", "Due", Date),
        column("overdue", "期限超過", "Overdue", Text),
        column("submitted_at", "提出日時", "Submitted", Text),
        column("approved_at", "承認日時", "Approved", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|report| {
            vec![
                id(report.id.0),
                report.number.as_deref().into(),
                report.applicant_name.as_str().into(),
                report.theme.as_str().into(),
                report.status.label_ja().into(),
                report.due_on.into(),
                mark(report.overdue),
                report.submitted_at.map_or(Cell::Empty, instant),
                report.approved_at.map_or(Cell::Empty, instant),
            ]
        })
        .collect();
    Sheet { title: "実績報告".to_owned(), columns, rows }
}

/// Organisations.
pub fn organisations(page: &OrganisationPage) -> Sheet {
    use ColumnKind::{Code, Date, Integer, Text};
    let columns = vec![
        column("id", "団体番号", "Id", Code),
        column("lg_code", "団体コード", "Code", Code),
        column("kind", "種類", "Kind", Text),
        column("name", "団体名", "Name", Text),
        column("kana", "よみ", "Reading", Text),
        column("population", "人口", "Population", Integer),
        column("population_as_of", "人口の時点", "Population as of", Date),
        column("population_band", "人口規模", "Population band", Text),
        column("valid_to", "廃止日", "No longer from", Date),
    ];
    let rows = page
        .items
        .iter()
        .map(|body| {
            vec![
                id(body.id.0),
                body.lg_code.as_deref().into(),
                body.kind.label_ja().into(),
                body.name.as_str().into(),
                body.kana.as_str().into(),
                body.population.as_ref().map(|population| population.value).into(),
                body.population.as_ref().map(|population| population.as_of).into(),
                body.population_band.map(|band| band.label_ja()).into(),
                body.valid_to.into(),
            ]
        })
        .collect();
    Sheet { title: "団体".to_owned(), columns, rows }
}

/// People within reach, one line for each membership.
pub fn users(page: &UserPage) -> Sheet {
    use ColumnKind::{Code, Date, Text};
    let columns = vec![
        column("id", "利用者番号", "Id", Code),
        column("name", "氏名", "Name", Text),
        column("kana", "よみ", "Reading", Text),
        column("email", "メール", "Mail", Text),
        column("status", "状態", "State", Text),
        column("organisation", "団体", "Organisation", Text),
        column("role", "役割", "Role", Text),
        column("valid_from", "開始日", "From", Date),
        column("valid_to", "終了（この日から無効）", "No longer from", Date),
    ];
    let rows = page
        .items
        .iter()
        .flat_map(|user| {
            user.memberships.iter().map(move |membership| {
                vec![
                    id(user.id.0),
                    user.name.as_str().into(),
                    user.kana.as_str().into(),
                    user.email.as_str().into(),
                    user.status.label_ja().into(),
                    membership.organisation_name.as_str().into(),
                    membership.role.label_ja().into(),
                    membership.valid_from.into(),
                    membership.valid_to.into(),
                ]
            })
        })
        .collect();
    Sheet { title: "利用者".to_owned(), columns, rows }
}

/// Placements.
pub fn postings(page: &PostingPage) -> Sheet {
    use ColumnKind::{Code, Date, Integer, Text};
    let columns = vec![
        column("id", "配属番号", "Id", Code),
        column("expert", "専門家", "Expert", Text),
        column("host", "受入れ団体", "Host", Text),
        column("share_percent", "割合（%）", "Share (%)", Integer),
        column("valid_from", "開始日", "From", Date),
        column("valid_to", "終了（この日から無効）", "No longer from", Date),
        column("legal_basis", "根拠", "Legal basis", Text),
        column("status", "状態", "State", Text),
        column("note", "備考", "Remark", Text),
    ];
    let rows = page
        .items
        .iter()
        .map(|posting| {
            vec![
                id(posting.id.0),
                posting.expert_name.as_str().into(),
                posting.host_organisation_name.as_str().into(),
                number(posting.share_percent),
                posting.valid_from.into(),
                posting.valid_to.into(),
                posting.legal_basis.label_ja().into(),
                posting.status.label_ja().into(),
                posting.note.as_str().into(),
            ]
        })
        .collect();
    Sheet { title: "配属".to_owned(), columns, rows }
}
