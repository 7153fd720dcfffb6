//! Lists of requests: one filter for list, total and export, and the facts from which the stage is computed, loaded with
//! the rows so that no list asks once for each row.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::model::{ActivityKind, Mode, Origin, Progress, RequestStatus, Stage};
use super::store;
use crate::auth::policy::Role;
use crate::calendar;
use crate::clock::UtcTime;
use crate::db::schema::{offers, organisations, request_participants, requests};
use crate::db::{Conn, Day};
use crate::error::Error;
use crate::http::{Ctx, ListQuery};
use crate::ids::{OrganisationId, ProgrammeId, RequestId};
use crate::text;

// What the stage is computed from, each a number for one row of `requests`. Only accepted and decided requests have any,
// and a CASE does not evaluate what it does not need. Fixed texts without parameters: the stage filter and the stage
// shown are built from the same ones and cannot disagree.
macro_rules! counted {
    ($query:literal) => {
        concat!("(CASE WHEN requests.status IN ('accepted', 'decided') THEN (SELECT COUNT(*) FROM ", $query, ") ELSE 0 END)")
    };
}
const OPEN_OFFERS: &str = counted!("offers o WHERE o.request_id = requests.id AND o.status IN ('sent', 'dates_proposed')");
const ACCEPTED_OFFERS: &str = counted!("offers o WHERE o.request_id = requests.id AND o.status = 'accepted'");
const VISITS_AHEAD: &str = counted!("visits v WHERE v.request_id = requests.id AND v.status IN ('held', 'planned')");
const VISITS_OVER: &str = counted!("visits v WHERE v.request_id = requests.id AND v.status IN ('done', 'no_show')");
const REPORTS_SUBMITTED: &str =
    counted!("reports r JOIN dispatches d ON d.id = r.dispatch_id WHERE d.request_id = requests.id AND r.status = 'submitted'");
const REPORTS_APPROVED: &str =
    counted!("reports r JOIN dispatches d ON d.id = r.dispatch_id WHERE d.request_id = requests.id AND r.status = 'approved'");

type ProgressColumns = (i64, i64, i64, i64, i64, i64);

fn progress_of((open_offers, accepted_offers, visits_ahead, visits_over, submitted, approved): ProgressColumns) -> Progress {
    Progress {
        open_offers,
        accepted_offers,
        visits_ahead,
        visits_over,
        report_submitted: submitted > 0,
        report_approved: approved > 0,
    }
}

macro_rules! progress_columns {
    () => {
        (
            sql::<BigInt>(OPEN_OFFERS),
            sql::<BigInt>(ACCEPTED_OFFERS),
            sql::<BigInt>(VISITS_AHEAD),
            sql::<BigInt>(VISITS_OVER),
            sql::<BigInt>(REPORTS_SUBMITTED),
            sql::<BigInt>(REPORTS_APPROVED),
        )
    };
}

/// What the stages of these requests are computed from, in one query.
pub fn progress(conn: &mut Conn, ids: &[RequestId]) -> Result<HashMap<RequestId, Progress>, Error> {
    let rows: Vec<(RequestId, ProgressColumns)> =
        requests::table.filter(requests::id.eq_any(ids)).select((requests::id, progress_columns!())).load(conn)?;
    Ok(rows.into_iter().map(|(id, columns)| (id, progress_of(columns))).collect())
}

crate::text_enum! {
    /// Order of the request list.
    pub enum RequestSort {
        /// Latest change first.
        UpdatedDescending = "-updated_at", "更新の新しい順";
        /// Latest change last.
        Updated = "updated_at", "更新の古い順";
        /// Newest first.
        IdDescending = "-id", "番号の大きい順";
        /// Oldest first.
        Id = "id", "番号の小さい順";
    }
}

/// What a list, its total and its export have in common.
#[derive(Debug, Clone, Default)]
pub struct RequestFilter {
    /// Of this programme.
    pub programme_id: Option<ProgrammeId>,
    /// Of this fiscal year (starting year).
    pub fiscal_year: Option<i32>,
    /// In one of these stored states; empty: any.
    pub statuses: Vec<RequestStatus>,
    /// At one of these stages; empty: any.
    pub stages: Vec<Stage>,
    /// Of this applicant.
    pub applicant: Option<OrganisationId>,
    /// Of this kind.
    pub activity_kind: Option<ActivityKind>,
    /// Part of the theme, kana and width folded.
    pub theme: Option<String>,
    /// Submitted on this Japanese day or later.
    pub submitted_from: Option<NaiveDate>,
    /// Submitted on this Japanese day or earlier.
    pub submitted_to: Option<NaiveDate>,
}

/// A request as lists show one: without the long texts.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = requests)]
#[expect(missing_docs, reason = "columns of RequestRow")]
pub struct SummaryRow {
    pub id: RequestId,
    pub programme_id: ProgrammeId,
    pub fiscal_year: i32,
    pub applicant_organisation_id: OrganisationId,
    pub origin: Origin,
    pub activity_kind: ActivityKind,
    pub theme: String,
    pub mode: Mode,
    #[diesel(deserialize_as = Day)]
    pub period_from: NaiveDate,
    #[diesel(deserialize_as = Day)]
    pub period_to: NaiveDate,
    pub visit_count: i32,
    pub minutes_per_visit: i32,
    pub status: RequestStatus,
    pub submitted_at: Option<UtcTime>,
    pub updated_at: UtcTime,
}

/// A row of the list.
#[derive(Debug, Clone)]
pub struct ListedRequest {
    /// The request.
    pub row: SummaryRow,
    /// Name of the applicant.
    pub applicant_name: String,
    /// What its stage is computed from.
    pub progress: Progress,
}

type Backend = <Conn as diesel::Connection>::Backend;
type Condition = Box<dyn BoxableExpression<requests::table, Backend, SqlType = Bool>>;

/// Whether the principal's organisation takes part in a request of another owner. Offices hardly ever do; when they do
/// not, what they see are the requests they own, which an index holds in the order of the list.
fn takes_part_elsewhere(conn: &mut Conn, ctx: &Ctx) -> Result<bool, Error> {
    let me = ctx.organisation();
    let elsewhere = request_participants::table
        .inner_join(requests::table)
        .filter(request_participants::organisation_id.eq(me))
        .filter(requests::owner_organisation_id.ne(me));
    Ok(diesel::select(exists(elsewhere)).get_result(conn)?)
}

/// The requests that the principal sees and the filter leaves. `elsewhere`: an office may also take part in requests of
/// others; without it the database finds its own in the order of the list.
fn matching<'a>(ctx: &Ctx, filter: &RequestFilter, elsewhere: bool) -> requests::BoxedQuery<'a, Backend> {
    let me = ctx.organisation();
    let mut query = requests::table.into_boxed::<Backend>();
    if ctx.principal.acts_as == Role::Expert {
        let experts = ctx.principal.expert_ids.clone();
        query = query.filter(exists(
            offers::table
                .filter(offers::request_id.eq(requests::id))
                .filter(offers::expert_id.eq_any(experts))
                .filter(offers::sent_at.is_not_null()),
        ));
    } else {
        // The applicant is a participant too, the leading one.
        let takes_part = requests::id.eq_any(
            request_participants::table
                .filter(request_participants::organisation_id.eq(me))
                .select(request_participants::request_id),
        );
        let has_reached_office = requests::submitted_at.is_not_null().or(requests::filed_by_organisation_id.eq(me));
        let owns = requests::owner_organisation_id.eq(me).and(has_reached_office);
        query = if !store::sees_as_owner(ctx) {
            query.filter(takes_part)
        } else if elsewhere {
            query.filter(owns.or(takes_part))
        } else {
            query.filter(owns)
        };
    }
    if let Some(programme) = filter.programme_id {
        query = query.filter(requests::programme_id.eq(programme));
    }
    if let Some(year) = filter.fiscal_year {
        query = query.filter(requests::fiscal_year.eq(year));
    }
    // One after the other rather than as a list: only statements whose text is known are kept prepared.
    let statuses = filter.statuses.iter().map(|status| Box::new(requests::status.eq(*status)) as Condition);
    if let Some(any) = statuses.reduce(|one, other| Box::new(one.or(other))) {
        query = query.filter(any);
    }
    if !filter.stages.is_empty() {
        let any: Vec<String> = filter.stages.iter().map(|stage| format!("({})", condition(*stage))).collect();
        query = query.filter(sql::<Bool>(&format!("({})", any.join(" OR "))));
    }
    if let Some(applicant) = filter.applicant {
        query = query.filter(requests::applicant_organisation_id.eq(applicant));
    }
    if let Some(kind) = filter.activity_kind {
        query = query.filter(requests::activity_kind.eq(kind));
    }
    if let Some(theme) = &filter.theme {
        query = query.filter(requests::theme_key.like(format!("%{}%", text::like_pattern(&text::fold(theme)))).escape('\\'));
    }
    if let Some(day) = filter.submitted_from {
        query = query.filter(requests::submitted_at.ge(UtcTime::from_naive(calendar::jst_to_utc(day, 0))));
    }
    if let Some(day) = filter.submitted_to {
        query =
            query.filter(requests::submitted_at.lt(UtcTime::from_naive(calendar::jst_to_utc(day, calendar::MINUTES_PER_DAY))));
    }
    query
}

/// [`super::model::stage`] as a condition on a row of `requests`.
fn condition(stage: Stage) -> String {
    let ahead_and_over = |ahead: &str, over: &str| {
        format!(
            "requests.status = 'decided' AND {REPORTS_APPROVED} = 0 AND {REPORTS_SUBMITTED} = 0 \
             AND {VISITS_AHEAD} {ahead} AND {VISITS_OVER} {over}"
        )
    };
    match stage {
        Stage::Draft
        | Stage::AwaitingApproval
        | Stage::Submitted
        | Stage::Returned
        | Stage::Waitlisted
        | Stage::Rejected
        | Stage::Withdrawn
        | Stage::Cancelled => format!("requests.status = '{stage}'"),
        Stage::Matching => format!("requests.status = 'accepted' AND {OPEN_OFFERS} = 0 AND {ACCEPTED_OFFERS} = 0"),
        Stage::Offered => format!("requests.status = 'accepted' AND {OPEN_OFFERS} > 0 AND {ACCEPTED_OFFERS} = 0"),
        Stage::AwaitingDecision => format!("requests.status = 'accepted' AND {ACCEPTED_OFFERS} > 0"),
        Stage::Scheduled => ahead_and_over("> 0", "= 0"),
        Stage::InProgress => ahead_and_over("> 0", "> 0"),
        Stage::AwaitingReport => ahead_and_over("= 0", ">= 0"),
        Stage::Reported => format!("requests.status = 'decided' AND {REPORTS_APPROVED} = 0 AND {REPORTS_SUBMITTED} > 0"),
        Stage::Completed => format!("requests.status = 'decided' AND {REPORTS_APPROVED} > 0"),
    }
}

/// A page of the visible requests.
pub fn list(
    conn: &mut Conn,
    ctx: &Ctx,
    filter: &RequestFilter,
    sort: RequestSort,
    list: &ListQuery,
    counted: bool,
) -> Result<Vec<ListedRequest>, Error> {
    // Who counts reads everything anyway.
    let elsewhere = counted || (store::sees_as_owner(ctx) && takes_part_elsewhere(conn, ctx)?);
    let mut query = matching(ctx, filter, elsewhere);
    match sort {
        RequestSort::UpdatedDescending | RequestSort::Updated => {
            if let Some((at, id)) = list.after_parsed::<chrono::DateTime<chrono::Utc>>()? {
                let (at, id) = (UtcTime::new(at), RequestId(id));
                query = if sort == RequestSort::Updated {
                    query.filter(requests::updated_at.gt(at).or(requests::updated_at.eq(at).and(requests::id.gt(id))))
                } else {
                    query.filter(requests::updated_at.lt(at).or(requests::updated_at.eq(at).and(requests::id.lt(id))))
                };
            }
        }
        RequestSort::IdDescending | RequestSort::Id => {
            if let Some((_, id)) = list.after() {
                query = if sort == RequestSort::Id {
                    query.filter(requests::id.gt(RequestId(id)))
                } else {
                    query.filter(requests::id.lt(RequestId(id)))
                };
            }
        }
    }
    query = match sort {
        RequestSort::UpdatedDescending => query.order((requests::updated_at.desc(), requests::id.desc())),
        RequestSort::Updated => query.order((requests::updated_at, requests::id)),
        RequestSort::IdDescending => query.order(requests::id.desc()),
        RequestSort::Id => query.order(requests::id),
    };
    let applicant =
        organisations::table.filter(organisations::id.eq(requests::applicant_organisation_id)).select(organisations::name);
    let rows: Vec<(SummaryRow, Option<String>)> =
        query.limit(list.fetch()).select((SummaryRow::as_select(), applicant.single_value())).load(conn)?;
    let under_way: Vec<RequestId> =
        rows.iter().map(|(row, _)| row).filter(|row| row.status.is_under_way()).map(|row| row.id).collect();
    let mut progress = if under_way.is_empty() { HashMap::new() } else { progress(conn, &under_way)? };
    Ok(rows
        .into_iter()
        .map(|(row, name)| ListedRequest {
            progress: progress.remove(&row.id).unwrap_or_default(),
            row,
            applicant_name: name.unwrap_or_default(),
        })
        .collect())
}

/// Where a row stands in the order, for the cursor.
pub fn position(sort: RequestSort, listed: &ListedRequest) -> (String, i64) {
    match sort {
        RequestSort::UpdatedDescending | RequestSort::Updated => (listed.row.updated_at.to_string(), listed.row.id.0),
        RequestSort::IdDescending | RequestSort::Id => (String::new(), listed.row.id.0),
    }
}

/// How many requests the filter leaves.
pub fn total(conn: &mut Conn, ctx: &Ctx, filter: &RequestFilter) -> Result<i64, Error> {
    Ok(matching(ctx, filter, true).count().get_result(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_a_condition_of_its_own() {
        let conditions: std::collections::HashSet<String> = Stage::ALL.iter().map(|stage| condition(*stage)).collect();
        assert_eq!(conditions.len(), Stage::ALL.len());
    }
}
