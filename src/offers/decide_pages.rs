//! The page on which the office decides a dispatch: who has accepted, from when to when, under which number.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::json;

use crate::auth::policy::DecideDispatches;
use crate::error::Error;
use crate::ids::RequestId;
use crate::offers::model::OfferStatus;
use crate::offers::store::{self, OfferFilter, Scope};
use crate::requests::model::RequestVerb;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet};
use crate::web::tongue::Tongue;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/requests/{id:[0-9]+}/decide", web::get().to(decide));
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/requests">{{ tongue.t("申請", "Requests") }}</a></li><li><a href="/requests/{{ request }}">{{ theme }}</a></li></ol></nav>
<h1>{{ tongue.t("派遣を決定する", "Decide the dispatch") }}</h1>
<p>{{ tongue.t("決定すると、派遣番号が付き、申請団体と専門家に通知します。", "Deciding gives the dispatch its number and tells the applicant and the experts.") }}</p>
{% if nobody %}<div class="notice warn"><p>{{ tongue.t("承諾した専門家がまだいません。", "Nobody has accepted yet.") }} <a href="/requests/{{ request }}/candidates">{{ tongue.t("候補者を比べる", "Compare candidates") }}</a></p></div>{% endif %}
{{ form|safe }}
<p><a href="/requests/{{ request }}">{{ tongue.t("やめて戻る", "Back without deciding") }}</a></p>"#
)]
struct Decide {
    tongue: Tongue,
    request: RequestId,
    theme: String,
    nobody: bool,
    form: String,
}

async fn decide(page: Page<DecideDispatches>) -> Result<HttpResponse, Error> {
    let id = page.id::<RequestId>("id")?;
    page.show(move |conn, view| {
        let row = crate::requests::store::owned(conn, &view.ctx, id)?;
        row.status.after(RequestVerb::Decide)?;
        let filter = OfferFilter {
            request_id: Some(id),
            statuses: vec![OfferStatus::Accepted],
            ..OfferFilter::all(Scope::Owner(view.ctx.organisation()))
        };
        let accepted = store::list(conn, &filter, None, 50)?;
        let ids: Vec<_> = accepted.iter().map(|record| record.offer.id).collect();
        let current = json!({
            "version": row.version, "offer_ids": ids, "decided_on": view.ctx.today(), "period_from": row.period_from,
            "period_to": row.period_to,
        });
        let mut form =
            Form::load(conn, view, "decide_request", format!("/requests/{id}/decide"), current)?.then("/dispatches/{id}");
        let words =
            |record: &store::OfferRecord| format!("{}（{} {}）", record.expert_name, view.t("順位", "rank"), record.offer.rank);
        form.choices_mut().set("offer", accepted.iter().map(|record| (record.offer.id.to_string(), words(record))).collect());
        let content = Decide {
            tongue: view.tongue,
            request: id,
            theme: row.theme,
            nobody: accepted.is_empty(),
            form: format!(
                "{}{}{}{}",
                form.open(),
                form.fields(&["offer_ids", "document_number", "decided_on", "period_from", "period_to", "note"]),
                form.rest(),
                form.close(view.t("この内容で決定する", "Decide"))
            ),
        };
        Ok(Sheet::new(view.t("派遣を決定する", "Decide the dispatch"), content).narrow())
    })
    .await
}
