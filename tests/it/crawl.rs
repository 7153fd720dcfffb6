//! Every page in every role: each answers with a page, an honest refusal or the way to sign in; none breaks, none carries
//! what a browser would stumble over, none shows an object that its API twin would not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tasuki::auth::policy::Role;
use tasuki::http::routes;

use crate::on_both;
use crate::support::cast::Cast;
use crate::support::client::Answer;
use crate::support::pages::Browser;
use crate::support::server::TestApp;
use crate::support::tools::{number, sql, texts};

const ROLES: [Role; 6] =
    [Role::SystemAdmin, Role::PrefecturalCoordinator, Role::MunicipalStaff, Role::MunicipalApprover, Role::Expert, Role::Auditor];
/// Most addresses followed from links in one role: pages link to further pages of lists without end.
const MOST: usize = 400;

/// Where pages are and what the API says of the same address: the page follows it.
fn addresses(cast: &Cast) -> BTreeMap<String, Option<String>> {
    let document = routes::document();
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(short) = path.strip_prefix("/api/v1") else { continue };
        if short.starts_with("/auth/") || short.starts_with("/offer-links") || short.starts_with("/calendars/") {
            continue;
        }
        let filled = cast.ids.fill(path);
        let page = filled.strip_prefix("/api/v1").unwrap().split('?').next().unwrap().to_owned();
        if item.get("get").is_some() {
            found.insert(page.clone(), Some(filled.clone()));
        } else if item.get("post").is_some() {
            found.insert(page.clone(), None);
        }
        if item.get("post").is_some() && item.get("get").is_some() {
            found.insert(format!("{page}/new"), None);
        }
        if item.get("patch").is_some() || item.get("put").is_some() {
            found.insert(format!("{page}/edit"), None);
        }
    }
    for page in [
        "/",
        "/menu",
        "/account",
        "/about",
        "/accessibility",
        "/statistics",
        "/workload",
        "/year-end",
        "/calendar",
        "/calendar?view=week",
        "/my-availability",
        "/my-workload",
        "/my-profile",
        "/notification-preferences",
        "/sign-in",
        "/forgotten-password",
        "/nowhere",
    ] {
        found.insert(page.to_owned(), None);
    }
    found
}

/// What is wrong with a page as such.
fn faults(answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let kind = answer.header("content-type").unwrap_or_default();
    if !kind.starts_with("text/html") {
        return vec![format!("is {kind}")];
    }
    let html = answer.text();
    let mut ids = BTreeSet::new();
    for part in html.split(" id=\"").skip(1) {
        let id = part.split('"').next().unwrap();
        if !ids.insert(id.to_owned()) {
            wrong.push(format!("two elements have the id {id}"));
        }
    }
    for label in html.split(" for=\"").skip(1) {
        let id = label.split('"').next().unwrap();
        if !ids.contains(id) {
            wrong.push(format!("a label names {id}, which is not there"));
        }
    }
    if html.matches("<h1").count() != 1 {
        wrong.push(format!("{} main headings", html.matches("<h1").count()));
    }
    for forbidden in [
        "<script>",
        " style=\"",
        " onclick=",
        "href=\"javascript:",
        "src=\"javascript:",
        "action=\"javascript:",
        "http://evil",
        "<svg/onload",
        "\"'>",
        "\"&#39;>",
    ] {
        if html.contains(forbidden) {
            wrong.push(format!("contains {forbidden}"));
        }
    }
    let links = html.split("href=\"").skip(1).chain(html.split("src=\"").skip(1)).chain(html.split("action=\"").skip(1));
    for link in links.map(|part| part.split('"').next().unwrap()) {
        if link.starts_with("http") || link.starts_with("//") {
            wrong.push(format!("leads elsewhere: {link}"));
        }
    }
    wrong
}

/// The pages that a page links to.
fn links(html: &str) -> Vec<String> {
    let own = |link: &&str| {
        link.starts_with('/') && !["/assets/", "/docs", "/files/", "/mailbox"].iter().any(|other| link.starts_with(other))
    };
    html.split("href=\"")
        .skip(1)
        .map(|part| part.split('"').next().unwrap())
        .filter(own)
        .map(|link| link.split('#').next().unwrap().replace("&amp;", "&"))
        .collect()
}

/// What breaks out of an element, an attribute in either kind of quotes, and a link.
const POLYGLOT: &str = r#"javascript:x()//"''><svg/onload=x()>"#;

/// Everything that people type and the database keeps, by table.
const TYPED: &[(&str, &str)] = &[
    ("allocation_assignments", "override_reason"),
    ("allocation_runs", "note"),
    ("api_clients", "name"),
    ("attachments", "file_name"),
    ("calendar_feeds", "name"),
    ("claims", "number"),
    ("cost_agreements", "reason"),
    ("cost_items", "explanation"),
    ("delivery_attempts", "detail"),
    ("dispatches", "number document_number cancel_reason"),
    ("documents", "number title"),
    ("expert_payments", "number"),
    ("experts", "name kana alternative_name affiliation profile email phone base_place"),
    ("imports", "file_name"),
    ("menu_orders", "menu_name contract_number note"),
    ("notices", "title"),
    ("offer_visits", "place"),
    ("offers", "message answer_note"),
    ("organisations", "name kana contact_email"),
    ("outbox_messages", "recipient_address recipient_name subject body last_error"),
    ("pools", "name expert_title description"),
    ("populations", "source"),
    ("postings", "note"),
    ("programmes", "name description"),
    ("reports", "content result next_step returned_reason"),
    ("request_messages", "body"),
    (
        "requests",
        "theme background goal place audience equipment department contact_name contact_email contact_phone budget_note status_reason",
    ),
    ("saved_filters", "name"),
    ("sessions", "user_agent"),
    ("settlements", "document_number"),
    ("skill_frameworks", "name source"),
    ("skill_items", "name"),
    ("undeliverable_addresses", "address detail"),
    ("users", "name kana email"),
    ("visits", "place note cancel_reason"),
    ("webhook_endpoints", "description"),
];

/// Puts the polyglot into every one of them. Where several rows may not be alike, each has its number at the end.
fn poison(app: &TestApp) {
    for trigger in texts(app, "SELECT name AS text FROM sqlite_master WHERE type = 'trigger'") {
        // What is once written can be changed by nobody; here it is as if it had been written so.
        sql(app, &format!("DROP TRIGGER {trigger}")).unwrap();
    }
    let mut clean = Vec::new();
    for (table, columns) in TYPED {
        let rows = number(app, &format!("SELECT COUNT(*) FROM {table}"));
        for column in columns.split(' ') {
            let set = |value: &str| sql(app, &format!("UPDATE {table} SET {column} = {value}")).is_ok();
            let text = format!("'{POLYGLOT}'");
            let keyed = format!("{text} || CAST(id AS TEXT)");
            if rows == 0 || !(set(&text) || set(&keyed)) {
                clean.push(format!("{table}.{column}"));
            }
        }
    }
    assert_eq!(clean, CLEAN, "no row to write into, or a rule of the database in the way");
}

/// Where the database itself lets no such text in, or the cast has no row.
const CLEAN: &[&str] = &["allocation_assignments.override_reason", "cost_items.explanation"];

fn crawl(app: &TestApp, poisoned: bool) {
    let cast = Cast::new(app);
    let mut browsers: Vec<Browser> =
        ROLES.map(|role| Browser::signed_in_as(app, &format!("{}-1@matrix.example.jp", role.as_str()), role)).into();
    if poisoned {
        let thread = cast.ids.fill("/api/v1/requests/{id}/messages");
        let written =
            cast.clients(Role::PrefecturalCoordinator)[0].call("POST", thread).json(&serde_json::json!({"body": "見本"})).send();
        assert!(written.status < 300, "{}", written.text());
        poison(app);
    }
    let addresses = addresses(&cast);
    let mut wrong = Vec::new();
    for role in ROLES {
        let browser = browsers.remove(0);
        let api = &cast.clients(role)[0];
        let mut seen = BTreeSet::new();
        let mut shown = 0;
        let mut waiting: VecDeque<(String, bool)> = addresses.keys().map(|page| (page.clone(), false)).collect();
        while let Some((page, linked)) = waiting.pop_front() {
            if !seen.insert(page.clone()) || seen.len() > addresses.len() + MOST {
                continue;
            }
            let answer = browser.get(&page);
            let twin = addresses.get(&page).cloned().flatten();
            let right = match answer.status {
                200 => true,
                403 | 404 | 400 | 409 => !linked || answer.status == 409,
                303 => true,
                _ => false,
            };
            if !right {
                wrong.push(format!("{role:?} {page}: {}{}", answer.status, if linked { " (a page links to it)" } else { "" }));
                continue;
            }
            if answer.status == 303 {
                continue;
            }
            // A mail as it looks has its style in its elements and its own policy.
            let is_mail = page.strip_prefix("/notification-templates/").is_some();
            wrong.extend(faults(&answer).into_iter().filter(|_| !is_mail).map(|fault| format!("{role:?} {page}: {fault}")));
            if answer.status == 200 {
                shown += 1;
                // What the API keeps from a role, its page keeps too.
                if let Some(twin) = twin.filter(|_| !poisoned) {
                    let allowed = api.call("GET", twin).send().status;
                    if allowed == 403 || allowed == 404 {
                        wrong.push(format!("{role:?} {page}: shown, but the API says {allowed}"));
                    }
                }
                waiting.extend(links(&answer.text()).into_iter().filter(|_| !is_mail).map(|link| (link, true)));
            }
        }
        assert!(shown > 15, "{role:?} saw {shown} pages");
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

on_both! {
    fn every_page_answers_in_every_role(app) {
        crawl(app, false);
    }
}

#[test]
fn what_people_typed_is_text_on_every_page() {
    crawl(&TestApp::sqlite(), true);
}
