//! Makes real deliveries to a receiver on loopback and prints what arrived, one JSON object a line, for the reference
//! verifiers in other languages (`verify.mjs`, `verify.py`).
//!
//! ```sh
//! cargo run --example webhook_capture -- "$(date +%s)" | node tests/webhooks/verify.mjs
//! ```
//!
//! The argument is the present in seconds since 1970: the verifiers refuse what is older than five minutes.

use std::error::Error;
use std::net::IpAddr;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use receiver::{Receiver, Request, answer};
use secrecy::ExposeSecret as _;
use tasuki::webhooks::dial::{DialSettings, Dialler};
use tasuki::webhooks::lookup::SystemLookup;
use tasuki::webhooks::ranges::AllowList;
use tasuki::webhooks::sign::{MessageId, Secret, sign};
use tasuki::webhooks::target::{Target, TargetRules};

#[expect(dead_code, reason = "the tests use more of it")]
#[expect(clippy::unwrap_used, reason = "test support")]
#[path = "../it/support/receiver.rs"]
mod receiver;

fn main() -> Result<(), Box<dyn Error>> {
    let now: i64 = std::env::args().nth(1).ok_or("the present in seconds since 1970 is missing")?.parse()?;
    let bodies = [
        r#"{"type":"request.submitted","timestamp":"2026-01-05T12:00:00Z","data":{"id":12}}"#,
        r#"{"type":"ping","timestamp":"2026-01-05T12:00:00Z","data":{"説明":"試験送信 — “ç” 🏯 \"\\ "}}"#,
        "{ }",
    ];
    for body in bodies {
        let (new, old) = (Secret::generate()?, Secret::generate()?);
        // One secret, then two while it is exchanged: holders of the new and of the old one must both be content.
        deliver("single", now, body, slice::from_ref(&new), &[&new], &[&old])?;
        deliver("rotating", now, body, &[new.clone(), old.clone()], &[&new, &old], &[&Secret::generate()?])?;
    }
    Ok(())
}

/// Delivers and prints; `good` are secrets with which it must verify, `bad` are others.
fn deliver(name: &str, now: i64, body: &str, live: &[Secret], good: &[&Secret], bad: &[&Secret]) -> Result<(), Box<dyn Error>> {
    let receiver = Receiver::start("127.0.0.1", false, vec![answer(204, "")]);
    let rules = TargetRules {
        allow: AllowList::parse(&[IpAddr::from([127, 0, 0, 1]).to_string()])?,
        http_inside: true,
        ports: vec![receiver.address.port()],
    };
    let target = Target::parse(&receiver.url("http", "127.0.0.1"), &rules).map_err(|problems| format!("{problems:?}"))?;
    let settings = DialSettings {
        rules,
        timeout: Duration::from_secs(20),
        user_agent: "Tasuki-Webhooks".to_owned(),
        ca_file: None,
        proxy: None,
    };
    let headers = sign(&MessageId::generate()?, now, body.as_bytes(), live)?;
    Dialler::new(&settings, Arc::new(SystemLookup))?.post(&target, &headers, body.as_bytes())?;
    let Request { headers, body, .. } = receiver.inbox.recv()?;
    let shown = |secrets: &[&Secret]| secrets.iter().map(|secret| secret.reveal().expose_secret().to_owned()).collect::<Vec<_>>();
    let headers: serde_json::Map<_, _> = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let line = serde_json::json!({
        "name": name, "headers": headers, "body": String::from_utf8(body)?, "good": shown(good), "bad": shown(bad),
    });
    println!("{line}");
    Ok(())
}
