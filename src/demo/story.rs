//! What has happened in the demo world: a ledger of past years, and a year of requests, each as far as its own time has
//! come.

use base64::Engine as _;
use chrono::{Duration, NaiveDate};
use serde_json::json;

use super::people::{Cast, working_day};
use super::{body, change, step};
use crate::auth::principal::Principal;
use crate::calendar::{FiscalYear, jst_to_utc};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::dispatches::{decide, reports, visits};
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::{DispatchId, OfferId, RequestId, VisitId};
use crate::imports::service as imports;
use crate::offers::{answer, service as offers, store as offer_store};
use crate::requests::{draft, review, store as requests, submit};

const THEMES: &[(&str, &str)] = &[
    ("窓口業務の見直しと電子申請の拡大", "来庁者の待ち時間が長く、申請の多くが紙のまま残っている。"),
    ("生成AI利用ガイドラインの策定", "職員の利用が広がり、取扱いの基準が必要になった。"),
    ("データに基づく政策立案の研修", "統計の読み方を学び、事業評価に生かしたい。"),
    ("情報セキュリティポリシーの改定", "国のガイドライン改定に合わせた見直しが必要。"),
    ("標準化対応の工程管理", "移行計画の遅れを見える化し、優先順位を決めたい。"),
    ("kintoneによる庁内業務の内製化", "担当課が自分で業務アプリを作れるようにしたい。"),
    ("DX推進計画の中間見直し", "計画3年目の評価と指標の見直しを行う。"),
];

/// How far a request goes, if its time comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Complete,
    AwaitReport,
    Draft,
    AwaitApproval,
    Submitted,
    Returned,
    Waitlisted,
    Rejected,
    Withdrawn,
    Offered,
    Declined,
    AwaitDecision,
    Cancelled,
}

/// The last requests stand for the states that pass quickly.
const NEWEST: &[Fate] = &[
    Fate::AwaitDecision,
    Fate::Offered,
    Fate::Declined,
    Fate::Waitlisted,
    Fate::Returned,
    Fate::Submitted,
    Fate::Submitted,
    Fate::AwaitApproval,
    Fate::Draft,
];

/// Three past years as the office kept them, through the import.
pub(super) fn past_years(conn: &mut Conn, cast: &Cast) -> Result<(), Error> {
    let this_year = FiscalYear::of(cast.now.jst_day());
    let mut csv = String::from("年度,日付,団体コード,専門家氏名,時間（分）,形態,状態\r\n");
    for (back, visits, bodies, people) in [(4_i32, 59_usize, 22_usize, 10_usize), (3, 59, 22, 14), (2, 81, 34, 18)] {
        let year = this_year.starting_year() - back;
        let first = FiscalYear::new(year).map_err(|e| Error::internal(e.code()))?.first_day();
        for n in 0..visits {
            let day = working_day(first + Duration::days(i64::try_from(n * 350 / visits).unwrap_or(0)));
            let code = cast.codes.get(n % bodies.min(cast.codes.len())).cloned().unwrap_or_default();
            let mode = if n % 4 == 0 { "オンライン" } else { "現地" };
            csv.push_str(&format!("{year},{day},{code},過年度専門家{},{},{mode},実施\r\n", n % people, 60 * (1 + n % 5)));
        }
    }
    let ctx = cast.ctx(&cast.coordinator, cast.now);
    let import = step(conn, &ctx, "demo", |conn, ctx| {
        imports::create(
            conn,
            ctx,
            body(json!({
                "kind": "dispatch_ledger", "programme_id": cast.programme, "file_name": "派遣実績.csv",
                "content_base64": base64::engine::general_purpose::STANDARD.encode(csv)
            }))?,
        )
    })?;
    change(conn, &ctx, |c, x| crate::imports::store::owned(c, x, import.id), imports::apply, json!({})).map(drop)
}

/// About forty requests of the last eleven months.
pub(super) fn this_year(conn: &mut Conn, cast: &Cast) -> Result<(), Error> {
    let today = cast.now.jst_day();
    let older = 30_usize;
    for n in 0..older {
        let fate = match n % 10 {
            3 => Fate::Rejected,
            5 => Fate::Withdrawn,
            7 => Fate::Cancelled,
            8 => Fate::AwaitReport,
            _ => Fate::Complete,
        };
        let start = today - Duration::days(i64::try_from((older - n) * 11).unwrap_or(0));
        request(conn, cast, n, start, fate)?;
    }
    for (n, fate) in NEWEST.iter().enumerate() {
        request(conn, cast, older + n, today - Duration::days(12), *fate)?;
    }
    Ok(())
}

/// Ten o'clock on a day.
fn at(day: NaiveDate) -> UtcTime {
    UtcTime::from_naive(jst_to_utc(day, 600))
}

fn request(conn: &mut Conn, cast: &Cast, n: usize, start: NaiveDate, fate: Fate) -> Result<(), Error> {
    let (theme, background) = THEMES.get(n % THEMES.len()).copied().unwrap_or_default();
    let town = match fate {
        Fate::AwaitApproval => cast.towns.get(1),
        // Fukuroi's staff needs its approver: the other towns file at once.
        _ => cast
            .towns
            .iter()
            .filter(|town| Some(town.organisation_id) != cast.towns.get(1).map(|t| t.organisation_id))
            .nth(n % 11),
    };
    let Some(town) = town else { return Ok(()) };
    // A dispatch lies within one fiscal year.
    let year_end = FiscalYear::of(start + Duration::days(14)).last_day();
    let from = (start + Duration::days(14)).min(year_end);
    let to = (start + Duration::days(75)).min(year_end);
    let days: Vec<NaiveDate> = [21, 42]
        .iter()
        .map(|after| working_day(start + Duration::days(*after)))
        .filter(|day| *day >= from && *day <= to)
        .collect();
    if days.is_empty() {
        return Ok(());
    }
    let kind = if n % 9 == 4 { "training" } else { "visit" };
    let skill = cast.skills.get(n % cast.skills.len().max(1));
    let wished: Vec<serde_json::Value> =
        days.iter().map(|day| json!({"day": day, "start_minute": 600, "end_minute": 780})).collect();
    let filed = cast.ctx(town, at(start));
    let made = step(conn, &filed, "demo", |conn, ctx| {
        draft::create(
            conn,
            ctx,
            body(json!({
                "programme_id": cast.programme, "activity_kind": kind, "theme": theme, "background": background,
                "goal": "専門家の助言を受けて、年度内に実施計画をまとめる。", "mode": "onsite", "period_from": from, "period_to": to,
                "visit_count": days.len(), "minutes_per_visit": 180, "place": format!("{}役所", town.organisation_name),
                "audience": "関係課の職員", "audience_count": 10 + n % 20, "department": "情報政策課", "contact_name": town.name,
                "wished_dates": wished, "required_skills": [{"skill_item_id": skill, "min_level": 2, "must": false}]
            }))?,
        )
    })?;
    if fate == Fate::Draft {
        return Ok(());
    }
    let id = made.id;
    change(conn, &cast.ctx(town, at(start + Duration::days(1))), |c, x| requests::written(c, x, id), submit::submit, json!({}))?;
    let office = &cast.coordinator;
    let reason = |code: &str, text: &str| json!({"reason_code": code, "reason": text});
    let reviewed = start + Duration::days(3);
    let by_office = cast.ctx(office, at(reviewed));
    match fate {
        Fate::Submitted | Fate::AwaitApproval => return Ok(()),
        Fate::Returned => {
            let why = reason("incomplete", "対象となる職員の人数と希望する時間帯を具体的に記載してください。");
            return change(conn, &by_office, |c, x| requests::owned(c, x, id), review::return_for_correction, why).map(drop);
        }
        Fate::Waitlisted => {
            let why = reason("no_expert", "専門家の予定が空き次第ご連絡します。");
            return change(conn, &by_office, |c, x| requests::owned(c, x, id), review::waitlist, why).map(drop);
        }
        Fate::Rejected => {
            let why = reason("out_of_scope", "システムの開発委託は本事業の対象外です。");
            return change(conn, &by_office, |c, x| requests::owned(c, x, id), review::reject, why).map(drop);
        }
        Fate::Withdrawn => {
            let ctx = cast.ctx(town, at(reviewed));
            let why = reason("plans_changed", "庁内の体制変更のため。");
            return change(conn, &ctx, |c, x| requests::written(c, x, id), review::withdraw, why).map(drop);
        }
        _ => {}
    }
    change(conn, &by_office, |c, x| requests::owned(c, x, id), review::accept, json!({}))?;
    let Some((offer, asked)) = ask(conn, cast, n, id, &days, start + Duration::days(5))? else { return Ok(()) };
    match fate {
        Fate::Offered => return Ok(()),
        Fate::Declined => {
            let ctx = cast.ctx(office, at(asked + Duration::days(2)));
            let why = json!({"reason_code": "schedule", "note": "繁忙期のため"});
            return change(conn, &ctx, |c, x| offer_store::visible(c, x, offer), answer::decline, why).map(drop);
        }
        _ => {}
    }
    let ctx = cast.ctx(office, at(asked + Duration::days(2)));
    change(conn, &ctx, |c, x| offer_store::visible(c, x, offer), answer::accept, json!({}))?;
    if fate == Fate::AwaitDecision {
        return Ok(());
    }
    let ctx = cast.ctx(office, at(start + Duration::days(9)));
    let text = json!({"offer_ids": [offer], "document_number": format!("デ戦第{}号", 101 + n)});
    let dispatch = change(conn, &ctx, |c, x| requests::owned(c, x, id), decide::decide, text)?;
    if fate == Fate::Cancelled {
        let ctx = cast.ctx(office, at(start + Duration::days(15)));
        let why = json!({"party": "applicant", "reason_code": "plans_changed", "reason": "申請団体の都合により中止。"});
        return change(conn, &ctx, |c, x| requests::owned(c, x, id), review::cancel, why).map(drop);
    }
    carry_out(conn, cast, town, n, dispatch.id, &days, fate)
}

/// Asks the first of a few experts who can come on these days.
fn ask(
    conn: &mut Conn,
    cast: &Cast,
    n: usize,
    request: RequestId,
    days: &[NaiveDate],
    day: NaiveDate,
) -> Result<Option<(OfferId, NaiveDate)>, Error> {
    let ctx = cast.ctx(&cast.coordinator, at(day));
    let planned: Vec<serde_json::Value> = days
        .iter()
        .map(|day| json!({"day": day, "start_minute": 600, "minutes": 180, "mode": "onsite", "place": "庁舎"}))
        .collect();
    for attempt in 0..5 {
        let Some(expert) = cast.experts.get((n * 3 + attempt * 7) % cast.experts.len().max(1)) else { continue };
        let text = json!({"expert_id": expert, "visits": planned, "message": "ご検討をお願いします。", "valid_hours": 240});
        let asked = change(conn, &ctx, |c, x| requests::owned(c, x, request), offers::create, text);
        match asked {
            Ok(offer) => return Ok(Some((offer.id, day))),
            // Not this one: busy, away or online only.
            Err(error) if error.code.status().is_client_error() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Visits are recorded and reported once their day has passed.
fn carry_out(
    conn: &mut Conn,
    cast: &Cast,
    town: &Principal,
    n: usize,
    dispatch: DispatchId,
    days: &[NaiveDate],
    fate: Fate,
) -> Result<(), Error> {
    let today = cast.now.jst_day();
    let ctx = cast.ctx(town, cast.now);
    let planned: Vec<(VisitId, Option<NaiveDate>)> =
        crate::dispatches::visit_store::of_dispatch(conn, dispatch)?.into_iter().map(|visit| (visit.id, visit.day)).collect();
    let mut last = None;
    for (visit, day) in planned {
        let Some(day) = day.filter(|day| *day < today) else { return Ok(()) };
        let ctx = Ctx { now: at(day + Duration::days(1)), ..ctx.clone() };
        let minutes = if n.is_multiple_of(3) { 240 } else { 180 };
        let text = json!({"actual_minutes": minutes, "attendees": 8 + n % 12});
        change(conn, &ctx, |c, x| visits::worked_on(c, x, visit), visits::record, text)?;
        last = Some(day);
    }
    let Some(last) = last.filter(|day| fate == Fate::Complete && *day + Duration::days(6) < today && !days.is_empty()) else {
        return Ok(());
    };
    let ctx = cast.ctx(town, at(last + Duration::days(3)));
    let text = json!({"content": "現状の課題を整理し、改善案を検討した。", "result": "実施計画の骨子がまとまった。", "next_step": "次年度予算へ反映する。", "outcomes": []});
    let report = change(conn, &ctx, |c, x| reports::written_of(c, x, dispatch), reports::write, text)?.id;
    change(conn, &ctx, |c, x| reports::written_by(c, x, report), reports::submit, json!({}))?;
    if n % 5 == 4 {
        return Ok(());
    }
    let ctx = cast.ctx(&cast.coordinator, at(last + Duration::days(5)));
    change(conn, &ctx, |c, x| reports::reviewed_by(c, x, report), reports::approve, json!({})).map(drop)
}
