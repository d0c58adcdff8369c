//! How the weights of a sparse query are changed.

/// What is done to the weights of a sparse query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// Nothing.
    #[default]
    None,
    /// Each is multiplied by how rare its dimension is: `ln((n - df + 0.5) / (df + 0.5) + 1)`, where `n` points have the vector
    /// and `df` of them a value at the dimension.
    Idf,
}

impl Modifier {
    /// The code on disk.
    pub(crate) fn code(self) -> u8 {
        match self {
            Modifier::None => 0,
            Modifier::Idf => 1,
        }
    }

    /// The modifier of a code on disk.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Modifier::None, Modifier::Idf].get(usize::from(code)).copied()
    }

    /// The lower-case name: `none` or `idf`.
    pub fn name(self) -> &'static str {
        match self {
            Modifier::None => "none",
            Modifier::Idf => "idf",
        }
    }
}
