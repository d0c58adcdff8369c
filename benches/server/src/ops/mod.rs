//! Operations of a server: many collections, load, kills, what a call costs.
//!
//! | file | what |
//! |---|---|
//! | `speaker.rs` | what is asked of a server, over gRPC or REST; the points of one writer |
//! | `many.rs` | many small collections: time to be ready, memory, disk |
//! | `load.rs` | many connections that read and write at once |
//! | `kill.rs` | kills under load: what was acknowledged and is not there |
//! | `floor.rs` | what a call costs over the same call in one process |
//! | `measuring.rs` | what that is measured by |
//! | `here.rs`, `bare.rs` | the searches without a server: in one process, and behind a bare socket |
//! | `rows.rs` | random rows |
//! | `cores.rs` | which processors the two ends are kept to |

mod bare;
mod cores;
mod floor;
mod here;
mod kill;
mod load;
mod many;
mod measuring;
mod rows;
mod speaker;

pub use cores::Cores;
pub use floor::floor;
pub use kill::{Kill, KillLine, kill};
pub use load::{CallLine, Load, LoadLine, load};
pub use many::{Many, ManyLine, many};
pub use measuring::{Floor, FloorLine};
pub use rows::random;
pub use speaker::{Speaker, Transport};

/// A number for each step that looks like chance: the same for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // xorshift64* (Marsaglia 2003; Vigna 2016).
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        (drawn >> 16) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn dice_fall_everywhere_and_again() {
        let (mut one, mut two) = (Dice::new(7), Dice::new(7));
        let mut seen = [false; 6];
        for _ in 0..200 {
            let face = one.below(6);
            assert_eq!(face, two.below(6));
            seen[face as usize] = true;
        }
        assert_eq!(seen, [true; 6]);
    }
}
