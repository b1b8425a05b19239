//! The commands behind `tools/build`, `demo`, `test`, `bench`, `run` and `release`.

use std::process::ExitCode;

use tools::pack;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    // rustc calls this program as the target's linker.
    if std::env::args().nth(1).as_deref() == Some("-flavor") {
        return match tools::narrow::link::link(std::env::args_os().skip(1).collect()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let result = match arguments.next().as_deref() {
        Some("build") => pack::build_and_tell(&arguments.collect::<Vec<_>>()),
        Some("test") => tools::suite::run(&arguments.collect::<Vec<_>>()),
        Some("demo") => tools::demo::demo(),
        Some("bench") => tools::bench::run(&arguments.collect::<Vec<_>>()),
        Some("release") => tools::release::release(&arguments.collect::<Vec<_>>()),
        Some("run") => tools::run::run(&arguments.collect::<Vec<_>>()),
        _ => Err(tools::setup::fail("usage: tools build | test | demo | bench | run | release")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = error.to_string();
            if !line.is_empty() {
                eprintln!("{line}");
            }
            ExitCode::FAILURE
        }
    }
}
