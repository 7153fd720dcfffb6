//! One of every object, and for every role four clients: of the organisation the object belongs to, of a fellow member
//! of the pool, of the same prefecture but no member, and of a stranger.

use diesel::prelude::*;
use serde_json::json;
use tasuki::auth::policy::{Role, scopes};
use tasuki::auth::secrets;
use tasuki::db::schema::{api_clients, experts, sessions};
use tasuki::ids::OrganisationId;

use super::client::Client;
use super::flow;
use super::server::TestApp;
use super::world::{World, body, member, sign_in, user};

/// One of every object.
pub struct Ids {
    pairs: Vec<(&'static str, i64)>,
    programme: i64,
}

impl Ids {
    /// A path with its parameters filled in.
    pub fn fill(&self, pattern: &str) -> String {
        let mut path = pattern.to_owned();
        for (name, value) in &self.pairs {
            path = path.replacen(name, &name.replace(name.split('/').next_back().unwrap(), &value.to_string()), 1);
        }
        path = path.replace("{fiscal_year}", "2026").replace("{token}", "unknown-token");
        assert!(!path.contains('{'), "the permission matrix has no object for {pattern}");
        if path.starts_with("/api/v1/statistics/") {
            path = format!("{path}?programme_id={}&fiscal_year=2026", self.programme);
        }
        path
    }
}

/// Objects and people.
pub struct Cast {
    pub ids: Ids,
    clients: Vec<(Role, [Client; 4])>,
}

impl Cast {
    pub fn new(app: &TestApp) -> Self {
        let world = World::new(app);
        let aichi = body(app, "230006");
        let matsuyama = body(app, "382019");
        let coordinator = &world.coordinator;
        coordinator
            .post(&format!("/pools/{}/members", world.pool), &json!({"organisation_ids": [aichi], "valid_from": "2020-04-01"}))
            .ok(200);
        let council = flow::id(
            &coordinator.post(
                "/organisations",
                &json!({"kind": "council", "name": "しずおか広域連携協議会", "prefecture_id": world.prefecture}),
            ),
            201,
        );
        let expert = flow::expert(&world, "見本 太郎", "expert@example.jp");
        let other_expert = flow::expert(&world, "見本 次郎", "other-expert@example.jp");
        let request = flow::draft(&world);
        let path = format!("/requests/{request}");
        let attachment = flow::id(
            &world.hamamatsu_staff.post(
                &format!("{path}/attachments"),
                &json!({"file_name": "資料.txt", "media_type": "text/plain", "content_base64": "44GT44KT44Gr44Gh44Gv"}),
            ),
            201,
        );
        world.hamamatsu_staff.verb(&path, "submit", &json!({})).ok(200);
        coordinator.verb(&path, "accept", &json!({})).ok(200);
        let offer = flow::offer(&world, request, expert, &[flow::visit_on("2026-05-11")]);
        flow::accept_offer(&world, offer).ok(200);
        let dispatch = flow::decide(&world, request, offer);
        let visit = flow::visits_of(coordinator, dispatch)[0];
        let report = coordinator.get(&format!("/dispatches/{}/report", dispatch)).ok(200)["id"].as_i64().unwrap();
        let members = coordinator.get(&format!("/pools/{}/members", world.pool)).ok(200);
        let posting_programme = posting_programme(&world);
        let posting = flow::id(
            &coordinator.post(
                "/postings",
                &json!({"programme_id": posting_programme, "expert_id": other_expert, "host_organisation_id": world.hamamatsu,
                    "share_percent": 60, "valid_from": "2026-04-01", "valid_to": "2027-04-01", "legal_basis": "staff_dispatch_art252_17"}),
            ),
            201,
        );
        let import = flow::id(
            &coordinator.post(
                "/imports",
                &json!({"kind": "experts", "pool_id": world.pool, "file_name": "experts.csv", "content_base64": "5rCP5ZCNCg=="}),
            ),
            201,
        );
        let (staff_user, staff_membership) =
            user(app, "matrix@hamamatsu.example.jp", "浜松 花子", world.hamamatsu, Role::MunicipalStaff);
        let (expert_user, _) = user(app, "expert@example.jp", "見本 太郎", world.prefecture, Role::Expert);
        let (other_user, _) = user(app, "other-expert@example.jp", "見本 次郎", world.prefecture, Role::Expert);
        let (session, notification) = app
            .app
            .db
            .write_blocking(|conn| {
                for (id, person) in [(expert, expert_user), (other_expert, other_user)] {
                    diesel::update(experts::table.filter(experts::id.eq(tasuki::ids::ExpertId(id))))
                        .set(experts::user_id.eq(Some(person.0)))
                        .execute(conn)?;
                }
                let session: i64 = sessions::table.order(sessions::id).select(sessions::id).first(conn)?;
                let notification: i64 = tasuki::db::schema::outbox_messages::table
                    .filter(tasuki::db::schema::outbox_messages::owner_organisation_id.eq(world.prefecture))
                    .select(tasuki::db::schema::outbox_messages::id)
                    .first(conn)?;
                Ok((session, notification))
            })
            .unwrap();
        let address = undeliverable(app, notification);
        let key = |organisation: i64, n: usize| api_key(app, organisation, n);
        let row = |role: Role, organisations: [i64; 4]| {
            let mut n = 0;
            let clients = organisations.map(|organisation| {
                n += 1;
                member(app, &format!("{}-{n}@matrix.example.jp", role.as_str()), "役割 確認", organisation, role)
            });
            (role, clients)
        };
        let api_client_id = {
            key(world.prefecture, 9);
            app.app.db.read_blocking(|conn| Ok(api_clients::table.select(api_clients::id).first::<i64>(conn)?)).unwrap()
        };
        let bodies = [world.hamamatsu, world.kosai, world.outsider, matsuyama];
        let offices = [world.prefecture, aichi, council, world.stranger_prefecture];
        let mut clients = vec![
            row(Role::SystemAdmin, offices),
            row(Role::PrefecturalCoordinator, offices),
            row(Role::MunicipalStaff, bodies),
            row(Role::MunicipalApprover, bodies),
            row(Role::Auditor, [world.prefecture, world.kosai, world.outsider, world.stranger_prefecture]),
        ];
        clients.push((
            Role::Expert,
            [
                sign_in(app, expert_user),
                sign_in(app, other_user),
                member(app, "unregistered@example.jp", "未登録", world.prefecture, Role::Expert),
                member(app, "far-expert@example.jp", "遠方", world.stranger_prefecture, Role::Expert),
            ],
        ));
        clients.push((Role::ApiClient, [key(offices[0], 1), key(offices[1], 2), key(offices[2], 3), key(offices[3], 4)]));
        let settlement = flow::id(&coordinator.post("/settlements", &json!({"dispatch_id": dispatch})), 201);
        money_objects(app, &world, settlement, request, expert);
        let document =
            flow::id(&coordinator.post("/documents", &json!({"kind": "decision_notice", "dispatch_id": dispatch})), 201);
        let allocation = flow::id(&coordinator.post(&format!("/pools/{}/allocations", world.pool), &json!({})), 201);
        while tasuki::allocations::run::work_out_next(&app.app, &|| true).unwrap() {}
        super::tools::sql(
            app,
            "INSERT INTO notices (id, event_id, user_id, title, mail, created_at)
             SELECT 9999, MIN(events.id), MIN(users.id), '見本', 'none', '2026-05-01 00:00:00' FROM events, users
             WHERE users.email = 'prefectural_coordinator-1@matrix.example.jp'",
        )
        .unwrap();
        for statement in [
            "INSERT INTO calendar_feeds (id, user_id, membership_id, name, token_hash, created_at)
             SELECT 9999, MIN(users.id), MIN(memberships.id), '見本', 'unknown', '2026-05-01 00:00:00' FROM users, memberships
             WHERE users.email = 'prefectural_coordinator-1@matrix.example.jp' AND memberships.user_id = users.id"
                .to_owned(),
            "INSERT INTO saved_filters (id, user_id, page, name, query, created_at)
             SELECT 9999, MIN(users.id), '/requests', '見本', 'stage=submitted', '2026-05-01 00:00:00' FROM users
             WHERE users.email = 'prefectural_coordinator-1@matrix.example.jp'"
                .to_owned(),
            format!(
                "INSERT INTO webhook_endpoints (id, organisation_id, url, status, secret, created_at, updated_at)
                 VALUES (9999, {}, 'https://hooks.example.jp/', 'active', 'a1.', '2026-05-01 00:00:00', '2026-05-01 00:00:00')",
                world.prefecture
            ),
            "INSERT INTO webhook_deliveries (id, endpoint_id, event_id, message_id, status, next_attempt_at, created_at)
             SELECT 9999, 9999, MIN(id), 'msg_matrix', 'delivered', '2026-05-01 00:00:00', '2026-05-01 00:00:00' FROM events"
                .to_owned(),
        ] {
            super::tools::sql(app, &statement).unwrap();
        }
        let pairs = vec![
            ("/calendar-feeds/{id}", 9999),
            ("/saved-filters/{id}", 9999),
            ("/webhooks/{id}", 9999),
            ("/webhook-deliveries/{id}", 9999),
            ("/notices/{id}", 9999),
            ("/settlements/{id}", settlement),
            ("/claims/{id}", 1),
            ("/expert-payments/{id}", 1),
            ("/menu-orders/{id}", 1),
            ("/agreements/{id}", 1),
            ("/documents/{id}", document),
            ("/allocations/{id}", allocation),
            ("/pools/{id}", world.pool),
            ("/members/{member_id}", members["items"][0]["id"].as_i64().unwrap()),
            ("/programmes/{id}", world.programme),
            ("/experts/{id}", expert),
            ("/skill-frameworks/{id}", 1),
            ("/requests/{id}", request),
            ("/attachments/{attachment_id}", attachment),
            ("/offers/{id}", offer),
            ("/dispatches/{id}", dispatch),
            ("/visits/{id}", visit),
            ("/reports/{id}", report),
            ("/postings/{id}", posting),
            ("/organisations/{id}", world.hamamatsu),
            ("/users/{id}", staff_user.0),
            ("/memberships/{membership_id}", staff_membership.0),
            ("/sessions/{id}", session),
            ("/api-clients/{id}", api_client_id),
            ("/notifications/{id}", notification),
            ("/undeliverable-addresses/{id}", address),
            ("/imports/{id}", import),
        ];
        Self { ids: Ids { pairs, programme: world.programme }, clients }
    }

    /// Own, fellow, same prefecture, stranger.
    pub fn clients(&self, role: Role) -> &[Client; 4] {
        &self.clients.iter().find(|(known, _)| *known == role).unwrap().1
    }
}

/// A claim, a payment, an order and an agreement, as they would stand after a longer story.
fn money_objects(app: &TestApp, world: &World, settlement: i64, request: i64, expert: i64) {
    let (owner, body, programme) = (world.prefecture, world.hamamatsu, world.programme);
    let at = "'2026-05-01 00:00:00', '2026-05-01 00:00:00'";
    for statement in [
        format!(
            "INSERT INTO claims (settlement_id, owner_organisation_id, number, kind, creditor_organisation_id, debtor_organisation_id,
                amount_yen, issued_on, fiscal_year, created_at, updated_at)
             VALUES ({settlement}, {owner}, 'R8-C9999', 'contribution', {owner}, {body}, 1000, '2026-05-01', 2026, {at})"
        ),
        format!(
            "INSERT INTO expert_payments (settlement_id, owner_organisation_id, expert_id, number, withholding_category, honorarium_yen,
                travel_yen, withholding_yen, net_yen, due_on, fiscal_year, created_at, updated_at)
             VALUES ({settlement}, {owner}, {expert}, 'R8-P9999', 'none', 1000, 0, 0, 1000, '2026-05-31', 2026, {at})"
        ),
        format!(
            "INSERT INTO menu_orders (programme_id, owner_organisation_id, organisation_id, fiscal_year, menu_code, menu_name, quantity,
                unit_price_yen, approximate, tax_excluded, tax_yen, amount_yen, status, payer_rule, created_at, updated_at)
             VALUES ({programme}, {owner}, {body}, 2026, 'support', '支援メニュー', 1, 1000, FALSE, FALSE, 0, 1000, 'ordered',
                '{{\"component\":\"vendor_fee\",\"rest\":\"host\"}}', {at})"
        ),
        format!(
            "INSERT INTO cost_agreements (request_id, number, agreed_on, terms, status, created_at, updated_at)
             VALUES ({request}, 1, '2026-04-20', '{{\"parts\":[{{\"percent\":100,\"basis\":{{\"kind\":\"equal\"}}}}],\"remainder\":\"lead\"}}',
                'proposed', {at})"
        ),
        format!(
            "INSERT INTO cost_agreement_bodies (agreement_id, organisation_id, is_lead, figures) VALUES (1, {body}, TRUE, '{{}}')"
        ),
    ] {
        super::tools::sql(app, &statement).unwrap();
    }
}

/// The mark of the address of a notification that was refused.
fn undeliverable(app: &TestApp, notification: i64) -> i64 {
    let at = "'2026-04-06 01:00:00'";
    for statement in [
        format!(
            "INSERT INTO delivery_attempts (outbox_message_id, attempted_at, worker, outcome)
             VALUES ({notification}, {at}, 'test', 'recipient_refused')"
        ),
        format!(
            "INSERT INTO undeliverable_addresses (address, since, last_refused_at)
             SELECT recipient_address, {at}, {at} FROM outbox_messages WHERE id = {notification}"
        ),
    ] {
        super::tools::sql(app, &statement).unwrap();
    }
    super::tools::number(app, "SELECT id FROM undeliverable_addresses")
}

fn posting_programme(world: &World) -> i64 {
    let rules = super::world::preset(&world.coordinator, "hiroshima_posting");
    let programme =
        flow::id(&world.coordinator.post("/programmes", &json!({"pool_id": world.pool, "name": "共通人材の配属"})), 201);
    for year in [2026, 2027] {
        world.coordinator.post(&format!("/programmes/{programme}/years"), &json!({"fiscal_year": year, "rules": rules})).ok(201);
    }
    programme
}

/// A key of an organisation's API client that acts as coordinator with every scope.
fn api_key(app: &TestApp, organisation: i64, n: usize) -> Client {
    let now = app.app.clock.now();
    let prefix = format!("{organisation:06}{n:06}");
    let key = format!("tsk_{prefix}_{}", secrets::generate().unwrap());
    app.app
        .db
        .write_blocking(|conn| {
            diesel::insert_into(api_clients::table)
                .values((
                    api_clients::organisation_id.eq(OrganisationId(organisation)),
                    api_clients::name.eq("連携システム"),
                    api_clients::acts_as.eq(Role::PrefecturalCoordinator),
                    api_clients::scopes.eq(scopes().join(" ")),
                    api_clients::key_prefix.eq(&prefix),
                    api_clients::key_hash.eq(secrets::sha256(key.as_bytes())),
                    api_clients::expires_at.eq(now.plus(chrono::Duration::days(300))),
                    api_clients::created_at.eq(now),
                    api_clients::updated_at.eq(now),
                ))
                .execute(conn)?;
            Ok(())
        })
        .unwrap();
    app.with_token(&key)
}
