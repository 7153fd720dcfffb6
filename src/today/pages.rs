//! The first page of everybody: what waits for the person who is signed in, one click away each, from the same queries as
//! the lists behind it.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Duration, NaiveDate};

use crate::auth::policy::{
    FileRequests, OwnAccount, ReadAudit, ReadCosts, ReadDispatches, ReadDocuments, ReadOffers, ReadOrganisations, ReadRequests,
    ReadStatistics, ReadToday, ReadUsers, ReadWorkload, Role, WriteReports,
};
use crate::db::Conn;
use crate::dispatches::model::{ReportStatus, VisitStatus};
use crate::dispatches::report_store::{self, ReportFilter};
use crate::dispatches::store::Audience;
use crate::dispatches::visit_store::{self, VisitFilter, VisitRow};
use crate::error::Error;
use crate::experts::page_own;
use crate::http::ListQuery;
use crate::ids::OrganisationId;
use crate::offers::store::{self as offers, OfferFilter, Scope};
use crate::requests::list::{self as requests, RequestFilter, RequestSort};
use crate::requests::model::Stage;
use crate::settlements::settlement_store;
use crate::today::service;
use crate::today::views::{TodayItem, TodayPart};
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::Tongue;

/// Lines shown of each part.
const SHOWN: i64 = 8;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/", web::get().to(home));
}

struct Line {
    title: String,
    detail: String,
    when: String,
    path: String,
}

struct Block {
    anchor: String,
    title: String,
    count: i64,
    lines: Vec<Line>,
    all: String,
    late: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("今日", "Today") }}　{{ day }}</h1>
{% if let Some((path, label)) = first %}<p class="actions"><a class="button" href="{{ path }}">{{ label }}</a>{% for (path, label) in further %} <a class="button plain" href="{{ path }}">{{ label }}</a>{% endfor %}</p>{% endif %}
<ul class="cards">{% for block in blocks %}<li{% if block.late && block.count > 0 %} class="late"{% endif %}><a href="{% if block.lines.is_empty() %}{{ block.all }}{% else %}#{{ block.anchor }}{% endif %}">{{ block.title }}<span class="figure">{{ block.count }}</span></a></li>{% endfor %}</ul>
{% for block in blocks %}{% if !block.lines.is_empty() %}<section aria-labelledby="{{ block.anchor }}"><h2 id="{{ block.anchor }}" tabindex="-1">{{ block.title }}（{{ block.count }}{{ tongue.t("件", "") }}）</h2>
<div class="scroll" tabindex="0" role="region" aria-label="{{ block.title }}"><table><thead><tr><th scope="col">{{ tongue.t("内容", "What") }}</th><th scope="col">{{ tongue.t("だれ・どこ", "Who, where") }}</th><th scope="col">{{ tongue.t("いつ", "When") }}</th></tr></thead><tbody>
{% for line in block.lines %}<tr><td><a href="{{ line.path }}">{{ line.title }}</a></td><td>{{ line.detail }}</td><td>{{ line.when }}</td></tr>{% endfor %}
</tbody></table></div>
{% if block.count > block.lines.len() as i64 %}<p><a href="{{ block.all }}">{{ tongue.t("すべて見る", "See all") }}<span class="hint">（{{ block.title }}）</span></a></p>{% endif %}</section>{% endif %}{% endfor %}
{% if idle %}<p>{{ tongue.t("いま待っている仕事はありません。", "Nothing is waiting for you.") }}</p>{% endif %}"##
)]
struct Home {
    tongue: Tongue,
    day: String,
    first: Option<(&'static str, &'static str)>,
    further: Vec<(&'static str, &'static str)>,
    blocks: Vec<Block>,
    idle: bool,
}

/// The page.
async fn home(page: Page<OwnAccount>) -> Result<HttpResponse, Error> {
    page.show(|conn, view| {
        let blocks = if view.may::<ReadToday>() { of_office(conn, view)? } else { of_others(conn, view)? };
        let (first, further) = entries(view);
        let content = Home {
            tongue: view.tongue,
            day: view.tongue.day_of_week(view.ctx.today()),
            first,
            further,
            idle: blocks.iter().all(|block| block.count == 0),
            blocks,
        };
        Ok(Sheet::new(view.t("ホーム", "Home"), content))
    })
    .await
}

type Entry = (&'static str, &'static str);

/// What people most often come for.
fn entries(view: &View) -> (Option<Entry>, Vec<Entry>) {
    let t = |ja: &'static str, en: &'static str| if view.tongue.english() { en } else { ja };
    match view.ctx.principal.role {
        Role::PrefecturalCoordinator => (
            Some(("/requests", t("申請の一覧", "Requests"))),
            vec![("/requests/new", t("申請を代行入力する", "File for a body")), ("/calendar", t("予定表", "Calendar"))],
        ),
        _ if view.may::<FileRequests>() => (
            Some(("/requests/new", t("新しい申請を書く", "Write a request"))),
            vec![("/requests", t("申請を見る", "My requests")), ("/experts", t("専門家を探す", "Find experts"))],
        ),
        Role::Expert => (
            Some(("/offers", t("届いた依頼", "Offers to me"))),
            vec![
                ("/calendar", t("予定表", "Calendar")),
                ("/my-availability", t("対応できる日時を変える", "Change my availability")),
            ],
        ),
        Role::Auditor => (
            view.may::<ReadStatistics>().then(|| ("/year-end", t("年度末の集計", "Year-end table"))),
            [
                view.may::<ReadDocuments>().then(|| ("/documents", t("文書", "Documents"))),
                view.may::<ReadAudit>().then(|| ("/audit-events", t("監査記録", "Audit trail"))),
                view.may::<ReadAudit>().then(|| ("/audit-events/verification", t("監査記録の検証", "Verify the trail"))),
            ]
            .into_iter()
            .flatten()
            .collect(),
        ),
        _ => (
            view.may::<ReadUsers>().then(|| ("/users", t("利用者", "People"))),
            view.may::<ReadOrganisations>().then(|| ("/organisations", t("団体", "Organisations"))).into_iter().collect(),
        ),
    }
}

/// The office's day.
fn of_office(conn: &mut Conn, view: &View) -> Result<Vec<Block>, Error> {
    let late = [TodayPart::ReportsOverdue, TodayPart::MailsParked, TodayPart::ExpertsNearLimit, TodayPart::BudgetsNearLimit];
    let parts = service::of(conn, &view.ctx)?.parts;
    Ok(parts
        .into_iter()
        .map(|section| {
            let all = section.path.strip_prefix("/api/v1").unwrap_or(&section.path);
            let all = if section.part == TodayPart::ExpertsNearLimit { "/workload" } else { all };
            Block {
                anchor: section.part.as_str().to_owned(),
                title: view.t(section.part.label_ja(), &section.part.as_str().replace('_', " ")).to_owned(),
                count: section.count,
                lines: section.items.into_iter().map(|item| line(view, section.part, item)).collect(),
                all: all.to_owned(),
                late: late.contains(&section.part),
            }
        })
        .collect())
}

fn line(view: &View, part: TodayPart, item: TodayItem) -> Line {
    let when = match (item.percent, item.day, item.at, part) {
        (Some(percent), ..) => format!("{percent}%"),
        (_, Some(day), _, _) => view.tongue.short_day(day),
        (_, _, Some(at), TodayPart::OffersUnanswered) => {
            format!("{}{}", view.tongue.instant(at), view.t(" まで", " at the latest"))
        }
        (_, _, Some(at), _) if view.tongue.english() => format!("since {}", view.tongue.short_day(at.jst_day())),
        (_, _, Some(at), _) => format!("{}から", view.tongue.short_day(at.jst_day())),
        _ => String::new(),
    };
    let path = match part {
        TodayPart::CandidatesToPropose => format!("{}/candidates", item.path),
        _ => item.path,
    };
    Line { title: item.title, detail: detail(view, part, item.detail), when, path }
}

/// What stands beside an item. Of the parts that hold nothing but figures there, the units are said in English too.
fn detail(view: &View, part: TodayPart, detail: String) -> String {
    match part {
        TodayPart::ExpertsNearLimit | TodayPart::BudgetsNearLimit if view.tongue.english() => {
            let units = [("年度", "year"), (" 分", " min"), (" 日", " days"), (" 円", " yen")];
            units.into_iter().fold(detail, |text, (ja, en)| text.replace(ja, en))
        }
        _ => detail,
    }
}

/// What waits for everybody else.
fn of_others(conn: &mut Conn, view: &View) -> Result<Vec<Block>, Error> {
    let mut blocks = Vec::new();
    let role = view.ctx.principal.role;
    if view.may::<FileRequests>() {
        // Where the own body only takes part, another one writes and approves.
        let own = Some(view.ctx.organisation());
        let approver = role == Role::MunicipalApprover;
        if approver {
            blocks.push(at_stage(conn, view, own, Stage::AwaitingApproval, view.t("承認を待っている申請", "To approve"), true)?);
        }
        blocks.push(at_stage(conn, view, own, Stage::Returned, view.t("差し戻された申請", "Returned to you"), true)?);
        blocks.push(at_stage(conn, view, own, Stage::Draft, view.t("書きかけの申請", "Drafts"), false)?);
    }
    if role == Role::Expert && view.may::<ReadOffers>() {
        blocks.push(asked(conn, view)?);
    }
    if view.may::<ReadDispatches>() {
        blocks.push(ahead(conn, view)?);
        if view.may::<WriteReports>() {
            blocks.push(reports(conn, view, None, view.t("期限を過ぎた報告", "Reports overdue"))?);
            blocks.push(reports(conn, view, Some(ReportStatus::Returned), view.t("差し戻された報告", "Reports returned"))?);
            blocks.push(reports(conn, view, Some(ReportStatus::Due), view.t("これから出す報告", "Reports to write"))?);
        }
    }
    if view.may::<ReadRequests>() && role != Role::Expert {
        for (stage, ja, en) in
            [(Stage::Submitted, "審査中の申請", "Under review"), (Stage::Matching, "専門家を選定中", "Being matched")]
        {
            blocks.push(at_stage(conn, view, None, stage, view.t(ja, en), false)?);
        }
    }
    if view.may::<ReadCosts>() {
        blocks.push(claims(conn, view)?);
    }
    if role == Role::Expert && view.may::<ReadWorkload>() {
        blocks.retain(|block| block.count > 0 || block.anchor != "claims");
    }
    Ok(blocks)
}

fn first_page() -> Result<ListQuery, Error> {
    ListQuery::new(Some(SHOWN), None, &())
}

/// Requests at a stage: those of one applicant where one is named, otherwise all that are seen.
fn at_stage(
    conn: &mut Conn,
    view: &View,
    applicant: Option<OrganisationId>,
    stage: Stage,
    title: &str,
    late: bool,
) -> Result<Block, Error> {
    let filter = RequestFilter { stages: vec![stage], applicant, ..RequestFilter::default() };
    let page = first_page()?;
    let rows =
        page.page(requests::list(conn, &view.ctx, &filter, RequestSort::Updated, &page, false)?, |_| Default::default()).items;
    let lines = rows
        .into_iter()
        .map(|listed| Line {
            title: listed.row.theme,
            detail: listed.applicant_name,
            when: view.tongue.period(listed.row.period_from, listed.row.period_to),
            path: format!("/requests/{}", listed.row.id),
        })
        .collect();
    Ok(Block {
        anchor: stage.as_str().to_owned(),
        title: title.to_owned(),
        count: requests::total(conn, &view.ctx, &filter)?,
        lines,
        all: match applicant {
            Some(body) => format!("/requests?stage={stage}&applicant_organisation_id={body}"),
            None => format!("/requests?stage={stage}"),
        },
        late,
    })
}

fn asked(conn: &mut Conn, view: &View) -> Result<Block, Error> {
    let filter = OfferFilter {
        statuses: offers::WAITING.to_vec(),
        ..OfferFilter::all(Scope::Experts(view.ctx.principal.expert_ids.clone()))
    };
    let lines = offers::list(conn, &filter, None, SHOWN)?
        .into_iter()
        .map(|row| Line {
            title: row.theme,
            detail: row.applicant_name,
            when: row
                .offer
                .expires_at
                .map(|at| format!("{}{}", view.tongue.instant(at), view.t(" までに回答", " at the latest")))
                .unwrap_or_default(),
            path: format!("/offers/{}", row.offer.id),
        })
        .collect();
    Ok(Block {
        anchor: "offers".to_owned(),
        title: view.t("回答を待っている依頼", "Offers to answer").to_owned(),
        count: offers::count(conn, &filter)?,
        lines,
        all: "/offers".to_owned(),
        late: true,
    })
}

fn when(view: &View, visit: &VisitRow) -> String {
    match (visit.day, visit.start_minute) {
        (Some(day), Some(start)) => format!("{} {}", view.tongue.short_day(day), view.tongue.time(start)),
        (Some(day), None) => view.tongue.short_day(day),
        _ => view.t("日時を調整中", "to be arranged").to_owned(),
    }
}

/// Visits of the next days, after those that still want a day.
fn ahead(conn: &mut Conn, view: &View) -> Result<Block, Error> {
    let today = view.ctx.today();
    let filter = VisitFilter {
        from: Some(today),
        to: Some(today + Duration::days(30)),
        statuses: vec![VisitStatus::Held, VisitStatus::Planned],
        ..VisitFilter::default()
    };
    let page = first_page()?;
    let open = page_own::to_arrange(conn, view, &filter)?;
    let undated = i64::try_from(open.len()).unwrap_or(i64::MAX);
    let rows = page.page(visit_store::list(conn, Audience::of(&view.ctx), &filter, &page)?, |_| Default::default()).items;
    let lines = open
        .into_iter()
        .chain(rows)
        .take(usize::try_from(SHOWN).unwrap_or(usize::MAX))
        .map(|row| Line {
            title: row.theme,
            detail: format!("{}{}{}", row.applicant_name, view.t("、", ", "), row.expert_name),
            when: when(view, &row.visit),
            path: match row.visit.dispatch_id {
                Some(dispatch) => format!("/dispatches/{dispatch}"),
                None => format!("/visits/{}", row.visit.id),
            },
        })
        .collect();
    Ok(Block {
        anchor: "visits".to_owned(),
        title: view.t("30日以内と日程調整中の訪問", "Visits within 30 days or to be arranged").to_owned(),
        count: visit_store::count(conn, Audience::of(&view.ctx), &filter)?.saturating_add(undated),
        lines,
        all: "/calendar".to_owned(),
        late: false,
    })
}

/// Reports that the own body writes, in a state whose last day is not over; those whose last day is over where no state is
/// given.
fn reports(conn: &mut Conn, view: &View, status: Option<ReportStatus>, title: &str) -> Result<Block, Error> {
    let (me, today) = (view.ctx.organisation(), view.ctx.today());
    let overdue = Some((status.is_none(), today));
    let filter = ReportFilter { overdue, status, applicant: Some(me), ..ReportFilter::default() };
    let page = first_page()?;
    let rows = page.page(report_store::list(conn, Audience::of(&view.ctx), &filter, &page)?, |_| Default::default()).items;
    let lines = rows
        .into_iter()
        .map(|row| Line {
            title: row.theme,
            detail: row.number.unwrap_or_default(),
            when: row
                .due_on
                .map(|day| format!("{}{}", view.tongue.short_day(day), view.t(" まで", " at the latest")))
                .unwrap_or_default(),
            path: format!("/dispatches/{}/report", row.dispatch_id),
        })
        .collect();
    Ok(Block {
        anchor: format!("reports-{}", status.map_or("overdue", ReportStatus::as_str)),
        title: title.to_owned(),
        count: report_store::count(conn, Audience::of(&view.ctx), &filter)?,
        lines,
        all: match status {
            Some(status) => format!("/reports?status={status}&overdue=false&applicant_organisation_id={me}"),
            None => format!("/reports?overdue=true&applicant_organisation_id={me}"),
        },
        late: status != Some(ReportStatus::Due),
    })
}

/// Claims that the own body has yet to pay; what others owe it is theirs to do.
fn claims(conn: &mut Conn, view: &View) -> Result<Block, Error> {
    let (me, today) = (view.ctx.organisation(), view.ctx.today());
    let rows = settlement_store::owed(conn, me, SHOWN)?;
    let until = |day: NaiveDate| {
        let over = if day < today { view.t("（期限超過）", " (overdue)") } else { "" };
        format!("{}{}{over}", view.tongue.day(day), view.t(" まで", " at the latest"))
    };
    let late = rows.iter().any(|(_, due)| due.is_some_and(|day| day < today));
    let lines = rows
        .into_iter()
        .map(|(row, due)| Line {
            title: row.number,
            detail: view.tongue.yen(row.amount_yen - row.paid_yen),
            when: due.map(until).unwrap_or_default(),
            path: format!("/claims/{}", row.id),
        })
        .collect();
    Ok(Block {
        anchor: "claims".to_owned(),
        title: view.t("これから納める請求", "Claims to pay").to_owned(),
        count: settlement_store::count_owed(conn, me)?,
        lines,
        all: "/claims?open=true".to_owned(),
        late,
    })
}
