//! How much a pickle may ask for.

/// Bounds of one reading. The defaults hold every backup of collections that a database takes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of all values that are held at a time, those on the stack and those in the memo each: a value that is
    /// referred to twice counts twice.
    pub value_bytes: u64,
    /// Bytes of one string.
    pub text_bytes: u64,
    /// Bytes, or decimal digits, of one integer.
    pub integer_bytes: u64,
    /// Containers within containers.
    pub depth: u16,
    /// Memo entries that are fetched again, each some 24 bytes.
    pub references: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            value_bytes: 256 << 20,
            text_bytes: 64 << 20,
            integer_bytes: 4096,
            depth: 256,
            references: 16 << 20,
        }
    }
}
