//! Fresh databases: a copy of a migrated SQLite file, or a copy of a migrated PostgreSQL database.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use tasuki::clock::UtcTime;
use tasuki::db::connection::DatabaseUrl;
use tasuki::db::{ConnSettings, Db, migrations};
use tasuki::experts::frameworks;
use tasuki::organisations::seed;
use tempfile::TempDir;

/// A database that disappears with its test.
pub enum Fresh {
    Sqlite(TempDir),
    Postgres { server: String, name: String },
}

impl Fresh {
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("test.db").display()),
            Self::Postgres { server, name } => with_database(server, name),
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Self::Postgres { server, name } = self
            && let Ok(mut conn) = PgConnection::establish(server)
        {
            let _ = conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// Where the built-in facts of all tests were loaded.
fn beginning() -> UtcTime {
    UtcTime::from_naive(chrono::NaiveDate::from_ymd_opt(2020, 4, 1).unwrap().and_hms_opt(0, 0, 0).unwrap())
}

fn prepare(url: &str) {
    let url: DatabaseUrl = url.parse().unwrap();
    let db = Db::open(&url, 2, ConnSettings { statement_timeout_ms: 60_000, ..ConnSettings::default() }).unwrap();
    db.read_blocking(migrations::apply).unwrap();
    db.write_blocking(|conn| {
        seed::load_built_in(conn, beginning())?;
        frameworks::load_built_in(conn, beginning())
    })
    .unwrap();
}

pub fn sqlite() -> Fresh {
    static TEMPLATE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, template) = TEMPLATE.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let made = folder.path().join("made.db");
        prepare(&format!("sqlite:{}", made.display()));
        // A copy without write-ahead log, so that one file is the whole database.
        let file = folder.path().join("template.db");
        let mut conn = diesel::SqliteConnection::establish(&made.to_string_lossy()).unwrap();
        conn.batch_execute(&format!("VACUUM INTO '{}'", file.display())).unwrap();
        (folder, file)
    });
    let folder = TempDir::new().unwrap();
    std::fs::copy(template, folder.path().join("test.db")).unwrap();
    Fresh::Sqlite(folder)
}

/// The server named by TASUKI_TEST_POSTGRES_URL; without it the PostgreSQL half says loudly that it did not run.
pub fn postgres() -> Option<Fresh> {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    static COPYING: Mutex<u32> = Mutex::new(0);
    let Ok(server) = std::env::var("TASUKI_TEST_POSTGRES_URL") else {
        assert!(
            std::env::var("TASUKI_REQUIRE_POSTGRES").is_err(),
            "TASUKI_REQUIRE_POSTGRES is set, but TASUKI_TEST_POSTGRES_URL is not"
        );
        eprintln!("NOT RUN ON POSTGRESQL: TASUKI_TEST_POSTGRES_URL is not set (tests/run.sh sets it)");
        return None;
    };
    let template = TEMPLATE.get_or_init(|| {
        let name = format!("tasuki_template_{}", std::process::id());
        let mut conn = PgConnection::establish(&server).unwrap();
        conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).unwrap();
        conn.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        prepare(&with_database(&server, &name));
        name
    });
    // Copies of one template cannot be made at the same time.
    let mut count = COPYING.lock().unwrap_or_else(PoisonError::into_inner);
    *count += 1;
    let name = format!("tasuki_test_{}_{}", std::process::id(), *count);
    let mut conn = PgConnection::establish(&server).unwrap();
    conn.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")).unwrap();
    Some(Fresh::Postgres { server, name })
}

fn with_database(server: &str, name: &str) -> String {
    let (head, _) = server.rsplit_once('/').unwrap();
    format!("{head}/{name}")
}
