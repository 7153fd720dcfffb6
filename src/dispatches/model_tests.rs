use super::*;
use crate::error::ErrorCode;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn blocked_time_has_the_travel_buffer_on_site_and_none_online() {
    let (from, to) = blocked(day("2026-06-10"), 600, 120, Mode::Onsite, 60);
    assert_eq!((from.to_string().as_str(), to.to_string().as_str()), ("2026-06-10T00:00:00Z", "2026-06-10T04:00:00Z"));
    assert_eq!(blocked(day("2026-06-10"), 600, 120, Mode::Hybrid, 60), (from, to));
    let (from, to) = blocked(day("2026-06-10"), 600, 120, Mode::Online, 60);
    assert_eq!((from.to_string().as_str(), to.to_string().as_str()), ("2026-06-10T01:00:00Z", "2026-06-10T03:00:00Z"));
}

#[test]
fn blocked_time_early_in_the_day_begins_on_the_utc_day_before() {
    let (from, _) = blocked(day("2026-06-10"), 0, 30, Mode::Online, 60);
    assert_eq!(from.to_string(), "2026-06-09T15:00:00Z");
}

#[test]
fn back_to_back_visits_online_touch_and_do_not_overlap() {
    let (_, end) = blocked(day("2026-06-10"), 540, 60, Mode::Online, 60);
    let (start, _) = blocked(day("2026-06-10"), 600, 60, Mode::Online, 60);
    assert_eq!(end, start);
}

#[test]
fn the_report_is_due_after_the_last_visit_that_counts() {
    use VisitStatus as S;
    let end = day("2027-03-31");
    let visits = [
        (S::Done, Some(day("2026-06-10"))),
        (S::Planned, Some(day("2026-07-01"))),
        (S::Cancelled, Some(day("2026-09-01"))),
        (S::Rescheduled, Some(day("2026-10-01"))),
    ];
    assert_eq!(report_due_on(visits, end, 7), Some(day("2026-07-08")));
    assert_eq!(report_due_on([(S::NoShow, Some(day("2026-06-10")))], end, 7), Some(day("2026-06-17")));
    assert_eq!(report_due_on([(S::Planned, None), visits[0]], end, 7), Some(day("2027-04-07")));
    assert_eq!(report_due_on([visits[2]], end, 7), None);
    assert_eq!(report_due_on([], end, 7), None);
}

#[test]
fn notice_days_run_to_the_first_visit_called_off() {
    let today = day("2026-06-09");
    assert_eq!(notice_days(today, [Some(day("2026-06-20")), Some(day("2026-06-10")), None]), Some(1));
    assert_eq!(notice_days(today, [Some(today)]), Some(0));
    assert_eq!(notice_days(today, [Some(day("2026-06-01"))]), Some(0));
    assert_eq!(notice_days(today, [None]), None);
}

#[test]
fn a_visit_lies_in_the_period_and_the_fiscal_year() {
    let year = FiscalYear::new(2025).unwrap();
    let (from, to) = (day("2026-02-01"), day("2026-05-31"));
    assert!(lies_within(day("2026-03-31"), from, to, year));
    assert!(!lies_within(day("2026-04-01"), from, to, year));
    assert!(!lies_within(day("2026-01-31"), from, to, year));
    assert!(!within_one_year(from, to));
    assert!(within_one_year(from, day("2026-03-31")));
}

#[test]
fn numbers_carry_the_era_year() {
    assert_eq!(decision_number(FiscalYear::new(2026).unwrap(), 12), "R8-0012");
    assert_eq!(decision_number(FiscalYear::new(2018).unwrap(), 12345), "H30-12345");
}

#[test]
fn an_undated_visit_is_arranged_first() {
    let error = VisitStatus::Planned.after(false, VisitVerb::Record).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidTransition);
    assert_eq!(error.failure().state.unwrap().allowed, ["arrange", "cancel"]);
    assert_eq!(VisitStatus::Planned.after(true, VisitVerb::Record).unwrap(), VisitStatus::Done);
    let error = VisitStatus::Planned.after(true, VisitVerb::Arrange).unwrap_err();
    assert_eq!(error.failure().state.unwrap().allowed, ["record", "cancel", "no-show", "reschedule"]);
}

#[test]
fn what_is_over_stays_as_it_is() {
    for status in [VisitStatus::Held, VisitStatus::Done, VisitStatus::Cancelled, VisitStatus::NoShow, VisitStatus::Rescheduled] {
        assert!(status.verbs(true).is_empty() && status.verbs(false).is_empty());
    }
    for status in [DispatchStatus::Completed, DispatchStatus::Cancelled] {
        assert!(status.verbs().is_empty());
    }
    assert!(ReportStatus::Approved.verbs().is_empty());
}

#[test]
fn a_report_goes_back_and_forth_until_approved() {
    assert_eq!(ReportStatus::Due.after(ReportVerb::Submit).unwrap(), ReportStatus::Submitted);
    assert_eq!(ReportStatus::Submitted.after(ReportVerb::Return).unwrap(), ReportStatus::Returned);
    assert_eq!(ReportStatus::Returned.after(ReportVerb::Submit).unwrap(), ReportStatus::Submitted);
    assert!(ReportStatus::Submitted.after(ReportVerb::Write).is_err());
    assert!(ReportStatus::Due.after(ReportVerb::Approve).is_err());
}

#[test]
fn reminders_go_out_before_the_last_day_and_then_weekly() {
    let due = day("2026-06-10");
    assert_eq!(reminder(due, day("2026-06-07")), None);
    assert_eq!(reminder(due, day("2026-06-08")), Some(Reminder::Soon));
    assert_eq!(reminder(due, due), Some(Reminder::Soon));
    let stage = |today: &str| reminder(due, day(today)).unwrap().stage();
    assert_eq!(stage("2026-06-11"), "overdue0");
    assert_eq!(stage("2026-06-17"), "overdue0");
    assert_eq!(stage("2026-06-18"), "overdue1");
}

#[test]
fn undated_visits_load_the_month_of_the_period() {
    assert_eq!(load_day(None, day("2026-06-15")), day("2026-06-01"));
    assert_eq!(load_day(Some(day("2026-07-15")), day("2026-06-15")), day("2026-07-15"));
}
