//! The kinds of index, and the keys under which an index files its rows.

/// What values an index holds.
///
/// ```
/// use vdb_index::postings::Kind;
///
/// let names = Kind::ALL.map(Kind::name);
/// assert_eq!(names, ["keyword", "integer", "float", "bool", "datetime", "uuid", "geo", "text"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Strings, in the order of their bytes.
    Keyword,
    /// Integers that fit `i64`.
    Integer,
    /// Numbers of any type, as `f64`.
    Float,
    /// Booleans.
    Bool,
    /// Microseconds since 1970 UTC.
    Datetime,
    /// Universally unique identifiers, in the order of their 16 bytes.
    Uuid,
    /// Positions on the Earth, by the number of the cell that they are in.
    Geo,
    /// The tokens of texts, in the order of their bytes.
    Text,
}

impl Kind {
    /// Every kind, in the order of the codes.
    pub const ALL: [Self; 8] = [
        Self::Keyword,
        Self::Integer,
        Self::Float,
        Self::Bool,
        Self::Datetime,
        Self::Uuid,
        Self::Geo,
        Self::Text,
    ];

    /// The lower-case name, as JSON and the command line spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Datetime => "datetime",
            Self::Uuid => "uuid",
            Self::Geo => "geo",
            Self::Text => "text",
        }
    }

    /// The byte that names this kind in a file or a manifest.
    pub fn code(self) -> u8 {
        match self {
            Self::Keyword => 0,
            Self::Integer => 1,
            Self::Float => 2,
            Self::Bool => 3,
            Self::Datetime => 4,
            Self::Uuid => 5,
            Self::Geo => 6,
            Self::Text => 7,
        }
    }

    /// Whether keys are strings of bytes; else they are numbers.
    pub(super) fn has_terms(self) -> bool {
        match self {
            Self::Keyword | Self::Uuid | Self::Text => true,
            Self::Integer | Self::Float | Self::Bool | Self::Datetime | Self::Geo => false,
        }
    }

    /// The kind of a byte in a file or a manifest.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A value in an index. Only keys of an index's own [`Kind`] are in it; others are never found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Key<'a> {
    /// A string, for [`Kind::Keyword`]; a token, for [`Kind::Text`].
    Term(&'a str),
    /// For [`Kind::Integer`].
    Integer(i64),
    /// For [`Kind::Float`]; the two zeros are one key, NaN is none.
    Float(f64),
    /// For [`Kind::Bool`].
    Bool(bool),
    /// Microseconds since 1970 UTC, for [`Kind::Datetime`].
    Datetime(i64),
    /// For [`Kind::Uuid`].
    Uuid([u8; 16]),
    /// The number of a cell, for [`Kind::Geo`]. Which positions a cell has is left to the caller.
    Cell(u64),
}

impl<'a> Key<'a> {
    /// The form in which an index of `kind` stores this key; `None` when it is of another kind.
    pub(super) fn stored(self, kind: Kind) -> Option<Stored<'a>> {
        match (self, kind) {
            (Key::Term(term), Kind::Keyword | Kind::Text) => Some(Stored::Term(term.as_bytes())),
            (Key::Uuid(uuid), Kind::Uuid) => Some(Stored::Uuid(uuid)),
            (Key::Cell(cell), Kind::Geo) => Some(Stored::Number(cell_code(cell))),
            (Key::Integer(number), Kind::Integer) | (Key::Datetime(number), Kind::Datetime) => {
                Some(Stored::Number(number))
            }
            (Key::Float(number), Kind::Float) => float_code(number).map(Stored::Number),
            (Key::Bool(truth), Kind::Bool) => Some(Stored::Number(i64::from(truth))),
            (
                Key::Term(_)
                | Key::Integer(_)
                | Key::Float(_)
                | Key::Bool(_)
                | Key::Datetime(_)
                | Key::Uuid(_)
                | Key::Cell(_),
                _,
            ) => None,
        }
    }

    /// The key that an index of `kind`, whose keys are numbers, stores as `number`.
    pub(super) fn from_number(number: i64, kind: Kind) -> Self {
        match kind {
            Kind::Float => Key::Float(float_of(number)),
            Kind::Bool => Key::Bool(number != 0),
            Kind::Datetime => Key::Datetime(number),
            Kind::Geo => Key::Cell(cell_of(number)),
            Kind::Integer | Kind::Keyword | Kind::Uuid | Kind::Text => Key::Integer(number),
        }
    }
}

/// A key as it is stored and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored<'a> {
    Term(&'a [u8]),
    Uuid([u8; 16]),
    Number(i64),
}

impl Stored<'_> {
    /// The bytes of a term; none of a number.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Term(term) => term,
            Self::Uuid(uuid) => uuid,
            Self::Number(_) => &[],
        }
    }
}

/// An integer that orders as the number of the cell does.
fn cell_code(cell: u64) -> i64 {
    (cell ^ 1 << 63).cast_signed()
}

/// The cell that is stored so.
pub(super) fn cell_of(code: i64) -> u64 {
    code.cast_unsigned() ^ 1 << 63
}

/// An integer that orders as the float does. The bits of a positive float already do; those of a negative one
/// order backwards below the sign bit.
fn float_code(number: f64) -> Option<i64> {
    if number.is_nan() {
        return None;
    }
    // Adding zero turns -0.0 into 0.0.
    let bits = (number + 0.0).to_bits().cast_signed();
    Some(if bits < 0 { bits ^ i64::MAX } else { bits })
}

/// The float of its code.
fn float_of(code: i64) -> f64 {
    let bits = if code < 0 { code ^ i64::MAX } else { code };
    f64::from_bits(bits.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Key, Kind, Stored, cell_code, cell_of, float_code};

    proptest! {
        #[test]
        fn float_codes_order_as_the_floats_do(a in any::<f64>(), b in any::<f64>()) {
            let (code_a, code_b) = (float_code(a), float_code(b));
            if let (Some(code_a), Some(code_b)) = (code_a, code_b) {
                prop_assert_eq!(Some(code_a.cmp(&code_b)), a.partial_cmp(&b));
            } else {
                prop_assert!(a.is_nan() || b.is_nan());
            }
        }
    }

    #[test]
    fn cell_codes_order_as_the_cells_do() {
        let cells = [0, 1, (1 << 63) - 1, 1 << 63, u64::MAX];
        assert!(cells.map(cell_code).is_sorted());
        assert_eq!(cells.map(|cell| cell_of(cell_code(cell))), cells);
    }

    #[test]
    fn numbers_survive_being_stored() {
        let keys = [
            (Kind::Integer, Key::Integer(-3)),
            (Kind::Float, Key::Float(-2.5)),
            (Kind::Float, Key::Float(f64::INFINITY)),
            (Kind::Bool, Key::Bool(true)),
            (Kind::Datetime, Key::Datetime(7)),
            (Kind::Geo, Key::Cell(u64::MAX - 5)),
        ];
        for (kind, key) in keys {
            let Some(Stored::Number(number)) = key.stored(kind) else {
                panic!("{key:?} is stored as a number");
            };
            assert_eq!(Key::from_number(number, kind), key);
        }
    }

    #[test]
    fn zeros_are_one_float_and_infinities_are_the_ends() {
        assert_eq!(float_code(0.0), float_code(-0.0));
        assert!(float_code(f64::NEG_INFINITY) < float_code(f64::MIN));
        assert!(float_code(f64::MAX) < float_code(f64::INFINITY));
        assert_eq!(float_code(f64::NAN), None);
    }

    #[test]
    fn a_kind_survives_its_code() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(Kind::from_code(8), None);
    }
}
