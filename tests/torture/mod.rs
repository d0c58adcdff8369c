//! What is left after a power cut, with a failing disk, of a killed process?
//!
//! ```text
//! script (actions) -> perform (on a simulated disk) -> told (what was acknowledged, so what may be found)
//!                                                   -> crash, fault: what is found is one of that
//! ```
//!
//! | file | what |
//! |---|---|
//! | `script.rs` | scripts, by hand and at random |
//! | `told.rs` | what was acknowledged, and what may be found |
//! | `perform.rs` | a script is carried out |
//! | `crash.rs` | the power goes, and goes again |
//! | `fault.rs` | calls fail, the disk is full |
//! | `case.rs` | one script and its mishaps, all of one seed |
//! | `soak.rs` | what real processes write, and what must be there when they were killed |
//! | `life.rs` | a process, killed |
//!
//! `cargo test` runs some of this; `cargo run --release -p vdb-torture` as much as is asked for.

pub mod case;
pub mod crash;
pub mod fault;
pub mod life;
pub mod perform;
pub mod script;
pub mod soak;
pub mod told;

pub use case::Tally;
pub use perform::{Faults, Scratch, run};
