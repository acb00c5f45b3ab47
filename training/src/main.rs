//! The program `hrm-train`; all it does is in `cli` and the library.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
