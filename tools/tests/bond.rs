//! The bond's logic (src/bond) over simulated NICs.

#[path = "bond/frames.rs"]
mod frames;
#[path = "bond/health.rs"]
mod health;
#[path = "bond/spread.rs"]
mod spread;
#[path = "bond/world.rs"]
mod world;
