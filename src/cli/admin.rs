//! Commands for operators.

use std::path::Path;
use std::sync::Arc;

use super::Failure;
use crate::app::App;
use crate::audit::seal;
use crate::auth::principal::Actor;
use crate::config::Config;
use crate::db::{dialect, migrations};
use crate::experts::frameworks;
use crate::http::{Ctx, openapi, routes};
use crate::imports::table::{TableLimits, read_table};
use crate::ops::backup;
use crate::organisations::{import, people_service, seed, store};

const DOCUMENT: &str = "openapi/openapi.json";

pub(super) fn openapi(check: bool, write: bool) -> Result<(), Failure> {
    let text = openapi::to_text(&routes::document());
    if write {
        return std::fs::write(DOCUMENT, text).map_err(|e| Failure(format!("{DOCUMENT}: {e}")));
    }
    if !check {
        print!("{text}");
        return Ok(());
    }
    let committed = std::fs::read_to_string(DOCUMENT).map_err(|e| Failure(format!("{DOCUMENT}: {e}")))?;
    if committed == text {
        eprintln!("{DOCUMENT} is up to date");
        return Ok(());
    }
    let line = committed.lines().zip(text.lines()).position(|(a, b)| a != b).map_or(0, |index| index + 1);
    Err(Failure(format!("{DOCUMENT} differs from the routes at line {line}: run `tasuki openapi --write`")))
}

pub(super) fn check_config(config: &Config) -> Result<(), Failure> {
    print!("{}", config.redacted());
    for warning in config.warnings() {
        eprintln!("warning: {warning}");
    }
    config.check_for_serving().map_err(|problem| Failure(problem.to_string()))
}

pub(super) fn migrate(app: &Arc<App>) -> Result<(), Failure> {
    let applied = app.db.read_blocking(migrations::apply)?;
    for name in &applied {
        eprintln!("applied {name}");
    }
    let now = app.clock.now();
    app.db.write_blocking(|conn| {
        seed::load_built_in(conn, now)?;
        frameworks::load_built_in(conn, now)?;
        Ok(dialect::refresh_statistics(conn)?)
    })?;
    eprintln!("the schema is current");
    Ok(())
}

pub(super) fn create_admin(app: &Arc<App>, email: &str, name: &str, code: &str) -> Result<(), Failure> {
    let link = app.db.write_blocking(|conn| {
        let organisation = store::find_by_code(conn, code)?.ok_or_else(|| {
            crate::error::Error::internal(format!("no organisation has the code {code}; run `tasuki migrate` first"))
        })?;
        let ctx = Ctx::internal(app, Actor::Command, organisation.id, "command");
        people_service::create_admin(conn, &ctx, email, name, organisation.id)
    })?;
    println!("{link}");
    eprintln!("open the link within 7 days to choose a password");
    Ok(())
}

pub(super) fn import_organisations(app: &Arc<App>, file: &Path, dry_run: bool) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(|e| Failure(format!("{}: {e}", file.display())))?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let table = read_table(&bytes, &name, &TableLimits::default()).map_err(|problem| Failure(problem.message_ja()))?;
    let report = app.db.write_blocking(|conn| import::run_command(conn, app, &table, &name, dry_run))?;
    println!("{report}");
    if report.errors.is_empty() {
        Ok(())
    } else {
        Err(Failure(format!("{} rows are wrong; nothing was changed", report.errors.len())))
    }
}

pub(super) fn backup(app: &Arc<App>, file: &Path) -> Result<(), Failure> {
    backup::backup(&app.db, file)?;
    eprintln!("wrote {}", file.display());
    Ok(())
}

pub(super) fn restore_check(file: &Path) -> Result<(), Failure> {
    let check = backup::check(file)?;
    println!("integrity: {}", check.integrity);
    for (table, rows) in &check.rows {
        println!("{table}: {rows}");
    }
    println!(
        "audit: {} verified, {} unsealed, {} findings",
        check.audit.verified,
        check.audit.unsealed,
        check.audit.findings.len()
    );
    if check.is_good() { Ok(()) } else { Err(Failure("the backup must not be used".to_owned())) }
}

pub(super) fn audit_verify(app: &Arc<App>, head: Option<&str>, json: bool) -> Result<(), Failure> {
    let found = app.db.read_blocking(|conn| seal::verify(conn, head))?;
    if json {
        println!("{}", serde_json::to_string_pretty(&found).unwrap_or_default());
    } else {
        println!("verified: {}\nunsealed: {}\nhead: {}", found.verified, found.unsealed, found.head.as_deref().unwrap_or("-"));
        for finding in &found.findings {
            println!("{} at {} (event {})", finding.kind, finding.sequence, finding.event_id);
        }
    }
    if found.findings.is_empty() { Ok(()) } else { Err(Failure("the audit chain is broken".to_owned())) }
}
