//! `hrm-planner`: plan, verify, inspect and judge from the command line. See `cli`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
