//! The commands. Data goes to standard output, messages to standard error; exit code 0 for done, 1 for failed, 2 for
//! wrong usage.

mod admin;
mod allocate;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::NaiveDate;
use clap::{Parser, Subcommand};

use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, SmtpSecurity};
use crate::error::Error;
use crate::notifications::transport::{self, Mailer, SmtpSettings};

/// 自治体間で専門人材を共有するサービス / Experts shared between Japanese municipalities.
///
/// まず試すには / To try it first:  tasuki demo
#[derive(Debug, Parser)]
#[command(name = "tasuki", version, arg_required_else_help = true)]
struct Arguments {
    /// Configuration file (TOML); the environment (TASUKI_…) overrides it.
    #[arg(long, global = true, env = "TASUKI_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve HTTP, and do the background work unless it is switched off.
    Serve,
    /// Serve a demo world with Japanese data on loopback.
    Demo {
        /// Port; 0 takes a free one.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Where the demo keeps its database; a temporary folder when absent.
        #[arg(long)]
        data: Option<PathBuf>,
        /// Which day it is in the demo.
        #[arg(long)]
        today: Option<NaiveDate>,
    },
    /// Do the background work only (mail, reminders, sealing).
    Worker,
    /// Bring the database schema to this release and load the built-in facts.
    Migrate,
    /// Print the OpenAPI document, or compare it with the committed file.
    Openapi {
        /// Compare with openapi/openapi.json; exit code 1 when they differ.
        #[arg(long)]
        check: bool,
        /// Write openapi/openapi.json.
        #[arg(long, conflicts_with = "check")]
        write: bool,
    },
    /// Check the configuration and print what is in force, secrets hidden.
    CheckConfig,
    /// People.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Load facts from files.
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// Write a consistent copy of the embedded database, also while the service runs.
    Backup {
        /// The file to write; it must not exist.
        file: PathBuf,
    },
    /// Prove that a backup can be used.
    Restore {
        /// Only check the file; nothing is replaced.
        #[arg(long, required = true)]
        check: bool,
        /// The backup.
        file: PathBuf,
    },
    /// Plan an allocation from a file, or check a result of anybody; needs neither database nor configuration.
    Allocate(allocate::AllocateArgs),
    /// The audit chain.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create the first system administrator; prints a one-time link for the password.
    CreateAdmin {
        /// Mail address.
        #[arg(long)]
        email: String,
        /// Name.
        #[arg(long)]
        name: String,
        /// Six-digit code of the prefecture that runs the installation.
        #[arg(long)]
        organisation: String,
    },
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// The ministry's list of codes (xlsx, or CSV in UTF-8 or Windows-31J).
    Organisations {
        /// The file.
        file: PathBuf,
        /// Say what would happen; change nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Verify the chain; exit code 1 when anything is broken.
    Verify {
        /// A head noted earlier elsewhere: also finds a tail that was cut off.
        #[arg(long)]
        head: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// The program and its version, as reports name it.
pub const ENGINE: &str = concat!("tasuki ", env!("CARGO_PKG_VERSION"));

/// Runs the command line of the process.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Allocate(arguments) => {
            return allocate::run(&arguments, &mut std::io::stdout().lock(), &mut std::io::stderr().lock()).into();
        }
        Command::Openapi { check, write } => admin::openapi(check, write),
        Command::Demo { port, data, today } => serve::demo(port, data, today),
        command => load(arguments.config.as_deref()).and_then(|config| with_config(config, command)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tasuki: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Why a command failed, for the operator.
#[derive(Debug)]
struct Failure(String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

fn load(file: Option<&std::path::Path>) -> Result<Config, Failure> {
    Config::load(file, std::env::vars()).map_err(|problem| Failure(problem.to_string()))
}

fn with_config(config: Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve => serve::serve(config),
        Command::Worker => serve::worker(config),
        Command::CheckConfig => admin::check_config(&config),
        Command::Migrate => admin::migrate(&application(config)?),
        Command::User { command: UserCommand::CreateAdmin { email, name, organisation } } => {
            admin::create_admin(&application(config)?, &email, &name, &organisation)
        }
        Command::Import { command: ImportCommand::Organisations { file, dry_run } } => {
            admin::import_organisations(&application(config)?, &file, dry_run)
        }
        Command::Backup { file } => admin::backup(&application(config)?, &file),
        Command::Restore { file, .. } => admin::restore_check(&file),
        Command::Audit { command: AuditCommand::Verify { head, json } } => {
            admin::audit_verify(&application(config)?, head.as_deref(), json)
        }
        Command::Demo { .. } | Command::Openapi { .. } | Command::Allocate(_) => Ok(()),
    }
}

fn application(config: Config) -> Result<Arc<App>, Failure> {
    let mailer = mailer(&config)?;
    Ok(App::new(config, Clock::system(), mailer, false)?)
}

/// The way out for mail that the configuration names.
fn mailer(config: &Config) -> Result<Option<Mailer>, Failure> {
    let smtp = &config.smtp;
    if smtp.host.is_empty() {
        return Ok(None);
    }
    let signs_in = !smtp.username.is_empty();
    let settings = SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port,
        security: match smtp.security {
            SmtpSecurity::Tls => transport::SmtpSecurity::Tls,
            SmtpSecurity::Starttls => transport::SmtpSecurity::StartTls,
            SmtpSecurity::None => transport::SmtpSecurity::None,
        },
        username: signs_in.then(|| smtp.username.clone()),
        password: signs_in.then(|| smtp.password.clone()),
        ca_file: smtp.ca_file.clone(),
        timeout: std::time::Duration::from_secs(smtp.timeout_seconds.clamp(1, 300)),
        bounce_address: Some(smtp.bounce_address.clone()).filter(|address| !address.is_empty()),
        max_per_connection: smtp.max_per_connection,
    };
    Mailer::smtp(settings).map(Some).map_err(|problem| Failure(problem.to_string()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
