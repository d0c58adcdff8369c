//! What is the payload of a row, and how is JSON kept so that one key is found fast?
//!
//! ```text
//! JSON object --encode_payload--> bytes --PayloadWriter--> file --PayloadReader--> bytes --ObjectRef--> values
//! ```
//!
//! | file | answers |
//! |---|---|
//! | `value.rs` | which byte of a payload means what, and how is it walked without copying? |
//! | `encode.rs` | how does JSON become such bytes? |
//! | `decode.rs` | how do they become JSON again? |
//! | `format.rs` | which byte of a file of payloads means what? |
//! | `writer.rs` | how is the file streamed out? |
//! | `reader.rs` | where is the payload of a row? |
//! | `salvage.rs` | what of a damaged file can still be read? |

mod decode;
mod encode;
mod format;
mod reader;
mod salvage;
mod value;
mod writer;

pub use crate::error::ValueError;
pub use decode::{decode_payload, to_json};
pub use encode::{encode_payload, encode_value};
pub use reader::PayloadReader;
pub use salvage::PayloadSalvage;
pub use value::{ArrayRef, Entries, Items, MAX_DEPTH, ObjectRef, ValueRef};
pub use writer::PayloadWriter;

#[cfg(test)]
mod tests;
