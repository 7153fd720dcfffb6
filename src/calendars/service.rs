//! Feeds: made, revoked and read. A feed reads with the rights that its membership has at that moment.

use chrono::Days;
use serde_json::json;

use super::entries::{self, About};
use super::store::{self, FeedRow, OpenFeed};
use super::views::{CalendarFeedAddress, CalendarFeedView, CreateCalendarFeedBody};
use crate::app::App;
use crate::auth::policy::Role;
use crate::auth::principal::Actor;
use crate::auth::secrets;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::dispatches::model::VisitStatus;
use crate::dispatches::store::Audience;
use crate::dispatches::visit_store::{self, VisitFilter};
use crate::error::{Error, ErrorCode};
use crate::http::read::NoQuery;
use crate::http::{Audit, Ctx, ListQuery, Outcome};
use crate::notifications::ics;
use crate::pools::store as pools;

/// Most feeds of a person that are not revoked.
const MOST_FEEDS: i64 = 20;
/// Days back from today that a feed holds.
const DAYS_BACK: u64 = 90;
/// Days ahead.
const DAYS_AHEAD: u64 = 400;
/// Most visits of a feed; the nearest to its beginning.
const MOST_VISITS: usize = 2_000;
/// How often calendar programs are asked to fetch it again.
const REFRESH_MINUTES: u32 = 60;
/// Fetches a minute for one address.
pub const FETCHES_A_MINUTE: u32 = 30;

/// Makes a feed; its address is in the answer and nowhere else.
pub fn create(conn: &mut Conn, ctx: &Ctx, body: CreateCalendarFeedBody) -> Result<Outcome<CalendarFeedAddress>, Error> {
    let Actor::User { user_id, membership_id, .. } = ctx.principal.actor else {
        return Err(Error::new(ErrorCode::Forbidden));
    };
    let name = match body.pool_id {
        None => format!("派遣の予定（{}）", ctx.principal.organisation_name),
        Some(pool) => format!("派遣の予定（{}）", visible_pool(conn, ctx, pool)?),
    };
    if store::count_open(conn, user_id)? >= MOST_FEEDS {
        return Err(Error::new(ErrorCode::Duplicate).detail(
            format!("カレンダーのアドレスは1人{MOST_FEEDS}件までです。使わないものを失効させてください"),
            format!("A person has at most {MOST_FEEDS} calendar addresses; revoke those that are not used"),
        ));
    }
    let token = secrets::generate()?;
    let hash = secrets::sha256(token.as_bytes());
    let row = store::insert(conn, (user_id, membership_id), body.pool_id, &name, &hash, ctx.now)?;
    let audit = about(ctx, &row).created(json!({"pool_id": row.pool_id}));
    let url = format!("{}/api/v1/calendars/{token}", ctx.app.config.base_url);
    Ok(Outcome::done(CalendarFeedAddress { feed: row.into(), url }, audit).secret())
}

/// The name of a pool all of whose visits the principal may see: the own one.
fn visible_pool(conn: &mut Conn, ctx: &Ctx, id: crate::ids::PoolId) -> Result<String, Error> {
    let (pool, standing) = pools::visible_pool(conn, ctx, id)?;
    pools::owner_only(standing)?;
    if !matches!(ctx.principal.acts_as, Role::PrefecturalCoordinator | Role::Auditor) {
        return Err(Error::new(ErrorCode::Forbidden));
    }
    Ok(pool.name)
}

fn about(ctx: &Ctx, row: &FeedRow) -> Audit {
    Audit::new("calendar_feed", row.id.0, ctx.organisation())
}

/// Ends a feed for good.
pub fn revoke(conn: &mut Conn, ctx: &Ctx, row: FeedRow, _: NoQuery) -> Result<Outcome<CalendarFeedView>, Error> {
    if !store::revoke(conn, row.id, ctx.now)? {
        return Err(Error::transition("revoked", Vec::new()));
    }
    let audit = about(ctx, &row).change(json!({"revoked": false}), json!({"revoked": true}));
    Ok(Outcome::done(CalendarFeedView { revoked_at: Some(ctx.now), ..row.into() }, audit))
}

/// The calendar behind an address, or 404. Changes nothing.
pub fn read(conn: &mut Conn, app: &App, token: &str, now: UtcTime) -> Result<String, Error> {
    let formed = token.len() == secrets::LENGTH && token.chars().all(|c| c.is_ascii_hexdigit());
    if !formed {
        return Err(Error::not_found());
    }
    let today = now.jst_day();
    let open = store::open(conn, &secrets::sha256(token.as_bytes()), today)?;
    let filter = VisitFilter {
        pool_id: open.feed.pool_id,
        from: today.checked_sub_days(Days::new(DAYS_BACK)),
        to: today.checked_add_days(Days::new(DAYS_AHEAD)),
        statuses: vec![VisitStatus::Held, VisitStatus::Planned, VisitStatus::Done],
        ..VisitFilter::default()
    };
    let mut events = Vec::new();
    let mut cursor: Option<String> = None;
    while events.len() < MOST_VISITS {
        let page = ListQuery::new(Some(crate::http::page::LARGEST_LIMIT), cursor.as_deref(), &"calendar")?;
        let lines = visit_store::list(conn, audience(&open)?, &filter, &page)?;
        let page = page.page(lines, |line| (line.visit.load_day.to_string(), line.visit.id.0));
        let own = page.items.iter().filter(|line| open.role != Role::Expert || open.expert_ids.contains(&line.visit.expert_id));
        events.extend(own.filter_map(|line| entries::of(app, &line.visit, About::from(line), line.updated_at)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    events.truncate(MOST_VISITS);
    Ok(ics::feed(&open.feed.name, &events, REFRESH_MINUTES))
}

fn audience(open: &OpenFeed) -> Result<Audience, Error> {
    Ok(match open.role {
        Role::Expert => Audience::Expert(open.expert_ids.clone()),
        Role::PrefecturalCoordinator | Role::Auditor => Audience::Owner(open.organisation_id),
        Role::MunicipalStaff | Role::MunicipalApprover => Audience::Body(open.organisation_id),
        Role::SystemAdmin | Role::ApiClient => return Err(Error::not_found()),
    })
}
