//! The calendar: the visits one sees by month and by week, from the same query as the list of visits.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Datelike as _, Days, Months, NaiveDate, Weekday};
use serde::Deserialize;

use crate::auth::policy::{OwnCalendars, ReadDispatches, Role};
use crate::calendar::{month_range, week_range};
use crate::db::Conn;
use crate::dispatches::model::VisitStatus;
use crate::dispatches::page_parts::{self, Tag};
use crate::dispatches::store::Audience;
use crate::dispatches::visit_store::{self, VisitFilter};
use crate::dispatches::visit_views::VisitView;
use crate::error::Error;
use crate::holidays;
use crate::http::ListQuery;
use crate::ids::{OrganisationId, PoolId, VisitId};
use crate::web::choices::Choices;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::Tongue;

/// Visits read at a time.
const AT_ONCE: i64 = 200;
/// Times a period is read on; beyond it the calendar says that it does not show everything.
const READS: usize = 5;
/// Entries of a day in the month; the week shows all.
const MOST_A_DAY: usize = 6;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/calendar", web::get().to(show));
}

/// How the calendar is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Span {
    Month,
    Week,
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    view: Option<Span>,
    day: Option<NaiveDate>,
    pool_id: Option<PoolId>,
}

struct Entry {
    path: String,
    start: String,
    hours: String,
    who: String,
    place: String,
    tag: Tag,
    planned: bool,
}

struct Cell {
    class: String,
    label: String,
    today: bool,
    entries: Vec<Entry>,
    more: Option<(String, usize)>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>{{ tongue.t("予定表", "Calendar") }}　{{ heading }}</h1>
<nav class="verbs" aria-label="{{ tongue.t("期間", "Period") }}"><a class="button plain" href="{{ before.0 }}" rel="prev">‹ {{ before.1 }}</a><a class="button plain" href="{{ now.0 }}">{{ now.1 }}</a><a class="button plain" href="{{ after.0 }}" rel="next">{{ after.1 }} ›</a>
<a href="{{ other.0 }}">{{ other.1 }}</a>{% if feeds %}<a href="/calendar-feeds">{{ tongue.t("予定を購読する（Outlookなど）", "Subscribe (Outlook and others)") }}</a>{% endif %}</nav>
{% if let Some((fields, select)) = pools %}<details class="filter"{% if narrowed %} open{% endif %}><summary>{{ tongue.t("絞り込み", "Filter") }}</summary><form method="get" action="/calendar">{% for (name, value) in fields %}<input type="hidden" name="{{ name }}" value="{{ value }}">{% endfor %}<div class="field"><label for="pool">{{ tongue.t("人材プール", "Pool") }}</label>{{ select|safe }}</div><p class="actions"><button type="submit">{{ tongue.t("絞り込む", "Apply") }}</button></p></form></details>{% endif %}
<p>{{ sum }}</p>
{% if partial %}<p class="notice warn">{{ tongue.t("訪問が多いため、一部だけを表示しています。週で見るか、訪問の一覧をご利用ください。", "There are too many visits to show them all here: look at a week, or at the list of visits.") }}</p>{% endif %}
{% if !undated.is_empty() %}<h2>{{ tongue.t("日程調整中", "To be arranged") }}（{{ undated.len() }}{{ tongue.t("件", "") }}）</h2><ul>{% for entry in undated %}<li><a href="{{ entry.path }}">{{ entry.who }}</a>{% if !entry.place.is_empty() %}　{{ entry.place }}{% endif %}</li>{% endfor %}</ul>{% endif %}
{% if month %}<table class="month" aria-label="{{ heading }}"><thead><tr>{% for name in weekdays %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for week in weeks %}<tr>{% for cell in week %}<td{% if !cell.class.is_empty() %} class="{{ cell.class }}"{% endif %}><span class="day">{{ cell.label }}{% if cell.today %} {{ tongue.t("今日", "today") }}{% endif %}</span>{% if !cell.entries.is_empty() %}<ul>{% for entry in cell.entries %}<li><a href="{{ entry.path }}">{{ entry.start }} {{ entry.who }}</a>{% if !entry.planned %} {{ entry.tag.html()|safe }}{% endif %}</li>{% endfor %}{% if let Some((path, count)) = cell.more %}<li><a href="{{ path }}">{% if tongue.english() %}{{ count }} more{% else %}ほか{{ count }}件{% endif %}</a></li>{% endif %}</ul>{% endif %}</td>{% endfor %}</tr>{% endfor %}
</tbody></table>
{% else %}<table><thead><tr><th scope="col">{{ tongue.t("日", "Day") }}</th><th scope="col">{{ tongue.t("訪問", "Visits") }}</th></tr></thead><tbody>{% for week in weeks %}{% for cell in week %}<tr{% if cell.today %} class="fresh"{% endif %}><th scope="row">{{ cell.label }}{% if cell.today %} <span class="tag warn">{{ tongue.t("今日", "today") }}</span>{% endif %}</th><td>{% if cell.entries.is_empty() %}<span class="hint">{{ tongue.t("予定なし", "Nothing") }}</span>{% else %}<ul>{% for entry in cell.entries %}<li><a href="{{ entry.path }}">{{ entry.hours }}　{{ entry.who }}</a>{% if !entry.place.is_empty() %}　{{ entry.place }}{% endif %} {{ entry.tag.html()|safe }}</li>{% endfor %}</ul>{% endif %}</td></tr>{% endfor %}{% endfor %}</tbody></table>{% endif %}"#
)]
struct Calendar {
    tongue: Tongue,
    heading: String,
    month: bool,
    before: (String, &'static str),
    now: (String, &'static str),
    after: (String, &'static str),
    other: (String, &'static str),
    feeds: bool,
    pools: Option<(Vec<(&'static str, String)>, String)>,
    narrowed: bool,
    sum: String,
    partial: bool,
    undated: Vec<Entry>,
    weekdays: Vec<&'static str>,
    weeks: Vec<Vec<Cell>>,
}

/// The visits of a period that count or are ahead, and whether that is all of them.
fn visits_of(
    conn: &mut Conn,
    view: &View,
    asked: &Asked,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<(Vec<VisitView>, bool), Error> {
    let filter = VisitFilter {
        pool_id: asked.pool_id,
        from: Some(from),
        to: Some(to),
        statuses: vec![VisitStatus::Held, VisitStatus::Planned, VisitStatus::Done, VisitStatus::NoShow],
        ..VisitFilter::default()
    };
    let none: [(VisitId, OrganisationId); 0] = [];
    let (mut found, mut cursor) = (Vec::new(), None);
    for _ in 0..READS {
        let list = ListQuery::new(Some(AT_ONCE), cursor.as_deref(), &("calendar", &filter))?;
        let lines = visit_store::list(conn, Audience::of(&view.ctx), &filter, &list)?;
        let page = list.page(lines, |line| (line.visit.load_day.to_string(), line.visit.id.0));
        found.extend(page.items.iter().map(|line| VisitView::of_line(line, &none)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok((found, false));
        }
    }
    Ok((found, true))
}

/// A month as people name it: 令和8年11月.
fn month_name(day: NaiveDate, tongue: Tongue) -> String {
    if tongue.english() {
        return day.format("%B %Y").to_string();
    }
    let first = tongue.day(month_range(day).0);
    first.strip_suffix("1日").unwrap_or(&first).to_owned()
}

fn entry(view: &View, visit: &VisitView) -> Entry {
    let t = view.tongue;
    let who = match view.ctx.principal.acts_as {
        Role::Expert => visit.applicant_name.clone(),
        Role::PrefecturalCoordinator | Role::Auditor => format!("{}・{}", visit.applicant_name, visit.expert_name),
        _ => format!("{}　{}", visit.expert_name, visit.theme),
    };
    Entry {
        path: format!("/visits/{}", visit.id),
        start: visit.start_minute.map(|minute| t.time(minute)).unwrap_or_default(),
        hours: page_parts::hours(visit, t).unwrap_or_default(),
        who: who.trim().to_owned(),
        place: page_parts::how(visit, t),
        tag: page_parts::visit_tag(visit, t),
        planned: visit.status == VisitStatus::Planned,
    }
}

/// The day as the calendar writes it: 3（火・祝）.
fn day_label(day: NaiveDate, month_shown: Option<NaiveDate>, tongue: Tongue) -> String {
    let holiday = holidays::is_national_holiday(day);
    let weekday = tongue.weekday(day.weekday());
    let Some(shown) = month_shown else {
        let closed = holidays::is_closed(day) && !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let word = match (holiday, closed) {
            (true, _) => tongue.t("　祝日", ", holiday"),
            (false, true) => tongue.t("　閉庁日", ", offices closed"),
            (false, false) => "",
        };
        return format!("{}{word}", tongue.short_day(day));
    };
    let number = if day.month() == shown.month() { day.day().to_string() } else { format!("{}/{}", day.month(), day.day()) };
    match (tongue.english(), holiday) {
        (false, true) => format!("{number}（{weekday}・祝）"),
        (false, false) => format!("{number}（{weekday}）"),
        (true, true) => format!("{number} {weekday}, holiday"),
        (true, false) => format!("{number} {weekday}"),
    }
}

fn class(day: NaiveDate, shown: NaiveDate, today: NaiveDate, empty: bool) -> String {
    let mut classes = Vec::new();
    if (day.year(), day.month()) != (shown.year(), shown.month()) {
        classes.push("other");
    }
    if day == today {
        classes.push("today");
    }
    if empty && day != today {
        classes.push("empty");
    }
    match day.weekday() {
        Weekday::Sat => classes.push("sat"),
        Weekday::Sun => classes.push("sun"),
        _ => {}
    }
    if holidays::is_national_holiday(day) {
        classes.push("holiday");
    }
    classes.join(" ")
}

/// The address of a period.
fn address(span: Span, day: Option<NaiveDate>, pool: Option<PoolId>) -> String {
    let mut kept = Vec::new();
    if span == Span::Week {
        kept.push(("view", "week".to_owned()));
    }
    kept.extend(day.map(|day| ("day", day.to_string())));
    kept.extend(pool.map(|pool| ("pool_id", pool.to_string())));
    page_parts::address("/calendar", &kept, &[])
}

async fn show(page: Page<ReadDispatches>) -> Result<HttpResponse, Error> {
    let asked: Asked = page.query()?;
    page.show(move |conn, view| {
        let (t, today) = (view.tongue, view.ctx.today());
        let span = asked.view.unwrap_or(Span::Month);
        let day = asked.day.unwrap_or(today);
        let (first, last) = if span == Span::Month { month_range(day) } else { week_range(day) };
        let (from, to) = (week_range(first).0, week_range(last).1);
        let (visits, partial) = visits_of(conn, view, &asked, from, to)?;
        let counted = visits.iter().filter(|visit| visit.day.is_some_and(|day| first <= day && day <= last));
        let minutes: i64 = counted.clone().map(|visit| i64::from(visit.actual_minutes.unwrap_or(visit.planned_minutes))).sum();
        let count = counted.count();
        let sum = if t.english() {
            format!("{count} visits, {}", t.minutes(minutes))
        } else {
            format!("訪問 {count}回　{}", t.minutes(minutes))
        };
        let undated = visits.iter().filter(|visit| visit.to_be_arranged).map(|visit| entry(view, visit)).collect();
        let content = Calendar {
            tongue: t,
            heading: if span == Span::Month { month_name(day, t) } else { page_parts::short_period(first, last, t) },
            month: span == Span::Month,
            before: step(span, day, false, asked.pool_id, t),
            now: (address(span, None, asked.pool_id), t.t("今日", "Today")),
            after: step(span, day, true, asked.pool_id, t),
            other: if span == Span::Month {
                let start = if first <= today && today <= last { today } else { first };
                (address(Span::Week, Some(start), asked.pool_id), t.t("週で見る", "By week"))
            } else {
                (address(Span::Month, Some(day), asked.pool_id), t.t("月で見る", "By month"))
            },
            feeds: view.may::<OwnCalendars>(),
            pools: pools(conn, view, &asked)?,
            narrowed: asked.pool_id.is_some(),
            sum,
            partial,
            undated,
            weekdays: [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun]
                .into_iter()
                .map(|weekday| t.weekday(weekday))
                .collect(),
            weeks: weeks(view, &visits, span, (from, to), &asked, first),
        };
        Ok(Sheet::new(t.t("予定表", "Calendar"), content))
    })
    .await
}

/// The period before or after.
fn step(span: Span, day: NaiveDate, forward: bool, pool: Option<PoolId>, tongue: Tongue) -> (String, &'static str) {
    let (target, label) = match (span, forward) {
        (Span::Month, true) => (month_range(day).0.checked_add_months(Months::new(1)), ("翌月", "Next month")),
        (Span::Month, false) => (month_range(day).0.checked_sub_months(Months::new(1)), ("前月", "Previous month")),
        (Span::Week, true) => (week_range(day).0.checked_add_days(Days::new(7)), ("翌週", "Next week")),
        (Span::Week, false) => (week_range(day).0.checked_sub_days(Days::new(7)), ("前週", "Previous week")),
    };
    (address(span, target, pool), if tongue.english() { label.1 } else { label.0 })
}

/// The choice of a pool, where there is one.
fn pools(conn: &mut Conn, view: &View, asked: &Asked) -> Result<Option<(Vec<(&'static str, String)>, String)>, Error> {
    if view.ctx.principal.acts_as == Role::Expert {
        return Ok(None);
    }
    let choices = Choices::load(conn, &view.ctx, &["pool"])?;
    let Some(options) = choices.of("pool").filter(|options| options.len() > 1) else { return Ok(None) };
    let mut fields = Vec::new();
    if asked.view == Some(Span::Week) {
        fields.push(("view", "week".to_owned()));
    }
    fields.extend(asked.day.map(|day| ("day", day.to_string())));
    let chosen = asked.pool_id.map(|id| id.to_string()).unwrap_or_default();
    Ok(Some((fields, page_parts::select("pool", "pool_id", view.t("すべて", "All"), options, &chosen))))
}

/// The days in rows of seven with their visits in the order of the clock.
fn weeks(
    view: &View,
    visits: &[VisitView],
    span: Span,
    (from, to): (NaiveDate, NaiveDate),
    asked: &Asked,
    shown: NaiveDate,
) -> Vec<Vec<Cell>> {
    let today = view.ctx.today();
    let mut by_day: BTreeMap<NaiveDate, Vec<&VisitView>> = BTreeMap::new();
    for visit in visits {
        if let Some(day) = visit.day {
            by_day.entry(day).or_default().push(visit);
        }
    }
    let days: Vec<NaiveDate> = from.iter_days().take_while(|day| *day <= to).collect();
    let cell = |day: &NaiveDate| {
        let mut of_day = by_day.get(day).cloned().unwrap_or_default();
        of_day.sort_by_key(|visit| (visit.start_minute, visit.id));
        let most = if span == Span::Month { MOST_A_DAY } else { usize::MAX };
        let more = of_day.len().saturating_sub(most);
        Cell {
            class: class(*day, shown, today, of_day.is_empty()),
            label: day_label(*day, (span == Span::Month).then_some(shown), view.tongue),
            today: *day == today,
            entries: of_day.iter().take(most).map(|visit| entry(view, visit)).collect(),
            more: (more > 0).then(|| (address(Span::Week, Some(*day), asked.pool_id), more)),
        }
    };
    days.chunks(7).map(|week| week.iter().map(cell).collect()).collect()
}
