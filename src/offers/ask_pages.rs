//! The form of an offer, filled from the request: the visits on the wished dates, until when to answer, and the reason
//! where a conflict of interest is on record.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::candidate_pages::about;
use super::service;
use crate::auth::policy::MatchExperts;
use crate::error::Error;
use crate::ids::{ExpertId, RequestId};
use crate::offers::store as offers;
use crate::requests::children::WishedDateRow;
use crate::requests::store::{self as requests, RequestRow};
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet};
use crate::web::tongue::Tongue;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/requests/{id:[0-9]+}/offers/new", web::get().to(ask));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskParams {
    expert_id: Option<ExpertId>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/requests">{{ tongue.t("申請", "Requests") }}</a></li><li><a href="/requests/{{ id }}">{{ theme }}</a></li><li><a href="/requests/{{ id }}/candidates">{{ tongue.t("候補者", "Candidates") }}</a></li></ol></nav>
<h1>{{ title }}</h1>
<dl class="facts"><dt>{{ tongue.t("申請", "Request") }}</dt><dd>{{ theme }}</dd><dt>{{ tongue.t("希望期間と量", "Period and work") }}</dt><dd>{{ about }}</dd>{% if !wished.is_empty() %}<dt>{{ tongue.t("希望日時", "Wished dates") }}</dt><dd>{{ wished }}</dd>{% endif %}<dt>{{ tongue.t("回答期限", "Time to answer") }}</dt><dd>{{ term }}</dd></dl>
{% if waiting > 0 %}<div class="notice"><p>{{ tongue.t("この申請には、回答を待っている打診があります。「順番待ち」にすると、前の打診が辞退や期限切れになったときに自動で送ります。", "An earlier offer is still open. With “queue” this one goes out when that one is declined or expires.") }}</p></div>{% endif %}
{% if conflict %}<div class="notice bad"><p><strong>{{ tongue.t("利益相反の登録があります。", "A conflict of interest is on record.") }}</strong> {{ tongue.t("それでも打診するときは、理由を書いてください。監査で確認されます。", "To ask nevertheless, give the reason; auditors see it.") }}</p></div>{% endif %}
{{ form|safe }}
<p><a href="/requests/{{ id }}/candidates">{{ tongue.t("やめて候補者に戻る", "Back to the candidates") }}</a></p>"##
)]
struct Ask {
    tongue: Tongue,
    id: RequestId,
    theme: String,
    title: String,
    about: String,
    wished: String,
    term: String,
    waiting: usize,
    conflict: bool,
    form: String,
}

async fn ask(page: Page<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = page.id::<RequestId>("id")?;
    let params = page.query::<AskParams>()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let request = requests::owned(conn, &view.ctx, id)?;
        service::require_accepted(conn, &request)?;
        let expert = match params.expert_id {
            Some(id) => Some(crate::experts::store::owned(conn, &view.ctx, id)?),
            None => None,
        };
        let wished = requests::wished_dates(conn, id)?;
        let earlier = offers::of_request(conn, id)?;
        let waiting = earlier.iter().filter(|offer| offer.status.at(offer.expires_at, view.ctx.now).is_open()).count();
        let conflict = match &expert {
            Some(expert) => service::has_conflict(conn, &view.ctx, &request, expert.id)?,
            None => false,
        };
        let rules = crate::pools::store::year(conn, request.programme_id, request.fiscal_year)?;
        let hours = rules.map_or(0, |year| year.rules.offer_valid_hours);
        let current = json!({"visits": visits(&request, &wished, view.ctx.today()), "queue": waiting > 0});
        let path = format!("/requests/{id}/offers");
        let form = match &expert {
            Some(_) => Form::new(view, "create_offer", path, current, Choices::default())?,
            None => Form::load(conn, view, "create_offer", path, current)?,
        };
        let form = form.then("/offers/{id}");
        let who = match &expert {
            Some(expert) => form.fixed("expert_id", expert.id),
            None => form.field("expert_id"),
        };
        let reason = if conflict || form.refused() { form.field("conflict_override_reason") } else { String::new() };
        form.without("conflict_override_reason");
        let queue = if waiting > 0 { form.field("queue") } else { String::new() };
        form.without("queue");
        let html = format!(
            "{}{who}{reason}{}{queue}{}{}",
            form.open(),
            form.fields(&["visits", "message", "valid_hours"]),
            form.rest(),
            form.close(view.t("打診を送る", "Send the offer"))
        );
        let title = match &expert {
            Some(expert) if t.english() => format!("Ask {}", expert.name),
            Some(expert) => format!("{}さんに打診する", expert.name),
            None => view.t("専門家に打診する", "Ask an expert").to_owned(),
        };
        let content = Ask {
            tongue: t,
            id,
            theme: request.theme.clone(),
            title: title.clone(),
            about: about(t, &request),
            wished: wished.iter().map(|wish| wish_in_words(t, wish)).collect::<Vec<_>>().join("\n"),
            term: term(t, hours),
            waiting,
            conflict,
            form: html,
        };
        Ok(Sheet::new(title, content).narrow())
    })
    .await
}

fn term(t: Tongue, hours: i32) -> String {
    match (hours % 24 == 0, t.english()) {
        (true, false) => format!("送ってから{}日（下で変えられます）", hours / 24),
        (true, true) => format!("{} days (may be changed below)", hours / 24),
        (false, false) => format!("送ってから{hours}時間（下で変えられます）"),
        (false, true) => format!("{hours} hours (may be changed below)"),
    }
}

fn wish_in_words(t: Tongue, wish: &WishedDateRow) -> String {
    match (wish.start_minute, wish.end_minute) {
        (Some(from), Some(to)) => format!("{} {}〜{}", t.day_of_week(wish.day), t.time(from), t.time(to)),
        _ => t.day_of_week(wish.day),
    }
}

/// The visits to ask for: one for each that the request names, on the wished dates that are still ahead. A wish without a
/// time cannot date a visit, which needs its start; such visits are to be arranged.
fn visits(request: &RequestRow, wished: &[WishedDateRow], today: NaiveDate) -> Vec<Value> {
    let mut dated = wished.iter().filter(|wish| wish.day > today).filter_map(|wish| Some((wish.day, wish.start_minute?)));
    (0..request.visit_count)
        .map(|_| match dated.next() {
            Some((day, start)) => json!({"day": day, "start_minute": start, "minutes": request.minutes_per_visit,
                "mode": request.mode, "place": request.place}),
            None => json!({"minutes": request.minutes_per_visit, "mode": request.mode, "place": request.place}),
        })
        .collect()
}
