//! What holds for every operation: problem documents, replay, preconditions, migrations.

use serde_json::json;
use tasuki::db::{dialect, migrations};

use crate::on_both;
use crate::support::server::TestApp;
use crate::support::tools::sql;
use crate::support::world::World;

on_both! {
    fn every_failure_of_the_framework_is_a_problem_document(app) {
        let world = World::new(app);
        let anonymous = app.anonymous();
        assert_eq!(anonymous.get("/no-such-place").problem(404), "not_found");
        assert_eq!(anonymous.get("/pools").problem(401), "unauthenticated");
        let wrong_method = anonymous.call("DELETE", "/api/v1/pools").send();
        assert_eq!(wrong_method.problem(405), "method_not_allowed");
        assert_eq!(wrong_method.header("allow"), Some("GET, POST"));
        let client = &world.coordinator;
        assert_eq!(client.get("/pools/abc").problem(404), "not_found");
        assert_eq!(client.get("/pools?colour=red").problem(400), "unknown_parameter");
        assert_eq!(client.get("/pools?limit=0").problem(400), "unknown_parameter");
        assert_eq!(client.get("/pools?cursor=xyz").problem(400), "invalid_cursor");
        let post = |content_type: &str, body: &[u8]| client.call("POST", "/api/v1/pools").bytes(content_type, body).send();
        assert_eq!(post("application/json", b"{\"name\": ").problem(400), "malformed_request");
        assert_eq!(post("application/json", b"{\"name\": \"\xff\xfe\"}").problem(400), "malformed_request");
        assert_eq!(post("text/plain", b"{}").problem(415), "unsupported_media_type");
        let deep = format!("{{\"name\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(post("application/json", deep.as_bytes()).problem(400), "malformed_request");
        let wrong_type = post("application/json", b"{\"name\": 3, \"expert_title\": \"x\"}");
        assert_eq!(wrong_type.problem(400), "malformed_request");
        assert_eq!(wrong_type.wrong(), ["/name malformed"]);
        let unknown = post("application/json", "{\"name\": \"x\", \"expert_title\": \"x\", \"version\": 9}".as_bytes());
        assert_eq!(unknown.problem(400), "malformed_request");
        let large = vec![b' '; 8 * 1024 * 1024];
        assert_eq!(post("application/json", &large).problem(413), "too_large");
    }
}

on_both! {
    fn problems_speak_english_when_asked(app) {
        let answer = app.anonymous().call("GET", "/api/v1/pools").header("Accept-Language", "en-GB,en;q=0.9").send();
        assert_eq!(answer.problem(401), "unauthenticated");
        assert_eq!(answer.json()["title"], "Sign-in is required");
        assert_eq!(answer.json()["request_id"].as_str(), answer.header("x-request-id"));
    }
}

on_both! {
    fn a_repeated_post_has_one_effect_and_the_same_answer(app) {
        let world = World::new(app);
        let client = &world.coordinator;
        let body = json!({"name": "別のプール", "expert_title": "専門家"});
        let send = |body: &serde_json::Value| client.call("POST", "/api/v1/pools").json(body).header("Idempotency-Key", "key-1").send();
        let first = send(&body);
        first.ok(201);
        let second = send(&body);
        assert_eq!(second.ok(201), first.json());
        assert_eq!(second.bytes, first.bytes);
        assert_eq!(second.header("idempotent-replayed"), Some("true"));
        assert_eq!(second.header("location"), first.header("location"));
        assert_eq!(send(&json!({"name": "ほか", "expert_title": "専門家"})).problem(422), "idempotency_key_reused");
        assert_eq!(client.get("/pools").ok(200)["items"].as_array().unwrap().len(), 2);
        // The key belongs to the one who used it.
        let other = world.stranger.call("POST", "/api/v1/pools").json(&body).header("Idempotency-Key", "key-1").send();
        other.ok(201);
    }
}

on_both! {
    fn a_repeated_request_without_sign_in_has_one_effect(app) {
        let world = World::new(app);
        let expert = crate::support::flow::expert(&world, "見本 太郎", "expert@example.jp");
        let request = crate::support::flow::accepted(&world);
        crate::support::flow::offer(&world, request, expert, &[crate::support::flow::visit_on("2026-05-11")]);
        let link = crate::support::flow::link_in_newest_mail(app, "expert@example.jp");
        let token = link.split("token=").nth(1).unwrap();
        let answer = |body: &serde_json::Value| {
            app.anonymous().call("POST", format!("/api/v1/offer-links/{token}/answer")).json(body).header("Idempotency-Key", "once").send()
        };
        let first = answer(&json!({"answer": "accept"}));
        assert_eq!(first.ok(200)["status"], "accepted");
        let second = answer(&json!({"answer": "accept"}));
        assert_eq!((second.ok(200), second.header("idempotent-replayed")), (first.json(), Some("true")));
        let other = answer(&json!({"answer": "accept", "note": "ほか"}));
        assert_eq!(other.problem(422), "idempotency_key_reused");
        // What was answered before does not open the door for who only knows the key.
        let anonymous = app.anonymous();
        let unknown = anonymous.call("POST", format!("/api/v1/offer-links/{}/answer", "0".repeat(64)));
        assert_eq!(unknown.json(&json!({"answer": "accept"})).header("Idempotency-Key", "once").send().problem(404), "not_found");

        let sign_in = |password: &str| {
            let body = json!({"email": "coordinator@pref.example.jp", "password": password});
            app.anonymous().call("POST", "/api/v1/auth/token").json(&body).header("Idempotency-Key", "sign-in").send()
        };
        // A refusal is not kept; an answer with a secret is not repeated.
        assert_eq!(sign_in("ちがうことば-2026").problem(401), "invalid_credentials");
        assert_eq!(sign_in("ちがうことば-2026").problem(401), "invalid_credentials");
        sign_in(crate::support::world::PASSWORD).ok(200);
        assert_eq!(sign_in(crate::support::world::PASSWORD).problem(409), "secret_not_repeated");
    }
}

on_both! {
    fn parallel_repeats_have_one_effect(app) {
        let world = World::new(app);
        let body = json!({"name": "同時に作るプール", "expert_title": "専門家"});
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    let (client, body) = (world.coordinator.clone(), &body);
                    scope.spawn(move || client.call("POST", "/api/v1/pools").json(body).header("Idempotency-Key", "key-2").send())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for answer in &answers {
            assert!(matches!(answer.status, 201 | 409), "{}", answer.text());
            if answer.status == 409 {
                assert_eq!(answer.json()["code"], "request_in_flight");
            }
        }
        assert!(answers.iter().any(|answer| answer.status == 201));
        assert_eq!(world.coordinator.get("/pools").ok(200)["items"].as_array().unwrap().len(), 2);
    }
}

on_both! {
    fn a_stale_edit_is_refused(app) {
        let world = World::new(app);
        let path = format!("/pools/{}", world.pool);
        let etag = world.coordinator.get(&path).etag();
        let patch = |etag: Option<&str>, name: &str| {
            let call = world.coordinator.call("PATCH", format!("/api/v1{path}")).json(&json!({"name": name}));
            match etag {
                Some(etag) => call.header("If-Match", etag).send(),
                None => call.send(),
            }
        };
        assert_eq!(patch(None, "一").problem(428), "precondition_required");
        patch(Some(&etag), "二").ok(200);
        assert_eq!(patch(Some(&etag), "三").problem(412), "stale_version");
        assert_eq!(world.coordinator.get(&path).ok(200)["name"], "二");
    }
}

on_both! {
    fn migrations_go_up_down_and_up_again(app) {
        app.app
            .db
            .read_blocking(|conn| {
                let before = dialect::dump_schema(conn)?;
                migrations::revert_all(conn)?;
                let empty = dialect::dump_schema(conn)?;
                migrations::apply(conn)?;
                let after = dialect::dump_schema(conn)?;
                assert!(before.len() > 100, "the dump sees the schema");
                assert!(empty.is_empty(), "left behind by the way down: {empty:?}");
                assert_eq!(before, after);
                Ok(())
            })
            .unwrap();
    }
}

on_both! {
    fn readiness_tells_a_schema_that_is_behind(app) {
        let ready = || app.anonymous().call("GET", "/readyz").send();
        let view = ready().ok(200);
        assert_eq!((&view["status"], &view["migrations"]), (&json!("ready"), &json!("current")));
        sql(app, "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT MAX(version) FROM __diesel_schema_migrations)").unwrap();
        let view = ready();
        assert_eq!(view.status, 503);
        assert_eq!((&view.json()["status"], &view.json()["migrations"]), (&json!("not_ready"), &json!("behind")));
        assert_eq!(app.anonymous().call("GET", "/healthz").send().ok(200)["status"], "ok", "the process itself lives");
    }
}

#[test]
fn sqlite_connections_are_durable_and_keep_references() {
    let app = TestApp::sqlite();
    app.app
        .db
        .write_blocking(|conn| {
            #[derive(diesel::QueryableByName)]
            struct Setting {
                #[diesel(sql_type = diesel::sql_types::Text)]
                value: String,
            }
            use diesel::RunQueryDsl as _;
            for (pragma, expected) in [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")] {
                let query = format!("SELECT CAST({pragma} AS TEXT) AS value FROM pragma_{pragma}");
                let setting: Setting = diesel::sql_query(query).get_result(conn)?;
                assert_eq!(setting.value, expected, "{pragma}");
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn sqlite_is_compiled_as_the_repository_says() {
    use diesel::prelude::*;

    #[derive(QueryableByName)]
    struct Compiled {
        #[diesel(sql_type = diesel::sql_types::Text)]
        compile_options: String,
    }
    let mut conn = diesel::SqliteConnection::establish(":memory:").unwrap();
    let options: Vec<Compiled> = diesel::sql_query("PRAGMA compile_options").load(&mut conn).unwrap();
    let has = |option: &str| options.iter().any(|compiled| compiled.compile_options == option);
    assert!(has("ENABLE_QPSG") && has("THREADSAFE=2"), "set LIBSQLITE3_FLAGS as .cargo/config.toml does");
    assert!(!has("ENABLE_MEMORY_MANAGEMENT"));
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| {
        let mut names: Vec<String> = std::fs::read_dir(format!("migrations/{database}"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(names("sqlite").len() >= 8);
}
