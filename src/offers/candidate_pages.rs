//! Choosing whom to ask: candidates side by side, the whole ranking, who is out and why, what would bring in more.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::candidate_load::{self, LoadRow};
use super::service;
use crate::auth::policy::MatchExperts;
use crate::db::Conn;
use crate::error::Error;
use crate::http::ListQuery;
use crate::ids::{ExpertId, RequestId};
use crate::matching::{ExclusionCode, ScorePart, ScorePartCode};
use crate::offers::candidates::{self, CandidateView};
use crate::offers::model::OfferStatus;
use crate::offers::near;
use crate::requests::store::{self as requests, RequestRow};
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::Tongue;

/// Candidates shown side by side.
const SIDE_BY_SIDE: usize = 5;
/// Candidates among whom those that were chosen are looked for.
const FAR_DOWN: i64 = 200;
/// Excluded experts on a page.
const EXCLUDED: i64 = 30;
/// So few candidates that what would bring in more is shown unasked.
const FEW: usize = 3;

/// Registers the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/requests/{id:[0-9]+}/candidates", web::get().to(compare)).configure(super::ask_pages::configure);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompareParams {
    compare: Option<String>,
    near: Option<bool>,
    excluded: Option<bool>,
    after: Option<String>,
    cursor: Option<String>,
}

/// Something that can be said about every candidate.
struct Row {
    label: &'static str,
    cells: Vec<(String, String)>,
}

struct Column {
    id: i64,
    rank: u32,
    name: String,
    affiliation: String,
    score: u32,
    asked: String,
    can_be_asked: bool,
    off: String,
}

struct Line {
    id: i64,
    rank: u32,
    name: String,
    affiliation: String,
    score: u32,
    points: Vec<(u32, u32)>,
    asked: String,
    can_be_asked: bool,
    toggle: String,
    compared: bool,
}

struct Out {
    id: i64,
    name: String,
    reasons: Vec<String>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<nav class="crumbs" aria-label="{{ tongue.t("現在地", "You are here") }}"><ol><li><a href="/requests">{{ tongue.t("申請", "Requests") }}</a></li><li><a href="/requests/{{ id }}">{{ theme }}</a></li><li>{{ tongue.t("候補者", "Candidates") }}</li></ol></nav>
<h1>{{ tongue.t("候補者を比べる", "Compare candidates") }}</h1>
<p>{{ about }}</p>
<p role="status">{{ summary }}</p>
{% if !open %}<div class="notice"><p>{% if over %}{{ tongue.t("この申請では、もう打診できません。", "Nobody can be asked for this request any more.") }}{% else %}{{ tongue.t("打診できるのは、申請を受理した後です。いまは下見としてご覧ください。", "Experts can be asked once the request is accepted; this is a preview.") }}{% endif %}</p></div>{% endif %}
{% if nobody %}<div class="notice warn"><p>{{ tongue.t("条件に合う専門家がいません。下の「あと一歩の候補者」と、対象外の理由を確かめてください。", "Nobody fits. See below what would bring somebody in, and why the others are out.") }}</p></div>{% else %}
{% if !missing.is_empty() %}<div class="notice"><p>{{ missing }}</p></div>{% endif %}
{% if columns.is_empty() %}<p><a href="/requests/{{ id }}/candidates">{{ tongue.t("上位の候補者を並べて比べる", "Compare the best side by side") }}</a></p>{% else %}<h2 id="compare">{{ tongue.t("並べて比べる", "Side by side") }}</h2>
<p class="hint">{{ tongue.t("得点は、かっこの中の満点に対する点数です。", "Points out of the most in brackets.") }}{% if chosen %}{{ tongue.t("選んだ人を並べています。", " Those you chose are shown.") }}{% else %}{{ tongue.t("上位の人を並べています（5人まで）。", " The best are shown, up to five.") }}{% endif %}{{ tongue.t("下の一覧の「並べる」で、比べる人を選び直せます。", " Choose others in the list below.") }}{% if chosen %} <a href="/requests/{{ id }}/candidates">{{ tongue.t("上位の人に戻す", "Back to the best") }}</a>{% endif %}</p>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("候補者の比較", "Comparison of candidates") }}"><table><thead><tr><th scope="col">{{ tongue.t("項目", "Part") }}</th>{% for column in columns %}<th scope="col">{{ column.rank }}{{ tongue.t("位", ".") }} <a href="/experts/{{ column.id }}">{{ column.name }}</a></th>{% endfor %}</tr></thead><tbody>
<tr><th scope="row">{{ tongue.t("総合点（1000）", "Total (1000)") }}</th>{% for column in columns %}<td><strong>{{ column.score }}</strong></td>{% endfor %}</tr>
<tr><th scope="row">{{ tongue.t("打診", "Offer") }}</th>{% for column in columns %}<td>{% if !column.asked.is_empty() %}<span class="tag">{{ column.asked }}</span> {% endif %}{% if column.can_be_asked %}<a class="button{% if !loop.first %} plain{% endif %}" href="/requests/{{ id }}/offers/new?expert_id={{ column.id }}">{{ tongue.t("この人に打診する", "Ask") }}</a>{% endif %}{% if chosen %} <a href="{{ column.off }}">{{ tongue.t("比較から外す", "Take out") }}</a>{% endif %}</td>{% endfor %}</tr>
{% for row in rows %}<tr><th scope="row">{{ row.label }}</th>{% for (points, detail) in row.cells %}<td><strong>{{ points }}</strong><br>{{ detail }}</td>{% endfor %}</tr>{% endfor %}
{% for (label, cells) in loads %}<tr><th scope="row">{{ label }}</th>{% for cell in cells %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}
<tr><th scope="row">{{ tongue.t("所属", "Affiliation") }}</th>{% for column in columns %}<td>{{ column.affiliation }}</td>{% endfor %}</tr>
</tbody></table></div>{% endif %}
<h2 id="all">{{ tongue.t("候補者の一覧", "All candidates") }}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("候補者の一覧", "All candidates") }}"><table><thead><tr><th scope="col" class="n">{{ tongue.t("順位", "Rank") }}</th><th scope="col">{{ tongue.t("専門家", "Expert") }}</th><th scope="col" class="n">{{ tongue.t("総合点", "Total") }}</th>{% for (label, most) in heads %}<th scope="col" class="n">{{ label }}<br><span class="hint">{{ most }}</span></th>{% endfor %}<th scope="col">{{ tongue.t("打診", "Offer") }}</th><th scope="col">{{ tongue.t("比較", "Compare") }}</th></tr></thead><tbody>
{% for line in lines %}<tr><td class="n">{{ line.rank }}</td><td><a href="/experts/{{ line.id }}">{{ line.name }}</a><br><span class="hint">{{ line.affiliation }}</span></td><td class="n"><strong>{{ line.score }}</strong></td>{% for (points, _) in line.points %}<td class="n">{{ points }}</td>{% endfor %}<td>{% if !line.asked.is_empty() %}<span class="tag">{{ line.asked }}</span> {% endif %}{% if line.can_be_asked %}<a href="/requests/{{ id }}/offers/new?expert_id={{ line.id }}" aria-label="{{ line.name }}{{ tongue.t("に打診する", ": ask") }}">{{ tongue.t("打診する", "Ask") }}</a>{% endif %}</td><td><a href="{{ line.toggle }}" aria-label="{{ line.name }}{% if line.compared %}{{ tongue.t("を比較から外す", ": take out") }}{% else %}{{ tongue.t("を並べる", ": put side by side") }}{% endif %}">{% if line.compared %}{{ tongue.t("外す", "Take out") }}{% else %}{{ tongue.t("並べる", "Add") }}{% endif %}</a></td></tr>{% endfor %}
</tbody></table></div>
{% if let Some(href) = next %}<p class="actions"><a class="button plain" href="{{ href }}" rel="next">{{ tongue.t("次の候補者", "More candidates") }}</a></p>{% endif %}{% endif %}
<h2 id="near">{{ tongue.t("あと一歩の候補者", "Nearly fitting") }}</h2>
{% if let Some(near) = near %}{% if near.is_empty() %}<p>{{ tongue.t("条件を少し変えても、増える人はいません。", "Small changes would bring in nobody.") }}</p>{% else %}<p class="hint">{{ tongue.t("条件を変えると、対応できる人が増えます。変えるときは、申請団体と相談してください。", "What would bring in more; talk it over with the applicant.") }}</p><ul>{% for line in near %}<li>{{ line }}</li>{% endfor %}</ul>{% endif %}{% else %}<p><a href="?near=true#near">{{ tongue.t("条件をどう変えれば候補者が増えるかを調べる", "Find out which changes would bring in more") }}</a></p>{% endif %}
<h2 id="excluded">{{ tongue.t("対象外の専門家", "Experts who are out") }}</h2>
{% if !counts.is_empty() %}<table><caption>{{ tongue.t("理由別の人数（一人に複数の理由があります）", "By reason; one expert may have several") }}</caption><thead><tr><th scope="col">{{ tongue.t("理由", "Reason") }}</th><th scope="col" class="n">{{ tongue.t("人数", "Experts") }}</th></tr></thead><tbody>{% for (reason, count) in counts %}<tr><td>{{ reason }}</td><td class="n">{{ count }}</td></tr>{% endfor %}</tbody></table>{% else %}<p>{{ tongue.t("対象外の人はいません。", "Nobody is out.") }}</p>{% endif %}
{% if let Some(out) = excluded %}<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("対象外の専門家", "Experts who are out") }}"><table><thead><tr><th scope="col">{{ tongue.t("専門家", "Expert") }}</th><th scope="col">{{ tongue.t("理由", "Reasons") }}</th></tr></thead><tbody>{% for one in out %}<tr><td><a href="/experts/{{ one.id }}">{{ one.name }}</a></td><td>{% for reason in one.reasons %}{% if !loop.first %}<br>{% endif %}{{ reason }}{% endfor %}</td></tr>{% endfor %}</tbody></table></div>
{% if let Some(href) = further %}<p class="actions"><a class="button plain" href="{{ href }}" rel="next">{{ tongue.t("対象外の続き", "More of them") }}</a></p>{% endif %}{% else if !counts.is_empty() %}<p><a href="?excluded=true#excluded">{{ tongue.t("一人ずつの理由を見る", "See the reasons of each") }}</a></p>{% endif %}"##
)]
struct Comparison {
    tongue: Tongue,
    id: RequestId,
    theme: String,
    about: String,
    summary: String,
    /// Experts are asked for the request now.
    open: bool,
    /// The request is past that.
    over: bool,
    /// No expert at all can take it.
    nobody: bool,
    /// That some of those who were chosen are not candidates, in words.
    missing: String,
    chosen: bool,
    columns: Vec<Column>,
    rows: Vec<Row>,
    loads: Vec<LoadRow>,
    heads: Vec<(&'static str, u32)>,
    lines: Vec<Line>,
    next: Option<String>,
    near: Option<Vec<String>>,
    counts: Vec<(&'static str, u32)>,
    excluded: Option<Vec<Out>>,
    further: Option<String>,
}

fn part_name(t: Tongue, code: ScorePartCode) -> &'static str {
    let (ja, en) = match code {
        ScorePartCode::Skill => ("スキル", "Skills"),
        ScorePartCode::Evidence => ("実績", "Evidence"),
        ScorePartCode::Wish => ("指名", "Wish"),
        ScorePartCode::Date => ("日程", "Dates"),
        ScorePartCode::Travel => ("移動", "Travel"),
        ScorePartCode::Load => ("稼働の余裕", "Load"),
        ScorePartCode::Continuity => ("この団体での実績", "Earlier work here"),
        ScorePartCode::Response => ("回答の早さ", "Answers"),
    };
    if t.english() { en } else { ja }
}

fn reason_name(t: Tongue, code: ExclusionCode) -> &'static str {
    use ExclusionCode as C;
    let (ja, en) = match code {
        C::NotRegistered => ("登録されていない", "Not registered"),
        C::Suspended => ("一時停止中", "Suspended"),
        C::AppointmentNotStarted => ("委嘱がまだ始まらない", "Appointment not begun"),
        C::AppointmentEnded => ("委嘱が終わる", "Appointment ended"),
        C::ConflictOfInterest => ("利益相反のおそれ", "Conflict of interest"),
        C::Refused => ("本人または団体が希望しない", "Refused by either side"),
        C::ProgrammeLimit => ("事業の回数の上限", "Limit of the programme"),
        C::ModeNotOffered => ("訪問・オンラインに対応しない", "Mode not offered"),
        C::OutsideArea => ("訪問できる地域の外", "Outside the area"),
        C::IslandNotServed => ("離島に対応しない", "Not to islands"),
        C::LanguageMissing => ("言語に対応しない", "Language missing"),
        C::SkillsMissing => ("必須スキルが足りない", "Skills missing"),
        C::EmployerConsent => ("勤務先の許可がない", "No consent of the employer"),
        C::OnLeave => ("休止期間中", "On leave"),
        C::OutsideAvailability => ("対応できる曜日・時間の外", "Outside the hours"),
        C::CalendarBusy => ("ほかの予定と重なる", "Other engagements"),
        C::NoDatePossible => ("対応できる希望日がない", "No wished date possible"),
        C::WeekCapacity => ("週の稼働枠が足りない", "Week is full"),
        C::MonthCapacity => ("月の稼働枠が足りない", "Month is full"),
        C::FiscalYearCapacity => ("年度の稼働枠が足りない", "Year is full"),
        C::FiscalYearDays => ("年度の日数が足りない", "Days of the year used up"),
        C::SimultaneousCapacity => ("同時に担当できる件数の上限", "Too many at a time"),
    };
    if t.english() { en } else { ja }
}

/// Where the latest offer to a candidate stands, and whether the candidate can be asked; `open`: anybody can.
fn asked(t: Tongue, open: bool, candidate: &CandidateView) -> (String, bool) {
    let words = candidate.offer_status.map(|status| t.t(status.label_ja(), status.as_str()).replace('_', " "));
    let stands = candidate.offer_status.is_some_and(OfferStatus::stands);
    (words.unwrap_or_default(), open && !stands)
}

fn affiliation(t: Tongue, candidate: &CandidateView) -> String {
    let kind = t.t(candidate.affiliation_kind.label_ja(), candidate.affiliation_kind.as_str()).replace('_', " ");
    if candidate.affiliation.is_empty() { kind } else { format!("{}（{kind}）", candidate.affiliation) }
}

fn detail(t: Tongue, part: &ScorePart) -> String {
    t.t(&part.detail_ja, &part.detail_en).to_owned()
}

/// The address with other experts side by side.
fn with_compared(id: RequestId, ids: &[i64]) -> String {
    let list: Vec<String> = ids.iter().map(ToString::to_string).collect();
    if list.is_empty() {
        format!("/requests/{id}/candidates")
    } else {
        format!("/requests/{id}/candidates?compare={}#compare", list.join(","))
    }
}

async fn compare(page: Page<MatchExperts>) -> Result<HttpResponse, Error> {
    let id = page.id::<RequestId>("id")?;
    let params = page.query::<CompareParams>()?;
    page.show(move |conn, view| {
        let t = view.tongue;
        let request = requests::owned(conn, &view.ctx, id)?;
        let open = service::takes_offers(conn, &request)?;
        // Who was chosen may stand far down.
        let limit = params.compare.as_ref().map(|_| FAR_DOWN);
        let list = ListQuery::new(limit, params.cursor.as_deref(), &("candidates", id))?;
        let found = candidates::page(conn, &view.ctx, &request, &list)?;
        let wanted: Vec<i64> =
            params.compare.as_deref().unwrap_or_default().split(',').filter_map(|one| one.parse().ok()).collect();
        let is_there = |id: &i64| found.items.iter().any(|candidate| candidate.expert_id.0 == *id);
        let mut shown: Vec<i64> = wanted.iter().copied().filter(is_there).take(SIDE_BY_SIDE).collect();
        let missing = wanted.iter().filter(|id| !is_there(id)).count();
        let chosen = !shown.is_empty();
        // The best stand on the first page alone.
        if !chosen && params.cursor.is_none() {
            shown = found.items.iter().take(SIDE_BY_SIDE).map(|candidate| candidate.expert_id.0).collect();
        }
        let side: Vec<&CandidateView> = found.items.iter().filter(|one| shown.contains(&one.expert_id.0)).collect();
        let columns = side
            .iter()
            .map(|one| {
                let (asked, can_be_asked) = asked(t, open, one);
                let others: Vec<i64> = shown.iter().copied().filter(|id| *id != one.expert_id.0).collect();
                Column {
                    id: one.expert_id.0,
                    rank: one.rank,
                    name: one.name.clone(),
                    affiliation: affiliation(t, one),
                    score: one.score,
                    asked,
                    can_be_asked,
                    off: with_compared(id, &others),
                }
            })
            .collect();
        let heads: Vec<(&'static str, u32)> = found
            .items
            .first()
            .map(|one| one.parts.iter().map(|part| (part_name(t, part.code), part.max)).collect())
            .unwrap_or_default();
        let rows = heads
            .iter()
            .enumerate()
            .map(|(index, (label, _))| Row {
                label,
                cells: side
                    .iter()
                    .filter_map(|one| one.parts.get(index))
                    .map(|part| (format!("{}（{}）", part.points, part.max), detail(t, part)))
                    .collect(),
            })
            .collect();
        let side_ids: Vec<ExpertId> = side.iter().map(|one| one.expert_id).collect();
        let accepted: Vec<ExpertId> =
            side.iter().filter(|one| one.offer_status == Some(OfferStatus::Accepted)).map(|one| one.expert_id).collect();
        let loads = candidate_load::rows(conn, t, &request, &side_ids, &accepted)?;
        let few = found.eligible_count <= FEW;
        let near = if few || params.near == Some(true) { Some(nearly(conn, view, &request)?) } else { None };
        let (excluded, further) = if params.excluded == Some(true) || params.after.is_some() {
            excluded(conn, view, &request, params.after.as_deref())?
        } else {
            (None, None)
        };
        let summary = if t.english() {
            format!("{} can take it, {} cannot.", found.eligible_count, found.excluded_count)
        } else {
            format!("対応できる人 {}人、対象外 {}人", found.eligible_count, found.excluded_count)
        };
        let content = Comparison {
            tongue: t,
            id,
            theme: request.theme.clone(),
            about: about(t, &request),
            summary,
            open,
            over: request.status.is_under_way() || request.status.verbs().is_empty(),
            nobody: found.eligible_count == 0,
            missing: missing_in_words(t, missing),
            chosen,
            columns,
            rows,
            loads,
            heads,
            lines: found.items.iter().map(|one| line(t, (id, open), one, &shown)).collect(),
            next: found.next_cursor.map(|cursor| format!("/requests/{id}/candidates?cursor={cursor}#all")),
            near,
            counts: found.exclusion_counts.iter().map(|count| (reason_name(t, count.code), count.count)).collect(),
            excluded,
            further,
        };
        Ok(Sheet::new(view.t("候補者を比べる", "Compare candidates"), content))
    })
    .await
}

/// What is asked for, in one line.
pub fn about(t: Tongue, request: &RequestRow) -> String {
    let work = if t.english() {
        format!("{} visits of {}", request.visit_count, t.minutes(i64::from(request.minutes_per_visit)))
    } else {
        format!("{}回・1回{}", request.visit_count, t.minutes(i64::from(request.minutes_per_visit)))
    };
    let mode = t.t(request.mode.label_ja(), request.mode.as_str());
    format!("{}　{work}　{mode}　{}", t.period(request.period_from, request.period_to), request.place)
}

/// That some of those who were chosen to be compared are not among the candidates.
fn missing_in_words(t: Tongue, missing: usize) -> String {
    match (missing, t.english()) {
        (0, _) => String::new(),
        (_, true) => format!("{missing} of those you chose are not among the {FAR_DOWN} best candidates now."),
        (_, false) => {
            format!("選んだ人のうち{missing}人は、いまの候補者（上位{FAR_DOWN}人）に入っていないため、並べていません。")
        }
    }
}

fn line(t: Tongue, (request, open): (RequestId, bool), one: &CandidateView, shown: &[i64]) -> Line {
    let (asked, can_be_asked) = asked(t, open, one);
    let expert = one.expert_id.0;
    let compared = shown.contains(&expert);
    let mut others: Vec<i64> = shown.iter().copied().filter(|id| *id != expert).collect();
    if !compared {
        // The newcomer takes the last place.
        others.truncate(SIDE_BY_SIDE - 1);
        others.push(expert);
    }
    Line {
        id: expert,
        rank: one.rank,
        name: one.name.clone(),
        affiliation: affiliation(t, one),
        score: one.score,
        points: one.parts.iter().map(|part| (part.points, part.max)).collect(),
        asked,
        can_be_asked,
        toggle: with_compared(request, &others),
        compared,
    }
}

/// What would bring in more, in words.
fn nearly(conn: &mut Conn, view: &View, request: &RequestRow) -> Result<Vec<String>, Error> {
    let t = view.tongue;
    let found = near::near_misses(conn, &view.ctx, request)?;
    let mut lines: Vec<String> = found
        .changes
        .iter()
        .map(|set| {
            if t.english() {
                format!("{} more: {}", set.count, set.detail_en)
            } else {
                format!("{}人 増えます：{}", set.count, set.detail_ja)
            }
        })
        .collect();
    if let Some(later) = &found.later {
        let period = t.period(later.period_from, later.period_to);
        lines.push(if t.english() {
            format!("{} more: another time, {period}", later.count)
        } else {
            format!("{}人 増えます：時期を{period}に移す", later.count)
        });
    }
    lines.extend(found.other_pools.iter().map(|pool| {
        if t.english() {
            format!("{} in another pool: {}", pool.count, pool.name)
        } else {
            format!("{}人 います：別の人材プール「{}」", pool.count, pool.name)
        }
    }));
    Ok(lines)
}

type Excluded = (Option<Vec<Out>>, Option<String>);

fn excluded(conn: &mut Conn, view: &View, request: &RequestRow, after: Option<&str>) -> Result<Excluded, Error> {
    let list = ListQuery::new(Some(EXCLUDED), after, &("excluded", request.id))?;
    let page = candidates::excluded_page(conn, request, &list)?;
    let out = page
        .items
        .into_iter()
        .map(|one| Out {
            id: one.expert_id.0,
            name: one.name,
            reasons: one.reasons.iter().map(|reason| view.t(&reason.detail_ja, &reason.detail_en).to_owned()).collect(),
        })
        .collect();
    let further = page.next_cursor.map(|cursor| format!("/requests/{}/candidates?after={cursor}#excluded", request.id));
    Ok((Some(out), further))
}
