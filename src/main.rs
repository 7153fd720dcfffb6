//! The command line of Tasuki; everything happens in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tasuki::cli::run()
}
