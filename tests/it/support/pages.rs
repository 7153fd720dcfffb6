//! A browser without scripts: it keeps a session's cookie, opens pages and sends their forms as they are.

use tasuki::auth::policy::Role;
use tasuki::auth::sessions::{self, Carrier};
use tasuki::db::schema::users;

use super::client::{Answer, Client};
use super::server::TestApp;

/// A browser.
pub struct Browser {
    client: Client,
    origin: String,
    cookie: String,
}

/// A form of a page.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The same with a field filled in.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What a field is filled with.
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

impl Browser {
    /// With a session of the person with this address.
    pub fn new(app: &TestApp, email: &str) -> Self {
        use diesel::prelude::*;
        let now = app.app.clock.now();
        let opened = app
            .app
            .db
            .write_blocking(|conn| {
                let id = users::table.filter(users::email.eq(email)).select(users::id).first(conn)?;
                Ok(sessions::open(conn, &app.app, id, None, Carrier::Cookie, "browser", now)?.0)
            })
            .unwrap();
        Self::with_cookie(app, &format!("tasuki={}", opened.secret))
    }

    /// The person of the permission matrix with this role.
    pub fn signed_in_as(app: &TestApp, email: &str, role: Role) -> Self {
        Self::new(app, if role == Role::Expert { "expert@example.jp" } else { email })
    }

    /// With a cookie that came from elsewhere.
    pub fn with_cookie(app: &TestApp, cookie: &str) -> Self {
        Self { client: app.anonymous(), origin: app.base.clone(), cookie: cookie.to_owned() }
    }

    /// Opens a page.
    pub fn get(&self, path: &str) -> Answer {
        self.client.call("GET", path).header("Cookie", &self.cookie).header("Accept", "text/html").send()
    }

    /// Sends fields, as the service's own pages do.
    pub fn send(&self, path: &str, fields: &[(String, String)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.client
            .call("POST", path)
            .bytes("application/x-www-form-urlencoded", body)
            .header("Cookie", &self.cookie)
            .header("Accept", "text/html")
            .header("Origin", &self.origin)
            .header("Sec-Fetch-Site", "same-origin")
            .send()
    }

    /// The session's cookie.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Sends a form with a file.
    pub fn upload(&self, path: &str, boundary: &str, body: String) -> Answer {
        self.client
            .call("POST", path)
            .bytes(&format!("multipart/form-data; boundary={boundary}"), body)
            .header("Cookie", &self.cookie)
            .header("Origin", &self.origin)
            .send()
    }

    /// Sends a form.
    pub fn submit(&self, form: &Form) -> Answer {
        self.send(&form.action, &form.fields)
    }

    /// Follows a redirection.
    #[track_caller]
    pub fn follow(&self, answer: &Answer) -> Answer {
        assert_eq!(answer.status, 303, "{}", answer.text());
        self.get(answer.header("location").unwrap())
    }
}

fn unescape(text: &str) -> String {
    let text = text.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&");
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next().map(unescape)
}

/// The form of a page that is sent to an address, with what its fields are filled with.
#[track_caller]
pub fn form(html: &str, action: &str) -> Form {
    let marker = format!("action=\"{action}\"");
    let start = html.find(&marker).unwrap_or_else(|| panic!("no form for {action} in {html}"));
    let body = &html[start..start + html[start..].find("</form>").unwrap()];
    let mut fields = Vec::new();
    for tag in body.split('<').skip(1) {
        let head = &tag[..tag.find('>').unwrap_or(tag.len())];
        let Some(name) = attribute(head, "name") else { continue };
        if head.starts_with("input") {
            let kind = attribute(head, "type").unwrap_or_default();
            let ticked = kind != "checkbox" && kind != "radio" || head.contains(" checked");
            if ticked && kind != "file" {
                fields.push((name, attribute(head, "value").unwrap_or_default()));
            }
        } else if head.starts_with("textarea") {
            fields.push((name, unescape(&tag[head.len() + 1..])));
        } else if head.starts_with("select") {
            let at = body.find(tag).unwrap();
            let options = &body[at..at + body[at..].find("</select>").unwrap()];
            let chosen = options.split("<option").find(|option| option.split('>').next().unwrap().contains(" selected"));
            fields.push((name, chosen.and_then(|option| attribute(option, "value")).unwrap_or_default()));
        }
    }
    Form { action: action.to_owned(), fields }
}
