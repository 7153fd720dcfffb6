//! Offers as pages: what the office has asked and what an expert is asked, until when, and the answers.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{api, holds};
use crate::auth::policy::{AnswerOffers, MatchExperts, ReadDispatches, ReadOffers, Role};
use crate::db::Conn;
use crate::dispatches::model::DispatchStatus;
use crate::dispatches::store as dispatches;
use crate::error::Error;
use crate::http::ListQuery;
use crate::http::read::parse_query;
use crate::ids::{DispatchId, ExpertId, OfferId};
use crate::offers::model::{OfferStatus, OfferVerb};
use crate::offers::store::{self, OfferFilter};
use crate::offers::views::{OfferView, OfferVisitView};
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::Tongue;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/offers", web::get().to(list)).route("/offers/{id:[0-9]+}", web::get().to(show));
}

fn said(t: Tongue, ja: &str, code: &str) -> String {
    if t.english() { code.replace(['_', '-'], " ") } else { ja.to_owned() }
}

/// The class of a state's tag.
fn class(status: OfferStatus) -> &'static str {
    match status {
        OfferStatus::Queued | OfferStatus::Withdrawn => "tag",
        OfferStatus::Sent | OfferStatus::DatesProposed => "tag warn",
        OfferStatus::Accepted => "tag good",
        OfferStatus::Declined | OfferStatus::Expired => "tag bad",
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParams {
    status: Option<String>,
    expert_id: Option<ExpertId>,
    cursor: Option<String>,
}

/// A set of states that is looked at often.
type Set = (&'static str, &'static str, &'static [OfferStatus]);

const SETS: &[Set] = &[
    ("回答待ち", "Waiting", &[OfferStatus::Sent]),
    ("別日程の提案", "Other dates", &[OfferStatus::DatesProposed]),
    ("承諾", "Accepted", &[OfferStatus::Accepted]),
    ("辞退・期限切れ", "Declined, expired", &[OfferStatus::Declined, OfferStatus::Expired]),
    ("順番待ち", "Queued", &[OfferStatus::Queued]),
    ("すべて", "All", &[]),
];

struct Line {
    id: i64,
    theme: String,
    applicant: String,
    expert: String,
    rank: i32,
    class: &'static str,
    status: String,
    visits: String,
    when: String,
    late: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{% if expert %}{{ tongue.t("届いた依頼", "Offers to me") }}{% else %}{{ tongue.t("打診", "Offers") }}{% endif %}</h1>
<nav class="main" aria-label="{{ tongue.t("よく使う絞り込み", "Sets in daily use") }}"><ul>{% for (label, href, here) in sets %}<li><a href="{{ href }}"{% if *here %} aria-current="true"{% endif %}>{{ label }}</a></li>{% endfor %}</ul></nav>
{% if lines.is_empty() %}<p role="status">{{ tongue.t("この条件に合うものはありません。", "None.") }}</p>{% else %}
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("打診の一覧", "List of offers") }}"><table><thead><tr><th scope="col">{{ tongue.t("テーマ", "Theme") }}</th><th scope="col">{{ tongue.t("申請団体", "Applicant") }}</th>{% if !expert %}<th scope="col">{{ tongue.t("専門家", "Expert") }}</th><th scope="col" class="n">{{ tongue.t("順", "Rank") }}</th>{% endif %}<th scope="col">{{ tongue.t("状況", "State") }}</th><th scope="col">{{ tongue.t("期限・回答", "Term, answer") }}</th><th scope="col">{{ tongue.t("訪問", "Visits") }}</th></tr></thead><tbody>
{% for line in lines %}<tr{% if line.late %} class="late"{% endif %}><td><a href="/offers/{{ line.id }}">{{ line.theme }}</a></td><td>{{ line.applicant }}</td>{% if !expert %}<td>{{ line.expert }}</td><td class="n">{{ line.rank }}</td>{% endif %}<td><span class="{{ line.class }}">{{ line.status }}</span></td><td>{{ line.when }}{% if line.late %} <strong>{{ tongue.t("まもなく期限", "ends soon") }}</strong>{% endif %}</td><td>{{ line.visits }}</td></tr>{% endfor %}
</tbody></table></div>
<p class="actions">{% if let Some(href) = next %}<a class="button plain" href="{{ href }}" rel="next">{{ tongue.t("次の頁", "Next page") }}</a>{% endif %}<a href="{{ xlsx }}">{{ tongue.t("Excel（全件）", "Excel (all)") }}</a><a href="{{ csv }}">{{ tongue.t("CSV（全件）", "CSV (all)") }}</a></p>{% endif %}"##
)]
struct List {
    tongue: Tongue,
    expert: bool,
    sets: Vec<(&'static str, String, bool)>,
    lines: Vec<Line>,
    next: Option<String>,
    xlsx: String,
    csv: String,
}

/// Hours before its end from which on an open offer is marked.
const SOON_HOURS: i64 = 48;

fn term(view: &View, offer: &OfferView, status: OfferStatus) -> (String, bool) {
    let t = view.tongue;
    match (status, offer.expires_at, offer.answered_at) {
        (OfferStatus::Sent, Some(end), _) => {
            let soon = end <= view.ctx.now.plus(chrono::Duration::hours(SOON_HOURS));
            (format!("{}{}", t.instant(end), t.t(" まで", " at the latest")), soon)
        }
        (OfferStatus::Expired, Some(end), _) => (format!("{}{}", t.instant(end), t.t(" に期限切れ", " expired")), false),
        (_, _, Some(at)) => (format!("{}{}", t.instant(at), t.t(" 回答", " answered")), false),
        _ => (String::new(), false),
    }
}

fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let given: Vec<_> = parameters.iter().filter(|(_, value)| !value.is_empty()).collect();
    if given.is_empty() {
        return path.to_owned();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in given {
        query.append_pair(name, value);
    }
    format!("{path}?{}", query.finish())
}

async fn list(page: Page<ReadOffers>) -> Result<HttpResponse, Error> {
    page.show(|conn, view| {
        let t = view.tongue;
        let expert = view.ctx.principal.acts_as == Role::Expert;
        let asked = view.place.split_once('?').map_or("", |(_, query)| query);
        let kept = form_urlencoded::parse(asked.as_bytes()).filter(|(name, value)| name != "done" && !value.is_empty());
        let params: ListParams = parse_query(&form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish())?;
        let statuses = api::statuses(params.status.as_deref())?;
        let query = ListQuery::new(None, params.cursor.as_deref(), &("offers", &statuses, params.expert_id))?;
        let filter =
            OfferFilter { statuses: statuses.clone(), expert_id: params.expert_id, ..OfferFilter::all(store::scope(&view.ctx)) };
        let before = query.after().map(|(_, id)| OfferId(id));
        let found = query.page(store::list(conn, &filter, before, query.fetch())?, |record| (String::new(), record.offer.id.0));
        let ids: Vec<OfferId> = found.items.iter().map(|record| record.offer.id).collect();
        let visits = store::visits_of_many(conn, &ids)?;
        let lines = found
            .items
            .into_iter()
            .map(|record| OfferView::new(record, &visits, view.ctx.now))
            .map(|offer| {
                let status = offer.status.at(offer.expires_at, view.ctx.now);
                let (when, late) = term(view, &offer, status);
                Line {
                    id: offer.id.0,
                    visits: visits_in_short(t, &offer.visits),
                    theme: offer.theme,
                    applicant: offer.applicant_name,
                    expert: offer.expert_name,
                    rank: offer.rank,
                    class: class(status),
                    status: said(t, status.label_ja(), status.as_str()),
                    when,
                    late,
                }
            })
            .collect();
        let who = params.expert_id.map(|id| id.to_string()).unwrap_or_default();
        let status = params.status.unwrap_or_default();
        let sets = SETS
            .iter()
            .filter(|(.., set)| !(expert && set.contains(&OfferStatus::Queued)))
            .map(|(ja, en, set)| {
                let words: Vec<&str> = set.iter().map(|status| status.as_str()).collect();
                let here = set.len() == statuses.len() && set.iter().all(|status| statuses.contains(status));
                (
                    if t.english() { *en } else { *ja },
                    address("/offers", &[("status", &words.join(",")), ("expert_id", &who)]),
                    here,
                )
            })
            .collect();
        let with =
            |path: &str, name: &str, value: &str| address(path, &[("status", &status), ("expert_id", &who), (name, value)]);
        let content = List {
            tongue: t,
            expert,
            sets,
            lines,
            next: found.next_cursor.map(|cursor| with("/offers", "cursor", &cursor)),
            xlsx: with("/files/offers", "format", "xlsx"),
            csv: with("/files/offers", "format", "csv"),
        };
        Ok(Sheet::new(if expert { view.t("届いた依頼", "Offers to me") } else { view.t("打診", "Offers") }, content))
    })
    .await
}

/// How many visits, and the first dated one.
fn visits_in_short(t: Tongue, visits: &[OfferVisitView]) -> String {
    let count = visits.len();
    match (visits.iter().filter_map(|visit| visit.day).min(), t.english()) {
        (Some(day), false) => format!("{count}回　{}から", t.short_day(day)),
        (Some(day), true) => format!("{count}, from {} on", t.short_day(day)),
        (None, false) => format!("{count}回　日程は調整"),
        (None, true) => format!("{count}, to be arranged"),
    }
}

struct Visit {
    day: String,
    time: String,
    length: String,
    mode: String,
    place: String,
}

fn visit_rows(t: Tongue, visits: &[OfferVisitView]) -> Vec<Visit> {
    visits
        .iter()
        .map(|visit| Visit {
            day: visit.day.map_or_else(|| t.t("期間内で調整", "to be arranged").to_owned(), |day| t.day_of_week(day)),
            time: visit
                .start_minute
                .map(|start| format!("{}〜{}", t.time(start), t.time(start + visit.minutes)))
                .unwrap_or_default(),
            length: t.minutes(i64::from(visit.minutes)),
            mode: said(t, visit.mode.label_ja(), visit.mode.as_str()),
            place: visit.place.clone(),
        })
        .collect()
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"{% macro table(rows, title) %}<div class="scroll" tabindex="0" role="region" aria-label="{{ title }}"><table><thead><tr><th scope="col">{{ tongue.t("日時", "When") }}</th><th scope="col">{{ tongue.t("長さ", "Length") }}</th><th scope="col">{{ tongue.t("方法", "Mode") }}</th><th scope="col">{{ tongue.t("場所", "Place") }}</th></tr></thead><tbody>{% for row in rows %}<tr><td>{{ row.day }} {{ row.time }}</td><td>{{ row.length }}</td><td>{{ row.mode }}</td><td>{{ row.place }}</td></tr>{% endfor %}</tbody></table></div>{% endmacro %}
<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/offers">{% if expert %}{{ tongue.t("届いた依頼", "Offers to me") }}{% else %}{{ tongue.t("打診", "Offers") }}{% endif %}</a></li><li><a href="/requests/{{ offer.request_id }}">{{ offer.theme }}</a></li></ol></nav>
<h1>{{ title }}</h1>
<p><span class="{{ class }}">{{ status }}</span> {{ offer.applicant_name }}{% if !expert %} ・ {{ tongue.t("順位", "rank") }} {{ offer.rank }} ・ <a href="/experts/{{ offer.expert_id }}">{{ offer.expert_name }}</a>{% endif %}</p>
<div class="notice{% if turn %} warn{% endif %}"><p>{% if turn %}<strong>{{ tongue.t("あなたの番です。", "It is your turn.") }}</strong> {% endif %}{{ next }}</p>{% if let Some(id) = dispatch %}<p><a class="button" href="/dispatches/{{ id }}">{{ tongue.t("派遣のページを開く", "Open the dispatch") }}</a></p>{% endif %}{% if !deadline.is_empty() %}<p>{{ tongue.t("回答期限", "Answer by") }}：<strong>{{ deadline }}</strong></p>{% endif %}</div>
{% if !answer.is_empty() %}<dl class="facts"><dt>{{ tongue.t("回答", "Answer") }}</dt><dd>{{ answer }}</dd>{% if !answer_note.is_empty() %}<dt>{{ tongue.t("専門家からの言葉", "Expert's word") }}</dt><dd>{{ answer_note }}</dd>{% endif %}</dl>{% endif %}
{% if !proposed.is_empty() %}<h2>{{ tongue.t("専門家が提案した日程", "Dates proposed by the expert") }}</h2>{% call table(proposed, tongue.t("専門家が提案した日程", "Dates proposed by the expert")) %}{% endcall %}{{ take|safe }}{% endif %}
<h2>{% if proposed.is_empty() %}{{ tongue.t("依頼する訪問", "Visits asked for") }}{% else %}{{ tongue.t("はじめに依頼した訪問", "Visits asked for at first") }}{% endif %}</h2>{% call table(visits, tongue.t("依頼する訪問", "Visits asked for")) %}{% endcall %}
{% if !offer.message.is_empty() %}<h2>{{ tongue.t("事務局からのメッセージ", "Message of the office") }}</h2><div class="mail"><pre>{{ offer.message }}</pre></div>{% endif %}
<p><a href="/requests/{{ offer.request_id }}">{{ tongue.t("申請の内容を見る", "See the request") }}</a></p>
{% if !accept.is_empty() %}<h2>{% if expert %}{{ tongue.t("回答する", "Answer") }}{% else %}{{ tongue.t("専門家の回答を代わりに入力する", "Enter the expert's answer") }}{% endif %}</h2>
{% if !expert %}<p class="hint">{{ tongue.t("電話などで回答を受けたときに使います。代理入力であることが記録されます。", "For answers by telephone; it is recorded that the office entered it.") }}</p>{% endif %}
{% if expert %}<p class="hint">{{ tongue.t("承諾すると、日程を仮押さえします。備考には、事務局への一言を書けます（任意）。", "Accepting holds the dates. A word to the office is optional.") }}</p>{{ accept|safe }}{% else %}<details{% if accept.contains("notice bad") %} open{% endif %}><summary>{{ tongue.t("承諾", "Accepts") }}</summary>{{ accept|safe }}</details>{% endif %}{% endif %}
{% if !propose.is_empty() %}<details{% if propose.contains("notice bad") %} open{% endif %}><summary>{{ tongue.t("別の日程を提案する", "Propose other dates") }}</summary><p class="hint">{{ tongue.t("行ける日時に直して送ります。日が決められない訪問は、日付と開始時刻を空欄にします。", "Change the visits to when they are possible; without day and start a visit is to be arranged.") }}</p>{{ propose|safe }}</details>{% endif %}
{% if !decline.is_empty() %}<details{% if decline.contains("notice bad") %} open{% endif %}><summary>{{ tongue.t("辞退する", "Decline") }}</summary>{{ decline|safe }}</details>{% endif %}
{% if !send.is_empty() || !withdraw.is_empty() %}<h2>{{ tongue.t("事務局の操作", "For the office") }}</h2>{% if !send.is_empty() %}<div class="verbs">{{ send|safe }}</div>{% endif %}
{% if !withdraw.is_empty() %}<details{% if withdraw.contains("notice bad") %} open{% endif %}><summary>{{ tongue.t("この打診を取り消す", "Take the offer back") }}</summary>{{ withdraw|safe }}</details>{% endif %}{% endif %}
<h2>{{ tongue.t("記録", "Record") }}</h2><dl class="facts">{% for (label, value) in record %}<dt>{{ label }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>"##
)]
struct Whole {
    tongue: Tongue,
    expert: bool,
    title: String,
    offer: OfferView,
    class: &'static str,
    status: String,
    turn: bool,
    next: &'static str,
    dispatch: Option<DispatchId>,
    deadline: String,
    answer: String,
    answer_note: String,
    visits: Vec<Visit>,
    proposed: Vec<Visit>,
    take: String,
    accept: String,
    propose: String,
    decline: String,
    send: String,
    withdraw: String,
    record: Vec<(&'static str, String)>,
}

async fn show(page: Page<ReadOffers>) -> Result<HttpResponse, Error> {
    let id = page.id::<OfferId>("id")?;
    page.show(move |conn, view| {
        let record = store::visible(conn, &view.ctx, id)?;
        let visits = store::visits_of_many(conn, &[id])?;
        let offer = OfferView::new(record, &visits, view.ctx.now);
        let decided = decided(conn, view, &offer)?;
        let content = whole(view, offer, decided.as_ref())?;
        Ok(Sheet::new(content.title.clone(), content))
    })
    .await
}

/// The dispatch behind an accepted offer.
struct Decided {
    /// Where it stands.
    status: DispatchStatus,
    /// Its number, for those who see it.
    page: Option<DispatchId>,
    /// The offer's visits are still only held: the expert is to take the place of another.
    held: bool,
}

/// What has been decided by an accepted offer; nothing as long as the decision is ahead.
fn decided(conn: &mut Conn, view: &View, offer: &OfferView) -> Result<Option<Decided>, Error> {
    if offer.status != OfferStatus::Accepted {
        return Ok(None);
    }
    let Some(dispatch) = dispatches::of_request(conn, offer.request_id)? else { return Ok(None) };
    let held = holds::offers_holding(conn, offer.request_id)?.contains(&offer.id);
    let seen = view.may::<ReadDispatches>() && dispatches::visible_dispatch(conn, &view.ctx, dispatch.id).is_ok();
    Ok(Some(Decided { status: dispatch.status, page: seen.then_some(dispatch.id), held }))
}

/// What an acceptance has come to, and what comes next.
fn accepted(t: Tongue, expert: bool, decided: Option<&Decided>) -> &'static str {
    let (ja, en) = match (decided, expert) {
        (None, true) => (
            "承諾しました。日程を仮押さえしています。派遣の決定をお待ちください。",
            "You have accepted and the dates are held; the decision follows.",
        ),
        (None, false) => (
            "承諾されました。日程を仮押さえしています。申請のページで派遣を決定します。",
            "Accepted; the dates are held. The dispatch is decided on the request's page.",
        ),
        (Some(Decided { status: DispatchStatus::Decided, held: true, .. }), true) => (
            "承諾しました。日程を仮押さえしています。専門家の交代の決定をお待ちください。",
            "You have accepted and the dates are held; the decision that you take another's place follows.",
        ),
        (Some(Decided { status: DispatchStatus::Decided, held: true, .. }), false) => (
            "承諾されました。日程を仮押さえしています。派遣のページで専門家を交代します。",
            "Accepted; the dates are held. The experts change places on the dispatch's page.",
        ),
        (Some(Decided { status: DispatchStatus::Decided, .. }), _) => ("派遣が決まりました。", "The dispatch is decided."),
        (Some(Decided { status: DispatchStatus::Completed, .. }), _) => ("派遣は完了しました。", "The dispatch is completed."),
        (Some(Decided { status: DispatchStatus::Cancelled, .. }), _) => {
            ("派遣は中止になりました。", "The dispatch was called off.")
        }
    };
    if t.english() { en } else { ja }
}

/// What comes next, and whether it is the turn of whoever looks.
fn next(view: &View, status: OfferStatus, expert: bool, decided: Option<&Decided>) -> (bool, &'static str) {
    let pick = |ja: &'static str, en: &'static str| if view.tongue.english() { en } else { ja };
    match status {
        OfferStatus::Queued => (
            false,
            pick(
                "前の打診が辞退または期限切れになると、自動で送られます。今すぐ送ることもできます。",
                "It goes out when the offers before it are declined or expire; it can be sent now.",
            ),
        ),
        OfferStatus::Sent if expert => (
            true,
            pick(
                "下の内容を確かめて、承諾・辞退・別の日程の提案のいずれかで回答してください。",
                "Read what is asked, then accept, decline or propose other dates.",
            ),
        ),
        OfferStatus::Sent => (false, pick("専門家の回答を待っています。", "The expert has yet to answer.")),
        OfferStatus::DatesProposed if expert => {
            (false, pick("提案した日程を、事務局が確かめています。", "The office is looking at the dates you proposed."))
        }
        OfferStatus::DatesProposed => (
            view.may::<MatchExperts>(),
            pick(
                "専門家が別の日程を提案しました。申請団体に確かめ、よければその日程で改めて依頼します。",
                "The expert proposed other dates: check with the applicant and ask again with them.",
            ),
        ),
        OfferStatus::Accepted => (false, accepted(view.tongue, expert, decided)),
        OfferStatus::Declined => (false, pick("辞退されました。", "Declined.")),
        OfferStatus::Expired => (false, pick("期限までに回答がありませんでした。", "Not answered in time.")),
        OfferStatus::Withdrawn => (false, pick("事務局が取り消しました。", "Taken back by the office.")),
    }
}

fn whole(view: &View, offer: OfferView, decided: Option<&Decided>) -> Result<Whole, Error> {
    let t = view.tongue;
    let expert = view.ctx.principal.acts_as == Role::Expert;
    let status = offer.status.at(offer.expires_at, view.ctx.now);
    let (turn, next) = next(view, status, expert, decided);
    let current = serde_json::to_value(&offer).map_err(Error::internal)?;
    let version = json!({"version": offer.version});
    let form = |operation: &str, verb: &str, current: Value| {
        Form::new(view, operation, format!("/offers/{}/{verb}", offer.id), current, Choices::default())
    };
    let can = |verb: OfferVerb| {
        let may = match verb {
            OfferVerb::Accept | OfferVerb::Decline | OfferVerb::ProposeDates => view.may::<AnswerOffers>(),
            // What a dispatch uses is changed there.
            OfferVerb::Withdraw => view.may::<MatchExperts>() && decided.is_none_or(|decided| decided.held),
            _ => view.may::<MatchExperts>(),
        };
        may && offer.allowed.contains(&verb)
    };
    let filled = |operation: &str, verb: OfferVerb, current: &Value, fields: &[&str], label: &str| {
        if !can(verb) {
            return Ok::<_, Error>(String::new());
        }
        let form = form(operation, verb.as_str(), current.clone())?;
        Ok(format!("{}{}{}{}", form.open(), form.fields(fields), form.rest(), form.close(label)))
    };
    let send = if can(OfferVerb::Send) {
        form("send_offer", "send", version.clone())?.button(t.t("今すぐ送る", "Send now"), "")
    } else {
        String::new()
    };
    // The visits that were asked for are what other dates are made from.
    let proposal = json!({"version": offer.version, "visits": current["visits"]});
    let reason = offer.decline_reason.map(|reason| said(t, reason.label_ja(), reason.as_str()));
    let answer = offer.answered_at.map(|at| {
        let via = offer.answered_via.map(|via| said(t, via.label_ja(), via.as_str())).unwrap_or_default();
        let why = reason.map(|reason| format!("　{}{reason}", t.t("理由：", "reason: "))).unwrap_or_default();
        format!("{}（{via}）{why}", t.instant(at))
    });
    let title = if expert {
        offer.theme.clone()
    } else if t.english() {
        format!("Offer to {}: {}", offer.expert_name, offer.theme)
    } else {
        format!("{}さんへの打診：{}", offer.expert_name, offer.theme)
    };
    Ok(Whole {
        tongue: t,
        expert,
        title,
        class: class(status),
        status: said(t, status.label_ja(), status.as_str()),
        turn,
        next,
        dispatch: decided.and_then(|decided| decided.page),
        deadline: offer.expires_at.filter(|_| status == OfferStatus::Sent).map(|end| t.instant(end)).unwrap_or_default(),
        answer: answer.unwrap_or_default(),
        answer_note: offer.answer_note.clone(),
        visits: visit_rows(t, &offer.visits),
        proposed: visit_rows(t, &offer.proposed_visits),
        take: filled(
            "take_offer_dates",
            OfferVerb::TakeDates,
            &version,
            &["message", "valid_hours"],
            t.t("この日程で改めて依頼する", "Ask again with these dates"),
        )?,
        accept: filled("accept_offer", OfferVerb::Accept, &version, &["note"], t.t("承諾する", "Accept"))?,
        propose: filled(
            "propose_offer_dates",
            OfferVerb::ProposeDates,
            &proposal,
            &["visits", "note"],
            t.t("この日程を提案する", "Propose these dates"),
        )?,
        decline: filled("decline_offer", OfferVerb::Decline, &version, &["reason_code", "note"], t.t("辞退する", "Decline"))?,
        send,
        withdraw: filled("withdraw_offer", OfferVerb::Withdraw, &version, &["reason", "party"], t.t("取り消す", "Take it back"))?,
        record: history(t, &offer),
        offer,
    })
}

fn history(t: Tongue, offer: &OfferView) -> Vec<(&'static str, String)> {
    let pick = |ja: &'static str, en: &'static str| if t.english() { en } else { ja };
    let mut record = vec![(pick("番号", "Number"), offer.id.to_string())];
    if let Some(at) = offer.sent_at {
        record.push((pick("送付", "Sent"), t.instant(at)));
    }
    if let Some(at) = offer.expires_at {
        record.push((pick("回答期限", "Answer by"), t.instant(at)));
    }
    record.push((pick("最後の更新", "Changed"), t.instant(offer.updated_at)));
    record
}
