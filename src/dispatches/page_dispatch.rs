//! The page of one dispatch: where it stands, what is next, its visits, report, costs, evaluation and amendments.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::json;

use crate::auth::policy::{
    DecideDispatches, ReadAudit, ReadCosts, ReadDispatches, ReadEvaluations, RecordVisits, WriteEvaluations, WriteReports,
};
use crate::db::Conn;
use crate::dispatches::model::{DispatchStatus, ReportStatus, VisitStatus};
use crate::dispatches::page_parts::{self, Tag};
use crate::dispatches::report_store::{self, EvaluationRow};
use crate::dispatches::service;
use crate::dispatches::store::{self, Audience};
use crate::dispatches::views::DispatchView;
use crate::dispatches::visit_views::VisitView;
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{DispatchId, ExpertId};
use crate::settlements::settlement_store::{self, SettlementFilter};
use crate::web::choices::{Choice, Choices};
use crate::web::form::Form;
use crate::web::generic;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc};

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/dispatches/{id:[0-9]+}", web::get().to(show));
}

struct VisitRow {
    path: String,
    when: String,
    minutes: String,
    place: String,
    expert: String,
    status: Tag,
    calendar: Option<String>,
    late: bool,
}

struct Step {
    label: String,
    past: bool,
    here: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/dispatches">{{ tongue.t("派遣", "Dispatches") }}</a></li><li>{{ number }}</li></ol></nav>
<h1>{{ number }}　{{ dispatch.theme }} {{ status.html()|safe }}</h1>
<ol class="steps">{% for step in steps %}<li{% if step.past %} class="past"{% endif %}{% if step.here %} aria-current="step"{% endif %}>{{ step.label }}</li>{% endfor %}</ol>
{% if !todo.is_empty() %}<section class="notice warn" aria-label="{{ tongue.t("次にすること", "What to do next") }}"><strong>{{ tongue.t("次にすること", "What to do next") }}</strong><ul>{% for (path, text) in todo %}<li><a href="{{ path }}">{{ text }}</a></li>{% endfor %}</ul></section>{% endif %}
{{ actions|safe }}
<dl class="facts">
<dt>{{ tongue.t("申請団体", "Applicant") }}</dt><dd>{{ dispatch.applicant_name }}{% if dispatch.participant_ids.len() > 1 %} {% if tongue.english() %}and {{ dispatch.participant_ids.len() - 1 }} more{% else %}ほか{{ dispatch.participant_ids.len() - 1 }}団体{% endif %}{% endif %}</dd>
<dt>{{ tongue.t("申請", "Request") }}</dt><dd><a href="/requests/{{ dispatch.request_id }}">{{ dispatch.theme }}</a></dd>
<dt>{{ tongue.t("事業", "Programme") }}</dt><dd>{{ dispatch.programme_name }}（{{ tongue.fiscal_year(*dispatch.fiscal_year) }}）</dd>
<dt>{{ tongue.t("派遣期間", "Period") }}</dt><dd>{{ period }}</dd>
<dt>{{ tongue.t("決定", "Decided") }}</dt><dd>{{ tongue.day(*dispatch.decided_on) }}{% if !dispatch.document_number.is_empty() %}　{{ dispatch.document_number }}{% endif %}</dd>
<dt>{{ tongue.t("専門家", "Experts") }}</dt><dd>{% for one in dispatch.experts %}{% if !loop.first %}<br>{% endif %}{% if linked.contains(one.expert_id) %}<a href="/experts/{{ one.expert_id }}">{{ one.name }}</a>{% else %}{{ one.name }}{% endif %}{% if !one.affiliation.is_empty() %}（{{ one.affiliation }}）{% endif %}{% if !one.active %} <span class="tag">{{ tongue.t("交代済み", "replaced") }}</span>{% endif %}{% if let Some(email) = one.email %} <a href="mailto:{{ email }}">{{ email }}</a>{% endif %}{% if let Some(phone) = one.phone %} {{ phone }}{% endif %}{% endfor %}</dd>
{% if let Some(end) = cancellation %}<dt>{{ tongue.t("中止", "Called off") }}</dt><dd>{{ end }}</dd>{% endif %}
{% if let Some(id) = dispatch.successor_id %}<dt>{{ tongue.t("引き継いだ派遣", "Carried on by") }}</dt><dd><a href="/dispatches/{{ id }}">#{{ id }}</a></dd>{% endif %}
</dl>
<h2 id="visits">{{ tongue.t("訪問", "Visits") }}</h2>
<p>{{ visited }}</p>
{% if !visits.is_empty() %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("訪問", "Visits") }}"><table><thead><tr><th scope="col">{{ tongue.t("日時", "When") }}</th><th scope="col">{{ tongue.t("時間", "Length") }}</th><th scope="col">{{ tongue.t("方法・場所", "How, where") }}</th><th scope="col">{{ tongue.t("専門家", "Expert") }}</th><th scope="col">{{ tongue.t("状態", "State") }}</th>{% if ahead %}<th scope="col">{{ tongue.t("予定の取込", "Calendar") }}</th>{% endif %}</tr></thead><tbody>
{% for visit in visits %}<tr{% if visit.late %} class="late"{% endif %}><td class="keep"><a href="{{ visit.path }}">{{ visit.when }}</a></td><td>{{ visit.minutes }}</td><td>{{ visit.place }}</td><td>{{ visit.expert }}</td><td>{{ visit.status.html()|safe }}</td>{% if ahead %}<td>{% if let Some(file) = visit.calendar %}<a href="{{ file }}">{{ tongue.t("予定ファイル", "Calendar file") }} (.ics)</a>{% endif %}</td>{% endif %}</tr>{% endfor %}
</tbody></table></div>{% endif %}
<h2 id="report">{{ tongue.t("実績報告書", "Report") }}</h2>
<p>{{ report|safe }}</p>
{{ costs|safe }}
{{ evaluation|safe }}
{% if !amendments.is_empty() %}<h2>{{ tongue.t("変更の経過", "Amendments") }}</h2><div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("変更の経過", "Amendments") }}"><table><thead><tr><th scope="col">{{ tongue.t("回", "No.") }}</th><th scope="col">{{ tongue.t("日付", "Day") }}</th><th scope="col">{{ tongue.t("種類", "Kind") }}</th><th scope="col">{{ tongue.t("文書番号", "Document") }}</th><th scope="col">{{ tongue.t("理由", "Why") }}</th></tr></thead><tbody>
{% for (number, day, kind, document, reason) in amendments %}<tr><td class="n">{{ number }}</td><td>{{ day }}</td><td>{{ kind }}</td><td>{{ document }}</td><td>{{ reason }}</td></tr>{% endfor %}
</tbody></table></div>{% endif %}
{% if audit %}<p><a href="/audit-events?entity_kind=dispatch&amp;entity_id={{ dispatch.id }}">{{ tongue.t("この派遣の操作履歴（監査記録）", "History of this dispatch (audit trail)") }}</a></p>{% endif %}"#
)]
struct Show {
    tongue: Tongue,
    dispatch: DispatchView,
    number: String,
    status: Tag,
    steps: Vec<Step>,
    todo: Vec<(String, String)>,
    actions: String,
    period: String,
    /// The experts whose pages the person may read.
    linked: Vec<ExpertId>,
    cancellation: Option<String>,
    visited: String,
    visits: Vec<VisitRow>,
    ahead: bool,
    report: String,
    costs: String,
    evaluation: String,
    amendments: Vec<(i32, String, String, String, String)>,
    audit: bool,
}

async fn show(page: Page<ReadDispatches>) -> Result<HttpResponse, Error> {
    let id = page.id::<DispatchId>("id")?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let row = store::visible_dispatch(conn, &view.ctx, id)?;
        let owner = store::is_owner(&view.ctx, &row);
        let works = owner || row.applicant_organisation_id == view.ctx.organisation();
        let dispatch = service::view_of(conn, &view.ctx, &row)?;
        let path = format!("/dispatches/{id}");
        let actions = if owner && view.may::<DecideDispatches>() {
            generic::actions(conn, view, &path, &serde_json::to_value(&dispatch).map_err(Error::internal)?)?
        } else {
            String::new()
        };
        let number = page_parts::number(dispatch.number.as_deref(), dispatch.activity_kind, t);
        let content = Show {
            tongue: t,
            status: page_parts::dispatch_tag(dispatch.status, t),
            steps: steps(view, &dispatch),
            todo: if works { todo(view, &dispatch, owner) } else { Vec::new() },
            actions,
            period: t.period(dispatch.period_from, dispatch.period_to),
            linked: page_parts::readable(conn, view, row.programme_id, dispatch.experts.iter().map(|one| one.expert_id))?,
            cancellation: dispatch.cancellation.as_ref().map(|end| {
                let party = page_parts::word(end.party.label_ja(), end.party.as_str(), t);
                format!("{}（{party}）{}", t.day(end.cancelled_at.jst_day()), end.reason)
            }),
            visited: visited(view, &dispatch),
            visits: dispatch.visits.iter().map(|visit| visit_row(view, visit)).collect(),
            ahead: dispatch.visits.iter().any(|visit| visit.status.is_ahead()),
            report: report_line(view, &dispatch, works),
            costs: costs(conn, view, &dispatch)?,
            evaluation: evaluation(conn, view, &dispatch, owner)?,
            amendments: dispatch
                .amendments
                .iter()
                .map(|one| {
                    let kind = page_parts::word(one.kind.label_ja(), one.kind.as_str(), t);
                    (one.number, t.day(one.amended_on), kind, one.document_number.clone(), one.reason.clone())
                })
                .collect(),
            audit: view.may::<ReadAudit>(),
            number: number.clone(),
            dispatch,
        };
        Ok(Sheet::new(format!("{number} {}", t.t("派遣", "Dispatch")), content))
    })
    .await
}

fn visit_row(view: &View, visit: &VisitView) -> VisitRow {
    let t = view.tongue;
    VisitRow {
        path: format!("/visits/{}", visit.id),
        when: page_parts::short_when(visit, t),
        minutes: page_parts::length(visit, t),
        place: page_parts::how(visit, t),
        expert: visit.expert_name.clone(),
        status: page_parts::visit_tag(visit, t),
        calendar: visit.day.filter(|_| visit.status.is_ahead()).map(|_| format!("/files/visits/{}/calendar", visit.id)),
        late: visit.status == VisitStatus::Planned && visit.day.is_some_and(|day| day < view.ctx.today()),
    }
}

/// How far the visits are.
fn visited(view: &View, dispatch: &DispatchView) -> String {
    let done: Vec<_> = dispatch.visits.iter().filter(|visit| visit.status == VisitStatus::Done).collect();
    let ahead = dispatch.visits.iter().filter(|visit| visit.status.is_ahead()).count();
    let minutes: i64 = done.iter().map(|visit| i64::from(visit.actual_minutes.unwrap_or(visit.planned_minutes))).sum();
    let minutes = view.tongue.minutes(minutes);
    let done = done.len();
    if view.tongue.english() {
        format!("{done} done ({minutes}), {ahead} ahead")
    } else {
        format!("実施 {done}回（{minutes}）、予定 {ahead}回")
    }
}

/// From the decision to the approved report.
fn steps(view: &View, dispatch: &DispatchView) -> Vec<Step> {
    let t = view.tongue;
    let counted = dispatch.visits.iter().filter(|visit| visit.status.is_ahead() || visit.status == VisitStatus::Done).count();
    let done = dispatch.visits.iter().filter(|visit| visit.status == VisitStatus::Done).count();
    let all_done = !dispatch.visits.iter().any(|visit| visit.status.is_ahead());
    let report = dispatch.report.as_ref().map(|report| report.status);
    let handed_in = matches!(report, Some(ReportStatus::Submitted | ReportStatus::Approved));
    let complete = dispatch.status == DispatchStatus::Completed;
    let past = [true, all_done, handed_in, complete, complete];
    let here = if dispatch.status == DispatchStatus::Decided { past.iter().position(|done| !done) } else { None };
    let labels = [
        t.t("派遣決定", "Decided").to_owned(),
        format!("{} {done}/{counted}{}", t.t("訪問", "Visits"), t.t("回", "")),
        t.t("報告書の提出", "Report handed in").to_owned(),
        t.t("報告書の承認", "Report approved").to_owned(),
        t.t("完了", "Completed").to_owned(),
    ];
    labels
        .into_iter()
        .enumerate()
        .map(|(index, label)| Step { label, past: past.get(index).copied().unwrap_or(false), here: here == Some(index) })
        .collect()
}

/// What waits for the person who looks.
fn todo(view: &View, dispatch: &DispatchView, owner: bool) -> Vec<(String, String)> {
    let (t, today) = (view.tongue, view.ctx.today());
    let mut list = Vec::new();
    if dispatch.status != DispatchStatus::Decided {
        return list;
    }
    if view.may::<RecordVisits>() {
        for visit in &dispatch.visits {
            let path = format!("/visits/{}", visit.id);
            if visit.to_be_arranged {
                list.push((path, t.t("訪問の日程を決める", "Arrange a visit's day").to_owned()));
            } else if visit.status == VisitStatus::Planned && visit.day.is_some_and(|day| day <= today) {
                let text = t.t("の訪問の実績を記録する", ": record what happened");
                list.push((path, format!("{}{text}", visit.day.map(|day| t.short_day(day)).unwrap_or_default())));
            }
        }
    }
    let all_done = !dispatch.visits.iter().any(|visit| visit.status.is_ahead());
    let applicant = dispatch.applicant_organisation_id;
    if let Some(report) = &dispatch.report {
        let path = format!("/dispatches/{}/report", dispatch.id);
        let due = report.due_on.map(|due| format!("（{}{}）", t.t("期限 ", "due "), t.day(due))).unwrap_or_default();
        match report.status {
            ReportStatus::Due if owner && applicant != view.ctx.organisation() && report.overdue => {
                list.push((path, format!("{}{due}", t.t("報告書が未提出", "The report is not in"))));
            }
            ReportStatus::Due if all_done && applicant == view.ctx.organisation() && view.may::<WriteReports>() => {
                list.push((path, format!("{}{due}", t.t("実績報告書を書いて提出する", "Write and hand in the report"))));
            }
            ReportStatus::Returned if applicant == view.ctx.organisation() && view.may::<WriteReports>() => {
                list.push((path, format!("{}{due}", t.t("差し戻された報告書を直す", "Correct the report sent back"))));
            }
            ReportStatus::Submitted if owner && view.may::<DecideDispatches>() => {
                list.push((path, t.t("提出された報告書を確認する", "Review the report").to_owned()));
            }
            _ => {}
        }
    }
    list
}

/// Where the report stands; `works`: whether the person's organisation writes it.
fn report_line(view: &View, dispatch: &DispatchView, works: bool) -> String {
    let t = view.tongue;
    let Some(report) = &dispatch.report else { return t.t("ありません。", "None.").to_owned() };
    let tag = page_parts::report_tag(report.status, report.overdue, t).html();
    let due = report.due_on.map(|due| format!("　{}{}", t.t("提出期限 ", "due "), t.day_of_week(due))).unwrap_or_default();
    let label = match report.status {
        ReportStatus::Due | ReportStatus::Returned if works && view.may::<WriteReports>() => {
            t.t("報告書を書く", "Write the report")
        }
        _ => t.t("報告書を開く", "Open the report"),
    };
    format!(r#"{tag}{}　<a href="/dispatches/{}/report">{label}</a>"#, esc(&due), dispatch.id)
}

/// The sums, who pays, and the settlements.
fn costs(conn: &mut Conn, view: &View, dispatch: &DispatchView) -> Result<String, Error> {
    let t = view.tongue;
    let Some(totals) = dispatch.costs.as_ref().filter(|_| view.may::<ReadCosts>()) else { return Ok(String::new()) };
    let mut out = format!(r#"<h2 id="costs">{}</h2>"#, t.t("費用", "Costs"));
    if totals.items == 0 {
        out.push_str(&format!("<p>{}</p>", t.t("まだありません。", "None yet.")));
    } else if totals.amounts_undisclosed && totals.amount_yen.is_none() {
        out.push_str(&format!(
            "<p>{}</p>",
            t.t("この事業の金額は公開されていません。", "This programme does not disclose amounts.")
        ));
    } else {
        let mut facts = String::new();
        let mut fact = |term: &str, amount: i64| {
            facts.push_str(&format!("<dt>{}</dt><dd>{}</dd>", esc(term), t.yen(amount)));
        };
        if let Some(amount) = totals.amount_yen {
            fact(t.t("合計", "Total"), amount);
        }
        for part in totals.by_payer.iter().flatten() {
            fact(
                &format!("{}{}", t.t("うち ", "of which "), page_parts::word(part.payer.label_ja(), part.payer.as_str(), t)),
                part.amount_yen,
            );
        }
        if let Some(own) = totals.own_share_yen {
            fact(t.t("自団体の負担", "Own share"), own);
        }
        out.push_str(&format!(r#"<dl class="facts">{facts}</dl>"#));
    }
    let audience = Audience::of(&view.ctx);
    let first = ListQuery::new(Some(20), None, &"settlements of a dispatch")?;
    let filter =
        SettlementFilter { id: None, programme_id: None, fiscal_year: None, status: None, dispatch_id: Some(dispatch.id) };
    let mut links = vec![format!(r#"<a href="/dispatches/{}/costs">{}</a>"#, dispatch.id, t.t("費用の明細", "Cost items"))];
    for row in settlement_store::list(conn, &audience, &filter, &first)? {
        let word = page_parts::word(row.status.label_ja(), row.status.as_str(), t);
        links.push(format!(r#"<a href="/settlements/{}">{}（{}）</a>"#, row.id, t.t("精算", "Settlement"), esc(&word)));
    }
    out.push_str(&format!(r#"<p class="actions">{}</p>"#, links.join("")));
    Ok(out)
}

/// The evaluations for those who read them, the form for those who write them.
fn evaluation(conn: &mut Conn, view: &View, dispatch: &DispatchView, owner: bool) -> Result<String, Error> {
    let t = view.tongue;
    let writes = view.may::<WriteEvaluations>() && dispatch.applicant_organisation_id == view.ctx.organisation();
    let reads = owner && view.may::<ReadEvaluations>();
    let done = |expert: ExpertId| dispatch.visits.iter().any(|v| v.expert_id == expert && v.status == VisitStatus::Done);
    let due = writes && dispatch.experts.iter().any(|one| done(one.expert_id));
    if !reads && !due {
        return Ok(String::new());
    }
    let written = report_store::evaluations_of(conn, dispatch.id)?;
    let mut out = format!(r#"<h2 id="evaluation">{}</h2>"#, t.t("専門家の評価", "Evaluation of the expert"));
    let name = |expert: ExpertId| dispatch.experts.iter().find(|one| one.expert_id == expert).map_or("", |one| one.name.as_str());
    if reads {
        out.push_str(&evaluations(t, &written, &name));
        return Ok(out);
    }
    out.push_str(&format!(
        "<p class=\"hint\">{}</p>",
        t.t("評価は事務局だけが読みます。専門家には見えません。", "Only the office reads it, never the expert.")
    ));
    let (told, open): (Vec<_>, Vec<_>) = dispatch
        .experts
        .iter()
        .filter(|one| done(one.expert_id))
        .partition(|one| written.iter().any(|row| row.expert_id == one.expert_id));
    for one in told {
        let word = t.t("評価済み", "evaluated");
        out.push_str(&format!(r#"<p>{} <span class="tag good">{word}</span></p>"#, esc(&one.name)));
    }
    if !open.is_empty() {
        let open: Vec<Choice> = open.iter().map(|one| (one.expert_id.to_string(), one.name.clone())).collect();
        out.push_str(&evaluation_form(view, dispatch.id, open)?);
    }
    Ok(out)
}

/// The form for the experts who are not evaluated yet.
fn evaluation_form(view: &View, id: DispatchId, experts: Vec<Choice>) -> Result<String, Error> {
    let t = view.tongue;
    let only = match experts.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let mut choices = Choices::default();
    choices.set("expert", experts);
    let path = format!("/dispatches/{id}/evaluations");
    let form = Form::new(view, "create_evaluation", path.clone(), json!({}), choices)?;
    let chosen = view.typed.as_ref().filter(|_| form.refused()).and_then(|typed| typed.value("/score")).unwrap_or_default();
    let scores = [
        (5, "たいへん良い", "excellent"),
        (4, "良い", "good"),
        (3, "ふつう", "fair"),
        (2, "あまり良くない", "poor"),
        (1, "良くない", "bad"),
    ];
    let mut radios = String::new();
    for (score, ja, en) in scores {
        let checked = if chosen == score.to_string() { " checked" } else { "" };
        radios.push_str(&format!(
            r#"<label class="choice"><input type="radio" name="/score" value="{score}" required{checked}> <span>{score}　{}</span></label>"#,
            t.t(ja, en)
        ));
    }
    let (who, expert) = match &only {
        Some((value, name)) => (format!("{}：", esc(name)), form.fixed("expert_id", value)),
        None => (String::new(), form.field("expert_id")),
    };
    form.without("score");
    Ok(format!(
        r#"{}{expert}<fieldset id="{}"><legend>{who}{}</legend>{radios}</fieldset>{}{}"#,
        form.open(),
        page_parts::field_id("create_evaluation", &path, "/score"),
        t.t("5段階の評価", "from 1 to 5"),
        form.rest(),
        form.close(t.t("評価を送る", "Send the evaluation"))
    ))
}

fn evaluations<'a>(t: Tongue, written: &[EvaluationRow], name: &dyn Fn(ExpertId) -> &'a str) -> String {
    if written.is_empty() {
        return format!("<p>{}</p>", t.t("まだありません。", "None yet."));
    }
    let mut rows = String::new();
    for row in written {
        rows.push_str(&format!(
            "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>",
            esc(name(row.expert_id)),
            row.score,
            esc(&row.comment).replace('\n', "<br>"),
            esc(row.created_by.as_deref().unwrap_or_default())
        ));
    }
    format!(
        r#"<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table><thead><tr><th scope="col">{1}</th><th scope="col" class="n">{2}</th><th scope="col">{3}</th><th scope="col">{4}</th></tr></thead><tbody>{rows}</tbody></table></div>"#,
        t.t("評価", "Evaluations"),
        t.t("専門家", "Expert"),
        t.t("評価（5段階）", "Score (1–5)"),
        t.t("コメント", "Comment"),
        t.t("記入者", "By")
    )
}
