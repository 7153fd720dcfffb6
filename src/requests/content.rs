//! What an applicant writes, checked: every wrong value at once, whether it is a new draft or a change to one.

use chrono::NaiveDate;

use super::children::{AskedSkill, WishedDateRow};
use super::store::Content;
use super::views::{CreateRequestBody, RequestSkillBody, UpdateRequestBody, WishedDate};
use crate::calendar::FiscalYear;
use crate::db::Conn;
use crate::error::Error;
use crate::experts::model::ExpertStatus;
use crate::http::Fields;
use crate::ids::{ExpertId, OrganisationId, PoolId, SkillItemId};
use crate::text;

/// Longest list of wished dates, skills and preferred experts.
const MOST_WISHES: usize = 20;
/// Most bodies that join the applicant.
const MOST_PARTICIPANTS: usize = 200;
/// Most bodies with an interest in the outcome.
const MOST_INTERESTS: usize = 50;

/// The lists of a request as they were given; absent: unchanged.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// Wished dates, first wish first.
    pub wished_dates: Option<Vec<WishedDate>>,
    /// Skills asked for.
    pub required_skills: Option<Vec<RequestSkillBody>>,
    /// Preferred experts, first choice first.
    pub preferred: Option<Vec<ExpertId>>,
    /// The other bodies of a joint request.
    pub participants: Option<Vec<OrganisationId>>,
    /// The bodies with an interest in the outcome.
    pub interested: Option<Vec<OrganisationId>>,
}

/// Where a request belongs, as far as its lists must fit.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// The pool from which experts are preferred.
    pub pool: PoolId,
    /// The applicant, who is the lead and not listed again.
    pub applicant: OrganisationId,
}

impl Content {
    /// The content of a new request.
    pub fn of_body(body: &CreateRequestBody) -> Self {
        Self {
            fiscal_year: FiscalYear::of(body.period_from).starting_year(),
            activity_kind: body.activity_kind,
            theme: body.theme.clone(),
            theme_key: text::fold(&body.theme),
            background: body.background.clone(),
            goal: body.goal.clone(),
            mode: body.mode,
            period_from: body.period_from,
            period_to: body.period_to,
            visit_count: body.visit_count,
            minutes_per_visit: body.minutes_per_visit,
            place: body.place.clone(),
            audience: body.audience.clone(),
            audience_count: body.audience_count,
            equipment: body.equipment.clone(),
            department: body.department.clone(),
            contact_name: body.contact_name.clone(),
            contact_email: body.contact_email.clone(),
            contact_phone: body.contact_phone.clone(),
            leave_to_office: body.leave_to_office.unwrap_or(body.preferred_expert_ids.is_empty()),
            budget_note: body.budget_note.clone(),
            on_island: body.on_island,
            languages: body.languages.join(","),
            experts_needed: body.experts_needed,
            rotation: body.rotation,
        }
    }

    /// The content after a change. Preferring an expert takes the choice back from the office, unless said otherwise.
    #[must_use]
    pub fn changed(self, body: &UpdateRequestBody) -> Self {
        fn new<T: Clone>(given: &Option<T>, old: T) -> T {
            given.clone().unwrap_or(old)
        }
        let theme = new(&body.theme, self.theme);
        let period_from = new(&body.period_from, self.period_from);
        let leave_to_office = match (body.leave_to_office, &body.preferred_expert_ids) {
            (Some(leave), _) => leave,
            (None, Some(preferred)) => preferred.is_empty(),
            (None, None) => self.leave_to_office,
        };
        Self {
            fiscal_year: FiscalYear::of(period_from).starting_year(),
            activity_kind: new(&body.activity_kind, self.activity_kind),
            theme_key: text::fold(&theme),
            theme,
            background: new(&body.background, self.background),
            goal: new(&body.goal, self.goal),
            mode: new(&body.mode, self.mode),
            period_from,
            period_to: new(&body.period_to, self.period_to),
            visit_count: new(&body.visit_count, self.visit_count),
            minutes_per_visit: new(&body.minutes_per_visit, self.minutes_per_visit),
            place: new(&body.place, self.place),
            audience: new(&body.audience, self.audience),
            audience_count: body.audience_count.or(self.audience_count),
            equipment: new(&body.equipment, self.equipment),
            department: new(&body.department, self.department),
            contact_name: new(&body.contact_name, self.contact_name),
            contact_email: new(&body.contact_email, self.contact_email),
            contact_phone: new(&body.contact_phone, self.contact_phone),
            leave_to_office,
            budget_note: new(&body.budget_note, self.budget_note),
            on_island: new(&body.on_island, self.on_island),
            languages: body.languages.as_ref().map_or(self.languages, |codes| codes.join(",")),
            experts_needed: new(&body.experts_needed, self.experts_needed),
            rotation: new(&body.rotation, self.rotation),
        }
    }

    /// Whether something changed that the bodies of a joint request agreed to.
    pub fn changes_what_was_agreed(&self, old: &Self) -> bool {
        let agreed = |content: &Self| {
            (
                content.activity_kind,
                content.theme_key.clone(),
                content.mode,
                content.period_from,
                content.period_to,
                content.visit_count,
                content.minutes_per_visit,
                content.budget_note.clone(),
                content.on_island,
                content.experts_needed,
                content.rotation,
            )
        };
        agreed(self) != agreed(old)
    }

    /// Notes every wrong value.
    pub fn check(&self, fields: &mut Fields) {
        fields.line("/theme", &self.theme, 200);
        fields.text("/background", &self.background, 5000);
        fields.text("/goal", &self.goal, 5000);
        fields.period("/period_to", self.period_from, self.period_to);
        fields.check(
            FiscalYear::new(self.fiscal_year).is_ok(),
            "/period_from",
            "out_of_range",
            "2000年度から2100年度までの日付にしてください",
            "Must lie in fiscal years 2000 to 2100",
        );
        fields.within("/visit_count", i64::from(self.visit_count), 1, 100);
        fields.within("/minutes_per_visit", i64::from(self.minutes_per_visit), 15, 1440);
        fields.optional_line("/place", &self.place, 200);
        fields.text("/audience", &self.audience, 500);
        if let Some(count) = self.audience_count {
            fields.within("/audience_count", i64::from(count), 0, 100_000);
        }
        fields.text("/equipment", &self.equipment, 1000);
        fields.optional_line("/department", &self.department, 200);
        fields.optional_line("/contact_name", &self.contact_name, 200);
        if !self.contact_email.is_empty() {
            fields.email("/contact_email", &self.contact_email);
        }
        fields.optional_line("/contact_phone", &self.contact_phone, 50);
        fields.text("/budget_note", &self.budget_note, 2000);
        fields.within("/experts_needed", i64::from(self.experts_needed), 1, 5);
        fields.check(
            !self.rotation || self.experts_needed > 1,
            "/rotation",
            "needs_team",
            "交代で訪問するには、必要な専門家を2人以上にしてください",
            "Taking turns needs at least two experts",
        );
    }
}

/// Notes every wish that is not a time of a day of the period, and every wish that stands twice.
pub fn check_wished_dates(fields: &mut Fields, dates: &[WishedDate], from: NaiveDate, to: NaiveDate) {
    fields.at_most("/wished_dates", dates.len(), MOST_WISHES);
    for (i, wish) in dates.iter().take(MOST_WISHES).enumerate() {
        let at = |name: &str| format!("/wished_dates/{i}/{name}");
        fields.check(
            (from..=to).contains(&wish.day),
            at("day"),
            "outside_period",
            "希望期間内の日付にしてください",
            "Must lie within the period",
        );
        match (wish.start_minute, wish.end_minute) {
            (None, None) => {}
            (Some(start), Some(end)) => {
                fields.within(&at("start_minute"), i64::from(start), 0, 1439);
                fields.within(&at("end_minute"), i64::from(end), 1, 1440);
                fields.check(
                    end > start,
                    at("end_minute"),
                    "before_start",
                    "終了時刻は開始時刻より後にしてください",
                    "The end must be after the start",
                );
            }
            _ => fields.wrong(
                at("end_minute"),
                "required",
                "開始時刻と終了時刻は両方指定してください",
                "Give both start and end, or neither",
            ),
        }
        let repeated = dates.iter().take(i).any(|earlier| earlier == wish);
        fields.check(!repeated, at("day"), "duplicate", "同じ希望が重なっています", "The same wish stands twice");
    }
}

/// Notes what is wrong with the lists: too long, repeated, unknown, not of the pool.
pub fn check_lists(conn: &mut Conn, fields: &mut Fields, lists: &Lists, frame: Frame) -> Result<(), Error> {
    if let Some(skills) = &lists.required_skills {
        check_skills(conn, fields, skills)?;
    }
    if let Some(preferred) = &lists.preferred {
        check_experts(conn, fields, preferred, frame.pool)?;
    }
    if let Some(participants) = &lists.participants {
        check_participants(conn, fields, participants, frame.applicant)?;
    }
    if let Some(interested) = &lists.interested {
        check_interested(conn, fields, interested)?;
    }
    Ok(())
}

fn no_repeats<T: PartialEq>(fields: &mut Fields, pointer: &str, list: &[T]) {
    for (i, item) in list.iter().enumerate() {
        let repeated = list.iter().take(i).any(|earlier| earlier == item);
        fields.check(!repeated, format!("{pointer}/{i}"), "duplicate", "同じものが重なっています", "Stands twice");
    }
}

fn check_skills(conn: &mut Conn, fields: &mut Fields, skills: &[RequestSkillBody]) -> Result<(), Error> {
    fields.at_most("/required_skills", skills.len(), MOST_WISHES);
    if skills.is_empty() || skills.len() > MOST_WISHES {
        return Ok(());
    }
    check_demands(fields, skills);
    let ids: Vec<SkillItemId> = skills.iter().map(|skill| skill.skill_item_id).collect();
    no_repeats(fields, "/required_skills", &ids);
    let known = crate::experts::store::item_scales(conn, &ids)?;
    for (i, skill) in skills.iter().enumerate() {
        match known.iter().find(|(id, ..)| *id == skill.skill_item_id) {
            Some((_, highest, _)) => {
                fields.within(&format!("/required_skills/{i}/min_level"), i64::from(skill.min_level), 1, i64::from(*highest));
            }
            None => unknown(fields, format!("/required_skills/{i}/skill_item_id")),
        }
    }
    Ok(())
}

/// Notes what is asked of a skill that is only welcome, though it makes sense of a required one alone.
fn check_demands(fields: &mut Fields, skills: &[RequestSkillBody]) {
    for (i, skill) in skills.iter().enumerate() {
        let group = format!("/required_skills/{i}/alternative_group");
        if let Some(number) = skill.alternative_group {
            fields.within(&group, i64::from(number), 1, 20);
        }
        fields.check(
            skill.must || skill.alternative_group.is_none(),
            group,
            "needs_must",
            "代わりになるスキルの番号は、必須のスキルにだけ付けてください",
            "Only required skills are alternatives to each other",
        );
        fields.check(
            skill.must || !skill.verified_only,
            format!("/required_skills/{i}/verified_only"),
            "needs_must",
            "確認済みに限ることができるのは、必須のスキルだけです",
            "Only a required skill can have to be verified",
        );
    }
}

fn check_experts(conn: &mut Conn, fields: &mut Fields, preferred: &[ExpertId], pool: PoolId) -> Result<(), Error> {
    fields.at_most("/preferred_expert_ids", preferred.len(), MOST_WISHES);
    if preferred.is_empty() || preferred.len() > MOST_WISHES {
        return Ok(());
    }
    no_repeats(fields, "/preferred_expert_ids", preferred);
    let known = crate::experts::store::find_many(conn, preferred)?;
    for (i, id) in preferred.iter().enumerate() {
        match known.iter().find(|expert| expert.id == *id && expert.pool_id == pool) {
            Some(expert) => fields.check(
                expert.status == ExpertStatus::Registered,
                format!("/preferred_expert_ids/{i}"),
                "not_registered",
                "この専門家は現在登録されていません",
                "This expert is not registered now",
            ),
            None => unknown(fields, format!("/preferred_expert_ids/{i}")),
        }
    }
    Ok(())
}

fn check_participants(
    conn: &mut Conn,
    fields: &mut Fields,
    participants: &[OrganisationId],
    applicant: OrganisationId,
) -> Result<(), Error> {
    fields.at_most("/participant_organisation_ids", participants.len(), MOST_PARTICIPANTS);
    if participants.is_empty() || participants.len() > MOST_PARTICIPANTS {
        return Ok(());
    }
    no_repeats(fields, "/participant_organisation_ids", participants);
    let known = crate::organisations::store::find_many(conn, participants)?;
    for (i, id) in participants.iter().enumerate() {
        let pointer = format!("/participant_organisation_ids/{i}");
        fields.check(
            *id != applicant,
            pointer.clone(),
            "is_lead",
            "代表の申請団体は含めないでください",
            "The applicant is the lead; leave it out",
        );
        if !known.iter().any(|body| body.id == *id) {
            unknown(fields, pointer);
        }
    }
    Ok(())
}

fn check_interested(conn: &mut Conn, fields: &mut Fields, interested: &[OrganisationId]) -> Result<(), Error> {
    fields.at_most("/interested_organisation_ids", interested.len(), MOST_INTERESTS);
    if interested.is_empty() || interested.len() > MOST_INTERESTS {
        return Ok(());
    }
    no_repeats(fields, "/interested_organisation_ids", interested);
    let known = crate::organisations::store::find_many(conn, interested)?;
    for (i, id) in interested.iter().enumerate() {
        if !known.iter().any(|body| body.id == *id) {
            unknown(fields, format!("/interested_organisation_ids/{i}"));
        }
    }
    Ok(())
}

fn unknown(fields: &mut Fields, pointer: String) {
    fields.wrong(pointer, "unknown_reference", "存在しないものを参照しています", "Refers to something that does not exist");
}

/// Notes a request that both names experts and leaves the choice to the office, or does neither.
pub fn check_choice(fields: &mut Fields, leave_to_office: bool, preferred: usize) {
    fields.check(
        !(leave_to_office && preferred > 0),
        "/leave_to_office",
        "contradictory",
        "希望する専門家を挙げるときは、事務局一任を外してください",
        "Either name experts or leave the choice to the office",
    );
    fields.check(
        leave_to_office || preferred > 0,
        "/preferred_expert_ids",
        "required",
        "希望する専門家を挙げるか、事務局一任にしてください",
        "Name experts or leave the choice to the office",
    );
}

/// The skills as they are written.
pub fn asked(skills: &[RequestSkillBody]) -> Vec<AskedSkill> {
    skills
        .iter()
        .map(|skill| AskedSkill {
            skill_item_id: skill.skill_item_id,
            min_level: skill.min_level,
            must: skill.must,
            alternative_group: skill.alternative_group,
            verified_only: skill.verified_only,
        })
        .collect()
}

/// The wishes as rows, the first as rank 1.
pub fn ranked(dates: &[WishedDate]) -> Vec<WishedDateRow> {
    (1_i32..)
        .zip(dates)
        .map(|(rank, wish)| WishedDateRow { rank, day: wish.day, start_minute: wish.start_minute, end_minute: wish.end_minute })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn wrong(fields: Fields) -> Vec<(String, &'static str)> {
        fields
            .finish()
            .err()
            .map(|error| error.failure().fields.into_iter().map(|field| (field.pointer, field.code)).collect())
            .unwrap_or_default()
    }

    #[test]
    fn wishes_lie_in_the_period_and_run_forwards() {
        let wish = |text: &str, start_minute, end_minute| WishedDate { day: day(text), start_minute, end_minute };
        let mut fields = Fields::new();
        check_wished_dates(
            &mut fields,
            &[
                wish("2026-06-01", None, None),
                wish("2026-05-31", Some(600), Some(720)),
                wish("2026-06-02", Some(720), Some(600)),
                wish("2026-06-03", Some(720), None),
                wish("2026-06-01", None, None),
            ],
            day("2026-06-01"),
            day("2026-06-30"),
        );
        assert_eq!(
            wrong(fields),
            [
                ("/wished_dates/1/day".to_owned(), "outside_period"),
                ("/wished_dates/2/end_minute".to_owned(), "before_start"),
                ("/wished_dates/3/end_minute".to_owned(), "required"),
                ("/wished_dates/4/day".to_owned(), "duplicate"),
            ]
        );
    }

    #[test]
    fn alternatives_and_verified_levels_are_demands_on_required_skills() {
        let skill = |must, alternative_group, verified_only| RequestSkillBody {
            skill_item_id: SkillItemId(1),
            min_level: 1,
            must,
            alternative_group,
            verified_only,
        };
        let mut fields = Fields::new();
        check_demands(
            &mut fields,
            &[
                skill(true, Some(1), true),
                skill(false, None, false),
                skill(false, Some(20), false),
                skill(true, Some(21), false),
                skill(false, None, true),
            ],
        );
        assert_eq!(
            wrong(fields),
            [
                ("/required_skills/2/alternative_group".to_owned(), "needs_must"),
                ("/required_skills/3/alternative_group".to_owned(), "out_of_range"),
                ("/required_skills/4/verified_only".to_owned(), "needs_must"),
            ]
        );
    }

    #[test]
    fn the_choice_is_the_applicants_or_the_offices() {
        for (leave, preferred, expected) in
            [(true, 0, None), (false, 2, None), (true, 1, Some("contradictory")), (false, 0, Some("required"))]
        {
            let mut fields = Fields::new();
            check_choice(&mut fields, leave, preferred);
            assert_eq!(wrong(fields).first().map(|(_, code)| *code), expected);
        }
    }
}
