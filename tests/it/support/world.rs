//! A small world: Shizuoka with a pool, a programme by its published rules, three member municipalities, one that is
//! no member, experts, and a stranger prefecture.

use diesel::prelude::*;
use serde_json::{Value, json};
use tasuki::auth::policy::Role;
use tasuki::auth::sessions::{self, Carrier};
use tasuki::db::schema::{memberships, users};
use tasuki::ids::{MembershipId, OrganisationId, UserId};
use tasuki::organisations::store;

use super::client::Client;
use super::server::TestApp;

/// The password of every test user (argon2id of it is computed once).
pub const PASSWORD: &str = "なつみかんとみかんのはなし-2026";

pub struct World {
    pub prefecture: i64,
    pub hamamatsu: i64,
    pub kosai: i64,
    pub fukuroi: i64,
    /// In the prefecture, but no member of the pool.
    pub outsider: i64,
    pub stranger_prefecture: i64,
    pub pool: i64,
    pub programme: i64,
    pub coordinator: Client,
    pub auditor: Client,
    pub hamamatsu_staff: Client,
    pub kosai_staff: Client,
    pub outsider_staff: Client,
    pub stranger: Client,
    pub admin: Client,
}

fn password_hash() -> &'static str {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    HASH.get_or_init(|| tasuki::auth::passwords::hash(PASSWORD).unwrap())
}

/// The body with a code.
pub fn body(app: &TestApp, code: &str) -> i64 {
    app.app.db.read_blocking(|conn| store::find_by_code(conn, code)).unwrap().unwrap().id.0
}

/// An active user with one membership.
pub fn user(app: &TestApp, email: &str, name: &str, organisation: i64, role: Role) -> (UserId, MembershipId) {
    let now = app.app.clock.now();
    app.app
        .db
        .write_blocking(|conn| {
            let id: UserId = diesel::insert_into(users::table)
                .values((
                    users::email.eq(email),
                    users::name.eq(name),
                    users::status.eq("active"),
                    users::password_hash.eq(password_hash()),
                    users::created_at.eq(now),
                    users::updated_at.eq(now),
                ))
                .returning(users::id)
                .get_result(conn)?;
            let membership: MembershipId = diesel::insert_into(memberships::table)
                .values((
                    memberships::user_id.eq(id),
                    memberships::organisation_id.eq(OrganisationId(organisation)),
                    memberships::role.eq(role),
                    memberships::valid_from.eq(chrono::NaiveDate::from_ymd_opt(2020, 4, 1).unwrap()),
                    memberships::created_at.eq(now),
                    memberships::updated_at.eq(now),
                ))
                .returning(memberships::id)
                .get_result(conn)?;
            Ok((id, membership))
        })
        .unwrap()
}

/// A signed-in client for an existing user; the token is renewed whenever it is asked for.
pub fn sign_in(app: &TestApp, id: UserId) -> Client {
    app.with_token(&token(app, id))
}

/// The token of a new session of an existing user.
pub fn token(app: &TestApp, id: UserId) -> String {
    let now = app.app.clock.now();
    let (opened, _) =
        app.app.db.write_blocking(|conn| sessions::open(conn, &app.app, id, None, Carrier::Token, "test", now)).unwrap();
    // Tests move the clock by months: a token of the session is made with a far end by an own key set.
    long_token(app, opened.session_id)
}

fn long_token(app: &TestApp, session: tasuki::ids::SessionId) -> String {
    let mut auth = app.app.config.auth.clone();
    auth.access_token_minutes = 60 * 24 * 365 * 20;
    let keys = tasuki::auth::tokens::TokenKeys::new(&auth);
    app.app
        .db
        .write_blocking(|conn| {
            use tasuki::db::schema::sessions;
            diesel::update(sessions::table.find(session))
                .set(sessions::expires_at.eq(app.app.clock.now().plus(chrono::Duration::days(20 * 365))))
                .execute(conn)?;
            Ok(())
        })
        .unwrap();
    keys.issue(session, app.app.clock.now()).unwrap().0
}

/// A new user, signed in.
pub fn member(app: &TestApp, email: &str, name: &str, organisation: i64, role: Role) -> Client {
    let (id, _) = user(app, email, name, organisation, role);
    sign_in(app, id)
}

impl World {
    pub fn new(app: &TestApp) -> Self {
        let prefecture = body(app, "220001");
        let (hamamatsu, kosai, fukuroi, outsider) =
            (body(app, "221309"), body(app, "222216"), body(app, "222160"), body(app, "223441"));
        let stranger_prefecture = body(app, "380008");
        let coordinator = member(app, "coordinator@pref.example.jp", "静岡 花子", prefecture, Role::PrefecturalCoordinator);
        let pool =
            coordinator.post("/pools", &json!({"name": "ICTエキスパート", "expert_title": "ICTエキスパート"})).ok(201)["id"]
                .as_i64()
                .unwrap();
        coordinator
            .post(
                &format!("/pools/{pool}/members"),
                &json!({"organisation_ids": [hamamatsu, kosai, fukuroi], "valid_from": "2020-04-01"}),
            )
            .ok(200);
        let programme =
            coordinator.post("/programmes", &json!({"pool_id": pool, "name": "ICTエキスパート派遣事業"})).ok(201)["id"]
                .as_i64()
                .unwrap();
        let rules = preset(&coordinator, "shizuoka_ict_expert");
        for year in [2025, 2026, 2027] {
            coordinator.post(&format!("/programmes/{programme}/years"), &json!({"fiscal_year": year, "rules": rules})).ok(201);
        }
        Self {
            auditor: member(app, "auditor@pref.example.jp", "監査 一郎", prefecture, Role::Auditor),
            hamamatsu_staff: member(app, "staff@hamamatsu.example.jp", "浜松 太郎", hamamatsu, Role::MunicipalStaff),
            kosai_staff: member(app, "staff@kosai.example.jp", "湖西 次郎", kosai, Role::MunicipalStaff),
            outsider_staff: member(app, "staff@oyama.example.jp", "小山 三郎", outsider, Role::MunicipalStaff),
            stranger: member(app, "coordinator@ehime.example.jp", "愛媛 四郎", stranger_prefecture, Role::PrefecturalCoordinator),
            admin: member(app, "admin@pref.example.jp", "管理 五郎", prefecture, Role::SystemAdmin),
            prefecture,
            hamamatsu,
            kosai,
            fukuroi,
            outsider,
            stranger_prefecture,
            pool,
            programme,
            coordinator,
        }
    }
}

/// The rules of a preset.
pub fn preset(client: &Client, code: &str) -> Value {
    let presets = client.get("/programmes/presets").ok(200);
    presets["items"].as_array().unwrap().iter().find(|preset| preset["code"] == code).unwrap()["rules"].clone()
}
