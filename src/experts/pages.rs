//! The directory of experts: searching as in the API, with skills by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use crate::auth::policy::{ManageExperts, ReadExperts, ReadSkills, Role};
use crate::db::Conn;
use crate::error::Error;
use crate::experts::frameworks::{self, SkillFrameworkView};
use crate::experts::model::ExpertStatus;
use crate::experts::params::ExpertListParams;
use crate::experts::search::{self, ExpertSort, SummaryRow};
use crate::experts::store::{self, SkillRow};
use crate::experts::{page_availability, page_expert, page_own, page_parts};
use crate::http::ListQuery;
use crate::ids::{ExpertId, OrganisationId, PoolId, SkillItemId};
use crate::requests::model::Mode;
use crate::today::filter_pages;
use crate::web::choices::{Choice, Choices};
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::{Tongue, esc};

/// Skills named beside an expert; the rest is counted.
const MOST_SKILLS: usize = 4;
/// The states of those who can be asked, now or again.
const PRESENT: &str = "registered,suspended";
/// Fields for skills in the filter.
const SKILL_FIELDS: usize = 3;

/// Registers the pages of experts.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/experts", web::get().to(list))
        .configure(page_expert::configure)
        .configure(page_availability::configure)
        .configure(page_own::configure);
}

/// What the form of the page and the addresses of the API say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    pool_id: Option<PoolId>,
    q: Option<String>,
    skills_all: Option<String>,
    skills_any: Option<String>,
    s1: Option<SkillItemId>,
    l1: Option<i32>,
    s2: Option<SkillItemId>,
    l2: Option<i32>,
    s3: Option<SkillItemId>,
    l3: Option<i32>,
    /// Whether one of the skills will do.
    any: Option<bool>,
    mode: Option<Mode>,
    status: Option<String>,
    area: Option<OrganisationId>,
    available_from: Option<NaiveDate>,
    available_to: Option<NaiveDate>,
    min_remaining_minutes: Option<i64>,
    month: Option<String>,
    sort: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

impl Asked {
    /// The skills chosen in the form, as the API writes them.
    fn chosen(&self) -> Option<String> {
        let fields = [(self.s1, self.l1), (self.s2, self.l2), (self.s3, self.l3)];
        let terms: Vec<String> =
            fields.iter().filter_map(|(item, level)| item.map(|item| format!("{item}:{}", level.unwrap_or(1)))).collect();
        if terms.is_empty() { None } else { Some(terms.join(",")) }
    }

    /// The parameters of the API.
    fn params(self) -> ExpertListParams {
        let chosen = self.chosen();
        let any = self.any.unwrap_or(false);
        let of = |given: Option<String>, here: bool| chosen.clone().filter(|_| here).or(given);
        ExpertListParams {
            pool_id: self.pool_id,
            q: self.q,
            skills_all: of(self.skills_all, !any),
            skills_any: of(self.skills_any, any),
            mode: self.mode,
            // Those whose registration has ended are looked for on purpose.
            status: Some(self.status.unwrap_or_else(|| PRESENT.to_owned())),
            area: self.area,
            available_from: self.available_from.or(self.available_to),
            available_to: self.available_to,
            min_remaining_minutes: self.min_remaining_minutes,
            month: self.month,
            sort: self.sort,
            total: None,
            format: None,
            limit: self.limit,
            cursor: self.cursor,
        }
    }
}

/// The parameters that list and file share.
fn kept(params: &ExpertListParams) -> Vec<(&'static str, String)> {
    [
        ("pool_id", params.pool_id.map(|v| v.to_string())),
        ("q", params.q.clone()),
        ("skills_all", params.skills_all.clone()),
        ("skills_any", params.skills_any.clone()),
        ("mode", params.mode.map(|v| v.to_string())),
        ("status", params.status.clone()),
        ("area", params.area.map(|v| v.to_string())),
        ("available_from", params.available_from.map(|v| v.to_string())),
        ("available_to", params.available_to.map(|v| v.to_string())),
        ("min_remaining_minutes", params.min_remaining_minutes.map(|v| v.to_string())),
        ("month", params.month.clone()),
        ("sort", params.sort.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

struct Row {
    path: String,
    name: String,
    kana: String,
    affiliation: String,
    skills: String,
    mode: String,
    base: String,
    status: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("専門家", "Experts") }}</h1>
{% if manages %}<p class="actions"><a class="button" href="/experts/new">{{ tongue.t("専門家を登録する", "Register an expert") }}</a><a href="/imports/new">{{ tongue.t("一括取込", "Import many") }}</a></p>{% endif %}
{{ saved|safe }}<details class="filter"{% if open %} open{% endif %}><summary>{{ tongue.t("条件で探す", "Search") }}</summary><form method="get" action="/experts">
<div class="field"><label for="q">{{ tongue.t("ことば（氏名・所属など）", "Words") }}</label><input type="search" id="q" name="q" maxlength="100" value="{{ q }}"></div>
{{ skills|safe }}
<div class="field"><label for="from">{{ tongue.t("空いている期間（から）", "Available from") }}</label><input type="date" id="from" name="available_from" value="{{ from }}"></div>
<div class="field"><label for="to">{{ tongue.t("空いている期間（まで）", "Available until") }}</label><input type="date" id="to" name="available_to" value="{{ to }}"></div>
{% for (name, label, options) in selects %}<div class="field"><label for="f-{{ name }}">{{ label }}</label>{{ options|safe }}</div>{% endfor %}
<p class="actions"><button type="submit">{{ tongue.t("探す", "Search") }}</button> <a href="/experts">{{ tongue.t("条件を消す", "Clear") }}</a></p></form></details>
<p>{% if tongue.english() %}{{ total }} experts{% else %}{{ total }}人{% endif %}{% if !said.is_empty() %}　<span class="hint">{{ said }}</span>{% endif %}</p>
{% if rows.is_empty() %}<p>{{ tongue.t("条件に合う専門家はいません。条件を減らしてみてください。", "Nobody matches. Try fewer conditions.") }}</p>{% else %}
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("専門家の一覧", "Experts") }}"><table><thead><tr><th scope="col">{{ tongue.t("氏名", "Name") }}</th><th scope="col">{{ tongue.t("所属", "Affiliation") }}</th><th scope="col">{{ tongue.t("スキル（レベル）", "Skills (level)") }}</th><th scope="col">{{ tongue.t("方法", "How") }}</th>{% if bases %}<th scope="col">{{ tongue.t("拠点", "Base") }}</th>{% endif %}<th scope="col">{{ tongue.t("状態", "State") }}</th></tr></thead><tbody>
{% for row in rows %}<tr><td class="keep"><a href="{{ row.path }}">{{ row.name }}</a>{% if !row.kana.is_empty() %}<br><span class="hint">{{ row.kana }}</span>{% endif %}</td><td>{{ row.affiliation }}</td><td>{{ row.skills }}</td><td>{{ row.mode }}</td>{% if bases %}<td>{{ row.base }}</td>{% endif %}<td>{{ row.status|safe }}</td></tr>{% endfor %}
</tbody></table></div>{% endif %}
<p class="actions">{% if let Some(next) = next %}<a class="button plain" href="{{ next }}" rel="next">{{ tongue.t("次の頁", "Next page") }}</a>{% endif %}<a href="{{ xlsx }}">{{ tongue.t("Excel（全件）", "Excel (all)") }}</a><a href="{{ csv }}">{{ tongue.t("CSV（全件）", "CSV (all)") }}</a></p>"#
)]
struct List {
    tongue: Tongue,
    saved: String,
    manages: bool,
    open: bool,
    q: String,
    skills: String,
    selects: Vec<(&'static str, String, String)>,
    from: String,
    to: String,
    total: i64,
    said: String,
    rows: Vec<Row>,
    bases: bool,
    next: Option<String>,
    xlsx: String,
    csv: String,
}

async fn list(page: Page<ReadExperts>) -> Result<HttpResponse, Error> {
    let asked: Asked = page.query()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let params = asked.params();
        let filter = params.filter(view.ctx.today())?;
        let list = ListQuery::new(params.limit, params.cursor.as_deref(), &("experts", &filter))?;
        let rows = search::list(conn, &view.ctx, &filter, &list, false)?;
        let total = search::total(conn, &view.ctx, &filter)?;
        let found = list.page(rows, |row| search::position(filter.sort, row));
        let ids: Vec<ExpertId> = found.items.iter().map(|row| row.id).collect();
        let held = if ids.is_empty() { Vec::new() } else { store::skills(conn, &ids)? };
        let known = if view.may::<ReadSkills>() {
            frameworks::list(conn, None, &ListQuery::new(Some(200), None, &"skills")?)?.items
        } else {
            Vec::new()
        };
        let names: BTreeMap<SkillItemId, &str> =
            known.iter().flat_map(|framework| framework.items.iter().map(|item| (item.id, item.name.as_str()))).collect();
        let kept = kept(&params);
        let narrowed = kept.iter().any(|(name, _)| !matches!(*name, "sort" | "pool_id" | "status"));
        let content = List {
            tongue: t,
            saved: filter_pages::beside(conn, view, "/experts", &kept)?,
            manages: view.may::<ManageExperts>(),
            open: narrowed,
            q: params.q.clone().unwrap_or_default(),
            skills: skill_fields(view, &params, &known),
            selects: selects(conn, view, &params)?,
            from: params.available_from.map(|day| day.to_string()).unwrap_or_default(),
            to: params.available_to.map(|day| day.to_string()).unwrap_or_default(),
            total,
            said: said(view, &params, &names),
            rows: found.items.iter().map(|row| line(view, row, &held, &names)).collect(),
            bases: found.items.iter().any(|row| !row.base_place.is_empty()),
            next: found.next_cursor.map(|cursor| page_parts::address("/experts", &kept, &[("cursor", &cursor)])),
            xlsx: page_parts::address("/files/experts", &kept, &[("format", "xlsx")]),
            csv: page_parts::address("/files/experts", &kept, &[("format", "csv")]),
        };
        Ok(Sheet::new(t.t("専門家", "Experts"), content))
    })
    .await
}

fn line(view: &View, row: &SummaryRow, held: &[SkillRow], names: &BTreeMap<SkillItemId, &str>) -> Row {
    let t = view.tongue;
    let mut skills: Vec<&SkillRow> = held.iter().filter(|skill| skill.expert_id == row.id).collect();
    skills.sort_by_key(|skill| std::cmp::Reverse(skill.level));
    let more = skills.len().saturating_sub(MOST_SKILLS);
    let mut words: Vec<String> = skills
        .iter()
        .take(MOST_SKILLS)
        .filter_map(|skill| Some(format!("{}（{}）", names.get(&skill.skill_item_id)?, skill.level)))
        .collect();
    if more > 0 {
        words.push(if t.english() { format!("{more} more") } else { format!("ほか{more}") });
    }
    let kind = page_parts::word(row.affiliation_kind.label_ja(), row.affiliation_kind.as_str(), t);
    Row {
        path: format!("/experts/{}", row.id),
        name: row.name.clone(),
        kana: row.kana.clone(),
        affiliation: if row.affiliation.is_empty() { kind } else { format!("{}（{kind}）", row.affiliation) },
        skills: words.join("、"),
        mode: how(row.onsite, row.online, t).to_owned(),
        base: row.base_place.clone(),
        status: page_parts::status_tag(row.status, t),
    }
}

/// How somebody works.
pub fn how(onsite: bool, online: bool, tongue: Tongue) -> &'static str {
    let (ja, en) = match (onsite, online) {
        (true, true) => ("現地・オンライン", "On site, online"),
        (true, false) => ("現地", "On site"),
        (false, true) => ("オンライン", "Online"),
        (false, false) => ("–", "–"),
    };
    if tongue.english() { en } else { ja }
}

/// The skills asked for, in words.
fn said(view: &View, params: &ExpertListParams, names: &BTreeMap<SkillItemId, &str>) -> String {
    let t = view.tongue;
    let mut parts = Vec::new();
    for (text, joint) in [(&params.skills_all, t.t("すべて", "all of")), (&params.skills_any, t.t("いずれか", "one of"))] {
        let Some(text) = text else { continue };
        let words: Vec<String> = terms(text)
            .into_iter()
            .map(|(item, level)| {
                let name = names.get(&item).map_or_else(|| format!("#{item}"), |name| (*name).to_owned());
                if t.english() { format!("{name} ≥{level}") } else { format!("{name}（レベル{level}以上）") }
            })
            .collect();
        parts.push(format!("{joint}：{}", words.join("、")));
    }
    parts.join("　")
}

fn terms(text: &str) -> Vec<(SkillItemId, i32)> {
    text.split(',')
        .filter_map(|part| {
            let (item, level) = part.split_once(':').unwrap_or((part, "1"));
            Some((item.parse().ok()?, level.parse().ok()?))
        })
        .collect()
}

/// Skills to choose with their lowest level, by framework.
fn skill_fields(view: &View, params: &ExpertListParams, known: &[SkillFrameworkView]) -> String {
    let t = view.tongue;
    if known.iter().all(|framework| framework.items.is_empty()) {
        return String::new();
    }
    let any = params.skills_any.is_some() && params.skills_all.is_none();
    let chosen = terms(params.skills_all.as_deref().or(params.skills_any.as_deref()).unwrap_or_default());
    let top = known.iter().map(|framework| framework.highest_level).max().unwrap_or(5);
    let mut out = String::new();
    for index in 0..SKILL_FIELDS {
        let number = index + 1;
        let here = chosen.get(index).copied();
        let mut list = format!(r#"<option value="">{}</option>"#, t.t("指定しない", "Any"));
        for framework in known {
            let _ = write!(list, r#"<optgroup label="{}">"#, esc(&framework.name));
            for item in &framework.items {
                let selected = if here.is_some_and(|(id, _)| id == item.id) { " selected" } else { "" };
                let _ = write!(list, r#"<option value="{}"{selected}>{}</option>"#, item.id, esc(&item.name));
            }
            list.push_str("</optgroup>");
        }
        let mut levels = String::new();
        for level in 1..=top {
            let selected = if here.is_some_and(|(_, known)| known == level) { " selected" } else { "" };
            let words = if t.english() { format!("≥ {level}") } else { format!("{level}以上") };
            let _ = write!(levels, r#"<option value="{level}"{selected}>{words}</option>"#);
        }
        let _ = write!(
            out,
            r#"<div class="field"><label for="s{number}">{0} {number}</label><select id="s{number}" name="s{number}">{list}</select> <select name="l{number}" aria-label="{0} {number} {1}">{levels}</select></div>"#,
            t.t("スキル", "Skill"),
            t.t("のレベル", "level")
        );
    }
    let _ = write!(
        out,
        r#"<div class="field"><label for="any">{}</label><select id="any" name="any"><option value="false">{}</option><option value="true"{}>{}</option></select></div>"#,
        t.t("スキルの条件", "Skills"),
        t.t("すべて持つ", "All of them"),
        if any { " selected" } else { "" },
        t.t("いずれかを持つ", "One of them")
    );
    out
}

fn selects(conn: &mut Conn, view: &View, params: &ExpertListParams) -> Result<Vec<(&'static str, String, String)>, Error> {
    let t = view.tongue;
    let all = t.t("すべて", "All");
    let field = |name: &'static str, label: &str, options: &[Choice], value: Option<String>| {
        let value = value.unwrap_or_default();
        let all = if name == "sort" { t.t("標準（五十音順）", "Default (by reading)") } else { all };
        (name, label.to_owned(), page_parts::select(&format!("f-{name}"), name, all, options, &value))
    };
    let modes: Vec<Choice> = vec![
        (Mode::Onsite.to_string(), t.t("現地へ行ける", "On site").to_owned()),
        (Mode::Online.to_string(), t.t("オンラインでできる", "Online").to_owned()),
        (Mode::Hybrid.to_string(), t.t("どちらもできる", "Both").to_owned()),
    ];
    let mut statuses: Vec<Choice> = ExpertStatus::ALL.iter().map(|s| (s.to_string(), page_parts::status_word(*s, t))).collect();
    let every: Vec<&str> = ExpertStatus::ALL.iter().map(|s| s.as_str()).collect();
    statuses.push((every.join(","), t.t("登録終了も含む", "Ended ones too").to_owned()));
    let order = |sort: &ExpertSort| {
        let en = match sort {
            ExpertSort::Kana => "By reading",
            ExpertSort::KanaDescending => "By reading, backwards",
            ExpertSort::Id => "By number",
            ExpertSort::Newest => "Latest change first",
        };
        (sort.to_string(), t.t(sort.label_ja(), en).to_owned())
    };
    let orders: Vec<Choice> = ExpertSort::ALL.iter().map(order).collect();
    let kinds: &[&'static str] = if view.ctx.principal.acts_as == Role::Expert { &["pool"] } else { &["organisation", "pool"] };
    let choices = Choices::load(conn, &view.ctx, kinds)?;
    let mut found = vec![field("mode", t.t("方法", "How"), &modes, params.mode.map(|v| v.to_string()))];
    if let Some(bodies) = choices.of("organisation") {
        found.push(field("area", t.t("行き先の団体", "Travels to"), bodies, params.area.map(|v| v.to_string())));
    }
    if let Some(pools) = choices.of("pool").filter(|pools| pools.len() > 1) {
        found.push(field("pool_id", t.t("人材プール", "Pool"), pools, params.pool_id.map(|v| v.to_string())));
    }
    let status = params.status.clone().filter(|status| status != PRESENT).unwrap_or_default();
    let label = t.t("登録の状態", "State").to_owned();
    let blank = t.t("登録中・一時停止中", "Registered or suspended");
    found.push(("status", label, page_parts::select("f-status", "status", blank, &statuses, &status)));
    found.push(field("sort", t.t("並び順", "Order"), &orders, params.sort.clone()));
    Ok(found)
}
