//! The page of one visit: its facts, and a form for each thing that can be done to it now.

use std::fmt::Write as _;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::{Value, json};

use crate::auth::policy::{ManageCosts, ReadAudit, ReadCosts, ReadDispatches, RecordVisits};
use crate::db::Conn;
use crate::dispatches::model::{DispatchStatus, VisitOrigin, VisitStatus, VisitVerb};
use crate::dispatches::page_parts::{self, Tag};
use crate::dispatches::page_trip;
use crate::dispatches::store::{self, DispatchRow};
use crate::dispatches::visit_views::VisitView;
use crate::dispatches::{visit_store, visits};
use crate::error::Error;
use crate::ids::{RequestId, VisitId};
use crate::requests::model::Mode;
use crate::requests::store as requests;
use crate::settlements::service as settlements;
use crate::settlements::store as cost_store;
use crate::settlements::views::CostItemView;
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc};

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/visits/{id:[0-9]+}", web::get().to(show));
}

struct Verb {
    anchor: &'static str,
    label: String,
    form: String,
    open: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol>{% if let Some((path, number)) = dispatch %}<li><a href="/dispatches">{{ tongue.t("派遣", "Dispatches") }}</a></li><li><a href="{{ path }}">{{ number }}</a></li>{% else %}<li><a href="/visits">{{ tongue.t("訪問", "Visits") }}</a></li>{% endif %}<li>{{ tongue.t("訪問", "Visit") }}</li></ol></nav>
<h1>{{ when }}　{{ tongue.t("訪問", "Visit") }} {{ status.html()|safe }}</h1>
{% if let Some(note) = notice %}<p class="notice">{{ note }}</p>{% endif %}
<dl class="facts">
<dt>{{ tongue.t("申請団体", "Applicant") }}</dt><dd>{{ visit.applicant_name }}{% if visit.participant_ids.len() > 1 %} {% if tongue.english() %}and {{ visit.participant_ids.len() - 1 }} more{% else %}ほか{{ visit.participant_ids.len() - 1 }}団体{% endif %}{% endif %}</dd>
{% if !visit.theme.is_empty() %}<dt>{{ tongue.t("テーマ", "Theme") }}</dt><dd>{% if let Some(request) = request %}<a href="/requests/{{ request }}">{{ visit.theme }}</a>{% else %}{{ visit.theme }}{% endif %}</dd>{% endif %}
<dt>{{ tongue.t("専門家", "Expert") }}</dt><dd>{% if links_experts %}<a href="/experts/{{ visit.expert_id }}">{{ visit.expert_name }}</a>{% else %}{{ visit.expert_name }}{% endif %}</dd>
<dt>{{ tongue.t("時間", "Length") }}</dt><dd>{{ length }}</dd>
<dt>{{ tongue.t("方法・場所", "How, where") }}</dt><dd>{{ how }}</dd>
{% if let Some(count) = visit.attendees %}<dt>{{ tongue.t("参加者", "Attendees") }}</dt><dd>{{ count }}{{ tongue.t("人", "") }}</dd>{% endif %}
{% if !visit.note.is_empty() %}<dt>{{ tongue.t("内容", "What happened") }}</dt><dd>{{ visit.note }}</dd>{% endif %}
{% if let Some(end) = ended %}<dt>{{ tongue.t("理由", "Reason") }}</dt><dd>{{ end }}</dd>{% endif %}
{% if let Some(id) = visit.rescheduled_to_id %}<dt>{{ tongue.t("変更後の訪問", "Moved to") }}</dt><dd><a href="/visits/{{ id }}">{{ tongue.t("新しい日程を見る", "See the new day") }}</a></dd>{% endif %}
{% if ledger %}<dt>{{ tongue.t("記録", "Record") }}</dt><dd>{{ tongue.t("過年度の台帳から取り込みました", "Taken over from an earlier ledger") }}</dd>{% endif %}
</dl>
{{ costs|safe }}
{% if calendar %}<p><a href="/files/visits/{{ visit.id }}/calendar">{{ tongue.t("自分の予定表に取り込む（.icsファイル）", "Add to my calendar (.ics file)") }}</a></p>{% endif %}
{% if !verbs.is_empty() %}<h2>{{ tongue.t("できること", "What can be done") }}</h2>
{% for verb in verbs %}<details id="{{ verb.anchor }}"{% if verb.open %} open{% endif %}><summary>{{ verb.label }}</summary>{{ verb.form|safe }}</details>{% endfor %}{% endif %}
{% if audit %}<p><a href="/audit-events?entity_kind=visit&amp;entity_id={{ visit.id }}">{{ tongue.t("この訪問の操作履歴（監査記録）", "History of this visit (audit trail)") }}</a></p>{% endif %}"##
)]
struct Show {
    tongue: Tongue,
    visit: VisitView,
    /// The request, where the person sees it.
    request: Option<RequestId>,
    /// Path and number of the dispatch, where the person sees it.
    dispatch: Option<(String, String)>,
    when: String,
    status: Tag,
    notice: Option<String>,
    links_experts: bool,
    length: String,
    how: String,
    ended: Option<String>,
    ledger: bool,
    costs: String,
    calendar: bool,
    verbs: Vec<Verb>,
    audit: bool,
}

async fn show(page: Page<ReadDispatches>) -> Result<HttpResponse, Error> {
    let id = page.id::<VisitId>("id")?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let row = visit_store::visible_visit(conn, &view.ctx, id)?;
        let visit = visits::view_of(conn, &view.ctx, row.id)?;
        // Whoever only attended sees the visit, but neither its dispatch nor its request.
        let dispatch = match visit.dispatch_id {
            Some(dispatch) => page_parts::seen(store::visible_dispatch(conn, &view.ctx, dispatch))?,
            None => None,
        };
        let request = match visit.request_id {
            Some(request) => page_parts::seen(requests::visible(conn, &view.ctx, request))?.map(|row| row.id),
            None => None,
        };
        let linked = page_parts::readable(conn, view, visit.programme_id, std::iter::once(visit.expert_id))?;
        let verbs = match &dispatch {
            Some(dispatch) => verbs(conn, view, dispatch, &visit)?,
            None => Vec::new(),
        };
        let when = page_parts::when(&visit, t);
        let content = Show {
            tongue: t,
            request,
            dispatch: dispatch.as_ref().map(|row| {
                let number = page_parts::number(row.number.as_deref(), row.activity_kind, t);
                (format!("/dispatches/{}", row.id), number)
            }),
            status: page_parts::visit_tag(&visit, t),
            notice: notice(view, dispatch.as_ref(), &visit),
            links_experts: !linked.is_empty(),
            length: page_parts::length(&visit, t),
            how: page_parts::how(&visit, t),
            ended: ended(view, &visit),
            costs: match &dispatch {
                Some(dispatch) if view.may::<ReadCosts>() => costs_of(conn, view, dispatch, &visit)?,
                _ => String::new(),
            },
            ledger: visit.origin == VisitOrigin::Ledger,
            calendar: visit.day.is_some() && visit.status.is_ahead(),
            verbs,
            audit: view.may::<ReadAudit>(),
            when: when.clone(),
            visit,
        };
        Ok(Sheet::new(format!("{when} {}", t.t("訪問", "Visit")), content).narrow())
    })
    .await
}

/// What explains why little can be done.
fn notice(view: &View, dispatch: Option<&DispatchRow>, visit: &VisitView) -> Option<String> {
    let t = view.tongue;
    if visit.status == VisitStatus::Held {
        return Some(
            t.t(
                "派遣決定の前の仮押さえです。決定すると、ここから日程の変更や実績の記録ができます。",
                "The time is only held. Once the dispatch is decided, the visit can be changed and recorded here.",
            )
            .to_owned(),
        );
    }
    let row = dispatch?;
    let ahead = visit.status.is_ahead() && row.status == DispatchStatus::Decided;
    ahead.then(|| {
        let period = t.period(row.period_from, row.period_to);
        let later = if visit.day.is_some_and(|day| day > view.ctx.today()) {
            t.t("実績は、訪問日から記録できます。", " What happened can be recorded from that day on.")
        } else {
            ""
        };
        if t.english() {
            format!("The visit must lie in the period of the dispatch: {period}.{later}")
        } else {
            format!("派遣期間は{period}です。{later}")
        }
    })
}

/// Why it did not take place.
fn ended(view: &View, visit: &VisitView) -> Option<String> {
    let t = view.tongue;
    let party = visit.cancelled_by_party.map(|party| page_parts::word(party.label_ja(), party.as_str(), t));
    let notice =
        visit.notice_days.map(|days| if t.english() { format!("{days} days before") } else { format!("{days}日前の連絡") });
    let parts: Vec<String> =
        [party, notice, visit.cancel_reason.clone()].into_iter().flatten().filter(|text| !text.is_empty()).collect();
    if parts.is_empty() { None } else { Some(parts.join("　")) }
}

/// What the visit has cost so far, as far as one sees it.
fn costs_of(conn: &mut Conn, view: &View, dispatch: &DispatchRow, visit: &VisitView) -> Result<String, Error> {
    let t = view.tongue;
    let (rows, shares) = cost_store::for_dispatch(conn, dispatch.id)?;
    let eyes = settlements::eyes(&view.ctx, dispatch);
    let mut lines = String::new();
    for row in rows.iter().filter(|row| row.visit_id == Some(visit.id)) {
        let item = CostItemView::new(row, &shares, eyes);
        let amount = item.amount_yen.map_or_else(|| t.t("非公開", "not disclosed").to_owned(), |yen| t.yen(yen));
        let _ = write!(
            lines,
            r#"<tr><td>{}</td><td class="n">{amount}</td><td>{}</td><td>{}</td></tr>"#,
            esc(&page_parts::word(item.component.label_ja(), item.component.as_str(), t)),
            esc(item.explanation.as_deref().unwrap_or_default()),
            esc(&page_parts::word(item.status.label_ja(), item.status.as_str(), t))
        );
    }
    if lines.is_empty() {
        return Ok(lines);
    }
    Ok(format!(
        r#"<h2>{0}</h2><div class="scroll" tabindex="0" role="region" aria-label="{0}"><table><thead><tr><th scope="col">{1}</th><th scope="col" class="n">{2}</th><th scope="col">{3}</th><th scope="col">{4}</th></tr></thead><tbody>{lines}</tbody></table></div>"#,
        t.t("費用", "Costs"),
        t.t("費目", "Kind"),
        t.t("金額", "Amount"),
        t.t("計算", "How"),
        t.t("状態", "State")
    ))
}

/// A form for each verb that the state allows and the person may use, the likeliest first and open.
fn verbs(conn: &mut Conn, view: &View, dispatch: &DispatchRow, visit: &VisitView) -> Result<Vec<Verb>, Error> {
    let owner = store::is_owner(&view.ctx, dispatch);
    let works = owner || dispatch.applicant_organisation_id == view.ctx.organisation();
    let mut list = Vec::new();
    if works && view.may::<RecordVisits>() && dispatch.status == DispatchStatus::Decided {
        let over = visit.day.is_some_and(|day| day <= view.ctx.today());
        let mut allowed = visit.allowed.clone();
        // What happened is written down when it has happened.
        allowed.retain(|verb| over || !matches!(verb, VisitVerb::Record | VisitVerb::NoShow));
        allowed.sort_by_key(|verb| match verb {
            VisitVerb::Arrange => 0,
            VisitVerb::Record => 1,
            VisitVerb::Reschedule => 2,
            VisitVerb::NoShow => 3,
            VisitVerb::Cancel => 4,
        });
        for verb in allowed {
            list.push(of_verb(conn, view, visit, verb)?);
        }
    }
    let over = matches!(visit.status, VisitStatus::Done | VisitStatus::Cancelled | VisitStatus::NoShow);
    if owner && view.may::<ManageCosts>() && over {
        let travels = visit.mode != Mode::Online && !dispatch.rules()?.travel_rules.is_empty();
        if travels {
            list.push(trip(view, visit)?);
        }
        list.push(costs(view, visit)?);
    }
    Ok(list)
}

fn of_verb(conn: &mut Conn, view: &View, visit: &VisitView, verb: VisitVerb) -> Result<Verb, Error> {
    let t = view.tongue;
    let path = format!("/visits/{}/{}", visit.id, verb.as_str());
    let slot = json!({"version": visit.version, "start_minute": visit.start_minute, "minutes": visit.planned_minutes, "mode": visit.mode, "place": visit.place});
    let make = |id: &str, current: Value, choices: Choices| Form::new(view, id, path.clone(), current, choices);
    let none = Choices::default;
    let (anchor, form, open) = match verb {
        VisitVerb::Arrange => {
            let form = make("arrange_visit", slot, none())?;
            ("arrange", slot_form(&form, &[], t.t("日程を決める", "Arrange")), true)
        }
        VisitVerb::Reschedule => {
            // The answer is the new visit.
            let form = make("reschedule_visit", slot, none())?.then("/visits/{id}");
            let refused = form.refused();
            ("reschedule", slot_form(&form, &["party", "reason"], t.t("日程を変更する", "Move the visit")), refused)
        }
        VisitVerb::Record => {
            let mut choices = Choices::default();
            if visit.participant_ids.len() > 1 {
                // Also those that have left the pool since: what is not offered would be dropped.
                let bodies = crate::organisations::store::find_many(conn, &visit.participant_ids)?;
                choices.set("organisation", bodies.into_iter().map(|row| (row.id.to_string(), row.name)).collect());
            }
            let current = json!({"version": visit.version, "actual_minutes": visit.planned_minutes, "mode": visit.mode,
                "participant_ids": visit.participant_ids});
            let form = make("record_visit", current, choices)?;
            ("record", record_form(view, visit, &form), true)
        }
        VisitVerb::Cancel => {
            let form = make("cancel_visit", json!({"version": visit.version}), none())?;
            let refused = form.refused();
            (
                "cancel",
                format!(
                    "{}{}{}",
                    form.open(),
                    form.fields(&["party", "reason"]),
                    form.close(t.t("訪問を中止する", "Call the visit off"))
                ),
                refused,
            )
        }
        VisitVerb::NoShow => {
            let form = make("record_no_show", json!({"version": visit.version}), none())?;
            let refused = form.refused();
            (
                "no-show",
                format!(
                    "{}{}{}",
                    form.open(),
                    form.fields(&["party", "note"]),
                    form.close(t.t("不参を記録する", "Note the absence"))
                ),
                refused,
            )
        }
    };
    let label = match verb {
        VisitVerb::Arrange => t.t("日程を決める", "Arrange the day"),
        VisitVerb::Record => t.t("実績を記録する", "Record what happened"),
        VisitVerb::Reschedule => t.t("日程を変更する", "Move to another day"),
        VisitVerb::NoShow => t.t("相手が来なかった（不参）", "A party did not come"),
        VisitVerb::Cancel => t.t("訪問を中止する", "Call the visit off"),
    };
    Ok(Verb { anchor, label: label.to_owned(), form, open })
}

fn slot_form(form: &Form, more: &[&str], label: &str) -> String {
    format!(
        "{}{}{}{}",
        form.open(),
        form.fields(&["day", "start_minute", "minutes", "mode", "place"]),
        form.fields(more),
        form.close(label)
    )
}

fn record_form(view: &View, visit: &VisitView, form: &Form) -> String {
    let t = view.tongue;
    if visit.participant_ids.len() < 2 {
        form.without("participant_ids");
    }
    let detailed = ["travel_minutes", "waiting_minutes", "break_minutes", "distance_km"];
    let typed = view.typed.as_ref().filter(|_| form.refused());
    let open = typed
        .is_some_and(|typed| detailed.iter().any(|name| typed.value(&format!("/{name}")).is_some_and(|text| !text.is_empty())));
    let main = form.fields(&["actual_minutes", "attendees", "note", "mode"]);
    let bodies = if visit.participant_ids.len() < 2 { String::new() } else { form.field("participant_ids") };
    format!(
        r#"{}{main}{bodies}<details{}><summary>{}</summary>{}</details>{}"#,
        form.open(),
        if open { " open" } else { "" },
        t.t("時間の内訳と距離（謝金の規程で必要なとき）", "Parts of the time and distance (where the fee table asks for them)"),
        form.fields(&detailed),
        form.close(t.t("実績を記録する", "Record"))
    )
}

fn costs(view: &View, visit: &VisitView) -> Result<Verb, Error> {
    let t = view.tongue;
    let form = Form::new(view, "create_cost_item", format!("/visits/{}/costs", visit.id), json!({}), Choices::default())?;
    let open = form.refused();
    let html = format!("{}{}{}", form.open(), form.rest(), form.close(t.t("費用を確定する", "Enter the cost")));
    Ok(Verb { anchor: "costs", label: t.t("費用を入力する", "Enter a cost").to_owned(), form: html, open })
}

fn trip(view: &View, visit: &VisitView) -> Result<Verb, Error> {
    let (form, open) = page_trip::form(view, visit)?;
    Ok(Verb { anchor: "trip", label: view.t("旅費を入力する", "Enter the trip").to_owned(), form, open })
}
