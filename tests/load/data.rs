//! A large set of data for measurements: deterministic, plausible in shape, with made-up people.

use chrono::{Duration, NaiveDate};
use diesel::prelude::*;

use tasuki::auth::policy::Role;
use tasuki::auth::sessions::{self, Carrier};
use tasuki::clock::UtcTime;
use tasuki::db::Conn;
use tasuki::db::schema::{
    expert_areas, expert_skills, expert_weekly_slots, experts, memberships, pool_members, pools, programme_years, programmes,
    request_participants, request_skills, requests, skill_items, users, visit_participants, visits,
};
use tasuki::error::Error;
use tasuki::ids::{
    ExpertId, MembershipId, OrganisationId, PoolId, ProgrammeId, RequestId, SessionId, SkillItemId, UserId, VisitId,
};
use tasuki::organisations::store as organisations;
use tasuki::pools::presets;

/// The coordinator, who signs in as that of the demo world does.
const COORDINATOR: &str = "coordinator@pref.example.jp";

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Experts in the one pool.
    pub experts: usize,
    /// Visits of the last years, as a ledger.
    pub visits: usize,
    /// Requests in all states that need no further rows.
    pub requests: usize,
}

/// What was made and how to reach it.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    /// An accepted request that asks for the skill.
    pub request: RequestId,
    /// The pool.
    pub pool: PoolId,
    /// Its programme.
    pub programme: ProgrammeId,
    /// A coordinator's open session.
    pub session: SessionId,
    /// A skill that about a quarter of the experts have.
    pub skill: SkillItemId,
}

/// A small deterministic generator (SplitMix64); figures need no better.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let index = self.below(list.len());
        list.get(index)
    }
}

const FAMILY: &[(&str, &str)] = &[
    ("佐藤", "サトウ"),
    ("鈴木", "スズキ"),
    ("高橋", "タカハシ"),
    ("田中", "タナカ"),
    ("伊藤", "イトウ"),
    ("渡辺", "ワタナベ"),
    ("山本", "ヤマモト"),
    ("中村", "ナカムラ"),
    ("小林", "コバヤシ"),
    ("加藤", "カトウ"),
    ("望月", "モチヅキ"),
    ("杉山", "スギヤマ"),
];
const GIVEN: &[(&str, &str)] = &[
    ("一郎", "イチロウ"),
    ("花子", "ハナコ"),
    ("健", "ケン"),
    ("美咲", "ミサキ"),
    ("誠", "マコト"),
    ("陽子", "ヨウコ"),
    ("翔", "ショウ"),
    ("直美", "ナオミ"),
    ("大輔", "ダイスケ"),
    ("結衣", "ユイ"),
];

/// Fills an otherwise fresh database (schema and built-in facts loaded).
pub fn fill(conn: &mut Conn, app: &tasuki::app::App, size: Size, now: UtcTime) -> Result<Made, Error> {
    let mut random = Random(20_260_401);
    let prefecture = organisations::find_by_code(conn, "220001")?.ok_or_else(Error::not_found)?;
    let towns: Vec<OrganisationId> = organisations::municipalities_of(conn, prefecture.id)?.iter().map(|town| town.id).collect();
    let day = |year: i32, month: u32, day: u32| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    let pool: PoolId = diesel::insert_into(pools::table)
        .values((
            pools::owner_organisation_id.eq(prefecture.id),
            pools::name.eq("計測用プール"),
            pools::expert_title.eq("専門家"),
            pools::created_at.eq(now),
            pools::updated_at.eq(now),
        ))
        .returning(pools::id)
        .get_result(conn)?;
    for town in &towns {
        diesel::insert_into(pool_members::table)
            .values((
                pool_members::pool_id.eq(pool),
                pool_members::organisation_id.eq(town),
                pool_members::valid_from.eq(day(2018, 4, 1)),
                pool_members::created_at.eq(now),
            ))
            .execute(conn)?;
    }
    let programme: ProgrammeId = diesel::insert_into(programmes::table)
        .values((
            programmes::pool_id.eq(pool),
            programmes::name.eq("計測用事業"),
            programmes::created_at.eq(now),
            programmes::updated_at.eq(now),
        ))
        .returning(programmes::id)
        .get_result(conn)?;
    let rules = presets::all()?.into_iter().next().ok_or_else(Error::not_found)?.rules;
    let rules = serde_json::to_string(&rules).map_err(Error::internal)?;
    for year in 2019..=2027 {
        diesel::insert_into(programme_years::table)
            .values((
                programme_years::programme_id.eq(programme),
                programme_years::fiscal_year.eq(year),
                programme_years::rules.eq(&rules),
                programme_years::created_at.eq(now),
                programme_years::updated_at.eq(now),
            ))
            .execute(conn)?;
    }
    let skills: Vec<SkillItemId> = skill_items::table.order(skill_items::id).select(skill_items::id).load(conn)?;
    let skill = *skills.first().ok_or_else(Error::not_found)?;
    let mut people: Vec<ExpertId> = Vec::with_capacity(size.experts);
    for n in 0..size.experts {
        people.push(expert(conn, &mut random, n, pool, &towns, &skills, now)?);
    }
    for n in 0..size.visits {
        visit(conn, &mut random, n, (programme, prefecture.id), &people, &towns, now)?;
    }
    for n in 0..size.requests {
        request(conn, &mut random, n, programme, prefecture.id, &towns, now)?;
    }
    // One that asks for what the search asks for: this skill from level 2 on, online.
    request(conn, &mut random, size.requests, programme, prefecture.id, &towns, now)?;
    let newest: RequestId = requests::table.order(requests::id.desc()).select(requests::id).first(conn)?;
    diesel::update(requests::table.find(newest))
        .set((requests::mode.eq("online"), requests::status.eq("accepted")))
        .execute(conn)?;
    diesel::insert_into(request_skills::table)
        .values((
            request_skills::request_id.eq(newest),
            request_skills::skill_item_id.eq(skill),
            request_skills::min_level.eq(2),
            request_skills::must.eq(true),
        ))
        .execute(conn)?;
    let session = coordinator(conn, app, prefecture.id, now)?;
    Ok(Made { pool, programme, session, skill, request: newest })
}

fn expert(
    conn: &mut Conn,
    random: &mut Random,
    n: usize,
    pool: PoolId,
    towns: &[OrganisationId],
    skills: &[SkillItemId],
    now: UtcTime,
) -> Result<ExpertId, Error> {
    let (family, family_kana) = FAMILY.get(random.below(FAMILY.len())).copied().unwrap_or_default();
    let (given, given_kana) = GIVEN.get(random.below(GIVEN.len())).copied().unwrap_or_default();
    let (name, kana) = (format!("{family} {given}{n}"), format!("{family_kana} {given_kana}"));
    let online = random.below(4) != 0;
    let id: ExpertId = diesel::insert_into(experts::table)
        .values((
            experts::pool_id.eq(pool),
            experts::name.eq(&name),
            experts::kana.eq(&kana),
            experts::search_key.eq(format!("{} {}", tasuki::text::fold(&name), tasuki::text::fold(&kana))),
            experts::affiliation_kind.eq("individual"),
            experts::email.eq(format!("expert{n}@example.jp")),
            experts::profile.eq("自治体の情報化支援に携わる。計測用の架空の人物です。"),
            experts::onsite.eq(!online || random.below(3) != 0),
            experts::online.eq(online),
            experts::base_organisation_id.eq(random.pick(towns).copied()),
            experts::status.eq("registered"),
            experts::appointed_from.eq(NaiveDate::from_ymd_opt(2019, 4, 1).unwrap_or_default()),
            experts::capacity_minutes_month.eq(Some(60 * 40)),
            experts::created_at.eq(now),
            experts::updated_at.eq(now),
        ))
        .returning(experts::id)
        .get_result(conn)?;
    let mut chosen: Vec<SkillItemId> = Vec::new();
    for _ in 0..4 {
        if let Some(skill) = random.pick(skills).copied().filter(|skill| !chosen.contains(skill)) {
            chosen.push(skill);
            let level = i32::try_from(1 + random.below(4)).unwrap_or(1);
            diesel::insert_into(expert_skills::table)
                .values((
                    expert_skills::expert_id.eq(id),
                    expert_skills::pool_id.eq(pool),
                    expert_skills::kana.eq(&kana),
                    expert_skills::skill_item_id.eq(skill),
                    expert_skills::level.eq(level),
                    expert_skills::verified.eq(random.below(2) == 0),
                ))
                .execute(conn)?;
        }
    }
    for weekday in 1..=5 {
        if random.below(3) != 0 {
            diesel::insert_into(expert_weekly_slots::table)
                .values((
                    expert_weekly_slots::expert_id.eq(id),
                    expert_weekly_slots::weekday.eq(weekday),
                    expert_weekly_slots::start_minute.eq(540),
                    expert_weekly_slots::end_minute.eq(1020),
                ))
                .execute(conn)?;
        }
    }
    if random.below(2) == 0
        && let Some(town) = random.pick(towns)
    {
        diesel::insert_into(expert_areas::table)
            .values((expert_areas::expert_id.eq(id), expert_areas::organisation_id.eq(town)))
            .execute(conn)?;
    }
    Ok(id)
}

fn visit(
    conn: &mut Conn,
    random: &mut Random,
    n: usize,
    (programme, owner): (ProgrammeId, OrganisationId),
    people: &[ExpertId],
    towns: &[OrganisationId],
    now: UtcTime,
) -> Result<(), Error> {
    let (Some(expert), Some(town)) = (random.pick(people), random.pick(towns)) else { return Ok(()) };
    let first = NaiveDate::from_ymd_opt(2019, 4, 1).unwrap_or_default();
    let day = first + Duration::days(i64::try_from(random.below(7 * 365)).unwrap_or(0));
    let minutes = i32::try_from(60 * (1 + random.below(6))).unwrap_or(60);
    let done = day <= now.jst_day();
    let id: VisitId = diesel::insert_into(visits::table)
        .values((
            visits::programme_id.eq(programme),
            visits::owner_organisation_id.eq(owner),
            visits::applicant_organisation_id.eq(town),
            visits::expert_id.eq(expert),
            visits::origin.eq("ledger"),
            visits::activity_kind.eq(if random.below(10) == 0 { "consultation" } else { "visit" }),
            visits::status.eq(if done { "done" } else { "planned" }),
            visits::day.eq(Some(day)),
            visits::load_day.eq(day),
            visits::planned_minutes.eq(minutes),
            visits::actual_minutes.eq(done.then_some(minutes)),
            visits::mode.eq(if random.below(3) == 0 { "online" } else { "onsite" }),
            visits::ledger_key.eq(Some(format!("large-{n}"))),
            visits::created_at.eq(now),
            visits::updated_at.eq(now),
        ))
        .returning(visits::id)
        .get_result(conn)?;
    diesel::insert_into(visit_participants::table)
        .values((visit_participants::visit_id.eq(id), visit_participants::organisation_id.eq(town)))
        .execute(conn)?;
    Ok(())
}

fn request(
    conn: &mut Conn,
    random: &mut Random,
    n: usize,
    programme: ProgrammeId,
    owner: OrganisationId,
    towns: &[OrganisationId],
    now: UtcTime,
) -> Result<(), Error> {
    let Some(town) = random.pick(towns).copied() else { return Ok(()) };
    let status = ["submitted", "submitted", "accepted", "returned", "rejected", "withdrawn", "waitlisted"];
    let submitted = now.plus(Duration::minutes(-i64::try_from(random.below(500_000)).unwrap_or(0)));
    let from = now.jst_day();
    let id: RequestId = diesel::insert_into(requests::table)
        .values((
            requests::programme_id.eq(programme),
            requests::fiscal_year.eq(2026),
            requests::owner_organisation_id.eq(owner),
            requests::applicant_organisation_id.eq(town),
            requests::filed_by_organisation_id.eq(town),
            requests::origin.eq("requested"),
            requests::activity_kind.eq("visit"),
            requests::theme.eq(format!("窓口業務の見直しと電子申請の拡大（{n}）")),
            requests::theme_key.eq(tasuki::text::fold(&format!("窓口業務の見直しと電子申請の拡大（{n}）"))),
            requests::background.eq("計測用の架空の申請です。"),
            requests::mode.eq("onsite"),
            requests::period_from.eq(from),
            requests::period_to.eq(from + Duration::days(60)),
            requests::visit_count.eq(3),
            requests::minutes_per_visit.eq(180),
            requests::status.eq(status.get(random.below(status.len())).copied().unwrap_or("submitted")),
            requests::submitted_at.eq(Some(submitted)),
            requests::created_at.eq(submitted),
            requests::updated_at.eq(submitted),
        ))
        .returning(requests::id)
        .get_result(conn)?;
    diesel::insert_into(request_participants::table)
        .values((
            request_participants::request_id.eq(id),
            request_participants::organisation_id.eq(town),
            request_participants::is_lead.eq(true),
            request_participants::consented_at.eq(Some(submitted)),
        ))
        .execute(conn)?;
    Ok(())
}

fn coordinator(conn: &mut Conn, app: &tasuki::app::App, prefecture: OrganisationId, now: UtcTime) -> Result<SessionId, Error> {
    let user: UserId = diesel::insert_into(users::table)
        .values((
            users::email.eq(COORDINATOR),
            users::name.eq("計測 担当"),
            users::status.eq("active"),
            users::password_hash.eq(tasuki::auth::passwords::hash(tasuki::demo::PASSWORD)?),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        ))
        .returning(users::id)
        .get_result(conn)?;
    let _: MembershipId = diesel::insert_into(memberships::table)
        .values((
            memberships::user_id.eq(user),
            memberships::organisation_id.eq(prefecture),
            memberships::role.eq(Role::PrefecturalCoordinator),
            memberships::valid_from.eq(NaiveDate::from_ymd_opt(2019, 4, 1).unwrap_or_default()),
            memberships::created_at.eq(now),
            memberships::updated_at.eq(now),
        ))
        .returning(memberships::id)
        .get_result(conn)?;
    Ok(sessions::open(conn, app, user, None, Carrier::Token, "load", now)?.0.session_id)
}
