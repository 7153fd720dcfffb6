//! The permission matrix: every operation of the API document × every role × how the asking organisation stands to the
//! object. `permissions.txt` holds what is right, reviewed by people; a missing or different row fails.
//!
//! Bodies are malformed on purpose: permission and visibility are decided before a body is read, so `ok` means "got as
//! far as the body" (400) or was answered, and no call changes anything.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tasuki::auth::policy::{Role, scopes};
use tasuki::http::routes;

use crate::support::cast::{Cast, Ids};
use crate::support::client::Client;
use crate::support::server::TestApp;

const FILE: &str = "tests/it/permissions.txt";
const ROLES: [Role; 7] = [
    Role::SystemAdmin,
    Role::PrefecturalCoordinator,
    Role::MunicipalStaff,
    Role::MunicipalApprover,
    Role::Expert,
    Role::Auditor,
    Role::ApiClient,
];

struct Operation {
    id: String,
    method: &'static str,
    path: String,
}

fn operations() -> Vec<Operation> {
    let document = routes::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (key, method) in [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")] {
            if let Some(operation) = item.get(key) {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                found.push(Operation { id, method, path: path.clone() });
            }
        }
    }
    found
}

fn outcome(client: &Client, operation: &Operation, ids: &Ids) -> String {
    let path = ids.fill(&operation.path);
    let call = client.call(operation.method, path);
    let answer = if operation.method == "GET" { call.send() } else { call.bytes("application/json", "{\"").send() };
    match answer.status {
        401 => "401".to_owned(),
        403 => "403".to_owned(),
        404 => "404".to_owned(),
        200 | 201 | 400 | 422 => "ok".to_owned(),
        other => format!("?{other}"),
    }
}

fn matrix(app: &TestApp) -> String {
    let cast = Cast::new(app);
    let operations = operations();
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    for operation in &operations {
        let anonymous = outcome(&app.anonymous(), operation, &cast.ids);
        rows.insert(format!("{} anonymous", operation.id), anonymous);
        for role in ROLES {
            let cells: Vec<String> = cast.clients(role).iter().map(|client| outcome(client, operation, &cast.ids)).collect();
            rows.insert(format!("{} {}", operation.id, role.as_str()), cells.join(" "));
        }
    }
    let mut text = String::from("# operation role: own, fellow member of the pool, same prefecture but no member, stranger\n");
    for (key, cells) in rows {
        writeln!(text, "{key}: {cells}").unwrap();
    }
    text
}

fn check(app: &TestApp) {
    let found = matrix(app);
    if std::env::var("UPDATE_PERMISSIONS").is_ok() {
        std::fs::write(FILE, &found).unwrap();
    }
    let right = std::fs::read_to_string(FILE).unwrap_or_default();
    let known: BTreeMap<&str, &str> =
        right.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": ")).collect();
    let mut wrong = Vec::new();
    for line in found.lines().filter(|line| !line.starts_with('#')) {
        let (key, cells) = line.split_once(": ").unwrap();
        match known.get(key) {
            None => wrong.push(format!("no row for {key} (found {cells})")),
            Some(expected) if *expected != cells => wrong.push(format!("{key}: expected {expected}, found {cells}")),
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(known.len(), found.lines().count() - 1, "rows for operations that no longer exist");
}

#[test]
fn sqlite() {
    check(&TestApp::sqlite());
}

#[test]
fn postgres() {
    if let Some(app) = TestApp::postgres() {
        check(&app);
    }
}

#[test]
fn every_operation_names_its_permission() {
    let document = routes::document();
    let known: Vec<&str> =
        document["x-permissions"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values().filter(|value| value.get("operationId").is_some()) {
            let named = operation["x-permission"].as_str().unwrap_or_else(|| panic!("{path}: no x-permission"));
            assert!(named == "public" || known.contains(&named), "{path}: {named}");
        }
    }
    assert!(!scopes().is_empty());
}
