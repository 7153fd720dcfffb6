//! Pages of plan-wide runs: the list, the form that starts one, the comparison of two plans. A plan itself is
//! [`crate::allocations::page_report`]'s.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::allocations::model::AllocationStatus;
use crate::allocations::page_report;
use crate::allocations::page_words::{Names, by, experts_of, level_label};
use crate::allocations::service;
use crate::allocations::store::{self, RunLine};
use crate::auth::policy::MatchExperts;
use crate::db::Conn;
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{AllocationId, ExpertId, OrganisationId, PoolId, RequestId};
use crate::matching::allocation::problem::Level;
use crate::pools::store as pools;
use crate::requests::store as requests;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc};

/// Most requests that a form offers to plan as if they had been accepted: as many as a run takes.
const MOST_WAITING: usize = 1_000;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/allocations", web::get().to(list))
        .route("/allocations/new", web::get().to(new))
        .route("/allocations/{id:[0-9]+}/comparison", web::get().to(comparison))
        .configure(page_report::configure);
}

/// Which pool's runs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    pool_id: Option<PoolId>,
    cursor: Option<String>,
}

struct Row {
    run: RunLine,
    pool: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("一括配分（全体計画）", "Allocation: plans of all open requests") }}</h1>
<p>{{ tongue.t("受理した申請すべてについて、誰に打診するのがよいかを一度に計算します。計画は案です。打診を作るまで、申請者にも専門家にも何も伝わりません。", "Works out for all accepted requests at once whom it is best to ask. A plan is a proposal: nobody is told anything until offers are made from it.") }}</p>
{% if pools.is_empty() %}<p>{{ tongue.t("計画できる人材プールがありません。", "There is no pool to plan for.") }}</p>{% else %}<p class="actions">{% for (id, name) in pools %}<a class="button" href="/allocations/new?pool_id={{ id }}">{% if pools.len() == 1 %}{{ tongue.t("新しい計画を作る", "Make a new plan") }}{% else %}{{ name }}{{ tongue.t("の計画を作る", ": make a plan") }}{% endif %}</a>{% endfor %}</p>{% endif %}
<h2>{{ tongue.t("これまでの計画", "Plans so far") }}</h2>
{% if rows.is_empty() %}<p>{{ tongue.t("計画はまだありません。", "There are no plans yet.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("計画の一覧", "List of plans") }}"><table><thead><tr><th scope="col">{{ tongue.t("計画", "Plan") }}</th><th scope="col">{{ tongue.t("作成を依頼した日時", "Asked for") }}</th><th scope="col">{{ tongue.t("人材プール", "Pool") }}</th><th scope="col">{{ tongue.t("状態", "State") }}</th><th scope="col">{{ tongue.t("メモ", "Note") }}</th></tr></thead><tbody>
{% for row in rows %}<tr><th scope="row"><a href="/allocations/{{ row.run.id }}">{{ tongue.t("計画", "Plan ") }}{{ row.run.id }}</a></th><td>{{ tongue.instant(*row.run.created_at) }}</td><td>{{ row.pool }}</td><td><span class="tag {{ Self::tone(*row.run.status) }}">{{ tongue.t(row.run.status.label_ja(), row.run.status.as_str()) }}</span>{% if row.run.status == AllocationStatus::Queued %} {{ row.run.progress }}%{% endif %}</td><td>{{ row.run.note }}</td></tr>{% endfor %}
</tbody></table></div>{% if let Some(cursor) = next %}<p class="actions"><a class="button plain" href="/allocations?cursor={{ cursor }}{% if let Some(pool) = pool_id %}&amp;pool_id={{ pool }}{% endif %}" rel="next">{{ tongue.t("次の頁", "Next page") }}</a></p>{% endif %}{% endif %}"##
)]
struct List {
    tongue: Tongue,
    pools: Vec<(PoolId, String)>,
    rows: Vec<Row>,
    next: Option<String>,
    pool_id: Option<PoolId>,
}

impl List {
    fn tone(status: AllocationStatus) -> &'static str {
        tone(status)
    }
}

/// How a state is marked, beside its name.
pub fn tone(status: AllocationStatus) -> &'static str {
    match status {
        AllocationStatus::Planned | AllocationStatus::Applied => "good",
        AllocationStatus::Failed => "bad",
        AllocationStatus::Queued => "warn",
        AllocationStatus::Cancelled => "",
    }
}

fn own_pools(conn: &mut Conn, view: &View) -> Result<Vec<(PoolId, String)>, Error> {
    let list = ListQuery::new(Some(200), None, &"pools")?;
    let rows = pools::list_pools(conn, &view.ctx, &list)?;
    let me = view.ctx.organisation();
    Ok(rows.into_iter().filter(|(row, _)| row.owner_organisation_id == me).map(|(row, _)| (row.id, row.name)).collect())
}

async fn list(page: Page<MatchExperts>) -> Result<HttpResponse, Error> {
    let filter: Filter = page.query()?;
    page.show(move |conn, view| {
        let pools = own_pools(conn, view)?;
        let scope = format!("allocations {:?}", filter.pool_id);
        let list = ListQuery::new(None, filter.cursor.as_deref(), &scope)?;
        let found = store::list(conn, view.ctx.organisation(), filter.pool_id, &list)?;
        let found = list.page(found, |row| (String::new(), row.id.0));
        let name = |id: PoolId| pools.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone()).unwrap_or_default();
        let rows = found.items.into_iter().map(|run| Row { pool: name(run.pool_id), run }).collect();
        let content = List { tongue: view.tongue, pools, rows, next: found.next_cursor, pool_id: filter.pool_id };
        Ok(Sheet::new(view.t("一括配分（全体計画）", "Allocation"), content))
    })
    .await
}

/// What the form of a run is filled with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    pool_id: Option<PoolId>,
    /// A run whose options are taken over.
    from: Option<AllocationId>,
    /// `request-expert`: an assignment that must be kept.
    pin: Option<String>,
    /// `request-expert`: an assignment that must not be.
    forbid: Option<String>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/allocations">{{ tongue.t("一括配分", "Allocation") }}</a></li>{% if let Some(from) = from %}<li><a href="/allocations/{{ from }}">{{ tongue.t("計画", "Plan ") }}{{ from }}</a></li>{% endif %}</ol></nav>
<h1>{{ tongue.t("計画を作る", "Make a plan") }}{{ tongue.t("：", ": ") }}{{ pool }}</h1>
{% if !added.is_empty() %}<div class="notice"><p>{{ tongue.t("前の計画の条件に、次を加えました。", "Added to the options of the plan before:") }}</p><ul>{% for line in added %}<li>{{ line }}</li>{% endfor %}</ul></div>{% endif %}
<p>{{ tongue.t("そのまま始めれば、この人材プールの受理済みの申請すべてを、事業の定めた優先順で計画します。未回答の打診は、承諾されたものとして数えます。", "Started as it is, it plans all accepted requests of the pool, in the order of priorities that the programmes set. Offers without an answer count as if they were accepted.") }}</p>
{{ open|safe }}{{ first|safe }}
<details{% if details_open %} open{% endif %}><summary>{{ tongue.t("固定・除外・仮定・優先順（必要なときだけ）", "Pins, exclusions, what-ifs, priorities (only if needed)") }}</summary>{{ rest|safe }}</details>
{{ close|safe }}"##
)]
struct New {
    tongue: Tongue,
    pool: String,
    from: Option<AllocationId>,
    added: Vec<String>,
    details_open: bool,
    open: String,
    first: String,
    rest: String,
    close: String,
}

fn pair(text: &str) -> Result<(RequestId, ExpertId), Error> {
    let (request, expert) = text.split_once('-').ok_or_else(Error::not_found)?;
    let number = |text: &str| text.parse::<i64>().map_err(|_| Error::not_found());
    Ok((RequestId(number(request)?), ExpertId(number(expert)?)))
}

fn push(options: &mut Value, list: &str, (request, expert): (RequestId, ExpertId)) {
    let pair = json!({"request_id": request, "expert_id": expert});
    match options.get_mut(list).and_then(Value::as_array_mut) {
        Some(pairs) => {
            // A request is kept for one expert: the new one.
            if list == "pins" {
                pairs.retain(|known| known.get("request_id") != pair.get("request_id"));
            }
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
        None => options[list] = json!([pair]),
    }
}

async fn new(page: Page<MatchExperts>) -> Result<HttpResponse, Error> {
    let start: Start = page.query()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let run = start.from.map(|id| service::owned(conn, &view.ctx, id)).transpose()?;
        let mine = own_pools(conn, view)?;
        let pool = match (run.as_ref().map(|run| run.pool_id).or(start.pool_id), mine.first()) {
            (Some(id), _) => pools::owned_pool(conn, &view.ctx, id)?,
            (None, Some((id, _))) => pools::owned_pool(conn, &view.ctx, *id)?,
            (None, None) => return Err(Error::not_found()),
        };
        let mut options: Value = match &run {
            Some(run) => serde_json::from_str(&run.options).map_err(Error::internal)?,
            None => json!({}),
        };
        let wanted = [
            ("pins", start.pin.as_deref(), t.t("固定する：", "keep ")),
            ("forbidden", start.forbid.as_deref(), t.t("除く：", "exclude ")),
        ];
        let mut added = Vec::new();
        for (field, text, words) in wanted {
            let Some(text) = text else { continue };
            let (request, expert) = pair(text)?;
            push(&mut options, field, (request, expert));
            let names = Names::load(conn, view.ctx.organisation(), &[request], &[expert])?;
            added.push(format!("{words}{} → {}", names.request(request), names.expert(expert)));
        }
        let kept = options.clone();
        let mut form = Form::load(conn, view, "create_allocation", format!("/pools/{}/allocations", pool.id), options)?
            .then("/allocations/{id}");
        let own = pools::list_programmes(conn, &view.ctx, Some(pool.id), &ListQuery::new(Some(200), None, &"programmes")?)?;
        let several = own.len() > 1;
        form.choices_mut().set("programme", own.into_iter().map(|row| (row.id.to_string(), row.name)).collect());
        let others: Vec<(String, String)> =
            mine.iter().filter(|(id, _)| *id != pool.id).map(|(id, name)| (id.to_string(), name.clone())).collect();
        let further = if others.is_empty() {
            form.without("further_pool_ids").to_owned()
        } else {
            form.choices_mut().set("pool", others);
            form.field("further_pool_ids")
        };
        let programmes = if several { form.field("programme_ids") } else { form.without("programme_ids").to_owned() };
        let added_requests = waiting(conn, view, pool.id, &form, &kept)?;
        let order = level_order(view, &form, &kept);
        let content = New {
            tongue: t,
            pool: pool.name,
            from: start.from,
            details_open: !added.is_empty() || form.refused(),
            added,
            open: form.open(),
            first: form.fields(&["note"]) + &programmes + &form.fields(&["include_waitlisted", "small_population"]),
            rest: [form.fields(&["pins", "forbidden", "places"]), added_requests, further, order, form.rest()].concat(),
            close: form.close(t.t("計画の作成を始める", "Start planning")),
        };
        Ok(Sheet::new(t.t("計画を作る", "Make a plan"), content))
    })
    .await
}

/// What was typed into a list of the form and refused, or else what it is filled with.
fn filled(view: &View, options: &Value, list: &str) -> Vec<String> {
    if let Some(typed) = view.typed.as_ref().filter(|typed| typed.operation == "create_allocation") {
        return typed.all(&format!("/{list}")).into_iter().map(str::to_owned).collect();
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    options.get(list).and_then(Value::as_array).into_iter().flatten().map(text).collect()
}

/// The requests to a pool that wait to be accepted, to be planned as if they had been.
fn waiting(conn: &mut Conn, view: &View, pool: PoolId, form: &Form, options: &Value) -> Result<String, Error> {
    let t = view.tongue;
    let mut rows = requests::not_yet_accepted(conn, pool, &[])?;
    rows.truncate(MOST_WAITING);
    let bodies: Vec<OrganisationId> = rows.iter().map(|row| row.applicant_organisation_id).collect();
    let bodies: BTreeMap<OrganisationId, String> =
        crate::organisations::store::find_many(conn, &bodies)?.into_iter().map(|body| (body.id, body.name)).collect();
    let chosen = filled(view, options, "add_request_ids");
    let boxes: String = rows
        .iter()
        .map(|row| {
            let id = row.id.to_string();
            let checked = if chosen.contains(&id) { " checked" } else { "" };
            let body = bodies.get(&row.applicant_organisation_id).map_or("", String::as_str);
            format!(
                r#"<label class="choice"><input type="checkbox" name="/add_request_ids" value="{id}"{checked}> <span>{} <span class="hint">{}</span></span></label>"#,
                esc(body),
                esc(&row.theme)
            )
        })
        .collect();
    if boxes.is_empty() {
        return Ok(form.without("add_request_ids").to_owned());
    }
    form.without("add_request_ids");
    Ok(format!(
        r#"<fieldset><legend>{}</legend><p class="hint">{}</p><input type="hidden" name="/add_request_ids" value=""><div class="boxes">{boxes}</div></fieldset>"#,
        t.t("仮に加える申請（審査中・補欠）", "What if: requests under review or on the waiting list"),
        t.t("受理したものとして計画に加え、結果の違いを試せます。", "Planned as if they had been accepted.")
    ))
}

/// The order of the levels: five choices in a row, all or none of them made.
fn level_order(view: &View, form: &Form, options: &Value) -> String {
    let t = view.tongue;
    form.without("level_order");
    let chosen = filled(view, options, "level_order");
    let selects: String = (0..Level::CHOSEN.len())
        .map(|place| {
            let now = chosen.iter().filter(|name| !name.is_empty()).nth(place);
            let entries: String = Level::CHOSEN
                .iter()
                .filter_map(|level| Some((*level, serde_json::to_value(level).ok()?.as_str()?.to_owned())))
                .map(|(level, name)| {
                    let selected = if now == Some(&name) { " selected" } else { "" };
                    format!(r#"<option value="{name}"{selected}>{}</option>"#, esc(level_label(t, level)))
                })
                .collect();
            let (id, number) = (format!("level-{place}"), place + 1);
            format!(
                r#"<div class="field"><label for="{id}">{}{number}</label><select id="{id}" name="/level_order"><option value="">{}</option>{entries}</select></div>"#,
                t.t("優先", "No. "),
                t.t("事業の定めのとおり", "as the programme says")
            )
        })
        .collect();
    format!(
        r#"<fieldset class="row"><legend>{}</legend>{selects}</fieldset>"#,
        t.t("目標の優先順（変えるときは5つとも選ぶ）", "Order of the levels (to change it, choose all five)")
    )
}

/// What a plan is compared with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    with: Option<AllocationId>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/allocations">{{ tongue.t("一括配分", "Allocation") }}</a></li><li><a href="/allocations/{{ id }}">{{ tongue.t("計画", "Plan ") }}{{ id }}</a></li></ol></nav>
<h1>{{ tongue.t("計画を比べる", "Compare plans") }}</h1>
{% if others.is_empty() %}<p>{{ tongue.t("同じ人材プールに、比べられる計画がほかにありません。", "There is no other plan of the same pool to compare with.") }}</p>{% else %}<form method="get" action="/allocations/{{ id }}/comparison" class="fill"><fieldset class="row"><legend>{{ tongue.t("計画", "Plan ") }}{{ id }} {{ tongue.t("と比べる計画", "compared with") }}</legend><div class="field"><label for="with">{{ tongue.t("もう一方の計画", "The other plan") }}</label><select id="with" name="with">{% for (other, words) in others %}<option value="{{ other }}"{% if *other == chosen %} selected{% endif %}>{{ words }}</option>{% endfor %}</select></div><p class="actions"><button type="submit" class="plain">{{ tongue.t("比べる", "Compare") }}</button></p></fieldset></form>{% endif %}
{% if let Some((levels, moves)) = result %}<h2>{{ tongue.t("目標の値の違い", "What the levels come to") }}</h2>
{% if levels.is_empty() %}<p>{{ tongue.t("どの目標の値も同じです。", "All levels come to the same.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("目標の値の違いの表", "Table of levels") }}"><table><thead><tr><th scope="col">{{ tongue.t("目標", "Level") }}</th><th scope="col" class="n">{{ tongue.t("もう一方の計画では", "The other plan") }}</th></tr></thead><tbody>{% for (label, by) in levels %}<tr><th scope="row">{{ label }}</th><td class="n">{{ by }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}
<h2>{{ tongue.t("割当ての違い", "Different assignments") }}（{{ moves.len() }}）</h2>
{% if moves.is_empty() %}<p>{{ tongue.t("割当ては同じです。", "The assignments are the same.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("割当ての違いの表", "Table of assignments") }}"><table><thead><tr><th scope="col">{{ tongue.t("申請", "Request") }}</th><th scope="col">{{ tongue.t("この計画", "This plan") }}（{{ id }}）</th><th scope="col">{{ tongue.t("もう一方", "The other") }}（{{ chosen }}）</th></tr></thead><tbody>{% for (number, request, from, to) in moves %}<tr><th scope="row"><a href="/requests/{{ number }}">{{ request }}</a></th><td>{{ from }}</td><td>{{ to }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}{% endif %}"##
)]
struct Compared {
    tongue: Tongue,
    id: AllocationId,
    others: Vec<(i64, String)>,
    chosen: i64,
    result: Option<(Vec<(String, String)>, Vec<(RequestId, String, String, String)>)>,
}

/// The other plans of the pool of a run, with words.
pub fn others(conn: &mut Conn, view: &View, pool: PoolId, beside: AllocationId) -> Result<Vec<(i64, String)>, Error> {
    let t = view.tongue;
    let list = ListQuery::new(Some(200), None, &"comparison")?;
    let runs = store::list(conn, view.ctx.organisation(), Some(pool), &list)?;
    Ok(runs
        .into_iter()
        .filter(|run| run.id != beside && matches!(run.status, AllocationStatus::Planned | AllocationStatus::Applied))
        .map(|run| {
            let note = if run.note.is_empty() { String::new() } else { format!("（{}）", run.note) };
            (run.id.0, format!("{}{} {}{note}", t.t("計画", "Plan "), run.id, t.instant(run.created_at)))
        })
        .collect())
}

async fn comparison(page: Page<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = page.id::<AllocationId>("id")?;
    let with: With = page.query()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let row = service::owned(conn, &view.ctx, id)?;
        let result = match with.with {
            None => None,
            Some(with) => {
                let found = service::compare(conn, &view.ctx, &row, with)?;
                let requests: Vec<RequestId> = found.moves.iter().map(|step| step.request_id).collect();
                let experts: Vec<ExpertId> = found.moves.iter().flat_map(experts_of).collect();
                let names = Names::load(conn, row.owner_organisation_id, &requests, &experts)?;
                let levels = found.levels.iter().map(|change| (level_label(t, change.level).to_owned(), by(t, change))).collect();
                let moves = found.moves.iter().map(|step| {
                    let from = names.team(t, step.from_expert_id, &step.from_other_ids);
                    let to = names.team(t, step.to_expert_id, &step.to_other_ids);
                    (step.request_id, names.request(step.request_id), from, to)
                });
                Some((levels, moves.collect()))
            }
        };
        let others = others(conn, view, row.pool_id, id)?;
        let chosen = with.with.map_or(0, |with| with.0);
        Ok(Sheet::new(t.t("計画を比べる", "Compare plans"), Compared { tongue: t, id, others, chosen, result }))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_kept_for_one_expert() {
        let mut options = json!({"pins": [{"request_id": 1, "expert_id": 2}]});
        push(&mut options, "pins", (RequestId(1), ExpertId(3)));
        push(&mut options, "forbidden", (RequestId(1), ExpertId(2)));
        assert_eq!(options["pins"], json!([{"request_id": 1, "expert_id": 3}]));
        assert_eq!(options["forbidden"], json!([{"request_id": 1, "expert_id": 2}]));
        assert_eq!(pair("12-7").unwrap(), (RequestId(12), ExpertId(7)));
        assert!(pair("12").is_err() && pair("a-b").is_err());
    }
}
