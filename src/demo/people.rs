//! Who lives in the demo world: accounts, experts, the pool and its programme.

use std::sync::Arc;

use chrono::{Datelike as _, NaiveDate};
use diesel::prelude::*;
use serde_json::json;

use super::{PASSWORD, body, step};
use crate::app::App;
use crate::auth::passwords;
use crate::auth::policy::Role;
use crate::auth::principal::{Actor, Principal};
use crate::calendar::FiscalYear;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::db::schema::{experts, organisations, skill_items};
use crate::error::Error;
use crate::experts::service as expert_service;
use crate::http::Ctx;
use crate::ids::{ExpertId, OrganisationId, PoolId, ProgrammeId, SessionId, SkillItemId, UserId};
use crate::organisations::people::{self, NewUser};
use crate::organisations::store::{self, OrganisationRow};
use crate::pools::{presets, service as pool_service};

/// An account that is printed at the start.
pub(super) struct Account {
    /// Role in words.
    pub(super) label: &'static str,
    /// Address.
    pub(super) email: &'static str,
    name: &'static str,
    role: Role,
    /// Code of the organisation.
    code: &'static str,
}

/// The accounts.
pub(super) const ACCOUNTS: &[Account] = &[
    Account {
        label: "都道府県コーディネーター",
        email: "coordinator@pref.example.jp",
        name: "静岡 花子",
        role: Role::PrefecturalCoordinator,
        code: "220001",
    },
    Account {
        label: "浜松市 担当者",
        email: "staff@hamamatsu.example.jp",
        name: "浜松 太郎",
        role: Role::MunicipalStaff,
        code: "221309",
    },
    Account {
        label: "袋井市 担当者",
        email: "staff@fukuroi.example.jp",
        name: "袋井 次郎",
        role: Role::MunicipalStaff,
        code: "222160",
    },
    Account {
        label: "袋井市 承認者",
        email: "approver@fukuroi.example.jp",
        name: "袋井 課長",
        role: Role::MunicipalApprover,
        code: "222160",
    },
    Account { label: "専門家", email: "expert@example.jp", name: "見本 一郎", role: Role::Expert, code: "220001" },
    Account {
        label: "監査担当者", email: "auditor@pref.example.jp", name: "監査 三郎", role: Role::Auditor, code: "220001"
    },
    Account {
        label: "システム管理者",
        email: "admin@pref.example.jp",
        name: "管理 四郎",
        role: Role::SystemAdmin,
        code: "220001",
    },
];

/// Everybody the story needs.
pub(super) struct Cast {
    pub(super) app: Arc<App>,
    pub(super) now: UtcTime,
    pub(super) coordinator: Principal,
    /// Towns with somebody who files, in order of code; Fukuroi needs its approver.
    pub(super) towns: Vec<Principal>,
    pub(super) experts: Vec<ExpertId>,
    pub(super) skills: Vec<SkillItemId>,
    pub(super) programme: ProgrammeId,
    /// Codes of all municipalities of the prefecture.
    pub(super) codes: Vec<String>,
}

impl Cast {
    /// Somebody at an instant.
    pub(super) fn ctx(&self, who: &Principal, at: UtcTime) -> Ctx {
        Ctx { app: Arc::clone(&self.app), principal: who.clone(), now: at, request_id: "demo".to_owned() }
    }
}

const FAMILY: &[(&str, &str)] = &[
    ("見本", "ミホン"),
    ("富士", "フジ"),
    ("駿河", "スルガ"),
    ("遠江", "トオトウミ"),
    ("伊豆", "イズ"),
    ("天竜", "テンリュウ"),
    ("三保", "ミホ"),
    ("髙橋", "タカハシ"),
    ("渡邉", "ワタナベ"),
    ("大井", "オオイ"),
];
const GIVEN: &[(&str, &str)] = &[("一郎", "イチロウ"), ("美咲", "ミサキ"), ("健太", "ケンタ"), ("陽子", "ヨウコ")];
const FIELDS: &[&str] = &["業務改革（BPR）", "データ利活用", "情報セキュリティ", "電子申請・窓口", "生成AIの活用"];

/// Creates accounts, pool, programme, rules and experts.
pub(super) fn cast(conn: &mut Conn, app: &Arc<App>, now: UtcTime) -> Result<Cast, Error> {
    let missing = || Error::internal("the built-in organisations are missing");
    let prefecture = store::find_by_code(conn, "220001")?.ok_or_else(missing)?;
    let towns = store::municipalities_of(conn, prefecture.id)?;
    let hash = passwords::hash(PASSWORD)?;
    let since = NaiveDate::from_ymd_opt(2019, 4, 1).ok_or_else(missing)?;
    let mut principals = Vec::new();
    for account in ACCOUNTS {
        let home = store::find_by_code(conn, account.code)?.ok_or_else(missing)?;
        principals.push(account_of(conn, account.email, account.name, &home, account.role, &hash, since, now)?);
    }
    let coordinator = principals.first().cloned().ok_or_else(missing)?;
    let mut filing: Vec<Principal> = principals.iter().filter(|who| who.role == Role::MunicipalStaff).cloned().collect();
    for town in towns.iter().filter(|town| !matches!(town.lg_code.as_deref(), Some("221309" | "222160"))).take(10) {
        let code = town.lg_code.clone().unwrap_or_default();
        filing.push(account_of(
            conn,
            &format!("staff@{code}.example.jp"),
            "情報 担当",
            town,
            Role::MunicipalStaff,
            &hash,
            since,
            now,
        )?);
    }
    diesel::update(organisations::table.filter(organisations::lg_code.eq("222160")))
        .set(organisations::requires_approval.eq(true))
        .execute(conn)?;
    diesel::update(organisations::table.find(prefecture.id))
        .set(organisations::contact_email.eq("digital@pref.example.jp"))
        .execute(conn)?;

    let ctx = Ctx { app: Arc::clone(app), principal: coordinator.clone(), now, request_id: "demo".to_owned() };
    let pool = step(conn, &ctx, "demo", |conn, ctx| {
        pool_service::create_pool(
            conn,
            ctx,
            body(json!({
                "name": "ICTエキスパート", "expert_title": "ICTエキスパート", "description": "県内市町などへICTの専門家を派遣します。"
            }))?,
        )
    })?;
    let members: Vec<OrganisationId> = towns.iter().map(|town| town.id).collect();
    step(conn, &ctx, "demo", |conn, ctx| {
        let row = crate::pools::store::pool(conn, pool.id)?;
        pool_service::add_members(conn, ctx, row, body(json!({"organisation_ids": members, "valid_from": "2019-04-01"}))?)
    })?;
    let programme = step(conn, &ctx, "demo", |conn, ctx| {
        pool_service::create_programme(conn, ctx, body(json!({"pool_id": pool.id, "name": "ICTエキスパート派遣事業"}))?)
    })?;
    let rules = presets::all()?.into_iter().next().ok_or_else(missing)?.rules;
    let this_year = FiscalYear::of(now.jst_day()).starting_year();
    for year in (this_year - 4)..=(this_year + 1) {
        step(conn, &ctx, "demo", |conn, ctx| {
            let row = crate::pools::store::programme(conn, programme.id)?;
            pool_service::create_year(conn, ctx, row, body(json!({"fiscal_year": year, "rules": rules}))?)
        })?;
    }
    let skills: Vec<SkillItemId> = skill_items::table.order(skill_items::id).select(skill_items::id).load(conn)?;
    let registered = register_experts(conn, &ctx, pool.id, &towns, &skills)?;
    link_expert_account(conn, &principals, registered.first().copied())?;
    Ok(Cast {
        app: Arc::clone(app),
        now,
        coordinator,
        towns: filing,
        experts: registered,
        skills,
        programme: programme.id,
        codes: towns.iter().filter_map(|town| town.lg_code.clone()).collect(),
    })
}

#[expect(clippy::too_many_arguments, reason = "an account is what it is")]
fn account_of(
    conn: &mut Conn,
    email: &str,
    name: &str,
    home: &OrganisationRow,
    role: Role,
    hash: &str,
    since: NaiveDate,
    now: UtcTime,
) -> Result<Principal, Error> {
    let user = people::insert(
        conn,
        &NewUser { email, name, kana: "", locale: crate::organisations::model::Language::Ja, password_hash: Some(hash) },
        now,
    )?;
    let membership_id = people::insert_membership(conn, user.id, home.id, role, since, None, now)?;
    Ok(Principal {
        actor: Actor::User { user_id: user.id, session_id: SessionId(0), membership_id },
        name: name.to_owned(),
        organisation_id: home.id,
        organisation_kind: home.kind,
        organisation_name: home.name.clone(),
        prefecture_id: home.prefecture_id.or(Some(home.id)),
        role,
        acts_as: role,
        scopes: None,
        expert_ids: Vec::new(),
        lacks_second_factor: false,
    })
}

fn register_experts(
    conn: &mut Conn,
    ctx: &Ctx,
    pool: PoolId,
    towns: &[OrganisationRow],
    skills: &[SkillItemId],
) -> Result<Vec<ExpertId>, Error> {
    let mut registered = Vec::new();
    for n in 0..40_usize {
        let (family, family_kana) = FAMILY.get(n % FAMILY.len()).copied().unwrap_or_default();
        let (given, given_kana) = GIVEN.get(n / FAMILY.len()).copied().unwrap_or_default();
        let kind = ["individual", "sole_proprietor", "company_employee", "university_staff", "individual"];
        let email = if n == 0 { "expert@example.jp".to_owned() } else { format!("expert{n:02}@example.jp") };
        let field = FIELDS.get(n % FIELDS.len()).copied().unwrap_or_default();
        let base = towns.get((n * 7) % towns.len().max(1)).map(|town| town.id);
        let expert = step(conn, ctx, "demo", |conn, ctx| {
            expert_service::create_expert(
                conn,
                ctx,
                body(json!({
                    "pool_id": pool, "name": format!("{family} {given}"), "kana": format!("{family_kana} {given_kana}"),
                    "affiliation_kind": kind.get(n % kind.len()), "email": email, "onsite": n % 6 != 5, "online": n % 4 != 3 || n % 6 == 5,
                    "profile": format!("専門分野は{field}。自治体での支援経験があります。（架空の人物です）"),
                    "base_organisation_id": base, "appointed_from": "2019-04-01",
                    "languages": if n % 8 == 0 { json!(["ja", "en"]) } else { json!(["ja"]) }, "serves_islands": n % 5 != 4,
                    "employer_consent": if n % 5 == 2 { "given" } else { "not_needed" },
                    "capacity_simultaneous": 4, "capacity_minutes_month": 60 * 30,
                    "capacity_minutes_week": if n % 5 == 2 { json!(60 * 8) } else { json!(null) }
                }))?,
            )
        })?;
        let chosen: Vec<serde_json::Value> = skills
            .iter()
            .enumerate()
            .filter(|(index, _)| (index + n) % 3 == 0)
            .take(4)
            .map(|(index, skill)| json!({"skill_item_id": skill, "level": 2 + (index + n) % 3, "verified": n % 2 == 0}))
            .collect();
        step(conn, ctx, "demo", |conn, ctx| {
            let row = crate::experts::store::find(conn, expert.id)?.ok_or_else(Error::not_found)?;
            expert_service::replace_skills(conn, ctx, row, body(json!({"skills": chosen}))?)
        })?;
        registered.push(expert.id);
    }
    Ok(registered)
}

fn link_expert_account(conn: &mut Conn, principals: &[Principal], expert: Option<ExpertId>) -> Result<(), Error> {
    let user: Option<UserId> = principals.iter().find(|who| who.role == Role::Expert).and_then(Principal::user_id);
    if let (Some(user), Some(expert)) = (user, expert) {
        diesel::update(experts::table.find(expert)).set(experts::user_id.eq(Some(user.0))).execute(conn)?;
    }
    Ok(())
}

/// The next day that is neither Saturday nor Sunday.
pub(super) fn working_day(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        chrono::Weekday::Sat => day + chrono::Duration::days(2),
        chrono::Weekday::Sun => day + chrono::Duration::days(1),
        _ => day,
    }
}
