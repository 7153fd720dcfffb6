//! A plain HTTP client with the words tests use.

use std::sync::{Arc, Weak};

use serde_json::Value;
use tasuki::app::App;
use tasuki::notifications::telling::tell_due;

use super::{conformance, queries};

/// Credentials and address.
#[derive(Clone)]
pub struct Client {
    base: String,
    token: Option<String>,
    agent: ureq::Agent,
    app: Weak<App>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
}

/// A request being put together.
pub struct Call<'a> {
    client: &'a Client,
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Client {
    pub fn new(base: &str, token: Option<String>, app: &Arc<App>) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(std::time::Duration::from_secs(60)))
            .build()
            .new_agent();
        Self { base: base.to_owned(), token, agent, app: Arc::downgrade(app) }
    }

    /// The same without a worker: nobody is told of what it does.
    pub fn alone(&self) -> Self {
        Self { app: Weak::new(), ..self.clone() }
    }

    pub fn call(&self, method: &'static str, path: impl Into<String>) -> Call<'_> {
        let path = path.into();
        Call { client: self, method, path, headers: Vec::new(), body: None }
    }

    /// GET under `/api/v1`.
    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", format!("/api/v1{path}")).send()
    }

    /// POST under `/api/v1`.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", format!("/api/v1{path}")).json(body).send()
    }

    /// POST a verb to the object at `object` with its current version.
    pub fn verb(&self, object: &str, verb: &str, body: &Value) -> Answer {
        let etag = self.get(object).etag();
        self.call("POST", format!("/api/v1{object}/{verb}")).json(body).header("If-Match", &etag).send()
    }

    /// PATCH the object with its current version.
    pub fn patch(&self, object: &str, body: &Value) -> Answer {
        let etag = self.get(object).etag();
        self.call("PATCH", format!("/api/v1{object}")).json(body).header("If-Match", &etag).send()
    }

    /// PUT the object with its current version.
    pub fn put(&self, object: &str, body: &Value) -> Answer {
        let etag = self.get(object).etag();
        self.call("PUT", format!("/api/v1{object}")).json(body).header("If-Match", &etag).send()
    }

    /// PUT a part of the object (`/experts/1` + `skills`) with the object's current version.
    pub fn put_at(&self, object: &str, part: &str, body: &Value) -> Answer {
        let etag = self.get(object).etag();
        self.call("PUT", format!("/api/v1{object}/{part}")).json(body).header("If-Match", &etag).send()
    }
}

impl Client {
    /// What a worker does a moment after each change: mails and notices are there before the next call. Not where the test
    /// has taken the database away.
    fn tell(&self) {
        if let Some(app) = self.app.upgrade() {
            queries::unheard(|| drop(tell_due(&app, &|| true)));
        }
    }
}

impl Call<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.body = Some(serde_json::to_vec(body).unwrap());
        self.header("Content-Type", "application/json")
    }

    pub fn bytes(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", content_type)
    }

    pub fn send(self) -> Answer {
        let mut request = ureq::http::Request::builder().method(self.method).uri(format!("{}{}", self.client.base, self.path));
        if let Some(token) = &self.client.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let agent = &self.client.agent;
        let response = match self.body.clone() {
            Some(body) => agent.run(request.body(body).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        let mut response = response.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path));
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let bytes = response.body_mut().with_config().limit(50_000_000).read_to_vec().unwrap();
        let answer = Answer { status: response.status().as_u16(), headers, bytes };
        conformance::check(self.method, &self.path, self.body.as_deref(), &answer);
        self.client.tell();
        answer
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn etag(&self) -> String {
        self.header("etag").unwrap_or_else(|| panic!("no ETag in {self:?}")).to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON ({}): {}", self.status, self.text()))
    }

    /// The JSON body, after checking the status.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The problem's code, after checking the status and the document's form.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], u64::from(status));
        problem["code"].as_str().unwrap().to_owned()
    }

    /// The codes of the wrong fields, as `pointer code`.
    pub fn wrong(&self) -> Vec<String> {
        let problem = self.json();
        problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
            .collect()
    }
}
