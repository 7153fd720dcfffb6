//! `/healthz` (the process lives) and `/readyz` (it can work), without sign-in and without secrets.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::clock::UtcTime;
use crate::db::dialect;
use crate::db::migrations::{self, SchemaState};
use crate::notifications::delivery_store::paused_until;
use crate::notifications::{store, telling_store};

/// Registers the operations.
pub fn configure(config: &mut ServiceConfig) {
    config.service(health).service(readiness);
}

/// The process lives.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    #[schema(max_length = 10, example = "ok")]
    pub status: String,
}

/// Whether the service can work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready` or `not_ready`.
    #[schema(max_length = 20, example = "ready")]
    pub status: String,
    /// `sqlite` or `postgresql`; absent when the database does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20)]
    pub database: Option<String>,
    /// `current`, `behind` or `ahead`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20)]
    pub migrations: Option<String>,
    /// Age of the oldest mail that has not left, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub outbox_age_seconds: Option<i64>,
    /// Until when all mail waits because the relay cannot be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbox_paused_until: Option<UtcTime>,
    /// Mails given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub outbox_parked: Option<i64>,
    /// Things that work but should be known.
    #[schema(max_items = 20)]
    pub warnings: Vec<String>,
}

/// 稼働確認 / The process lives.
#[utoipa::path(tag = "operation", extensions(("x-permission" = json!("public"))), responses((status = 200, description = "稼働中", body = Health)))]
#[get("/healthz")]
async fn health() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok".to_owned() })
}

/// 準備確認 / The service can work: database, migrations, age of the outbox.
#[utoipa::path(tag = "operation", extensions(("x-permission" = json!("public"))),
    responses((status = 200, description = "利用できる", body = Readiness), (status = 503, description = "利用できない", body = Readiness)))]
#[get("/readyz")]
async fn readiness(app: web::Data<App>) -> HttpResponse {
    let now = app.clock.now();
    let mut warnings = app.config.warnings();
    let found = app
        .db
        .read(move |conn| {
            let schema = migrations::state(conn)?;
            let (oldest, parked) = store::backlog(conn)?;
            // An older schema does not know of all this, and readiness has to say that it is older.
            let (paused, (untold, failed)) = match schema {
                SchemaState::Current => (paused_until(conn)?, telling_store::backlog(conn)?),
                _ => (None, (None, 0)),
            };
            let oldest = oldest.into_iter().chain(untold).min();
            Ok((dialect::name(conn), schema, oldest, parked, paused.filter(|until| *until > now), failed))
        })
        .await;
    match found {
        Ok((database, schema, oldest, parked, paused, untold)) => {
            if untold > 0 {
                warnings.push(format!(
                    "{untold} events could not be told to anybody yet; the log says why, and they are tried again"
                ));
            }
            let migrations = match schema {
                SchemaState::Current => "current",
                SchemaState::Behind(_) => "behind",
                SchemaState::Ahead => "ahead",
            };
            let ready = schema == SchemaState::Current;
            let view = Readiness {
                status: if ready { "ready" } else { "not_ready" }.to_owned(),
                database: Some(database.to_owned()),
                migrations: Some(migrations.to_owned()),
                outbox_age_seconds: oldest.map(|oldest| (now.naive() - oldest.naive()).num_seconds().max(0)),
                outbox_paused_until: paused,
                outbox_parked: Some(parked),
                warnings,
            };
            if ready { HttpResponse::Ok().json(view) } else { HttpResponse::ServiceUnavailable().json(view) }
        }
        Err(error) => {
            tracing::error!(%error, "not ready");
            HttpResponse::ServiceUnavailable().json(Readiness {
                status: "not_ready".to_owned(),
                database: None,
                migrations: None,
                outbox_age_seconds: None,
                outbox_paused_until: None,
                outbox_parked: None,
                warnings,
            })
        }
    }
}
