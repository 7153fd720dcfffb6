//! The page of one expert: what the person offers, when, and how much there is to do, as far as one may see it.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::json;

use crate::auth::policy::{ManageExperts, MatchExperts, ReadAudit, ReadDispatches, ReadExperts, ReadWorkload};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::Error;
use crate::experts::availability;
use crate::experts::page_parts;
use crate::experts::pages::how;
use crate::experts::service;
use crate::experts::store;
use crate::experts::views::{ExpertView, Sight};
use crate::experts::workload::{self, ExpertWorkloadView};
use crate::ids::{ExpertId, OrganisationId};
use crate::pools::store as pools_store;
use crate::web::generic;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::Tongue;

/// Areas named; the rest is counted.
const MOST_AREAS: usize = 30;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/experts/{id:[0-9]+}", web::get().to(show));
}

/// A term and what there is to say.
pub type Fact = (&'static str, String);

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/experts">{{ tongue.t("専門家", "Experts") }}</a></li><li>{{ expert.name }}</li></ol></nav>
<h1>{{ expert.name }} {{ status|safe }}</h1>
{% if !expert.kana.is_empty() %}<p class="hint">{{ expert.kana }}{% if !expert.alternative_name.is_empty() && expert.alternative_name != expert.name %}（{{ expert.alternative_name }}）{% endif %}</p>{% endif %}
{{ actions|safe }}
<div class="columns"><div>
{% if !expert.profile.is_empty() %}{% for line in expert.profile.lines() %}<p>{{ line }}</p>{% endfor %}{% endif %}
<h2>{{ tongue.t("登録内容", "Registration") }}</h2>
<dl class="facts">{% for (term, text) in facts %}<dt>{{ term }}</dt><dd>{{ text }}</dd>{% endfor %}</dl>
<h2>{{ tongue.t("スキル", "Skills") }}</h2>
{{ skills|safe }}
</div><aside aria-label="{{ tongue.t("予定と稼働", "Time and load") }}">
{% if let Some(load) = load %}<h2>{{ tongue.t("稼働", "Load") }}</h2>{{ load|safe }}{% endif %}
<h2>{{ tongue.t("対応できる日時", "Availability") }}</h2>{{ week|safe }}
{% if !links.is_empty() %}<h2>{{ tongue.t("関連するページ", "Related pages") }}</h2><ul>{% for (path, label) in links %}<li><a href="{{ path }}">{{ label }}</a></li>{% endfor %}</ul>{% endif %}
</aside></div>"##
)]
struct Show {
    tongue: Tongue,
    expert: ExpertView,
    status: String,
    actions: String,
    facts: Vec<Fact>,
    skills: String,
    load: Option<String>,
    week: String,
    links: Vec<(String, &'static str)>,
}

async fn show(page: Page<ReadExperts>) -> Result<HttpResponse, Error> {
    let id = page.id::<ExpertId>("id")?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let (row, standing) = store::visible(conn, &view.ctx, id)?;
        let sight = service::sight(conn, &view.ctx, standing, id)?;
        let whole = matches!(sight, Sight::Full | Sight::Own);
        let times = availability::view(conn, &row, whole)?;
        let load = if whole && view.may::<ReadWorkload>() {
            Some(load(view, &workload::of(conn, &row, FiscalYear::of(view.ctx.today()))?))
        } else {
            None
        };
        let expert = service::view(conn, row, sight)?;
        let manages = sight == Sight::Full && view.may::<ManageExperts>();
        let path = format!("/experts/{id}");
        let actions = if manages {
            let mut value = serde_json::to_value(&expert).map_err(Error::internal)?;
            value["allowed"] = json!(expert.verbs.clone().unwrap_or_default());
            generic::actions(conn, view, &path, &value)?
        } else {
            String::new()
        };
        let content = Show {
            tongue: t,
            status: page_parts::status_tag(expert.status, t),
            actions,
            facts: facts(conn, view, &expert)?,
            skills: skills(view, &expert),
            load,
            week: page_parts::week(&times, view.ctx.today(), t),
            links: links(view, id, manages, whole, sight),
            expert,
        };
        let title = content.expert.name.clone();
        Ok(Sheet::new(title, content))
    })
    .await
}

fn links(view: &View, id: ExpertId, manages: bool, whole: bool, sight: Sight) -> Vec<(String, &'static str)> {
    let t = |ja: &'static str, en: &'static str| if view.tongue.english() { en } else { ja };
    let below = |name: &str| format!("/experts/{id}/{name}");
    let mut links = Vec::new();
    if view.may::<ReadDispatches>() {
        links.push((format!("/dispatches?expert_id={id}"), t("この専門家の派遣", "Dispatches with this expert")));
    }
    if sight == Sight::Full && view.may::<MatchExperts>() {
        links.push((below("fitting-requests"), t("この専門家に合う申請", "Requests that would fit")));
    }
    if whole && view.may::<ReadWorkload>() {
        links.push((below("workload"), t("月ごとの稼働", "Load by month")));
    }
    if manages {
        links.push((below("skills/edit"), t("スキルを変更する", "Change the skills")));
    }
    links.push((
        below("availability"),
        if manages {
            t("対応できる日時を変更する", "Change the availability")
        } else {
            t("対応できる日時", "Availability")
        },
    ));
    if whole {
        links.push((below("conflicts"), t("利益相反", "Conflicts of interest")));
        links.push((below("payment-profile"), t("支払先・源泉の情報", "Payment profile")));
    }
    if view.may::<ReadAudit>() && sight == Sight::Full {
        links.push((
            format!("/audit-events?entity_kind=expert&entity_id={id}"),
            t("操作履歴（監査記録）", "History (audit trail)"),
        ));
    }
    links
}

/// Skills with their levels; whether somebody other than the expert has confirmed them is said in words.
pub fn skills(view: &View, expert: &ExpertView) -> String {
    let t = view.tongue;
    if expert.skills.is_empty() {
        return format!("<p>{}</p>", t.t("登録されていません。", "None."));
    }
    let mut held: Vec<_> = expert.skills.iter().collect();
    held.sort_by_key(|skill| std::cmp::Reverse(skill.level));
    let mut rows = String::new();
    for skill in held {
        let (class, word) =
            if skill.verified { (" good", t.t("確認済み", "verified")) } else { ("", t.t("自己申告", "claimed")) };
        rows.push_str(&format!(
            r#"<tr><td>{}</td><td class="n">{}</td><td><span class="tag{class}">{word}</span></td></tr>"#,
            crate::web::tongue::esc(&skill.name),
            skill.level
        ));
    }
    format!(
        r#"<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table><thead><tr><th scope="col">{0}</th><th scope="col" class="n">{1}</th><th scope="col">{2}</th></tr></thead><tbody>{rows}</tbody></table></div>"#,
        t.t("スキル", "Skills"),
        t.t("レベル", "Level"),
        t.t("確認", "Confirmed")
    )
}

/// What is registered, as far as it is shown.
pub fn facts(conn: &mut Conn, view: &View, expert: &ExpertView) -> Result<Vec<Fact>, Error> {
    let t = |ja: &'static str, en: &'static str| if view.tongue.english() { en } else { ja };
    let tongue = view.tongue;
    let mut facts: Vec<Fact> = Vec::new();
    let kind = page_parts::word(expert.affiliation_kind.label_ja(), expert.affiliation_kind.as_str(), tongue);
    let affiliation = if expert.affiliation.is_empty() { kind } else { format!("{}（{kind}）", expert.affiliation) };
    facts.push((t("所属", "Affiliation"), affiliation));
    if let Some(email) = &expert.email {
        facts.push((t("メールアドレス", "Mail address"), email.clone()));
    }
    if let Some(phone) = expert.phone.as_ref().filter(|phone| !phone.is_empty()) {
        facts.push((t("電話", "Telephone"), phone.clone()));
    }
    if expert.email.is_none() {
        facts.push((t("連絡先", "Contact"), t("派遣が決まると表示されます", "Shown once a dispatch is decided").to_owned()));
    }
    facts.push((t("方法", "How"), how(expert.onsite, expert.online, tongue).to_owned()));
    if !expert.base_place.is_empty() {
        facts.push((t("拠点", "Base"), expert.base_place.clone()));
    }
    facts.push((t("出向ける地域", "Travels to"), areas(conn, view, &expert.area_ids, expert.serves_islands)?));
    facts.push((t("対応できる言語", "Languages"), languages(&expert.languages, tongue)));
    let until = expert.appointed_to.and_then(|day| day.pred_opt()).map(|day| tongue.day(day));
    let from = tongue.day(expert.appointed_from);
    facts.push((t("委嘱期間", "Appointed"), format!("{from}〜{}", until.unwrap_or_default())));
    let mut limits = Vec::new();
    let minutes = |minutes: i32| tongue.minutes(i64::from(minutes));
    limits.extend(expert.capacity_minutes_week.map(|m| format!("{} {}", t("週", "week"), minutes(m))));
    limits.extend(expert.capacity_minutes_month.map(|m| format!("{} {}", t("月", "month"), minutes(m))));
    limits.extend(expert.capacity_minutes_year.map(|m| format!("{} {}", t("年", "year"), minutes(m))));
    limits.extend(
        expert.capacity_days_year.map(|d| if tongue.english() { format!("{d} days a year") } else { format!("年{d}日") }),
    );
    limits.extend(
        expert.capacity_simultaneous.map(|n| if tongue.english() { format!("{n} at a time") } else { format!("同時に{n}件") }),
    );
    let limits = if limits.is_empty() { t("定めなし", "none").to_owned() } else { limits.join("、") };
    facts.push((t("稼働の上限", "Agreed load"), limits));
    if let Some(consent) = expert.employer_consent {
        let word = page_parts::word(consent.label_ja(), consent.as_str(), tongue);
        let until =
            expert.employer_consent_until.map(|day| format!("（{}{}）", tongue.day(day), t("まで", ""))).unwrap_or_default();
        facts.push((t("兼業の許可", "Employer's permit"), format!("{word}{until}")));
    }
    Ok(facts)
}

/// The names of languages by their codes; one without a name here is told by its code.
pub fn languages(codes: &[String], tongue: Tongue) -> String {
    let name = |code: &String| match (code.as_str(), tongue.english()) {
        ("ja", false) => "日本語".to_owned(),
        ("en", false) => "英語".to_owned(),
        ("zh", false) => "中国語".to_owned(),
        ("ko", false) => "韓国語".to_owned(),
        ("pt", false) => "ポルトガル語".to_owned(),
        ("ja", true) => "Japanese".to_owned(),
        ("en", true) => "English".to_owned(),
        ("zh", true) => "Chinese".to_owned(),
        ("ko", true) => "Korean".to_owned(),
        ("pt", true) => "Portuguese".to_owned(),
        _ => code.clone(),
    };
    codes.iter().map(name).collect::<Vec<_>>().join(tongue.t("、", ", "))
}

/// The bodies by name, as far as one deals with them.
fn areas(conn: &mut Conn, view: &View, ids: &[OrganisationId], islands: bool) -> Result<String, Error> {
    let t = view.tongue;
    let mut words = if ids.is_empty() {
        t.t("全国", "Anywhere").to_owned()
    } else {
        let known = pools_store::bodies_around(conn, &view.ctx)?;
        let named: Vec<&str> =
            known.iter().filter(|(id, _)| ids.contains(id)).map(|(_, name)| name.as_str()).take(MOST_AREAS).collect();
        let rest = ids.len() - named.len();
        let mut words = named.join("、");
        if rest > 0 {
            let more = if t.english() { format!("{rest} more") } else { format!("ほか{rest}団体") };
            words = if words.is_empty() { more } else { format!("{words}、{more}") };
        }
        words
    };
    if !islands {
        words.push_str(t.t("（離島を除く）", " (no islands)"));
    }
    Ok(words)
}

/// This month and this year beside what was agreed.
pub fn load(view: &View, load: &ExpertWorkloadView) -> String {
    let t = view.tongue;
    let month = view.ctx.today().format("%Y-%m").to_string();
    let mut out = String::from("<table><tbody>");
    let mut fact = |term: String, html: String| out.push_str(&format!(r#"<tr><th scope="row">{term}</th><td>{html}</td></tr>"#));
    if let Some(here) = load.months.iter().find(|one| one.month == month) {
        let used = here.planned_minutes + here.done_minutes;
        fact(t.t("今月", "This month").to_owned(), page_parts::minutes_of(used, here.capacity_minutes, t));
    }
    let used = load.planned_minutes + load.done_minutes;
    fact(t.fiscal_year(load.fiscal_year), page_parts::minutes_of(used, load.capacity_minutes, t));
    let of = |used: i64, limit: Option<i32>, ja: &str, en: &str| match (limit, t.english()) {
        (Some(limit), false) => page_parts::meter(used, i64::from(limit), &format!("{used}{ja} / {limit}{ja}")),
        (Some(limit), true) => page_parts::meter(used, i64::from(limit), &format!("{used} / {limit} {en}")),
        (None, false) => format!("{used}{ja}"),
        (None, true) => format!("{used} {en}"),
    };
    fact(t.t("日数", "Days").to_owned(), of(load.days, load.capacity_days, "日", "days"));
    fact(t.t("担当中", "Going on").to_owned(), of(load.engagements, load.capacity_simultaneous, "件", "engagements"));
    out.push_str("</tbody></table>");
    out
}
