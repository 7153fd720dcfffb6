//! Use cases of API clients.

use chrono::Duration;
use serde_json::json;

use super::store::{self, ApiClientRow, NewApiClient};
use super::views::{ApiClientKeyView, ApiClientStatus, ApiClientView, CreateApiClientBody, RotateApiClientBody};
use crate::auth::policy::{self, Role};
use crate::auth::secrets;
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::Error;
use crate::http::read::NoQuery;
use crate::http::{Audit, Ctx, Fields, Outcome};
use crate::organisations::reach::Reach;

/// Longest life of a key, in days.
const LONGEST_LIFE_DAYS: i64 = 366;
/// Roles that a program can act in.
const ROLES: [Role; 3] = [Role::PrefecturalCoordinator, Role::MunicipalStaff, Role::Auditor];

/// A new key: `tsk_<public prefix>_<secret>`, its prefix and its hash.
struct Key {
    whole: String,
    prefix: String,
    hash: String,
}

impl Key {
    fn generate() -> Result<Self, Error> {
        let prefix = secrets::short_name()?;
        let whole = format!("tsk_{prefix}_{}", secrets::generate()?);
        Ok(Self { hash: secrets::sha256(whole.as_bytes()), prefix, whole })
    }
}

fn check_expiry(fields: &mut Fields, expires_at: UtcTime, now: UtcTime) {
    fields.check(
        expires_at > now && expires_at <= now.plus(Duration::days(LONGEST_LIFE_DAYS)),
        "/expires_at",
        "out_of_range",
        "いまから366日以内の時刻にしてください",
        "Must be within 366 days from now",
    );
}

/// The wrong scopes of a list: unknown, of no permission that the role has, or twice.
fn check_scopes(fields: &mut Fields, scopes: &[String], role: Role) {
    fields.check(!scopes.is_empty(), "/scopes", "required", "1件以上指定してください", "Name at least one");
    fields.at_most("/scopes", scopes.len(), 100);
    let known = policy::scopes();
    for (i, scope) in scopes.iter().enumerate().take(100) {
        let pointer = format!("/scopes/{i}");
        if !known.contains(&scope.as_str()) {
            fields.wrong(
                pointer,
                "unknown_value",
                format!("使えるのは {} です", known.join(", ")),
                format!("One of {}", known.join(", ")),
            );
        } else if !policy::ALL.iter().any(|row| row.scope == scope && row.allows(role)) {
            fields.wrong(pointer, "not_for_role", "この役割にはない権限です", "The role has no such rights");
        } else if scopes.iter().take(i).any(|earlier| earlier == scope) {
            fields.wrong(pointer, "duplicate", "重複しています", "Named twice");
        }
    }
}

fn facts(row: &ApiClientRow) -> serde_json::Value {
    json!({
        "name": row.name, "acts_as": row.acts_as, "scopes": row.scopes, "key_prefix": row.key_prefix,
        "expires_at": row.expires_at, "revoked": row.revoked_at.is_some(),
    })
}

fn about(ctx: &Ctx, row: &ApiClientRow) -> Audit {
    Audit::new("api_client", row.id.0, row.organisation_id).for_body(row.organisation_id, ctx.organisation())
}

/// Creates a client for an organisation within reach.
pub fn create(conn: &mut Conn, ctx: &Ctx, body: CreateApiClientBody) -> Result<Outcome<ApiClientKeyView>, Error> {
    let mut fields = Fields::new();
    fields.line("/name", &body.name, 200);
    let organisation_id = body.organisation_id.unwrap_or_else(|| ctx.organisation());
    let organisation = crate::organisations::store::find(conn, organisation_id)?
        .filter(|row| row.exists_on(ctx.today()) && Reach::of(&ctx.principal).covers(row.place()));
    fields.check(
        organisation.is_some(),
        "/organisation_id",
        "not_yours",
        "管理できる団体を指定してください",
        "Must be an organisation within your reach",
    );
    fields.check(
        ROLES.contains(&body.acts_as) && organisation.is_none_or(|row| row.kind.admits(body.acts_as)),
        "/acts_as",
        "role_not_for_kind",
        "この種類の団体のAPIクライアントには使えない役割です",
        "API clients of this kind of organisation cannot have this role",
    );
    check_scopes(&mut fields, &body.scopes, body.acts_as);
    check_expiry(&mut fields, body.expires_at, ctx.now);
    fields.finish()?;
    let key = Key::generate()?;
    let row = store::insert(
        conn,
        &NewApiClient {
            organisation_id,
            name: &body.name,
            acts_as: body.acts_as,
            scopes: &body.scopes.join(" "),
            key_prefix: &key.prefix,
            key_hash: &key.hash,
            expires_at: body.expires_at,
            created_by: ctx.principal.user_id(),
        },
        ctx.now,
    )?;
    let audit = about(ctx, &row).created(facts(&row));
    let (location, version) = (format!("/api/v1/api-clients/{}", row.id), row.version);
    let view = ApiClientKeyView { client: ApiClientView::new(row, ctx.now), key: key.whole };
    Ok(Outcome::created(view, version, location, audit).secret())
}

fn not_revoked(row: &ApiClientRow, now: UtcTime) -> Result<(), Error> {
    match row.status(now) {
        ApiClientStatus::Revoked => Err(Error::transition(ApiClientStatus::Revoked.as_str(), Vec::new())),
        ApiClientStatus::Active | ApiClientStatus::Expired => Ok(()),
    }
}

/// Revokes a client for good.
pub fn revoke(conn: &mut Conn, ctx: &Ctx, client: ApiClientRow, _: NoQuery) -> Result<Outcome<ApiClientView>, Error> {
    not_revoked(&client, ctx.now)?;
    let row = store::revoke(conn, client.id, ctx.now)?;
    let audit = about(ctx, &row).change(facts(&client), facts(&row));
    let version = row.version;
    Ok(Outcome::changed(ApiClientView::new(row, ctx.now), version, audit))
}

/// Gives a client a new key.
pub fn rotate(
    conn: &mut Conn,
    ctx: &Ctx,
    client: ApiClientRow,
    body: RotateApiClientBody,
) -> Result<Outcome<ApiClientKeyView>, Error> {
    not_revoked(&client, ctx.now)?;
    let expires_at = body.expires_at.unwrap_or(client.expires_at);
    let mut fields = Fields::new();
    check_expiry(&mut fields, expires_at, ctx.now);
    fields.finish()?;
    let key = Key::generate()?;
    let row = store::replace_key(conn, client.id, &key.prefix, &key.hash, expires_at, ctx.now)?;
    let audit = about(ctx, &row).change(facts(&client), facts(&row));
    let version = row.version;
    let view = ApiClientKeyView { client: ApiClientView::new(row, ctx.now), key: key.whole };
    Ok(Outcome::changed(view, version, audit).secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(scopes: &[&str], role: Role) -> Vec<&'static str> {
        let mut fields = Fields::new();
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        check_scopes(&mut fields, &scopes, role);
        fields.finish().err().map(|error| error.fields.iter().map(|field| field.code).collect()).unwrap_or_default()
    }

    #[test]
    fn scopes_are_known_fit_the_role_and_are_named_once() {
        assert!(wrong(&["requests:read", "statistics:read"], Role::Auditor).is_empty());
        assert_eq!(wrong(&["requests:fly"], Role::Auditor), ["unknown_value"]);
        assert_eq!(wrong(&["requests:write"], Role::Auditor), ["not_for_role"]);
        assert_eq!(wrong(&["requests:read", "requests:read"], Role::MunicipalStaff), ["duplicate"]);
        assert_eq!(wrong(&[], Role::Auditor), ["required"]);
    }

    #[test]
    fn a_key_is_found_by_its_prefix_and_checked_by_the_hash_of_the_whole() {
        let key = Key::generate().unwrap();
        let rest = key.whole.strip_prefix("tsk_").unwrap();
        assert_eq!(rest.split_once('_').unwrap().0, key.prefix);
        assert_eq!(secrets::sha256(key.whole.as_bytes()), key.hash);
    }
}
