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
    for forbidden in ["<script>", " style=\"", " onclick=", "javascript:", "http://evil"] {
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

fn crawl(app: &TestApp) {
    let cast = Cast::new(app);
    let addresses = addresses(&cast);
    let mut wrong = Vec::new();
    for role in ROLES {
        let browser = Browser::signed_in_as(app, &format!("{}-1@matrix.example.jp", role.as_str()), role);
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
                if let Some(twin) = twin {
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
        crawl(app);
    }
}
