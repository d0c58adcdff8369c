//! The tests that need no process of their own, as one program: what they stand on is linked once, and they run beside
//! each other.

mod basics;
mod concurrency;
mod conditional;
mod crash;
mod damage;
mod faults;
mod filtered;
mod golden;
mod golden_texts;
mod model;
mod pressure;
mod queries;
mod recall;
mod text;
mod vectors;
