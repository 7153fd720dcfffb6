//! The commands, run as an operator runs them: the real program with its environment, its output and its exit code.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::database;

const KEY: &str = "0123456789abcdef0123456789abcdef-commands";

/// An installation: a database address and a folder for files.
struct Installation {
    url: String,
    folder: TempDir,
    _database: Option<database::Fresh>,
}

impl Installation {
    /// A database file that does not exist yet.
    fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        Self { url: format!("sqlite:{}", folder.path().join("tasuki.db").display()), folder, _database: None }
    }

    /// A migrated database of either kind.
    fn on(database: database::Fresh) -> Self {
        Self { url: database.url(), folder: TempDir::new().unwrap(), _database: Some(database) }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasuki"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("TASUKI_DATABASE__URL", &self.url);
        command.env("TASUKI_AUTH__SIGNING_KEY", KEY).env("TASUKI_BASE_URL", "https://tasuki.example.jp");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran(self.command(arguments).output().unwrap())
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(content).unwrap();
        path.display().to_string()
    }
}

struct Ran(Output);

impl Ran {
    fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.code(), 0, "{}{}", self.out(), self.err());
        self
    }

    #[track_caller]
    fn fails(self, code: i32, said: &str) -> Self {
        assert_eq!(self.code(), code, "{}{}", self.out(), self.err());
        assert!(self.err().contains(said), "{said:?} is not in {:?}", self.err());
        self
    }
}

/// The installations a command must behave alike on.
fn on_each(test: impl Fn(Installation)) {
    test(Installation::on(database::sqlite()));
    if let Some(database) = database::postgres() {
        test(Installation::on(database));
    }
}

#[test]
fn an_unknown_command_or_option_is_wrong_usage() {
    let here = Installation::empty();
    for arguments in [&["fly"] as &[&str], &["serve", "--fast"], &["restore", "x.db"], &["user", "create-admin"]] {
        assert_eq!(here.run(arguments).code(), 2, "{arguments:?}");
    }
}

#[test]
fn check_config_prints_what_is_in_force_and_hides_secrets() {
    let here = Installation::empty();
    let secret = here.file("smtp-password", b"hunter2-of-the-relay\n");
    let config =
        here.file("tasuki.toml", b"listen = \"127.0.0.1:9999\"\n[smtp]\nhost = \"relay.example.jp\"\nusername = \"tasuki\"\n");
    let ran = Ran(here
        .command(&["check-config", "--config", &config])
        .env("TASUKI_SMTP__PASSWORD_FILE", &secret)
        .env("TASUKI_SMTP__PORT", "2525")
        .output()
        .unwrap())
    .ok();
    let shown = ran.out();
    assert!(shown.contains("127.0.0.1:9999") && shown.contains("relay.example.jp") && shown.contains("2525"), "{shown}");
    for hidden in ["hunter2", KEY] {
        assert!(!shown.contains(hidden) && !ran.err().contains(hidden), "{hidden} is shown");
    }
    // What is unknown, impossible or too weak stops the start and is named.
    let typo = here.file("typo.toml", b"[smtp]\nhots = \"relay.example.jp\"\n");
    here.run(&["check-config", "--config", &typo]).fails(1, "hots");
    Ran(here.command(&["check-config"]).env("TASUKI_SMTP__HOTS", "x").output().unwrap()).fails(1, "hots");
    Ran(here.command(&["check-config"]).env("TASUKI_AUTH__SIGNING_KEY", "short").output().unwrap()).fails(1, "signing_key");
    Ran(here.command(&["check-config"]).env("TASUKI_SMTP__PASSWORD_FILE", "/nowhere/at/all").output().unwrap())
        .fails(1, "/nowhere");
    Ran(here.command(&["migrate"]).env("TASUKI_DATABASE__URL", "mysql://x").output().unwrap()).fails(1, "database.url");
}

#[test]
fn a_server_does_not_start_on_a_schema_that_is_behind() {
    Installation::empty().run(&["serve"]).fails(1, "tasuki migrate");
}

#[test]
fn a_server_that_is_stopped_answers_what_it_has_begun() {
    let here = Installation::on(database::sqlite());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut server = here.command(&["serve"]).env("TASUKI_LISTEN", address.to_string()).spawn().unwrap();
    let mut stream = loop {
        match std::net::TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) => assert!(server.try_wait().unwrap().is_none(), "the server ended"),
        }
    };
    stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    // The server asks for the body only once the request is being handled.
    let body = r#"{"email":"nobody@example.jp","password":"ちがう合い言葉をいれてみます。"}"#;
    let head = format!(
        "POST /api/v1/auth/token HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut begun = [0; 25];
    stream.read_exact(&mut begun).unwrap();
    assert!(begun.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&begun));
    assert!(Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap().success());
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(server.wait().unwrap().success());
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn migrating_twice_changes_nothing_the_second_time() {
    let here = Installation::empty();
    let first = here.run(&["migrate"]).ok();
    assert!(first.err().contains("applied "), "{}", first.err());
    let bodies = here.run(&["restore", "--check", here.url.strip_prefix("sqlite:").unwrap()]).ok().out();
    let second = here.run(&["migrate"]).ok();
    assert_eq!(second.err().trim(), "the schema is current");
    assert_eq!(here.run(&["restore", "--check", here.url.strip_prefix("sqlite:").unwrap()]).ok().out(), bodies);
}

#[test]
fn the_first_administrator_gets_a_link() {
    on_each(|here| {
        let create = |code: &str, email: &str| {
            here.run(&["user", "create-admin", "--email", email, "--name", "管理 一郎", "--organisation", code])
        };
        create("999999", "admin@example.jp").fails(1, "999999");
        create("220001", "no address").fails(1, "email");
        let first = create("220001", "admin@example.jp").ok();
        let link = first.out();
        assert!(link.starts_with("https://tasuki.example.jp/invitations?token="), "{link}");
        // Asked again, the same person gets another link, not a second account.
        assert_ne!(create("220001", "Admin@example.jp").ok().out(), link);
        let verified = here.run(&["audit", "verify", "--json"]).ok().out();
        let verified: serde_json::Value = serde_json::from_str(&verified).unwrap();
        assert_eq!((verified["verified"].as_i64(), verified["unsealed"].as_i64()), (Some(0), Some(2)));
    });
}

#[test]
fn a_code_list_is_looked_at_and_then_taken() {
    on_each(|here| {
        let text = "団体コード,都道府県名（漢字）,市区町村名（漢字）,都道府県名（カナ）,市区町村名（カナ）\r\n\
                    10006,北海道,,ﾎｯｶｲﾄﾞｳ,\r\n11002,北海道,札幌市,ﾎｯｶｲﾄﾞｳ,ｻｯﾎﾟﾛｼ\r\n";
        let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        let file = here.file("code.csv", &bytes);
        let unsealed = || {
            let text = here.run(&["audit", "verify", "--json"]).ok().out();
            serde_json::from_str::<serde_json::Value>(&text).unwrap()["unsealed"].as_i64().unwrap()
        };
        let looked = here.run(&["import", "organisations", &file, "--dry-run"]).ok();
        assert!(looked.out().contains("nothing written") && looked.out().contains("札幌市"), "{}", looked.out());
        assert_eq!(unsealed(), 0, "a dry run leaves nothing");
        assert!(here.run(&["import", "organisations", &file]).ok().out().contains("applied"));
        assert_eq!(unsealed(), 1, "one event for the whole list");
        // Once more nothing is new, and nothing is written down.
        here.run(&["import", "organisations", &file]).ok();
        assert_eq!(unsealed(), 1);
        let wrong = here.file("wrong.csv", text.replace("11002", "11003").as_bytes());
        let ran = here.run(&["import", "organisations", &wrong]).fails(1, "nothing was changed");
        assert!(ran.out().contains('3'), "the row is named: {}", ran.out());
        here.run(&["import", "organisations", "missing.csv"]).fails(1, "missing.csv");
    });
}

#[test]
fn a_backup_is_written_once_and_proved() {
    let here = Installation::on(database::sqlite());
    here.run(&["user", "create-admin", "--email", "admin@example.jp", "--name", "管理 一郎", "--organisation", "220001"]).ok();
    let backup = here.folder.path().join("backup.db");
    let name = backup.display().to_string();
    here.run(&["backup", &name]).ok();
    here.run(&["backup", &name]).fails(1, "already exists");
    let check = here.run(&["restore", "--check", &name]).ok().out();
    assert!(check.contains("integrity: ok") && check.contains("users: 1") && check.contains("audit_events: 1"), "{check}");
    // A backup that was damaged is told from a good one.
    damage(&backup);
    let damaged = here.run(&["restore", "--check", &name]);
    assert_eq!(damaged.code(), 1, "{}{}", damaged.out(), damaged.err());
    let empty = here.file("empty.db", b"");
    assert_eq!(here.run(&["restore", "--check", &empty]).code(), 1);
    here.run(&["restore", "--check", "missing.db"]).fails(1, "missing.db");
}

/// Overwrites the inner pages of a database file.
fn damage(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let (from, to) = (bytes.len() / 4, bytes.len() / 2);
    bytes[from..to].fill(0x5A);
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_backup_of_postgresql_is_left_to_its_own_tools() {
    let Some(database) = database::postgres() else { return };
    let here = Installation::on(database);
    here.run(&["backup", "copy.db"]).fails(1, "pg_dump");
    assert!(!here.folder.path().join("copy.db").exists());
}

#[test]
fn a_broken_chain_ends_the_verification_with_an_error() {
    use diesel::connection::SimpleConnection as _;

    let here = Installation::on(database::sqlite());
    here.run(&["user", "create-admin", "--email", "admin@example.jp", "--name", "管理 一郎", "--organisation", "220001"]).ok();
    let url = here.url.parse().unwrap();
    let db = tasuki::db::Db::open(&url, 1, tasuki::db::ConnSettings::default()).unwrap();
    db.write_blocking(|conn| tasuki::audit::seal::seal(conn).map(drop)).unwrap();
    let sealed = here.run(&["audit", "verify"]).ok().out();
    assert!(sealed.contains("verified: 1"), "{sealed}");
    let head = sealed.lines().find_map(|line| line.strip_prefix("head: ")).unwrap().to_owned();
    here.run(&["audit", "verify", "--head", &head]).ok();
    here.run(&["audit", "verify", "--head", &"0".repeat(head.len())]).fails(1, "broken");
    db.write_blocking(|conn| {
        Ok(conn.batch_execute(
            "DROP TRIGGER IF EXISTS audit_events_append_only_update; UPDATE audit_events SET operation = 'user create-nobody'",
        )?)
    })
    .unwrap();
    let broken = here.run(&["audit", "verify"]).fails(1, "broken");
    assert!(broken.out().contains("at 1"), "{}", broken.out());
}
