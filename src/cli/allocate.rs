//! `tasuki allocate`: plans an instance file, or checks anybody's result against it.

mod table;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use super::ENGINE;
use crate::matching::allocation::flow::FlowError;
use crate::matching::allocation::instance::{Conversion, Instance, InstanceError};
use crate::matching::allocation::problem::Problem;
use crate::matching::allocation::report::{AllocationReport, Making, MakingError, check_report, report};
use crate::matching::allocation::schema;
use crate::matching::allocation::search::{Planned, plan_with};

/// Plan an allocation from a file, or check a result (docs: allocation-instance.schema.json).
#[derive(Debug, Clone, Default, Args)]
pub struct AllocateArgs {
    /// The instance (JSON, tasuki-allocation/1).
    #[arg(required_unless_present = "schemas")]
    pub instance: Option<PathBuf>,
    /// With --check: the result to check (JSON, tasuki-allocation-report/1).
    #[arg(requires = "check")]
    pub result: Option<PathBuf>,
    /// Check a result instead of planning; exit code 1 when it does not hold.
    #[arg(long, requires = "result", conflicts_with_all = ["output", "time_limit", "without_certificate"])]
    pub check: bool,
    /// Seconds after which the search stops; the result then depends on the machine.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub time_limit: Option<u64>,
    /// Circulations solved at most: the search stops after the same work on every machine.
    #[arg(long, value_name = "N", default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub work: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Write the report (JSON) to a file.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Leave the certificate out of the report: it is smaller, and others cannot check what is proved.
    #[arg(long)]
    pub without_certificate: bool,
    /// Write the JSON Schemas of both files and an example into a folder, and do nothing else.
    #[arg(long, value_name = "FOLDER", conflicts_with = "instance")]
    pub schemas: Option<PathBuf>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done; with `--check`: the result holds.
    Done,
    /// The result does not hold, or something could not be written.
    Failed,
    /// The input is wrong.
    WrongInput,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::WrongInput => 2,
        })
    }
}

/// Why it did not end well.
enum Stop {
    Input(Vec<String>),
    Failed(Vec<String>),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(vec![error.to_string()])
    }
}

/// Runs the command: data goes to `out`, messages to `messages`.
pub fn run(args: &AllocateArgs, out: &mut dyn Write, messages: &mut dyn Write) -> Outcome {
    let done = match (&args.schemas, &args.instance, &args.result) {
        (Some(folder), ..) => write_schemas(folder, messages),
        (None, Some(instance), Some(result)) if args.check => check(args, instance, result, out),
        (None, Some(instance), None) if !args.check => allocate(args, instance, out, messages),
        _ => Err(Stop::Input(vec!["allocate INSTANCE.json | allocate --check INSTANCE.json RESULT.json".to_owned()])),
    };
    let (outcome, lines) = match done {
        Ok(()) => return Outcome::Done,
        Err(Stop::Input(lines)) => (Outcome::WrongInput, lines),
        Err(Stop::Failed(lines)) => (Outcome::Failed, lines),
    };
    for line in lines {
        // Where messages cannot be written there is nobody to tell.
        if writeln!(messages, "{}", table::printable(&line)).is_err() {
            break;
        }
    }
    outcome
}

fn write_schemas(folder: &Path, messages: &mut dyn Write) -> Result<(), Stop> {
    let mut files: Vec<(&str, String)> = Vec::new();
    for (name, schema) in schema::schemas() {
        let text = serde_json::to_string_pretty(&schema).map_err(io::Error::from)?;
        files.push((name, text + "\n"));
    }
    files.push(("allocation-instance.example.json", schema::EXAMPLE.to_owned()));
    for (name, text) in files {
        let file = folder.join(name);
        write_file(&file, &text)?;
        writeln!(messages, "wrote {}", file.display())?;
    }
    Ok(())
}

fn write_file(file: &Path, text: &str) -> Result<(), Stop> {
    std::fs::write(file, text).map_err(|error| Stop::Failed(vec![format!("{}: {error}", file.display())]))
}

fn read<T>(file: &Path, parse: fn(&[u8]) -> Result<T, Vec<InstanceError>>) -> Result<T, Stop> {
    let bytes = std::fs::read(file).map_err(|error| Stop::Input(vec![format!("{}: {error}", file.display())]))?;
    parse(&bytes).map_err(|mistakes| wrong(file, &mistakes))
}

fn wrong(file: &Path, mistakes: &[InstanceError]) -> Stop {
    Stop::Input(mistakes.iter().map(|mistake| format!("{}{mistake}", file.display())).collect())
}

fn convert(file: &Path, instance: &Instance) -> Result<Conversion, Stop> {
    instance.convert().map_err(|mistakes| wrong(file, &mistakes))
}

fn allocate(args: &AllocateArgs, file: &Path, out: &mut dyn Write, messages: &mut dyn Write) -> Result<(), Stop> {
    let instance = read(file, Instance::from_json)?;
    let conversion = convert(file, &instance)?;
    let too_large = || {
        Stop::Input(vec![format!(
            "{}: 数値が大きすぎて正確に計算できません / figures are too large to be kept exact",
            file.display()
        )])
    };
    let start = Instant::now();
    let limit = args.time_limit.map(Duration::from_secs);
    let passed = || limit.is_some_and(|limit| start.elapsed() >= limit);
    let (planned, by_clock) = solve(&conversion.problem, args.work, &passed).map_err(|_| too_large())?;
    let making = Making { engine: ENGINE, by_clock, with_certificate: !args.without_certificate };
    let report = report(&instance, &conversion, &planned, making).map_err(|error| match error {
        MakingError::Flow(_) => too_large(),
        MakingError::Refused(why) => Stop::Failed(vec![format!("the checker refuses the plan: {why}")]),
    })?;
    if args.json || args.output.is_some() {
        let text = serde_json::to_string(&report).map_err(io::Error::from)? + "\n";
        if let Some(output) = &args.output {
            write_file(output, &text)?;
            writeln!(messages, "wrote {}", output.display())?;
        }
        if args.json {
            out.write_all(text.as_bytes())?;
            out.flush()?;
            return Ok(());
        }
    }
    table::report(out, &instance, &report, planned.cases.len())?;
    Ok(out.flush()?)
}

/// Plans with at most so many circulations, and no longer than until `stop` says so; also whether it did, which is what makes a
/// result depend on the machine.
fn solve(problem: &Problem, work: u32, stop: &dyn Fn() -> bool) -> Result<(Planned, bool), FlowError> {
    let stopped = Cell::new(false);
    let asked = || {
        let now = stop();
        stopped.set(stopped.get() || now);
        now
    };
    let planned = plan_with(problem, work, &asked)?;
    Ok((planned, stopped.get()))
}

fn check(args: &AllocateArgs, file: &Path, result: &Path, out: &mut dyn Write) -> Result<(), Stop> {
    let instance = read(file, Instance::from_json)?;
    let conversion = convert(file, &instance)?;
    let claimed = read(result, AllocationReport::from_json)?;
    let verified = check_report(&instance, &claimed)
        .map_err(|wrong| Stop::Failed(wrong.into_iter().map(|line| format!("{}: {line}", result.display())).collect()))?;
    if args.json {
        serde_json::to_writer(&mut *out, &verified).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        table::verified(out, &instance, &verified, conversion.dropped.len())?;
    }
    Ok(out.flush()?)
}
