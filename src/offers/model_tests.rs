use super::*;
use crate::error::ErrorCode;

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).unwrap()
}

/// An instant given as the time it is in Japan.
fn at(month: u32, day_of_month: u32, minute: u16) -> UtcTime {
    UtcTime::from_naive(calendar::jst_to_utc(day(month, day_of_month), minute))
}

fn dated(month: u32, day_of_month: u32, start: i32, minutes: i32, mode: Mode) -> OfferedVisit {
    OfferedVisit { day: Some(day(month, day_of_month)), start_minute: Some(start), minutes, mode, place: "市役所".to_owned() }
}

fn open(minutes: i32) -> OfferedVisit {
    OfferedVisit { day: None, start_minute: None, minutes, mode: Mode::Online, place: String::new() }
}

/// The wrong fields (pointer and code) of a list of visits, looked at on 1 June 2026 with an hour of travel.
fn wrong(visits: &[OfferedVisit]) -> Vec<(String, &'static str)> {
    let frame = VisitFrame { fiscal_year: FiscalYear::new(2026).unwrap(), buffer_minutes: 60, now: at(6, 1, 540) };
    let mut fields = Fields::new();
    check_visits(&mut fields, "/visits", visits, &frame);
    match fields.finish() {
        Ok(()) => Vec::new(),
        Err(error) => error.failure().fields.into_iter().map(|field| (field.pointer, field.code)).collect(),
    }
}

fn one(pointer: &str, code: &'static str) -> Vec<(String, &'static str)> {
    vec![(pointer.to_owned(), code)]
}

#[test]
fn every_state_but_the_answered_ones_leads_on_and_refusals_name_the_way() {
    assert_eq!(OfferStatus::Sent.after(OfferVerb::Accept).unwrap(), OfferStatus::Accepted);
    assert_eq!(OfferStatus::DatesProposed.after(OfferVerb::TakeDates).unwrap(), OfferStatus::Sent);
    for ended in [OfferStatus::Declined, OfferStatus::Expired, OfferStatus::Withdrawn] {
        assert!(ended.verbs().is_empty());
        for verb in OfferVerb::ALL {
            assert_eq!(ended.after(*verb).unwrap_err().code, ErrorCode::InvalidTransition);
        }
    }
    let refusal = OfferStatus::Queued.after(OfferVerb::Accept).unwrap_err();
    let state = refusal.failure().state.unwrap();
    assert_eq!((state.current, state.allowed), ("queued", vec!["send", "withdraw"]));
}

#[test]
fn the_table_gives_one_result_for_a_state_and_a_verb_and_nobody_can_ask_for_expiry() {
    for (i, (from, verb, _)) in TRANSITIONS.iter().enumerate() {
        assert!(TRANSITIONS.iter().skip(i + 1).all(|(f, v, _)| (f, v) != (from, verb)));
    }
    for status in OfferStatus::ALL {
        assert!(!status.verbs().contains(&OfferVerb::Expire));
    }
}

#[test]
fn an_offer_is_over_at_its_end_and_only_while_it_waits_for_an_answer() {
    let end = Some(at(6, 8, 0));
    assert_eq!(OfferStatus::Sent.at(end, at(6, 7, 1439)), OfferStatus::Sent);
    assert_eq!(OfferStatus::Sent.at(end, at(6, 8, 0)), OfferStatus::Expired);
    assert_eq!(OfferStatus::Accepted.at(end, at(6, 9, 0)), OfferStatus::Accepted);
    assert_eq!(OfferStatus::DatesProposed.at(end, at(6, 9, 0)), OfferStatus::DatesProposed);
}

#[test]
fn an_offer_never_outlives_the_beginning_of_its_first_visit() {
    let now = at(6, 1, 540);
    let visits = [open(60), dated(6, 3, 600, 120, Mode::Onsite), dated(6, 2, 810, 120, Mode::Onsite)];
    assert_eq!(expiry(now, 12, &visits), Some(at(6, 1, 1260)));
    assert_eq!(expiry(now, 168, &visits), Some(at(6, 2, 810)));
    assert_eq!(expiry(now, 24, &[open(60)]), Some(at(6, 2, 540)));
    assert_eq!(expiry(at(6, 2, 810), 24, &visits), None);
}

#[test]
fn a_visit_has_both_day_and_start_or_neither() {
    let mut visit = dated(6, 18, 600, 60, Mode::Online);
    visit.start_minute = None;
    assert_eq!(wrong(&[visit.clone()]), one("/visits/0/start_minute", "required"));
    visit.day = None;
    assert_eq!(wrong(&[visit.clone()]), Vec::new());
    visit.start_minute = Some(600);
    assert_eq!(wrong(&[visit]), one("/visits/0/day", "required"));
}

#[test]
fn absurd_lengths_past_days_and_other_fiscal_years_are_refused() {
    assert_eq!(wrong(&[]), one("/visits", "required"));
    assert_eq!(wrong(&[open(-5)]), one("/visits/0/minutes", "out_of_range"));
    assert_eq!(wrong(&[open(14)]), one("/visits/0/minutes", "out_of_range"));
    assert_eq!(wrong(&[open(1441)]), one("/visits/0/minutes", "out_of_range"));
    assert_eq!(wrong(&[dated(6, 18, 1380, 60, Mode::Online)]), Vec::new());
    assert_eq!(wrong(&[dated(6, 18, 1380, 61, Mode::Online)]), one("/visits/0/minutes", "beyond_midnight"));
    assert_eq!(wrong(&[dated(6, 1, 540, 60, Mode::Online)]), one("/visits/0/day", "in_the_past"));
    assert_eq!(wrong(&[dated(6, 1, 541, 60, Mode::Online)]), Vec::new());
    // 31 March and 1 April belong to different fiscal years.
    let mut last = dated(6, 18, 600, 60, Mode::Online);
    last.day = NaiveDate::from_ymd_opt(2027, 3, 31);
    assert_eq!(wrong(&[last.clone()]), Vec::new());
    last.day = NaiveDate::from_ymd_opt(2027, 4, 1);
    assert_eq!(wrong(&[last]), one("/visits/0/day", "outside_fiscal_year"));
    assert_eq!(wrong(&vec![open(60); MOST_VISITS]), Vec::new());
    assert_eq!(wrong(&vec![open(60); MOST_VISITS + 1]), one("/visits", "too_many"));
}

#[test]
fn the_visits_of_one_offer_leave_time_to_travel_between_them() {
    let first = dated(6, 18, 600, 120, Mode::Onsite);
    // An hour of travel on each side: 9:00–13:00 is taken, another visit on site blocks an hour before itself.
    assert_eq!(wrong(&[first.clone(), dated(6, 18, 840, 60, Mode::Onsite)]), Vec::new());
    assert_eq!(wrong(&[first.clone(), dated(6, 18, 839, 60, Mode::Onsite)]), one("/visits/1/start_minute", "overlaps"));
    assert_eq!(wrong(&[first.clone(), dated(6, 18, 780, 60, Mode::Online)]), Vec::new());
    // The later entry of the list is named, whichever is earlier in the day.
    assert_eq!(wrong(&[first.clone(), dated(6, 18, 500, 60, Mode::Online)]), one("/visits/1/start_minute", "overlaps"));
    assert_eq!(wrong(&[first, open(60), open(60)]), Vec::new());
}

#[test]
fn a_long_visit_is_seen_to_overlap_even_behind_a_short_one() {
    let visits = [dated(6, 18, 0, 1000, Mode::Online), dated(6, 18, 100, 15, Mode::Online), dated(6, 18, 900, 60, Mode::Online)];
    assert_eq!(overlapping(&visits, 0), vec![(0, 1), (0, 2)]);
}

#[test]
fn a_visit_loads_its_own_day_or_the_month_in_which_the_period_begins() {
    assert_eq!(dated(6, 18, 600, 60, Mode::Onsite).load_day(day(5, 11)), day(6, 18));
    assert_eq!(open(60).load_day(day(5, 11)), day(5, 1));
}

#[test]
fn what_hinders_an_expert_is_named_for_each_visit() {
    let standing = ExpertStanding {
        registered: true,
        appointed_from: day(4, 1),
        appointed_to: Some(day(7, 1)),
        leaves: vec![(day(6, 10), day(6, 20))],
    };
    let visits = [
        dated(6, 9, 600, 60, Mode::Onsite),
        dated(6, 10, 600, 60, Mode::Onsite),
        dated(6, 30, 600, 60, Mode::Onsite),
        dated(7, 1, 600, 60, Mode::Onsite),
        open(60),
    ];
    let period = (day(6, 1), day(8, 31));
    assert_eq!(standing.hindrances(&visits, period), vec![(Some(1), Hindrance::OnLeave), (Some(3), Hindrance::NotAppointed)]);
    let suspended = ExpertStanding { registered: false, ..standing };
    assert_eq!(suspended.hindrances(&visits, period), vec![(None, Hindrance::NotRegistered)]);
}

#[test]
fn a_visit_to_be_arranged_needs_one_free_day_of_the_period() {
    let standing = |leaves: Vec<(NaiveDate, NaiveDate)>| ExpertStanding {
        registered: true,
        appointed_from: day(6, 15),
        appointed_to: None,
        leaves,
    };
    let within = |standing: ExpertStanding, from: NaiveDate, to: NaiveDate| standing.hindrances(&[open(60)], (from, to));
    assert_eq!(within(standing(vec![]), day(6, 1), day(6, 14)), vec![(Some(0), Hindrance::NotAppointed)]);
    assert_eq!(within(standing(vec![]), day(6, 1), day(6, 15)), vec![]);
    assert_eq!(within(standing(vec![(day(6, 1), day(6, 30))]), day(6, 1), day(6, 30)), vec![(Some(0), Hindrance::OnLeave)]);
    assert_eq!(within(standing(vec![(day(6, 1), day(6, 29))]), day(6, 1), day(6, 30)), vec![]);
}
