//! Who may do what. Both wires ask here and nowhere else.
//!
//! ```text
//! header -> keys.rs, token.rs: a Caller -> calls.rs: what the call needs -> rights.rs: whether the caller has it
//! ```
//!
//! | file | what |
//! |---|---|
//! | `rights.rs` | what a caller may do, and what he is told that he may not |
//! | `keys.rs` | the keys of a server, and who shows one of them or a token signed with one |
//! | `token.rs` | JSON Web Tokens |
//! | `calls.rs` | what each call needs, by its route and its method |

mod calls;
mod keys;
mod rights;
mod token;

pub use calls::{CALLS, Call, Needs};
pub(crate) use calls::{is_method, of_method, of_route};
pub use keys::{Caller, Keys};
pub use rights::{Access, CollectionAccess, Right, Rule};
pub use token::{Match, ValueExists};
