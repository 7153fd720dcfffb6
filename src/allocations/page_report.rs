//! One run: where it stands, its plan, why each request has whom, why the others have nobody, how good the plan is proved to
//! be and how even it is, and what can be done with it.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::allocations::model::AllocationStatus;
use crate::allocations::page_today::Today;
use crate::allocations::page_words::{
    Names, band_label, blocker_lines, change_lines, exclusion_label, experts_of, level_label, level_value, loads, prices,
};
use crate::allocations::pages::{others, tone};
use crate::allocations::service;
use crate::allocations::views::{AllocationResult, AllocationView, KeptFailure, KeptRefusal, PopulationBand};
use crate::auth::policy::MatchExperts;
use crate::db::Conn;
use crate::error::Error;
use crate::ids::{AllocationId, ExpertId, OfferId, RequestId};
use crate::offers::standing::experts_missing;
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc, grouped};

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/allocations/{id:[0-9]+}", web::get().to(show));
}

struct Assigned {
    request: RequestId,
    body: String,
    theme: String,
    team: String,
    today: String,
    expert: Option<ExpertId>,
    offers: Vec<OfferId>,
    planned: Option<String>,
    reason: Option<String>,
    why: Vec<String>,
    second: Vec<String>,
}

struct Unserved {
    request: RequestId,
    body: String,
    theme: String,
    reason: String,
    today: String,
    exclusions: Vec<String>,
    blockers: Vec<String>,
    change: Vec<String>,
}

struct LevelRow {
    label: &'static str,
    value: String,
    bound: Option<String>,
    proved: bool,
    within: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/allocations">{{ tongue.t("一括配分", "Allocation") }}</a></li></ol></nav>
<h1>{{ tongue.t("計画", "Plan ") }}{{ run.id }}{% if !run.options.note.is_empty() %}{{ tongue.t("：", ": ") }}{{ run.options.note }}{% endif %}</h1>
<p><span class="tag {{ tone }}">{{ tongue.t(run.status.label_ja(), run.status.as_str()) }}</span> {{ pool }} <span class="hint">{{ tongue.instant(*run.created_at) }} {{ tongue.t("に依頼", "asked for") }}</span></p>
{% if run.status == AllocationStatus::Queued %}<div class="notice"><p>{{ tongue.t("計算しています。探索の進み具合：", "Being worked out. Progress: ") }}<strong>{{ run.progress }}%</strong>{{ tongue.t("。ふつうは数秒から数分で終わります。", ". It usually takes seconds to minutes.") }}</p></div><div class="verbs"><a class="button" href="/allocations/{{ run.id }}">{{ tongue.t("最新の状態を見る", "See how far it is") }}</a>{{ cancel|safe }}</div>{% endif %}
{% if run.status == AllocationStatus::Failed %}<div class="notice bad"><p>{{ tongue.t("計画を作れませんでした。", "No plan could be made. ") }}{% if let Some(why) = failure %}{{ why }}{% else %}{{ tongue.t("条件を変えてもう一度お試しください", "Try again with other options") }}{% endif %}{{ tongue.t("。", ".") }}</p></div>{% endif %}
{% if !refused.is_empty() %}<div class="notice warn"><p>{{ tongue.t("前回、打診を作れなかった割当てがあります。", "Some assignments could not become offers the last time.") }}</p><ul>{% for (request, why) in refused %}<li>{{ request }}{{ tongue.t("：", ": ") }}{{ why }}</li>{% endfor %}</ul></div>{% endif %}
{% if let Some(result) = run.result %}
<ul class="cards"><li><span class="figure">{{ result.fairness.served }} / {{ result.fairness.requests }}</span> {{ tongue.t("件の申請に割当て", "requests served") }}</li><li><span class="figure">{{ result.fairness.never_served_reached }} / {{ result.fairness.never_served_bodies }}</span> {{ tongue.t("未利用の団体に届く", "never-served bodies reached") }}</li><li><span class="figure">{% if result.optimal %}{{ tongue.t("証明済み", "proved") }}{% else %}{{ tongue.t("一部未証明", "in part") }}{% endif %}</span> {{ tongue.t("これより良い計画はない", "no better plan exists") }}{% if let Some(gap) = result.gap_permille %} {{ tongue.t("（差は最大", "(at most ") }}{{ Self::permille(**gap) }}{{ tongue.t("）", " off)") }}{% endif %}</li><li><span class="figure">{{ unserved.len() }}</span> {{ tongue.t("件は割当てなし（理由は下）", "without anybody; reasons below") }}</li></ul>
{% if result.stopped %}<p class="notice warn">{{ tongue.t("決めた計算量で探索を打ち切りました。残る差は下の「目標と証明」にあります。", "The search stopped on its limit of work; the gap that is left stands under levels and proof.") }}{% if !result.reproducible %} {{ tongue.t("時間で打ち切ったため、再計算で結果が変わることがあります。", "A clock stopped it, so another run may differ.") }}{% endif %}</p>{% endif %}
{% if !result.pins_not_possible.is_empty() %}<div class="notice warn"><p>{{ tongue.t("固定できなかった割当て（条件を満たさない専門家）：", "Pins that cannot be kept (a condition fails):") }}</p><ul>{% for pair in result.pins_not_possible %}<li>{{ names.request(*pair.request_id) }} → {{ names.expert(*pair.expert_id) }}</li>{% endfor %}</ul></div>{% endif %}
<h2 id="plan">{{ tongue.t("割当て", "Assignments") }}（{{ assigned.len() }}）</h2>
{% if !today.is_empty() %}<p>{{ today }}</p>{% endif %}
{% if assigned.is_empty() %}<p>{{ tongue.t("割り当てられる申請がありませんでした。", "No request could be served.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("割当ての表", "Table of assignments") }}"><table><thead><tr><th scope="col">{{ tongue.t("申請", "Request") }}</th><th scope="col">{{ tongue.t("専門家", "Expert") }}</th><th scope="col">{{ tongue.t("理由", "Why") }}</th><th scope="col">{{ tongue.t("次善の案にすると", "The second choice would cost") }}</th><th scope="col">{{ tongue.t("打診・変更", "Offer, change") }}</th></tr></thead><tbody>
{% for row in assigned %}<tr><th scope="row"><a href="/requests/{{ row.request }}">{{ row.body }}</a><br><span class="hint">{{ row.theme }}</span></th><td>{{ row.team }}{% if !row.today.is_empty() %}<br><span class="hint">{{ tongue.t("いま：", "today: ") }}{{ row.today }}</span>{% endif %}{% if let Some(reason) = row.reason %}<br><span class="tag warn">{{ tongue.t("手で変更", "changed by hand") }}</span> <span class="hint">{{ tongue.t("計画では", "planned: ") }}{{ row.planned.as_deref().unwrap_or(tongue.t("なし", "nobody")) }}{{ tongue.t("。理由：", ". Why: ") }}{{ reason }}</span>{% endif %}</td><td>{% for line in row.why %}{{ line }}{% if !loop.last %}<br>{% endif %}{% endfor %}</td><td>{% for line in row.second %}{{ line }}{% if !loop.last %}<br>{% endif %}{% endfor %}</td><td>{% if row.offers.is_empty() %}<a href="/allocations/{{ run.id }}?change={{ row.request }}#change">{{ tongue.t("別の人にする", "Somebody else") }}</a>{% if let Some(expert) = row.expert %}<br><a href="/allocations/new?from={{ run.id }}&amp;pin={{ row.request }}-{{ expert }}">{{ tongue.t("固定して再計算", "Pin, plan again") }}</a><br><a href="/allocations/new?from={{ run.id }}&amp;forbid={{ row.request }}-{{ expert }}">{{ tongue.t("除いて再計算", "Exclude, plan again") }}</a>{% endif %}{% else %}{% for offer in row.offers %}<a href="/offers/{{ offer }}">{{ tongue.t("打診", "Offer ") }}{{ offer }}</a> {% endfor %}{% endif %}</td></tr>{% endfor %}
</tbody></table></div>{% endif %}
{% if !change.is_empty() %}<section id="change"><h2>{{ tongue.t("別の人にする", "Put somebody else") }}{{ tongue.t("：", ": ") }}{{ changed }}</h2><p class="hint">{{ tongue.t("変更は記録に残ります。この申請の人材プールの専門家なら、計画の条件を満たさない人も選べます。打診を作るときには、打診の条件だけを確かめます。「専門家」を空にすると、この申請には打診しません。", "The change is kept on record. Any expert of the request's pool can be named, even one who fails a condition of the plan; only the conditions of an offer are checked when it is made. Without an expert nobody is asked.") }}</p>{{ change|safe }}</section>{% endif %}
{% if !apply.is_empty() %}<h2 id="apply">{{ tongue.t("打診を作る", "Make offers") }}</h2><p>{{ tongue.t("チェックした申請について、専門家への打診を作ります。派遣の決定ではありません。", "Makes offers to the experts of the ticked requests. It decides nothing.") }}</p>{{ apply|safe }}{% endif %}
<h2 id="unserved">{{ tongue.t("割り当てられなかった申請と理由", "Requests without anybody, and why") }}（{{ unserved.len() }}）</h2>
{% if unserved.is_empty() %}<p>{{ tongue.t("すべての申請に割り当てました。", "Every request is served.") }}</p>{% else %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("割り当てられなかった申請の表", "Table of requests without anybody") }}"><table><thead><tr><th scope="col">{{ tongue.t("申請", "Request") }}</th><th scope="col">{{ tongue.t("理由", "Why") }}</th><th scope="col">{{ tongue.t("割り当てるには（最も小さな変更）", "The cheapest change that serves it") }}</th></tr></thead><tbody>
{% for row in unserved %}<tr><th scope="row"><a href="/requests/{{ row.request }}">{{ row.body }}</a><br><span class="hint">{{ row.theme }}</span></th><td><strong>{{ row.reason }}</strong>{% if !row.today.is_empty() %}<br><span class="hint">{{ tongue.t("いま：", "today: ") }}{{ row.today }}</span>{% endif %}{% if !row.blockers.is_empty() %}<ul>{% for line in row.blockers %}<li>{{ line }}</li>{% endfor %}</ul>{% endif %}{% if !row.exclusions.is_empty() %}<details><summary>{{ tongue.t("条件に合わない専門家の数", "How many experts fail what") }}</summary><ul>{% for line in row.exclusions %}<li>{{ line }}</li>{% endfor %}</ul></details>{% endif %}</td><td>{% if row.change.is_empty() %}{{ tongue.t("計画を変更しても割り当てられません。専門家を増やすか、申請の条件を見直してください。", "No change of the plan serves it: more experts, or other wishes.") }}{% else %}{% for line in row.change %}{{ line }}{% if !loop.last %}<br>{% endif %}{% endfor %}{% endif %}<br><a href="/allocations/{{ run.id }}?change={{ row.request }}#change">{{ tongue.t("手で割り当てる", "Assign by hand") }}</a></td></tr>{% endfor %}
</tbody></table></div>{% endif %}
<h2 id="proof">{{ tongue.t("目標と証明", "Levels and proof") }}</h2>
<p>{{ tongue.t("上の目標ほど優先します。「証明済み」は、独立した検査プログラムが、上の目標を損なわずにこれより良い計画はないと確かめたものです。", "A level counts before all below it. Proved: an independent checker has confirmed that no plan equal above is better here.") }}</p>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("目標と証明の表", "Table of levels") }}"><table><thead><tr><th scope="col" class="n">{{ tongue.t("順", "No.") }}</th><th scope="col">{{ tongue.t("目標", "Level") }}</th><th scope="col" class="n">{{ tongue.t("この計画", "This plan") }}</th><th scope="col" class="n">{{ tongue.t("最良でも", "At best") }}</th><th scope="col">{{ tongue.t("証明", "Proof") }}</th></tr></thead><tbody>
{% for row in levels %}<tr><td class="n">{{ loop.index }}</td><th scope="row">{{ row.label }}</th><td class="n">{{ row.value }}</td><td class="n">{{ row.bound.as_deref().unwrap_or("–") }}</td><td>{% if row.proved %}<span class="tag good">{{ tongue.t("証明済み", "proved") }}</span>{% else if row.within %}<span class="tag good">{{ tongue.t("団体ごとの件数を同じとすれば証明済み", "proved where each body is served as often") }}</span>{% else %}<span class="tag">{{ tongue.t("未証明", "open") }}</span>{% endif %}</td></tr>{% endfor %}
</tbody></table></div>
<p class="actions"><a href="/allocations/{{ run.id }}/verification">{{ tongue.t("もう一度検証する", "Verify again") }}</a><a href="/files/allocations/{{ run.id }}/instance">{{ tongue.t("入力データ", "Input data") }}</a><a href="/files/allocations/{{ run.id }}/report">{{ tongue.t("結果と証明書", "Result and certificate") }}</a><span class="hint address">SHA-256 {{ result.problem_sha256 }}</span></p>
{% if !result.greedy.is_empty() || !result.prices.is_empty() %}<details><summary>{{ tongue.t("ほかの決め方との比較", "Compared with other ways to decide") }}</summary><ul>{% for (label, value) in greedy %}<li>{{ tongue.t("申請を順に一つずつ決めた場合：", "One request after another: ") }}{{ label }} {{ value }}</li>{% endfor %}{% for line in prices %}<li>{{ line }}</li>{% endfor %}</ul></details>{% endif %}
<h2 id="fair">{{ tongue.t("公平さ", "Fairness") }}</h2>
<div class="columns"><div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("人口規模別の表", "Table by population") }}"><table><thead><tr><th scope="col">{{ tongue.t("申請団体の人口規模", "Population of applicants") }}</th><th scope="col" class="n">{{ tongue.t("団体", "Bodies") }}</th><th scope="col" class="n">{{ tongue.t("計画前の利用", "Served before") }}</th><th scope="col" class="n">{{ tongue.t("計画後", "With the plan") }}</th><th scope="col" class="n">{{ tongue.t("申請", "Requests") }}</th><th scope="col" class="n">{{ tongue.t("うち割当て", "Served") }}</th></tr></thead><tbody>
{% for (label, band) in bands %}<tr><th scope="row">{{ label }}</th><td class="n">{{ band.bodies }}</td><td class="n">{{ band.served_before }}</td><td class="n">{{ band.served_after }}</td><td class="n">{{ band.requests }}</td><td class="n">{{ band.requests_served }}</td></tr>{% endfor %}</tbody></table></div>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("専門家の負荷の表", "Table of loads") }}"><table><thead><tr><th scope="col">{{ tongue.t("専門家の負荷（件）", "Load of experts") }}</th><th scope="col" class="n">{{ tongue.t("計画前", "Before") }}</th><th scope="col" class="n">{{ tongue.t("計画後", "After") }}</th></tr></thead><tbody>{% for (label, before, after) in loads %}<tr><th scope="row">{{ label }}</th><td class="n">{{ before }}</td><td class="n">{{ after }}</td></tr>{% endfor %}</tbody></table></div></div>
{% if !others.is_empty() %}<h2>{{ tongue.t("ほかの計画と比べる", "Compare with another plan") }}</h2><form method="get" action="/allocations/{{ run.id }}/comparison" class="fill"><fieldset class="row"><legend>{{ tongue.t("比べる計画を選ぶ", "Choose a plan") }}</legend><div class="field"><label for="with">{{ tongue.t("計画", "Plan") }}</label><select id="with" name="with">{% for (other, words) in others %}<option value="{{ other }}">{{ words }}</option>{% endfor %}</select></div><p class="actions"><button type="submit" class="plain">{{ tongue.t("比べる", "Compare") }}</button></p></fieldset></form>{% endif %}
{% endif %}
<h2>{{ tongue.t("条件", "Options") }}</h2><dl class="facts">{% for (label, value) in options %}<dt>{{ label }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>
<p class="actions"><a class="button plain" href="/allocations/new?from={{ run.id }}">{{ tongue.t("同じ条件をもとに新しい計画を作る", "Make a new plan from these options") }}</a></p>"##
)]
struct Content {
    tongue: Tongue,
    run: AllocationView,
    tone: &'static str,
    pool: String,
    refused: Vec<(String, String)>,
    failure: Option<String>,
    names: Names,
    cancel: String,
    assigned: Vec<Assigned>,
    today: String,
    unserved: Vec<Unserved>,
    levels: Vec<LevelRow>,
    greedy: Vec<(&'static str, String)>,
    prices: Vec<String>,
    bands: Vec<(String, PopulationBand)>,
    loads: Vec<(&'static str, String, String)>,
    change: String,
    changed: String,
    apply: String,
    others: Vec<(i64, String)>,
    options: Vec<(&'static str, String)>,
}

impl Content {
    fn permille(permille: i64) -> String {
        crate::statistics::pages::percent(Some(permille))
    }
}

/// Which request's assignment is to be changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    change: Option<RequestId>,
}

async fn show(page: Page<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = page.id::<AllocationId>("id")?;
    let wanted: Wanted = page.query()?;
    page.show(move |conn, view| {
        let row = service::owned(conn, &view.ctx, id)?;
        let run = service::view(conn, &row)?;
        let kept = Kept { refused: service::refused_of(&row)?, failure: service::failure_of(&row)? };
        let title = format!("{}{id}", view.t("計画", "Plan "));
        Ok(Sheet::new(title, content(conn, view, run, kept, wanted.change)?))
    })
    .await
}

/// What a run keeps in both languages.
struct Kept {
    refused: Vec<KeptRefusal>,
    failure: Option<KeptFailure>,
}

fn content(conn: &mut Conn, view: &View, run: AllocationView, kept: Kept, change: Option<RequestId>) -> Result<Content, Error> {
    let t = view.tongue;
    let today = Today::load(conn, &run)?;
    let names = names(conn, &run, &today)?;
    let json = serde_json::to_value(&run).map_err(Error::internal)?;
    let path = format!("/allocations/{}", run.id);
    let cancel = if run.status == AllocationStatus::Queued {
        let form = Form::new(view, "cancel_allocation", format!("{path}/cancel"), json, Choices::default())?;
        form.button(t.t("計算を取り消す", "Call it off"), "plain")
    } else {
        String::new()
    };
    let (mut changed, mut change_form) = (String::new(), String::new());
    if let Some(request) = change.filter(|id| run.result.is_some() && run.assignments.iter().any(|row| row.request_id == *id)) {
        let only = serde_json::json!({"version": run.version});
        let form = Form::load(conn, view, "override_allocation", format!("{path}/override"), only)?.then(path.clone());
        changed = names.request(request);
        let row = crate::requests::store::find(conn, request)?.ok_or_else(Error::not_found)?;
        let needed = experts_missing(conn, &row)?;
        let team = needed > 1;
        let fields: &[&str] = if team { &["expert_id", "other_expert_ids", "reason"] } else { &["expert_id", "reason"] };
        let hint = (
            format!("専門家があと{needed}名必要な申請です。全員を選ぶか、割当てなしにしてください。"),
            format!("Experts still needed: {needed}. Name all of them, or nobody."),
        );
        change_form = format!(
            "{}{}{}{}{}",
            form.open(),
            form.fixed("request_id", request),
            if team { format!("<p>{}</p>", esc(t.t(&hint.0, &hint.1))) } else { String::new() },
            form.fields(fields),
            form.close(t.t("変更する", "Change"))
        );
    }
    let assigned = assigned(t, &run, &names, &today);
    let apply = apply(view, &run, &assigned, &path)?;
    let result = run.result.as_ref();
    let pool = crate::pools::store::pool(conn, run.pool_id)?.name;
    let refused = kept.refused.into_iter().map(|one| (names.request(one.request_id), t.t(&one.ja, &one.en).to_owned())).collect();
    Ok(Content {
        tongue: t,
        tone: tone(run.status),
        pool,
        refused,
        failure: kept.failure.map(|why| t.t(&why.ja, &why.en).to_owned()),
        cancel,
        assigned,
        unserved: result.map_or_else(Vec::new, |result| unserved(t, &run, result, &names, &today)),
        today: result.map_or_else(String::new, |_| today.compared(t, &run)),
        levels: result.map_or_else(Vec::new, |result| levels(t, result)),
        greedy: result.map_or_else(Vec::new, |r| {
            r.greedy.iter().map(|c| (level_label(t, c.level), level_value(t, c.level, c.by))).collect()
        }),
        prices: result.map_or_else(Vec::new, |result| prices(t, result)),
        bands: result
            .map_or_else(Vec::new, |r| r.fairness.by_population.iter().map(|band| (band_label(t, band), band.clone())).collect()),
        loads: result.map_or_else(Vec::new, |r| loads(t, &r.fairness.load_before, &r.fairness.load_after)),
        change: change_form,
        changed,
        apply,
        others: if result.is_some() { others(conn, view, run.pool_id, run.id)? } else { Vec::new() },
        options: options(t, &run, &names),
        names,
        run,
    })
}

/// The names of everybody and everything that the run names.
fn names(conn: &mut Conn, run: &AllocationView, today: &Today) -> Result<Names, Error> {
    let mut requests: Vec<RequestId> = run.assignments.iter().map(|row| row.request_id).collect();
    let mut experts: Vec<ExpertId> = today.experts().collect();
    for row in &run.assignments {
        experts.extend(row.expert_id.iter().chain(&row.planned_expert_id));
        experts.extend(row.others.iter().map(|other| other.expert_id));
    }
    for pair in run.options.pins.iter().chain(&run.options.forbidden) {
        requests.push(pair.request_id);
        experts.push(pair.expert_id);
    }
    experts.extend(run.options.places.iter().map(|place| place.expert_id));
    requests.extend(&run.options.add_request_ids);
    if let Some(result) = &run.result {
        let unserved = result.unserved.iter().filter_map(|row| row.change.as_ref());
        let changes = result.assignments.iter().filter_map(|row| row.second_choice.as_ref()).chain(unserved);
        for step in changes.flat_map(|change| &change.moves) {
            requests.push(step.request_id);
            experts.extend(experts_of(step));
        }
        for row in &result.unserved {
            requests.push(row.request_id);
            for blocker in &row.blockers {
                experts.extend(blocker.expert_id);
                requests.extend(&blocker.taken_by);
            }
        }
    }
    requests.sort_unstable();
    requests.dedup();
    experts.sort_unstable();
    experts.dedup();
    Names::load(conn, run.owner_organisation_id, &requests, &experts)
}

fn assigned(t: Tongue, run: &AllocationView, names: &Names, today: &Today) -> Vec<Assigned> {
    let facts: BTreeMap<i64, _> =
        run.result.iter().flat_map(|result| &result.assignments).map(|fact| (fact.request_id.0, fact)).collect();
    run.assignments
        .iter()
        // What nobody is named for stands below, with the reason.
        .filter(|row| row.expert_id.is_some() || row.override_reason.is_some())
        .map(|row| {
            let fact = facts.get(&row.request_id.0);
            let others: Vec<ExpertId> = row.others.iter().map(|other| other.expert_id).collect();
            let mut why = Vec::new();
            if let Some(fact) = fact {
                if fact.pinned {
                    why.push(t.t("固定した割当て", "pinned").to_owned());
                }
                why.push(format!("{}{}{}", t.t("適合度 ", "fit "), fact.score, t.t("点", " points")));
                why.push(format!("{} km", grouped(i64::from(fact.kilometres))));
            }
            let second = match fact.map(|fact| fact.second_choice.as_ref()) {
                Some(Some(change)) => change_lines(t, change, names, Some(row.request_id)),
                Some(None) => vec![nobody_else(t, fact.and_then(|fact| fact.other_choices))],
                None => Vec::new(),
            };
            Assigned {
                request: row.request_id,
                body: row.applicant.clone(),
                theme: row.theme.clone(),
                team: names.team(t, row.expert_id, &others),
                today: today.said(t, row.request_id, names),
                expert: row.expert_id,
                offers: row.offer_id.into_iter().chain(row.others.iter().filter_map(|other| other.offer_id)).collect(),
                planned: row.planned_expert_id.map(|id| names.expert(id)),
                reason: row.override_reason.clone(),
                why,
                second,
            }
        })
        .collect()
}

/// Why there is no second choice.
fn nobody_else(t: Tongue, others: Option<u32>) -> String {
    match others {
        Some(0) => t.t("ほかに対応できる人がいません", "nobody else could take it").to_owned(),
        Some(many) => format!(
            "{}{many}{}",
            t.t("ほかに候補は", "of "),
            t.t(
                "組ありますが、上限を守って入れ替える案は見つかっていません",
                " other choices none was found that keeps every limit"
            )
        ),
        None => t.t("次善の案はありません", "no second choice").to_owned(),
    }
}

fn unserved(t: Tongue, run: &AllocationView, result: &AllocationResult, names: &Names, today: &Today) -> Vec<Unserved> {
    let by_hand = |request: RequestId| {
        run.assignments.iter().any(|row| row.request_id == request && (row.expert_id.is_some() || row.override_reason.is_some()))
    };
    result
        .unserved
        .iter()
        .filter(|row| !by_hand(row.request_id))
        .map(|row| Unserved {
            request: row.request_id,
            body: names.body(row.request_id),
            theme: names.theme(row.request_id),
            today: today.said(t, row.request_id, names),
            reason: t.t(&row.reason_label, row.reason.as_str()).replace('_', " "),
            exclusions: row
                .exclusions
                .iter()
                .map(|count| format!("{}{}{}{}", exclusion_label(t, &count.code), t.t("：", ": "), count.count, t.t("人", "")))
                .collect(),
            blockers: blocker_lines(t, &row.blockers, names),
            change: row.change.as_ref().map_or_else(Vec::new, |change| change_lines(t, change, names, Some(row.request_id))),
        })
        .collect()
}

fn levels(t: Tongue, result: &AllocationResult) -> Vec<LevelRow> {
    result
        .levels
        .iter()
        .map(|row| LevelRow {
            label: level_label(t, row.level),
            value: level_value(t, row.level, row.value),
            bound: row.bound.map(|bound| level_value(t, row.level, bound)),
            proved: row.proved,
            within: row.proved_within_counts,
        })
        .collect()
}

/// The form that makes offers of what is not offered yet.
fn apply(view: &View, run: &AllocationView, rows: &[Assigned], path: &str) -> Result<String, Error> {
    let t = view.tongue;
    let open: Vec<&Assigned> = rows.iter().filter(|row| row.offers.is_empty() && row.expert.is_some()).collect();
    if run.result.is_none() || open.is_empty() {
        return Ok(String::new());
    }
    let only = serde_json::json!({"version": run.version});
    let form = Form::new(view, "apply_allocation", format!("{path}/apply"), only, Choices::default())?.then(path.to_owned());
    // What was only assumed to be accepted cannot be offered before it is.
    let assumed = |row: &Assigned| run.options.add_request_ids.contains(&row.request);
    let boxes: String = open
        .iter()
        .map(|row| {
            let (ticked, hint) = if assumed(row) {
                ("", t.t("（仮に加えた申請：受理してから打診できます）", " (what if: can be offered once accepted)"))
            } else {
                (" checked", "")
            };
            format!(
                r#"<label class="choice"><input type="checkbox" name="/request_ids" value="{}"{ticked}> <span>{} <span class="hint">{} → {}{hint}</span></span></label>"#,
                row.request,
                esc(&row.body),
                esc(&row.theme),
                esc(&row.team)
            )
        })
        .collect();
    let left = if run.status == AllocationStatus::Applied {
        let words = t.t(
            "まだ打診になっていない割当てです。打診できなかったときは、申請や専門家の状態が計画のあとで変わっていないかを確かめてください。",
            "These are not offered yet. Where an offer could not be made, see whether the request or the expert has changed since.",
        );
        format!(r#"<p class="hint">{words}</p>"#)
    } else {
        String::new()
    };
    form.without("request_ids");
    Ok(format!(
        r#"{}<fieldset><legend>{}</legend>{left}<input type="hidden" name="/request_ids" value=""><div class="boxes">{boxes}</div></fieldset>{}{}"#,
        form.open(),
        t.t("打診を作る申請", "Requests to make offers for"),
        form.rest(),
        form.close(t.t("打診を作る", "Make offers"))
    ))
}

fn options(t: Tongue, run: &AllocationView, names: &Names) -> Vec<(&'static str, String)> {
    let asked = &run.options;
    let mut out = Vec::new();
    let yes = |yes: bool| t.yes_no(yes).to_owned();
    out.push((t.t("補欠の申請も計画", "Waiting list planned too"), yes(asked.include_waitlisted)));
    if let Some(result) = &run.result {
        let order: Vec<&str> = result.objective.level_order.iter().map(|level| level_label(t, *level)).collect();
        out.push((t.t("優先順", "Order of levels"), order.join(" → ")));
        if let Some(small) = result.objective.small_population {
            out.push((t.t("小規模の団体", "Small bodies"), format!("{}{}", grouped(small), t.t("人未満", " people and fewer"))));
        }
    }
    let pairs = |pairs: &[crate::allocations::views::NamedPair]| {
        let lines: Vec<String> =
            pairs.iter().map(|pair| format!("{} → {}", names.request(pair.request_id), names.expert(pair.expert_id))).collect();
        lines.join("\n")
    };
    if !asked.pins.is_empty() {
        out.push((t.t("固定", "Pinned"), pairs(&asked.pins)));
    }
    if !asked.forbidden.is_empty() {
        out.push((t.t("除外", "Excluded"), pairs(&asked.forbidden)));
    }
    if !asked.places.is_empty() {
        let lines: Vec<String> = asked.places.iter().map(|place| names.expert(place.expert_id)).collect();
        out.push((t.t("仮の枠で計画した専門家", "Experts with assumed capacity"), lines.join(t.t("、", ", "))));
    }
    if !asked.add_request_ids.is_empty() {
        let lines: Vec<String> = asked.add_request_ids.iter().map(|id| names.request(*id)).collect();
        out.push((t.t("仮に加えた申請", "Requests added: what if"), lines.join("\n")));
    }
    out.push((t.t("探索の上限", "Most work"), grouped(i64::from(asked.most_solves))));
    if let Some(seconds) = asked.time_limit_seconds {
        out.push((t.t("時間の上限", "Time limit"), format!("{seconds}{}", t.t("秒", " s"))));
    }
    out
}
