//! What the clock reminds of in programmes: windows that are about to close.

use crate::calendar::FiscalYear;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::OrganisationId;
use crate::notifications::catalogue::EventKind;
use crate::notifications::recipient::Recipient;
use crate::notifications::service::{Event, Told, publish, untold};
use crate::notifications::template::{Notice, WindowClosing};
use crate::organisations::people;
use crate::organisations::store as organisations;
use crate::pools::store::{self, ProgrammeRow, YearRow};

/// Tells the bodies that may apply, and the office, of windows that close within the configured days; once for each window.
/// Returns how many were told, at most `most`.
pub fn windows_closing(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let until = ctx.now.plus(chrono::Duration::days(i64::from(ctx.app.config.reminders.window_days)));
    let year = FiscalYear::of(ctx.today());
    let years = store::years_in(conn, &[year.starting_year(), year.next().starting_year()])?;
    let mut due: Vec<(Event, (YearRow, ProgrammeRow, UtcTime))> = Vec::new();
    for (row, programme) in years {
        let closing = row.rules.windows.iter().map(|window| (window.opens_at, window.closes_at));
        for (_, closes_at) in closing.filter(|(opens, closes)| *opens <= ctx.now && ctx.now < *closes && *closes <= until) {
            let entity = ("programme", programme.id.0);
            let event = Event::new(EventKind::WindowClosing, programme.owner_organisation_id, entity, closes_at);
            due.push((event, (row.clone(), programme.clone(), closes_at)));
        }
    }
    let due = untold(conn, due, most)?;
    let told = due.len();
    for (event, (row, programme, closes_at)) in due {
        let may_apply = who_may_apply(conn, ctx, &row, &programme)?;
        let mut readers = people::coordinators_of(conn, programme.owner_organisation_id, ctx.today())?;
        for body in &may_apply {
            readers.extend(people::staff_of(conn, *body, ctx.today())?);
        }
        let letters = readers.into_iter().map(|to| closing(to, &programme, row.fiscal_year, closes_at)).collect();
        publish(conn, ctx, &event.concerning(may_apply), letters)?;
    }
    Ok(told)
}

/// The members of the pool whose kind may apply.
fn who_may_apply(conn: &mut Conn, ctx: &Ctx, row: &YearRow, programme: &ProgrammeRow) -> Result<Vec<OrganisationId>, Error> {
    let members = store::member_ids_on(conn, programme.pool_id, ctx.today())?;
    Ok(organisations::find_many(conn, &members)?
        .into_iter()
        .filter(|body| row.rules.applicant_kinds.contains(&body.kind))
        .map(|body| body.id)
        .collect())
}

fn closing(to: Recipient, programme: &ProgrammeRow, fiscal_year: i32, closes_at: UtcTime) -> Told {
    let notice = Notice::WindowClosing(WindowClosing {
        recipient: to.addressee(),
        office: to.organisation_id == Some(programme.owner_organisation_id),
        programme: programme.name.clone(),
        fiscal_year,
        closes_at: closes_at.instant(),
        link: format!("/programmes/{}", programme.id),
    });
    Told::new(to, notice)
}
