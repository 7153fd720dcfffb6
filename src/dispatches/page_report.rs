//! The page of an activity report: written beside the record of the visits, handed in, reviewed, printed.

use std::fmt::Write as _;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use crate::auth::policy::{ReadDispatches, ReviewReports, WriteReports};
use crate::db::Conn;
use crate::dispatches::model::{ReportStatus, ReportVerb, VisitStatus};
use crate::dispatches::page_parts::{self, Tag};
use crate::dispatches::report_views::ReportView;
use crate::dispatches::reports;
use crate::dispatches::store::{self, Audience, DispatchRow};
use crate::dispatches::visit_store::{self, VisitFilter};
use crate::dispatches::visit_views::VisitView;
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{DispatchId, VisitId};
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc};

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/dispatches/{id:[0-9]+}/report", web::get().to(show));
}

/// How the page is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// `read`: the text to read and print instead of the form.
    view: Option<String>,
    /// `visits`: the record of the visits as a draft of what was done.
    draft: Option<String>,
}

struct Line {
    path: String,
    when: String,
    detail: String,
    note: String,
    status: Tag,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/dispatches">{{ tongue.t("派遣", "Dispatches") }}</a></li><li><a href="/dispatches/{{ id }}">{{ number }}</a></li><li>{{ tongue.t("実績報告書", "Report") }}</li></ol></nav>
<h1>{{ tongue.t("実績報告書", "Activity report") }}　{{ number }} {{ status.html()|safe }}</h1>
<dl class="facts"><dt>{{ tongue.t("申請団体", "Applicant") }}</dt><dd>{{ applicant }}</dd><dt>{{ tongue.t("テーマ", "Theme") }}</dt><dd>{{ theme }}</dd>
{% if let Some(due) = due %}<dt>{{ tongue.t("提出期限", "Due") }}</dt><dd>{{ due }}</dd>{% endif %}
{% if let Some(at) = submitted %}<dt>{{ tongue.t("提出", "Handed in") }}</dt><dd>{{ at }}</dd>{% endif %}
{% if let Some(at) = approved %}<dt>{{ tongue.t("承認", "Approved") }}</dt><dd>{{ at }}</dd>{% endif %}</dl>
{% if let Some(reason) = returned %}<section class="notice warn" aria-label="{{ tongue.t("差戻しの理由", "Why it was sent back") }}"><strong>{{ tongue.t("差戻しの理由", "Why it was sent back") }}</strong><p>{{ reason }}</p></section>{% endif %}
<div class="columns"><div>
{% if form.is_empty() %}{% for (heading, text) in texts %}<h2>{{ heading }}</h2>{% if text.is_empty() %}<p class="hint">{{ tongue.t("（記載なし）", "(nothing)") }}</p>{% else %}{% for line in text.lines() %}<p>{{ line }}</p>{% endfor %}{% endif %}{% endfor %}
{% if !outcomes.is_empty() %}<h2>{{ tongue.t("成果の数", "Outcomes") }}</h2><table><thead><tr><th scope="col">{{ tongue.t("指標", "Counter") }}</th><th scope="col" class="n">{{ tongue.t("数", "Number") }}</th></tr></thead><tbody>{% for (label, amount) in outcomes %}<tr><td>{{ label }}</td><td class="n">{{ amount }}</td></tr>{% endfor %}</tbody></table>{% endif %}
{% else %}<h2>{{ tongue.t("1　書く", "1 Write") }}</h2>{% if let Some(path) = draft %}<p><a class="button plain" href="{{ path }}">{{ tongue.t("訪問の記録を下書きに入れる", "Start from the record of the visits") }}</a></p>{% endif %}{% if drafted %}<p class="notice">{{ tongue.t("訪問の記録から下書きを入れました。まだ保存していません。直してから「保存する」を押してください。", "The record of the visits was put in as a draft. It is not saved yet: edit it and save.") }}</p>{% endif %}{{ form|safe }}{% endif %}
{% for (heading, html) in after %}<h2>{{ heading }}</h2>{{ html|safe }}{% endfor %}
</div>
<aside aria-label="{{ tongue.t("訪問の記録", "Record of the visits") }}"><h2>{{ tongue.t("訪問の記録", "Record of the visits") }}</h2><p><strong>{{ sum }}</strong></p>
{% for line in visits %}<h3><a href="{{ line.path }}">{{ line.when }}</a> {{ line.status.html()|safe }}</h3><p class="hint">{{ line.detail }}</p>{% for part in line.note.lines() %}<p>{{ part }}</p>{% endfor %}{% endfor %}
</aside></div>
<p class="actions">{% if form.is_empty() && may_write %}<a class="button plain" href="/dispatches/{{ id }}/report">{{ tongue.t("編集に戻る", "Back to editing") }}</a>{% endif %}{% if !form.is_empty() %}<a href="/dispatches/{{ id }}/report?view=read">{{ tongue.t("印刷用に表示する（保存した内容）", "Show for printing (as saved)") }}</a>{% endif %}<a href="/dispatches/{{ id }}">{{ tongue.t("派遣のページへ", "To the dispatch") }}</a></p>"#
)]
struct Report {
    tongue: Tongue,
    id: DispatchId,
    number: String,
    status: Tag,
    applicant: String,
    theme: String,
    due: Option<String>,
    submitted: Option<String>,
    approved: Option<String>,
    returned: Option<String>,
    form: String,
    draft: Option<String>,
    drafted: bool,
    may_write: bool,
    texts: Vec<(&'static str, String)>,
    outcomes: Vec<(String, String)>,
    after: Vec<(String, String)>,
    visits: Vec<Line>,
    sum: String,
}

/// The visits of a dispatch with the names that belong to them.
fn visits_of(conn: &mut Conn, view: &View, dispatch: &DispatchRow) -> Result<Vec<VisitView>, Error> {
    let filter = VisitFilter { dispatch_id: Some(dispatch.id), ..VisitFilter::default() };
    let list = ListQuery::new(Some(200), None, &"visits of a report")?;
    let lines = visit_store::list(conn, Audience::of(&view.ctx), &filter, &list)?;
    let none: [(VisitId, crate::ids::OrganisationId); 0] = [];
    Ok(lines.iter().map(|line| VisitView::of_line(line, &none)).collect())
}

async fn show(page: Page<ReadDispatches>) -> Result<HttpResponse, Error> {
    let id = page.id::<DispatchId>("id")?;
    let asked: Asked = page.query()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let (dispatch, row) = reports::visible_of(conn, &view.ctx, id)?;
        let report = reports::view_of(conn, &view.ctx, &dispatch, row)?;
        let visits = visits_of(conn, view, &dispatch)?;
        let owner = store::is_owner(&view.ctx, &dispatch);
        let writer = view.may::<WriteReports>() && (owner || dispatch.applicant_organisation_id == view.ctx.organisation());
        let may_write = writer && report.allowed.contains(&ReportVerb::Write);
        let reading = asked.view.is_some();
        let wanted = asked.draft.is_some() && report.content.trim().is_empty();
        let draft = draft_of(view, &visits);
        let form =
            if may_write && !reading { write_form(view, id, &report, wanted.then_some(draft.as_str()))? } else { String::new() };
        let mut after = Vec::new();
        if !reading {
            if may_write {
                after.push((t.t("2　提出する", "2 Hand in").to_owned(), submit(view, &report, &visits)?));
            }
            if owner && view.may::<ReviewReports>() && report.allowed.contains(&ReportVerb::Approve) {
                after.push((t.t("確認する", "Review").to_owned(), review(view, &report)?));
            }
        }
        let number = page_parts::number(dispatch.number.as_deref(), dispatch.activity_kind, t);
        let first = visits.first();
        let content = Report {
            tongue: t,
            id,
            status: page_parts::report_tag(report.status, report.overdue, t),
            applicant: first.map(|visit| visit.applicant_name.clone()).unwrap_or_default(),
            theme: first.map(|visit| visit.theme.clone()).unwrap_or_default(),
            due: report.due_on.map(|due| t.day_of_week(due)),
            submitted: report.submitted_at.map(|at| t.instant(at)),
            approved: report.approved_at.map(|at| t.instant(at)),
            returned: report.returned_reason.clone().filter(|_| report.status == ReportStatus::Returned),
            draft: (!wanted && report.content.trim().is_empty() && !draft.is_empty())
                .then(|| format!("/dispatches/{id}/report?draft=visits")),
            drafted: wanted && view.typed.is_none(),
            may_write,
            texts: vec![
                (t.t("実施内容", "What was done"), report.content.clone()),
                (t.t("結果", "Result"), report.result.clone()),
                (t.t("今後の対応", "What comes next"), report.next_step.clone()),
            ],
            outcomes: report
                .outcomes
                .iter()
                .map(|one| (one.label.clone(), one.amount.map_or_else(|| "–".to_owned(), |amount| amount.to_string())))
                .collect(),
            after,
            sum: sum(view, &visits),
            visits: visits
                .iter()
                .filter(|visit| visit.status != VisitStatus::Rescheduled)
                .map(|visit| line(view, visit))
                .collect(),
            form,
            number: number.clone(),
        };
        Ok(Sheet::new(format!("{} {number}", t.t("実績報告書", "Report")), content))
    })
    .await
}

fn line(view: &View, visit: &VisitView) -> Line {
    let t = view.tongue;
    let attendees = visit.attendees.map(|count| format!("　{}{count}{}", t.t("参加者", "attendees "), t.t("人", "")));
    Line {
        path: format!("/visits/{}", visit.id),
        when: page_parts::when(visit, t),
        detail: format!(
            "{}　{}　{}{}",
            page_parts::length(visit, t),
            page_parts::how(visit, t),
            visit.expert_name,
            attendees.unwrap_or_default()
        ),
        note: visit.note.clone(),
        status: page_parts::visit_tag(visit, t),
    }
}

fn sum(view: &View, visits: &[VisitView]) -> String {
    let done: Vec<&VisitView> = visits.iter().filter(|visit| visit.status == VisitStatus::Done).collect();
    let minutes: i64 = done.iter().map(|visit| i64::from(visit.actual_minutes.unwrap_or(visit.planned_minutes))).sum();
    let people: i64 = done.iter().filter_map(|visit| visit.attendees).map(i64::from).sum();
    let (count, minutes) = (done.len(), view.tongue.minutes(minutes));
    if view.tongue.english() {
        format!("{count} visits, {minutes}, {people} attendees (sum)")
    } else {
        format!("実施 {count}回　{minutes}　参加者 延べ{people}人")
    }
}

/// What was noted at the visits, as a first draft of what was done.
fn draft_of(view: &View, visits: &[VisitView]) -> String {
    let t = view.tongue;
    let mut out = String::new();
    for visit in visits.iter().filter(|visit| visit.status == VisitStatus::Done) {
        let people = visit.attendees.map(|count| format!("、{}{count}{}", t.t("参加者", "attendees "), t.t("人", "")));
        let _ = writeln!(out, "{}（{}{}）", page_parts::when(visit, t), visit.expert_name, people.unwrap_or_default());
        if !visit.note.trim().is_empty() {
            let _ = writeln!(out, "{}", visit.note.trim());
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// The form with everything in it, and one number for each counter of the programme.
fn write_form(view: &View, id: DispatchId, report: &ReportView, draft: Option<&str>) -> Result<String, Error> {
    let t = view.tongue;
    let content = draft.unwrap_or(&report.content);
    let current = json!({"version": report.version, "content": content, "result": report.result, "next_step": report.next_step,
        "outcomes": report.outcomes.iter().filter(|one| one.amount.is_some())
            .map(|one| json!({"counter": one.counter, "amount": one.amount})).collect::<Vec<_>>()});
    let path = format!("/dispatches/{id}/report");
    let form = Form::new(view, "write_dispatch_report", path.clone(), current, Choices::default())?.then(path.clone());
    let typed = view.typed.as_ref().filter(|_| form.refused());
    let mut numbers = String::new();
    if !report.outcomes.is_empty() {
        let _ = write!(
            numbers,
            r#"<fieldset><legend>{}</legend><p class="hint">{}</p><input type="hidden" name="/outcomes" value="">"#,
            t.t("成果の数", "Outcomes"),
            t.t("数えるものがないときは 0 と入力してください。", "Enter 0 where there is nothing to count.")
        );
        for (index, one) in report.outcomes.iter().enumerate() {
            let pointer = format!("/outcomes/{index}/amount");
            let value = match typed {
                Some(typed) => typed.value(&pointer).unwrap_or_default().to_owned(),
                None => one.amount.map(|amount| amount.to_string()).unwrap_or_default(),
            };
            let wrong: Vec<String> =
                typed.iter().flat_map(|typed| typed.errors_at(&pointer)).map(|error| esc(t.words(&error.detail))).collect();
            let field = page_parts::field_id("write_dispatch_report", &path, &pointer);
            let error = if wrong.is_empty() { String::new() } else { format!(r#"<p class="error">{}</p>"#, wrong.join("<br>")) };
            let invalid = if wrong.is_empty() { "" } else { r#" aria-invalid="true""# };
            let _ = write!(
                numbers,
                r#"<div class="field"><label for="{field}">{}</label>{error}<input type="hidden" name="/outcomes/{index}/counter" value="{}"><input type="text" inputmode="numeric" class="number" id="{field}" name="{pointer}" value="{}" autocomplete="off" required{invalid}></div>"#,
                esc(&one.label),
                esc(&one.counter),
                esc(&value)
            );
        }
        numbers.push_str("</fieldset>");
    }
    form.without("outcomes");
    Ok(format!(
        "{}{}{numbers}{}",
        form.open(),
        form.fields(&["content", "result", "next_step"]),
        form.close(t.t("保存する", "Save"))
    ))
}

/// The button, or what is still in the way.
fn submit(view: &View, report: &ReportView, visits: &[VisitView]) -> Result<String, Error> {
    let t = view.tongue;
    let ahead: Vec<&VisitView> = visits.iter().filter(|visit| visit.status.is_ahead()).collect();
    if !ahead.is_empty() {
        let mut out = format!(
            r#"<p>{}</p><ul>"#,
            t.t(
                "次の訪問の実績が未記録です。記録（または中止）すると提出できます。",
                "These visits are still ahead. Record them (or call them off) before handing in."
            )
        );
        for visit in ahead {
            let _ = write!(out, r#"<li><a href="/visits/{}">{}</a></li>"#, visit.id, esc(&page_parts::when(visit, t)));
        }
        out.push_str("</ul>");
        return Ok(out);
    }
    if report.content.trim().is_empty() {
        return Ok(format!(
            "<p>{}</p>",
            t.t("実施内容を書いて保存すると、提出できます。", "Write what was done and save it; then it can be handed in.")
        ));
    }
    let path = format!("/reports/{}/submit", report.id);
    let form = Form::new(view, "submit_report", path, json!({"version": report.version}), Choices::default())?;
    Ok(format!(
        "<p>{}</p>{}",
        t.t(
            "保存した内容を事務局へ提出します。提出した後は、差し戻されるまで直せません。",
            "Hands in what is saved. It cannot be changed afterwards unless it is sent back."
        ),
        form.button(t.t("提出する", "Hand in"), "")
    ))
}

/// Approve, or send back with a reason.
fn review(view: &View, report: &ReportView) -> Result<String, Error> {
    let t = view.tongue;
    let version = json!({"version": report.version});
    let path = |verb: &str| format!("/reports/{}/{verb}", report.id);
    let approve = Form::new(view, "approve_report", path("approve"), version.clone(), Choices::default())?;
    let back = Form::new(view, "return_report", path("return"), version, Choices::default())?;
    let open = if back.refused() { " open" } else { "" };
    Ok(format!(
        r#"<p>{}</p>{}<details{open}><summary>{}</summary>{}{}{}</details>"#,
        t.t("承認すると、この派遣は完了になります。", "Approving it completes the dispatch."),
        approve.button(t.t("承認する", "Approve"), ""),
        t.t("差し戻す", "Send back"),
        back.open(),
        back.field("reason"),
        back.close(t.t("差し戻す", "Send back"))
    ))
}
