//! Writing a request: a new draft, changes to it, a copy of an earlier one. A draft is checked for its values; what the
//! programme's rules say is heard when it is submitted.

use chrono::{Months, NaiveDate};
use serde_json::json;

use super::children::{self, AskedSkill};
use super::content::{self, Frame, Lists};
use super::model::{Origin, RequestVerb};
use super::rules::Membership;
use super::store::{self, Content, NewRequest, RequestRow};
use super::verb_views::CopyRequestBody;
use super::views::{CreateRequestBody, RequestView, UpdateRequestBody, WishedDate};
use super::{detail, facts};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};
use crate::experts::model::{ExpertStatus, check_languages};
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::ids::{ExpertId, OrganisationId};
use crate::pools::store::ProgrammeRow;

/// The event of a new draft: what it is about, without what people wrote.
fn created(ctx: &Ctx, row: &RequestRow) -> Audit {
    Audit::new("request", row.id.0, row.owner_organisation_id)
        .created(json!({
            "programme_id": row.programme_id, "applicant_organisation_id": row.applicant_organisation_id, "origin": row.origin,
            "status": row.status, "fiscal_year": row.fiscal_year, "copied_from_id": row.copied_from_id,
        }))
        .for_body(row.applicant_organisation_id, ctx.organisation())
}

/// Writes a new draft: by the applicant, or by the office for a body without account.
pub fn create(conn: &mut Conn, ctx: &Ctx, body: CreateRequestBody) -> Result<Outcome<RequestView>, Error> {
    let mut fields = Fields::new();
    let content = Content::of_body(&body);
    content.check(&mut fields);
    check_languages(&body.languages, &mut fields);
    content::check_wished_dates(&mut fields, &body.wished_dates, body.period_from, body.period_to);
    content::check_choice(&mut fields, content.leave_to_office, body.preferred_expert_ids.len());
    let applicant = body.applicant_organisation_id.unwrap_or_else(|| ctx.organisation());
    let origin = body.origin.unwrap_or(Origin::Requested);
    let programme = known_programme(conn, ctx, &body, &mut fields)?;
    if let Some(programme) = &programme {
        check_who(ctx, &mut fields, programme, applicant, origin);
        let lists = Lists {
            wished_dates: None,
            required_skills: Some(body.required_skills.clone()),
            preferred: Some(body.preferred_expert_ids.clone()),
            participants: Some(body.participant_organisation_ids.clone()),
            interested: Some(body.interested_organisation_ids.clone()),
        };
        content::check_lists(conn, &mut fields, &lists, Frame { pool: programme.pool_id, applicant })?;
    }
    fields.finish()?;
    let programme = programme.ok_or_else(Error::not_found)?;
    let new = NewRequest {
        programme_id: programme.id,
        owner: programme.owner_organisation_id,
        applicant,
        filed_by: ctx.organisation(),
        filed_by_user: ctx.principal.user_id(),
        origin,
        copied_from: None,
    };
    let row = store::insert(conn, &new, &content, ctx.now)?;
    children::replace_participants(conn, row.id, applicant, &body.participant_organisation_ids, new.filed_by_user, ctx.now)?;
    children::replace_wished_dates(conn, row.id, &content::ranked(&body.wished_dates))?;
    children::replace_skills(conn, row.id, &content::asked(&body.required_skills))?;
    children::replace_preferences(conn, row.id, &body.preferred_expert_ids)?;
    children::insert_interests(conn, row.id, &body.interested_organisation_ids)?;
    done(conn, ctx, row)
}

fn done(conn: &mut Conn, ctx: &Ctx, row: RequestRow) -> Result<Outcome<RequestView>, Error> {
    let (version, location, audit) = (row.version, format!("/api/v1/requests/{}", row.id), created(ctx, &row));
    Ok(Outcome::created(detail::view(conn, ctx, row)?, version, location, audit))
}

/// The programme, if the principal may know it: its pool is visible, or the own organisation may apply through its parent
/// body or its prefecture.
fn known_programme(
    conn: &mut Conn,
    ctx: &Ctx,
    body: &CreateRequestBody,
    fields: &mut Fields,
) -> Result<Option<ProgrammeRow>, Error> {
    let found = match crate::pools::store::programme(conn, body.programme_id) {
        Err(error) if error.code == ErrorCode::NotFound => None,
        other => Some(other?),
    };
    let known = match found {
        Some(programme) => {
            let standing = facts::standing(conn, ctx, programme.pool_id, programme.owner_organisation_id, ctx.organisation())?;
            Some(programme).filter(|_| standing != Membership::Outside)
        }
        None => None,
    };
    if known.is_none() {
        fields.wrong("/programme_id", "unknown_reference", "申請できる事業ではありません", "Not a programme you can ask");
    }
    Ok(known)
}

/// Only the pool's owner files for others, and only for itself it opens something for many.
fn check_who(ctx: &Ctx, fields: &mut Fields, programme: &ProgrammeRow, applicant: OrganisationId, origin: Origin) {
    let owns = programme.owner_organisation_id == ctx.organisation() && ctx.principal.is_coordinator();
    fields.check(
        applicant == ctx.organisation() || owns,
        "/applicant_organisation_id",
        "not_yours",
        "ほかの団体の申請を代わって作成できるのは、この事業の事務局だけです",
        "Only the programme's office files for other bodies",
    );
    if origin == Origin::Offered {
        fields.check(
            owns && applicant == programme.owner_organisation_id,
            "/origin",
            "not_yours",
            "主催の取組を開けるのは、この事業の事務局だけです（申請団体は事務局自身）",
            "Only the programme's office opens events, with itself as the applicant",
        );
    }
}

/// Changes a draft or a returned request. If something changes that the bodies of a joint request agreed to, they have to
/// agree anew.
pub fn update(conn: &mut Conn, ctx: &Ctx, row: RequestRow, body: UpdateRequestBody) -> Result<Outcome<RequestView>, Error> {
    row.status.after(RequestVerb::Edit)?;
    let mut fields = Fields::new();
    let old = row.content();
    let content = old.clone().changed(&body);
    content.check(&mut fields);
    check_languages(body.languages.as_deref().unwrap_or_default(), &mut fields);
    let dates: Vec<WishedDate> = match &body.wished_dates {
        Some(dates) => dates.clone(),
        None => store::wished_dates(conn, row.id)?.into_iter().map(Into::into).collect(),
    };
    content::check_wished_dates(&mut fields, &dates, content.period_from, content.period_to);
    if body.preferred_expert_ids.is_some() || body.leave_to_office.is_some() {
        let preferred = match &body.preferred_expert_ids {
            Some(preferred) => preferred.len(),
            None => store::preferences(conn, row.id)?.len(),
        };
        content::check_choice(&mut fields, content.leave_to_office, preferred);
    }
    fields.check(
        row.submitted_at.is_none() || content.fiscal_year == old.fiscal_year,
        "/period_from",
        "fiscal_year_fixed",
        "一度提出した申請の年度は変えられません。別の年度の分は新しく申請してください",
        "Once submitted the fiscal year is fixed; file a new request",
    );
    let lists = Lists {
        wished_dates: body.wished_dates,
        required_skills: body.required_skills,
        preferred: body.preferred_expert_ids,
        participants: body.participant_organisation_ids,
        interested: body.interested_organisation_ids,
    };
    let programme = crate::pools::store::programme(conn, row.programme_id)?;
    content::check_lists(conn, &mut fields, &lists, Frame { pool: programme.pool_id, applicant: row.applicant_organisation_id })?;
    fields.finish()?;
    let row = store::update(conn, &row, &content, ctx.now)?;
    write_lists(conn, ctx, &row, &lists)?;
    if lists.participants.is_none() && content.changes_what_was_agreed(&old) {
        children::forget_consents(conn, row.id)?;
    }
    let figures = |content: &Content| {
        json!({
            "activity_kind": content.activity_kind, "mode": content.mode, "period_from": content.period_from, "period_to": content.period_to,
            "visit_count": content.visit_count, "minutes_per_visit": content.minutes_per_visit, "leave_to_office": content.leave_to_office,
            "on_island": content.on_island, "languages": content.languages, "experts_needed": content.experts_needed, "rotation": content.rotation,
        })
    };
    let audit = Audit::new("request", row.id.0, row.owner_organisation_id)
        .change(figures(&old), figures(&content))
        .for_body(row.applicant_organisation_id, ctx.organisation());
    let version = row.version;
    Ok(Outcome::changed(detail::view(conn, ctx, row)?, version, audit))
}

fn write_lists(conn: &mut Conn, ctx: &Ctx, row: &RequestRow, lists: &Lists) -> Result<(), Error> {
    if let Some(dates) = &lists.wished_dates {
        children::replace_wished_dates(conn, row.id, &content::ranked(dates))?;
    }
    if let Some(skills) = &lists.required_skills {
        children::replace_skills(conn, row.id, &content::asked(skills))?;
    }
    if let Some(preferred) = &lists.preferred {
        children::replace_preferences(conn, row.id, preferred)?;
    }
    if let Some(others) = &lists.participants {
        children::replace_participants(conn, row.id, row.applicant_organisation_id, others, ctx.principal.user_id(), ctx.now)?;
    }
    if let Some(interested) = &lists.interested {
        children::replace_interests(conn, row.id, interested)?;
    }
    Ok(())
}

/// A new draft with the content of an earlier request, its dates moved by whole years. Wished dates that are past and
/// experts no longer registered are left out; the other bodies have to agree anew; attachments stay where they are.
pub fn copy(conn: &mut Conn, ctx: &Ctx, source: RequestRow, body: CopyRequestBody) -> Result<Outcome<RequestView>, Error> {
    let years = match body.fiscal_year {
        Some(year) => {
            let mut fields = Fields::new();
            fields.within("/fiscal_year", i64::from(year), i64::from(FiscalYear::MIN), i64::from(FiscalYear::MAX));
            fields.finish()?;
            year - source.fiscal_year
        }
        None => years_until_now(source.fiscal_year, source.period_to, ctx.today()),
    };
    let out_of_range = || {
        Error::new(ErrorCode::ValidationFailed).field(
            "/fiscal_year",
            "out_of_range",
            "この年度には移せません",
            "Dates cannot be moved there",
        )
    };
    let moved = |day: NaiveDate| moved(day, years).ok_or_else(out_of_range);
    let (period_from, period_to) = (moved(source.period_from)?, moved(source.period_to)?);
    let preferred = store::preferences(conn, source.id)?;
    let experts = registered(conn, &preferred)?;
    let content = Content {
        fiscal_year: FiscalYear::of(period_from).starting_year(),
        period_from,
        period_to,
        leave_to_office: source.leave_to_office || experts.is_empty(),
        ..source.content()
    };
    let mut dates = Vec::new();
    for wish in store::wished_dates(conn, source.id)? {
        let day = moved(wish.day)?;
        if day >= ctx.today() {
            dates.push(WishedDate { day, ..wish.into() });
        }
    }
    let others: Vec<OrganisationId> =
        store::participants(conn, source.id)?.into_iter().filter(|body| !body.is_lead).map(|body| body.organisation_id).collect();
    let skills: Vec<AskedSkill> = store::skills(conn, source.id)?.into_iter().map(Into::into).collect();
    let interested = store::interests(conn, source.id)?;
    let new = NewRequest {
        programme_id: source.programme_id,
        owner: source.owner_organisation_id,
        applicant: source.applicant_organisation_id,
        filed_by: ctx.organisation(),
        filed_by_user: ctx.principal.user_id(),
        origin: source.origin,
        copied_from: Some(source.id),
    };
    let row = store::insert(conn, &new, &content, ctx.now)?;
    children::replace_participants(conn, row.id, row.applicant_organisation_id, &others, new.filed_by_user, ctx.now)?;
    children::replace_wished_dates(conn, row.id, &content::ranked(&dates))?;
    children::replace_skills(conn, row.id, &skills)?;
    children::replace_preferences(conn, row.id, &experts)?;
    children::insert_interests(conn, row.id, &interested)?;
    done(conn, ctx, row)
}

/// Of these experts, those still registered, in the same order.
fn registered(conn: &mut Conn, experts: &[ExpertId]) -> Result<Vec<ExpertId>, Error> {
    if experts.is_empty() {
        return Ok(Vec::new());
    }
    let rows = crate::experts::store::find_many(conn, experts)?;
    let still = |id: &&ExpertId| rows.iter().any(|row| row.id == **id && row.status == ExpertStatus::Registered);
    Ok(experts.iter().filter(still).copied().collect())
}

/// By how many years the dates of an earlier request move into this fiscal year; into the next when the period would
/// already be over. A request of a year to come stays where it is.
fn years_until_now(fiscal_year: i32, period_to: NaiveDate, today: NaiveDate) -> i32 {
    let years = (FiscalYear::of(today).starting_year() - fiscal_year).max(0);
    match moved(period_to, years) {
        Some(end) if end < today => years + 1,
        _ => years,
    }
}

/// The same day so many years later or earlier; 29 February becomes 28 where there is none.
fn moved(day: NaiveDate, years: i32) -> Option<NaiveDate> {
    let months = Months::new(years.unsigned_abs().checked_mul(12)?);
    if years >= 0 { day.checked_add_months(months) } else { day.checked_sub_months(months) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn last_years_dates_come_into_this_year() {
        assert_eq!(years_until_now(2025, day("2025-09-30"), day("2026-04-10")), 1);
        assert_eq!(years_until_now(2023, day("2024-03-31"), day("2026-04-10")), 3);
        assert_eq!(years_until_now(2025, day("2025-05-31"), day("2026-04-10")), 1);
    }

    #[test]
    fn a_period_that_would_be_over_comes_into_the_next_year() {
        assert_eq!(years_until_now(2025, day("2025-05-31"), day("2026-06-01")), 2);
        assert_eq!(years_until_now(2026, day("2026-05-31"), day("2026-06-01")), 1);
        assert_eq!(years_until_now(2026, day("2026-06-01"), day("2026-06-01")), 0);
        assert_eq!(years_until_now(2027, day("2027-06-01"), day("2026-06-01")), 0);
    }

    #[test]
    fn whole_years_keep_the_day_of_the_year() {
        assert_eq!(moved(day("2024-02-29"), 1), Some(day("2025-02-28")));
        assert_eq!(moved(day("2026-04-01"), -2), Some(day("2024-04-01")));
    }
}
