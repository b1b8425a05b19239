//! The commands behind `tools/build`, `demo`, `test`, `bench` and `run`.
fn main() {}
