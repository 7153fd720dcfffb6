//! The page of a request: where it stands and who is next, what can be done now, what the rules say, whom one has asked,
//! and everything that was written. The list and the form have rooms of their own.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::{Value, json};

use super::page_parts::{self, AgreementLine, BodyLine, FileLine, Group, OfferLine, Thread};
use super::page_rules::{self, Check};
use super::page_steps::{self, Way};
use super::page_words::{said, stage_tag};
use crate::auth::policy::{FileRequests, MatchExperts, ReadAudit, ReadCosts, ReadDispatches, ReadRequests};
use crate::db::Conn;
use crate::dispatches::model::DispatchStatus;
use crate::dispatches::store as dispatches;
use crate::error::Error;
use crate::ids::RequestId;
use crate::requests::detail;
use crate::requests::model::{RequestStatus, RequestVerb, Stage};
use crate::requests::store::{self, RequestRow};
use crate::requests::views::RequestView;
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::generic;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc};

/// Registers the pages of requests.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .configure(super::page_list::configure)
        .configure(super::page_form::configure)
        .route("/requests/{id:[0-9]+}", web::get().to(show));
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/requests">{{ tongue.t("申請", "Requests") }}</a></li><li>{{ tongue.t("番号", "No.") }} {{ id }}</li></ol></nav>
<h1>{{ theme }}</h1>
<p>{{ stage|safe }} {{ applicant }}{% if !kind.is_empty() %} ・ {{ kind }}{% endif %}{% if !submitted.is_empty() %} ・ {{ submitted }}{% endif %}</p>
<ol class="steps">{% for step in way.steps %}<li{% if step.past %} class="past"{% endif %}{% if step.here %} aria-current="step"{% endif %}>{{ step.label }}{% if step.past %}<span class="hint"> {{ tongue.t("済", "done") }}</span>{% endif %}</li>{% endfor %}</ol>
<div class="notice{% if way.own_turn || consents %} warn{% endif %}">{% if consents %}<p><strong>{{ tongue.t("あなたの番です。", "It is your turn.") }}</strong> {{ tongue.t("共同申請への参加について、貴団体の同意をお願いします。", "Your body is asked to agree to take part.") }}</p>{% endif %}<p>{% if way.own_turn %}<strong>{{ tongue.t("あなたの番です。", "It is your turn.") }}</strong> {% endif %}{{ way.next }}</p>
{% if !reason.is_empty() %}<p><strong>{{ tongue.t("理由", "Reason") }}</strong>：{{ reason }}</p>{% endif %}
{% if !primary.is_empty() %}<div class="verbs">{{ primary|safe }}</div>{% endif %}</div>
{{ actions|safe }}
{% if !checks.is_empty() %}<h2>{{ tongue.t("要件の確認", "Rule checks") }}</h2>
<p>{% if broken == 0 %}<span class="tag good">{{ tongue.t("すべて満たしています", "all kept") }}</span>{% else %}<span class="tag bad">{{ broken }}{{ tongue.t("件が要件を満たしていません", " not kept") }}</span>{% endif %}</p>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("要件の確認", "Rule checks") }}"><table><thead><tr><th scope="col">{{ tongue.t("判定", "Kept") }}</th><th scope="col">{{ tongue.t("要件", "Rule") }}</th><th scope="col">{{ tongue.t("この申請では", "This request") }}</th></tr></thead><tbody>
{% for check in checks %}<tr{% if !check.kept %} class="late"{% endif %}><td>{% if check.kept %}○<span class="hint"> {{ tongue.t("適合", "yes") }}</span>{% else %}<strong>×</strong><span class="hint"> {{ tongue.t("不適合", "no") }}</span>{% endif %}</td><th scope="row">{{ check.name }}</th><td>{{ check.sentence }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}
{% if !dispatch.is_empty() %}<h2>{{ tongue.t("派遣", "Dispatch") }}</h2><p>{{ dispatch|safe }}</p>{% endif %}
{% if sees_offers %}<h2 id="offers">{{ tongue.t("専門家への打診", "Offers to experts") }}</h2>
{% if offers.is_empty() %}<p>{{ tongue.t("まだ誰にも打診していません。", "Nobody has been asked yet.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("専門家への打診", "Offers to experts") }}"><table><thead><tr><th scope="col" class="n">{{ tongue.t("順", "Rank") }}</th><th scope="col">{{ tongue.t("専門家", "Expert") }}</th><th scope="col">{{ tongue.t("状況", "State") }}</th><th scope="col">{{ tongue.t("期限・回答", "Term, answer") }}</th><th scope="col">{{ tongue.t("専門家からの言葉", "Expert's word") }}</th><th scope="col">{{ tongue.t("打診", "Offer") }}</th></tr></thead><tbody>
{% for offer in offers %}<tr><td class="n">{{ offer.rank }}</td><td><a href="/experts/{{ offer.expert_id }}">{{ offer.expert }}</a></td><td>{{ offer.status|safe }}</td><td>{{ offer.when }}</td><td>{{ offer.word }}</td><td><a href="/offers/{{ offer.id }}">{{ tongue.t("開く", "Open") }}<span class="hint">（{{ offer.expert }}）</span></a></td></tr>{% endfor %}</tbody></table></div>{% endif %}
{% if compares %}<p><a href="/requests/{{ id }}/candidates">{{ tongue.t("候補者を比べる", "Compare candidates") }}</a></p>{% endif %}{% endif %}
<div class="columns"><div>
{% for group in groups %}{% if !group.facts.is_empty() %}<h2>{{ group.title }}</h2><dl class="facts">{% for (label, value) in group.facts %}<dt>{{ label }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>{% endif %}{% endfor %}
{% if bodies.len() > 1 %}<h2>{{ tongue.t("参加団体と同意", "Bodies and consents") }}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("参加団体と同意", "Bodies and consents") }}"><table><thead><tr><th scope="col">{{ tongue.t("団体", "Body") }}</th><th scope="col">{{ tongue.t("同意", "Consent") }}</th><th scope="col">{{ tongue.t("操作", "Action") }}</th></tr></thead><tbody>{% for body in bodies %}<tr><td>{{ body.name }}{% if body.lead %} <span class="tag">{{ tongue.t("幹事", "lead") }}</span>{% endif %}</td><td>{% if let Some(at) = body.consented %}{{ at }}{% else %}<span class="tag warn">{{ tongue.t("まだ", "not yet") }}</span>{% endif %}</td><td>{{ body.button|safe }}</td></tr>{% endfor %}</tbody></table></div>
{% if sees_costs %}<h3>{{ tongue.t("費用の分け方", "Shares of the cost") }}</h3>
{% if !budget_note.is_empty() %}<p>{{ tongue.t("申請時の希望", "As wished") }}：{{ budget_note }}</p>{% endif %}
{% if agreements.is_empty() %}<p>{{ tongue.t("負担割合の合意はまだありません。", "Nothing has been agreed yet.") }} {% if proposes %}<a href="/requests/{{ id }}/agreements/new">{{ tongue.t("負担割合を提案する", "Propose shares") }}</a>{% endif %}</p>{% endif %}
{% for agreement in agreements %}<h4>{{ tongue.t("第", "Version ") }}{{ agreement.number }}{{ tongue.t("版", "") }} <span class="tag">{{ agreement.status }}</span> {{ agreement.day }}</h4>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("第", "Version ") }}{{ agreement.number }}{{ tongue.t("版の負担割合", "") }}"><table><thead><tr><th scope="col">{{ tongue.t("団体", "Body") }}</th><th scope="col" class="n">{{ tongue.t("100万円のうち", "Of ¥1,000,000") }}</th><th scope="col">{{ tongue.t("同意", "Consent") }}</th></tr></thead><tbody>{% for (name, share, agreed) in agreement.shares %}<tr><td>{{ name }}</td><td class="n">{{ share }}</td><td>{% if *agreed %}{{ tongue.t("同意済み", "agreed") }}{% else %}<span class="tag warn">{{ tongue.t("まだ", "not yet") }}</span>{% endif %}</td></tr>{% endfor %}</tbody></table></div>{{ agreement.button|safe }}{% endfor %}{% endif %}{% else %}{% if !budget_note.is_empty() %}<h2>{{ tongue.t("費用の分け方", "Shares of the cost") }}</h2><p>{{ budget_note }}</p>{% endif %}{% endif %}
{% if let Some(thread) = thread %}<h2 id="messages">{{ tongue.t("やり取り", "Messages") }}</h2>
<p class="hint">{{ tongue.t("申請団体と事務局の間の記録です。専門家には見えません。", "Between the applicants and the office; experts do not see it.") }}</p>
{% if thread.messages.is_empty() %}<p>{{ tongue.t("まだありません。", "None yet.") }}</p>{% endif %}
{% for message in thread.messages %}<article class="mail"><p><strong>{{ message.author_organisation_name }}</strong>{% if let Some(name) = message.author_name %} {{ name }}{% endif %} <span class="hint">{{ tongue.instant(*message.created_at) }}</span></p><pre>{{ message.body }}</pre></article>{% endfor %}
{% if thread.more %}<p><a href="/requests/{{ id }}/messages">{{ tongue.t("続きのやり取りを見る", "See the later messages") }}</a></p>{% endif %}
{{ thread.answer|safe }}{% endif %}
</div><div>
<h2>{{ contact.title }}</h2><dl class="facts">{% for (label, value) in contact.facts %}<dt>{{ label }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>
{% if let Some((lines, upload)) = files %}<h2>{{ tongue.t("添付ファイル", "Files") }}</h2>
{% if lines.is_empty() %}<p>{{ tongue.t("ありません。", "None.") }}</p>{% else %}<ul>{% for file in lines %}<li><a href="/files/requests/{{ id }}/attachments/{{ file.id }}">{{ file.name }}</a> <span class="hint">{{ file.size }}・{{ file.day }}</span> {{ file.remove|safe }}</li>{% endfor %}</ul>{% endif %}
{% if !upload.is_empty() %}<details{% if upload.contains("notice bad") %} open{% endif %}><summary>{{ tongue.t("ファイルを添付する", "Attach a file") }}</summary>{{ upload|safe }}</details>{% endif %}{% endif %}
{% if !links.is_empty() %}<h2>{{ tongue.t("関連するページ", "Related pages") }}</h2><ul>{% for (href, label) in links %}<li><a href="{{ href }}">{{ label }}</a></li>{% endfor %}</ul>{{ copy|safe }}{% endif %}
<h2>{{ tongue.t("記録", "Record") }}</h2><dl class="facts">{% for (label, value) in record %}<dt>{{ label }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>
</div></div>"##
)]
struct Whole {
    tongue: Tongue,
    id: RequestId,
    theme: String,
    stage: String,
    applicant: String,
    kind: String,
    submitted: String,
    way: Way,
    consents: bool,
    reason: String,
    primary: String,
    actions: String,
    checks: Vec<Check>,
    broken: usize,
    dispatch: String,
    sees_offers: bool,
    offers: Vec<OfferLine>,
    compares: bool,
    groups: Vec<Group>,
    contact: Group,
    bodies: Vec<BodyLine>,
    budget_note: String,
    agreements: Vec<AgreementLine>,
    sees_costs: bool,
    proposes: bool,
    thread: Option<Thread>,
    files: Option<(Vec<FileLine>, String)>,
    links: Vec<(String, &'static str)>,
    copy: String,
    record: Vec<(&'static str, String)>,
}

async fn show(page: Page<ReadRequests>) -> Result<HttpResponse, Error> {
    let id = page.id::<RequestId>("id")?;
    page.show(move |conn, view| {
        let row = store::visible(conn, &view.ctx, id)?;
        let request = detail::view(conn, &view.ctx, row.clone())?;
        let content = whole(conn, view, &row, request)?;
        Ok(Sheet::new(content.theme.clone(), content))
    })
    .await
}

fn whole(conn: &mut Conn, view: &View, row: &RequestRow, request: RequestView) -> Result<Whole, Error> {
    let t = view.tongue;
    let (id, me) = (request.id, view.ctx.organisation());
    let current = serde_json::to_value(&request).map_err(Error::internal)?;
    let office = request.owner_organisation_id == me && view.ctx.principal.is_coordinator();
    let applicant = crate::organisations::store::find_many(conn, &[request.applicant_organisation_id])?;
    let programme = crate::pools::store::programme(conn, request.programme_id)?;
    let with_approval = applicant.iter().any(|body| body.requires_approval);
    let checks = if office && matches!(request.status, RequestStatus::Submitted | RequestStatus::Waitlisted) {
        page_rules::checks(conn, &view.ctx, t, row)?
    } else {
        Vec::new()
    };
    let dispatch_of =
        if matches!(request.status, RequestStatus::Decided | RequestStatus::Cancelled) && view.may::<ReadDispatches>() {
            match dispatches::of_request(conn, id)? {
                Some(found) => dispatches::visible_dispatch(conn, &view.ctx, found.id).ok(),
                None => None,
            }
        } else {
            None
        };
    let dispatch = dispatch_of.as_ref().map(|found| {
        let name = found.number.clone().unwrap_or_else(|| format!("{} {}", t.t("派遣", "Dispatch"), found.id));
        format!(
            r#"<a href="/dispatches/{}">{}</a> {}　{}"#,
            found.id,
            esc(&name),
            esc(&said(t, found.status.label_ja(), found.status.as_str())),
            esc(&format!("{}{}", t.t("決定日 ", "decided on "), t.day(found.decided_on)))
        )
    });
    let sees_offers =
        page_parts::sees_offers(view, &request) && (request.status.is_under_way() || request.stage == Stage::Cancelled);
    let offers = if sees_offers { page_parts::offers(conn, view, &request)? } else { Vec::new() };
    let goes_on = dispatch_of.as_ref().is_some_and(|found| found.status == DispatchStatus::Decided);
    let compares = office && view.may::<MatchExperts>() && (request.status == RequestStatus::Accepted || goes_on);
    let (primary, taken) = primary(view, &request, &current, office, dispatch_of.map(|found| found.id.0))?;
    Ok(Whole {
        tongue: t,
        id,
        theme: request.theme.clone(),
        stage: stage_tag(t, request.stage),
        applicant: request.applicant_name.clone(),
        kind: said(t, request.activity_kind.label_ja(), request.activity_kind.as_str()),
        submitted: request.submitted_at.map(|at| format!("{}{}", t.instant(at), t.t(" 申請", " submitted"))).unwrap_or_default(),
        way: page_steps::way(view, &request, with_approval, offers.iter().any(|offer| offer.open)),
        consents: page_parts::waits_for_consent(view, &request),
        reason: reason(t, &request),
        actions: actions(conn, view, &request, &current, &taken)?,
        primary,
        broken: checks.iter().filter(|check| !check.kept).count(),
        checks,
        dispatch: dispatch.unwrap_or_default(),
        sees_offers,
        offers,
        compares,
        groups: page_parts::groups(view, &request, &programme.name),
        contact: page_parts::contact(view, &request),
        bodies: page_parts::bodies(conn, view, &request)?,
        budget_note: request.budget_note.clone().unwrap_or_default(),
        agreements: page_parts::agreements(conn, view, &request)?,
        sees_costs: view.may::<ReadCosts>(),
        proposes: page_parts::proposes(view, row),
        thread: page_parts::thread(conn, view, &request)?,
        files: page_parts::files(conn, view, &request)?,
        links: links(view, &request, office),
        copy: copy(view, &request, office)?,
        record: record(view, &request),
    })
}

fn reason(t: Tongue, request: &RequestView) -> String {
    let code = request.reason_code.map(|code| said(t, code.label_ja(), code.as_str()));
    let parts = [code.unwrap_or_default(), request.reason.clone().unwrap_or_default()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(t.t("　", ": "))
}

/// The button that most people come for, and the verbs it stands for.
fn primary(
    view: &View,
    request: &RequestView,
    current: &Value,
    office: bool,
    dispatch: Option<i64>,
) -> Result<(String, Vec<RequestVerb>), Error> {
    let id = request.id;
    let can = |verb: RequestVerb| request.allowed.contains(&verb);
    let link = |href: String, label: &str, class: &str| format!(r#"<a class="{class}" href="{href}">{}</a>"#, esc(label));
    let button = |operation: &str, verb: &str, label: &str| {
        let form = Form::new(view, operation, format!("/requests/{id}/{verb}"), current.clone(), Choices::default())?;
        Ok::<_, Error>(form.button(label, ""))
    };
    let mut out = String::new();
    let mut taken = vec![RequestVerb::Consent];
    if page_parts::waits_for_consent(view, request) {
        out.push_str(&page_parts::agree(view, request)?);
    }
    if can(RequestVerb::Submit) {
        out.push_str(&button("submit_request", "submit", view.t("申請する", "Submit"))?);
        taken.push(RequestVerb::Submit);
    }
    if can(RequestVerb::Edit) {
        out.push_str(&link(format!("/requests/{id}/edit"), view.t("内容を直す", "Edit"), "button plain"));
    }
    if can(RequestVerb::Submit) && view.may::<ReadCosts>() {
        out.push_str(&link(
            format!("/requests/{id}/cost-estimate"),
            view.t("費用の見込みを見る", "See the estimated cost"),
            "button plain",
        ));
    }
    if can(RequestVerb::Approve) {
        out.push_str(&button("approve_request", "approve", view.t("承認して提出する", "Approve and submit"))?);
        taken.push(RequestVerb::Approve);
    }
    if can(RequestVerb::Accept) {
        out.push_str(&link(format!("/requests/{id}/accept"), view.t("受理する", "Accept"), "button"));
        taken.push(RequestVerb::Accept);
    }
    if office && request.stage == Stage::Matching {
        out.push_str(&link(format!("/requests/{id}/candidates"), view.t("候補者を比べる", "Compare candidates"), "button"));
    }
    if can(RequestVerb::Decide) && request.stage == Stage::AwaitingDecision {
        out.push_str(&link(format!("/requests/{id}/decide"), view.t("派遣を決定する", "Decide the dispatch"), "button"));
        taken.push(RequestVerb::Decide);
    }
    if let Some(dispatch) = dispatch {
        let label = match request.stage {
            Stage::AwaitingReport => view.t("派遣のページで報告する", "Report on the dispatch's page"),
            Stage::Reported => view.t("派遣と報告を見る", "See dispatch and report"),
            _ => view.t("派遣を見る", "See the dispatch"),
        };
        out.push_str(&link(format!("/dispatches/{dispatch}"), label, "button"));
    }
    Ok((out, taken))
}

/// What else can be done now.
fn actions(conn: &mut Conn, view: &View, request: &RequestView, current: &Value, taken: &[RequestVerb]) -> Result<String, Error> {
    let mut verbs: Vec<&str> = request.allowed.iter().filter(|verb| !taken.contains(verb)).map(|verb| verb.as_str()).collect();
    // Editing has its button already.
    verbs.retain(|verb| *verb != RequestVerb::Edit.as_str());
    if request.stage == Stage::Matching || request.stage == Stage::Offered {
        verbs.retain(|verb| *verb != RequestVerb::Decide.as_str());
    }
    let mut answer = current.clone();
    if let Some(members) = answer.as_object_mut() {
        members.insert("allowed".to_owned(), json!(verbs));
    }
    generic::actions(conn, view, &format!("/requests/{}", request.id), &answer)
}

/// The button that begins a new request as a copy of this one.
fn copy(view: &View, request: &RequestView, office: bool) -> Result<String, Error> {
    if !view.may::<FileRequests>() || !(request.applicant_organisation_id == view.ctx.organisation() || office) {
        return Ok(String::new());
    }
    let form = Form::new(view, "copy_request", format!("/requests/{}/copy", request.id), json!({}), Choices::default())?;
    Ok(form.then("/requests/{id}/edit").button(view.t("写して新しい申請を作る", "Write a new one like this"), "plain"))
}

fn links(view: &View, request: &RequestView, office: bool) -> Vec<(String, &'static str)> {
    let t = |ja: &'static str, en: &'static str| if view.tongue.english() { en } else { ja };
    let id = request.id;
    let mut links = Vec::new();
    if view.may::<ReadCosts>() {
        links.push((format!("/requests/{id}/cost-estimate"), t("費用の見込み", "Estimated cost")));
    }
    links.push((format!("/programmes/{}", request.programme_id), t("事業の内容と規則", "The programme and its rules")));
    let me = view.ctx.organisation();
    if office && view.may::<MatchExperts>() && matches!(request.stage, Stage::Submitted | Stage::Waitlisted) {
        links
            .push((format!("/requests/{id}/candidates"), t("対応できる専門家がいるか調べる", "See whether somebody could come")));
    }
    if let Some(from) = request.copied_from_id {
        links.push((format!("/requests/{from}"), t("写しのもとの申請", "The request it was copied from")));
    }
    if view.may::<ReadAudit>() && request.owner_organisation_id == me {
        links.push((
            format!("/audit-events?entity_kind=request&entity_id={id}"),
            t("この申請の監査記録", "Audit trail of this request"),
        ));
    }
    links
}

fn record(view: &View, request: &RequestView) -> Vec<(&'static str, String)> {
    let t = view.tongue;
    let pick = |ja: &'static str, en: &'static str| if t.english() { en } else { ja };
    let mut record = vec![(pick("申請の番号", "Number"), request.id.to_string())];
    if request.filed_by_organisation_id.is_some() {
        record.push((pick("入力者", "Filed by"), t.t("事務局が代行入力", "the office").to_owned()));
    }
    record.push((pick("作成", "Created"), t.instant(request.created_at)));
    record.push((pick("最後の更新", "Changed"), t.instant(request.updated_at)));
    record
}
