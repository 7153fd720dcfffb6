//! Surveys (翌年度調査): in the fiscal year after the work the bodies are asked what became of it, where the programme's rules
//! say so.

use chrono::NaiveDate;

use super::notices;
use super::store::{self, DispatchRow};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::notifications::catalogue::EventKind;
use crate::notifications::service::{Event, untold};

/// Asks the bodies about their dispatches of the year before, from the day the rules name; once for each dispatch. Returns
/// how many, at most `most`.
pub fn due(conn: &mut Conn, ctx: &Ctx, most: usize) -> Result<usize, Error> {
    let today = ctx.today();
    let year = FiscalYear::of(today);
    let before = year.previous().starting_year();
    let mut due: Vec<(Event, (DispatchRow, Option<NaiveDate>, String))> = Vec::new();
    for (row, programme) in crate::pools::store::years_in(conn, &[before])? {
        let Some(survey) = row.rules.survey.filter(|survey| survey.opens_in(year).is_some_and(|day| day <= today)) else {
            continue;
        };
        for dispatch in store::worked_in(conn, programme.id, before)? {
            let event = Event::new(
                EventKind::SurveyDue,
                dispatch.owner_organisation_id,
                ("dispatch", dispatch.id.0),
                year.starting_year(),
            )
            .of_request(dispatch.request_id)
            .concerning([dispatch.applicant_organisation_id]);
            due.push((event, (dispatch, survey.closes_in(year), survey.instructions.clone())));
        }
    }
    let due = untold(conn, due, most)?;
    let told = due.len();
    for (event, (dispatch, closes_on, instructions)) in due {
        notices::survey(conn, ctx, &dispatch, &event, closes_on, &instructions)?;
    }
    Ok(told)
}
