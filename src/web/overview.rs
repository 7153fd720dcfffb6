//! The plain overview: what waits for the person who is signed in, from the same queries as the API's lists.

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Duration;

use super::layout::Page;
use super::session;
use crate::app::App;
use crate::auth::policy::{Permission as _, ReadDispatches, ReadRequests};
use crate::auth::principal::Principal;
use crate::calendar::wareki;
use crate::db::Conn;
use crate::dispatches::model::VisitStatus;
use crate::dispatches::store::Audience;
use crate::dispatches::{report_store, visit_store};
use crate::error::Error;
use crate::http::public::Call;
use crate::http::{Ctx, ListQuery};
use crate::requests::list::{self, ListedRequest, RequestFilter, RequestSort};
use crate::requests::model::Stage;

/// Registers the page.
pub fn configure(config: &mut ServiceConfig) {
    config.route("/", web::get().to(overview));
}

/// Stages worth a figure of their own, in the order of the work.
const STAGES: &[Stage] = &[
    Stage::AwaitingApproval,
    Stage::Submitted,
    Stage::Returned,
    Stage::Waitlisted,
    Stage::Matching,
    Stage::Offered,
    Stage::AwaitingDecision,
    Stage::Scheduled,
    Stage::InProgress,
    Stage::AwaitingReport,
    Stage::Reported,
];

struct RequestLine {
    theme: String,
    applicant: String,
    stage: &'static str,
    period: String,
}

struct VisitRow {
    when: String,
    applicant: String,
    expert: String,
    theme: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>概要</h1>
<p>{{ today }}現在</p>
{% if !figures.is_empty() %}<h2>申請の状況</h2>
<ul class="cards">{% for (label, count) in figures %}<li>{{ label }}<span class="figure">{{ count }}</span></li>{% endfor %}
<li>期限を過ぎた報告<span class="figure">{{ overdue }}</span></li></ul>{% endif %}
<h2>今後7日間の訪問</h2>
{% if visits.is_empty() %}<p>予定はありません。</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="今後7日間の訪問"><table><thead><tr><th scope="col">日時</th><th scope="col">派遣先</th><th scope="col">専門家</th><th scope="col">内容</th></tr></thead><tbody>
{% for visit in visits %}<tr><td>{{ visit.when }}</td><td>{{ visit.applicant }}</td><td>{{ visit.expert }}</td><td>{{ visit.theme }}</td></tr>{% endfor %}
</tbody></table></div>{% endif %}
<h2>最近動きのあった申請</h2>
{% if requests.is_empty() %}<p>まだありません。</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="最近動きのあった申請"><table><thead><tr><th scope="col">内容</th><th scope="col">申請団体</th><th scope="col">状況</th><th scope="col">希望期間</th></tr></thead><tbody>
{% for request in requests %}<tr><td>{{ request.theme }}</td><td>{{ request.applicant }}</td><td>{{ request.stage }}</td><td>{{ request.period }}</td></tr>{% endfor %}
</tbody></table></div>{% endif %}"#
)]
struct Overview {
    today: String,
    figures: Vec<(&'static str, i64)>,
    overdue: i64,
    visits: Vec<VisitRow>,
    requests: Vec<RequestLine>,
}

/// The page itself.
pub async fn overview(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let call = Call::new(std::sync::Arc::clone(&app), &request);
    let cookie = session::value(&request, &app);
    let found = call
        .read(move |conn, call| {
            let Some((principal, csrf)) = session::signed_in(conn, cookie.as_deref(), call.now)? else { return Ok(None) };
            let page = load(conn, &call.ctx(principal.clone()))?;
            Ok(Some((principal, csrf, page)))
        })
        .await?;
    let Some((principal, csrf, page)) = found else {
        return Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, "/sign-in")).finish());
    };
    Page::of("概要", &principal, &csrf).render(&app, &page)
}

fn load(conn: &mut Conn, ctx: &Ctx) -> Result<Overview, Error> {
    let today = ctx.today();
    let who: &Principal = &ctx.principal;
    let mut page = Overview { today: wareki(today), figures: Vec::new(), overdue: 0, visits: Vec::new(), requests: Vec::new() };
    let first = ListQuery::new(Some(20), None, &"overview")?;
    if who.may(&ReadRequests::INFO) {
        for stage in STAGES {
            let filter = RequestFilter { stages: vec![*stage], ..RequestFilter::default() };
            page.figures.push((stage.label_ja(), list::total(conn, ctx, &filter)?));
        }
        let rows = list::list(conn, ctx, &RequestFilter::default(), RequestSort::UpdatedDescending, &first, false)?;
        page.requests = rows.iter().take(20).map(line).collect();
    }
    if who.may(&ReadDispatches::INFO) {
        let audience = Audience::of(ctx);
        let filter = report_store::ReportFilter { overdue: Some((true, today)), ..Default::default() };
        page.overdue = report_store::count(conn, audience.clone(), &filter)?;
        let filter = visit_store::VisitFilter {
            from: Some(today),
            to: Some(today + Duration::days(6)),
            statuses: vec![VisitStatus::Held, VisitStatus::Planned],
            ..Default::default()
        };
        let rows = visit_store::list(conn, audience, &filter, &first)?;
        page.visits = rows
            .into_iter()
            .take(20)
            .map(|row| VisitRow {
                when: when(&row.visit),
                applicant: row.applicant_name,
                expert: row.expert_name,
                theme: row.theme,
            })
            .collect();
    }
    Ok(page)
}

fn when(visit: &visit_store::VisitRow) -> String {
    match (visit.day, visit.start_minute) {
        (Some(day), Some(start)) => format!("{} {}:{:02}", wareki(day), start / 60, start % 60),
        (Some(day), None) => wareki(day),
        _ => "調整中".to_owned(),
    }
}

fn line(listed: &ListedRequest) -> RequestLine {
    RequestLine {
        theme: listed.row.theme.clone(),
        applicant: listed.applicant_name.clone(),
        stage: crate::requests::model::stage(listed.row.status, listed.progress).label_ja(),
        period: format!("{}〜{}", wareki(listed.row.period_from), wareki(listed.row.period_to)),
    }
}
