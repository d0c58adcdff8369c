//! Models of the client as opcodes.
