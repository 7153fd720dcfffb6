//! The demo world: one prefecture in full swing, a function of the day it starts on. Every step goes through the same
//! use cases as the API, at an instant of the past; nothing is written that the service itself would refuse.

mod people;
mod story;

use std::sync::Arc;

use diesel::prelude::*;

use crate::app::App;
use crate::db::schema::users;
use crate::db::{Conn, migrations};
use crate::error::Error;
use crate::experts::frameworks;
use crate::http::{Ctx, Outcome};
use crate::organisations::seed;

/// The password of every demo account. The demo listens on loopback only and is never a production database.
pub const PASSWORD: &str = "たすき-デモ-はるのうみ";

/// Brings the schema up, and builds the world unless the folder already holds one.
pub fn prepare(app: &Arc<App>) -> Result<(), Error> {
    app.db.read_blocking(migrations::apply)?;
    let now = app.clock.now();
    app.db.write_blocking(|conn| {
        seed::load_built_in(conn, now)?;
        frameworks::load_built_in(conn, now)?;
        let people: i64 = users::table.count().get_result(conn)?;
        if people > 0 {
            return Ok(());
        }
        let cast = people::cast(conn, app, now)?;
        story::past_years(conn, &cast)?;
        story::this_year(conn, &cast)
    })
}

/// What is printed at the start: address, accounts, next steps.
pub fn welcome(app: &App) -> String {
    let mut text = format!(
        "たすき デモ（データと人物は架空のものです）\n\n  画面   {0}/\n  メール {0}/mailbox\n  API    {0}/docs/\n\nアカウント（パスワードはすべて {PASSWORD}）\n",
        app.config.base_url
    );
    for account in people::ACCOUNTS {
        text.push_str(&format!("  {}: {}  {PASSWORD}\n", account.label, account.email));
    }
    text.push_str(
        "\n次にすること\n  1. コーディネーターでサインインし、審査待ちの申請と回答待ちの依頼を見る\n  2. メールの画面から専門家への依頼を開き、承諾してみる\n  3. /docs/ でAPIを試す（POST /api/v1/auth/token でトークンを取得）\n\n終了するには Ctrl+C\n",
    );
    text
}

/// Runs one use case of the story and keeps its audit event, as a request would.
fn step<V>(
    conn: &mut Conn,
    ctx: &Ctx,
    operation: &str,
    work: impl FnOnce(&mut Conn, &Ctx) -> Result<Outcome<V>, Error>,
) -> Result<V, Error> {
    conn.transaction(|conn| {
        let outcome = work(conn, ctx)?;
        crate::audit::service::record(conn, ctx, operation, &outcome.audit)?;
        Ok(outcome.view)
    })
}

/// One change to an object: load, then act, as the API does.
fn change<O, B: serde::de::DeserializeOwned, V>(
    conn: &mut Conn,
    ctx: &Ctx,
    load: impl FnOnce(&mut Conn, &Ctx) -> Result<O, Error>,
    act: impl FnOnce(&mut Conn, &Ctx, O, B) -> Result<Outcome<V>, Error>,
    value: serde_json::Value,
) -> Result<V, Error> {
    let value = body(value)?;
    step(conn, ctx, "demo", |conn, ctx| {
        let object = load(conn, ctx)?;
        act(conn, ctx, object, value)
    })
}

/// A body as a client would send it.
fn body<B: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<B, Error> {
    serde_json::from_value(value).map_err(Error::internal)
}
