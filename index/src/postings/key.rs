//! The kinds of index, and the keys under which an index files its rows.

/// What values an index holds.
///
/// ```
/// use vdb_index::postings::Kind;
///
/// let names = Kind::ALL.map(|kind| format!("{kind:?}").to_lowercase());
/// assert_eq!(names, ["keyword", "integer", "float", "bool", "datetime"]);
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
}

impl Kind {
    /// Every kind, in the order of the codes.
    pub const ALL: [Self; 5] = [
        Self::Keyword,
        Self::Integer,
        Self::Float,
        Self::Bool,
        Self::Datetime,
    ];

    /// The byte that names this kind in a file or a manifest.
    pub fn code(self) -> u8 {
        match self {
            Self::Keyword => 0,
            Self::Integer => 1,
            Self::Float => 2,
            Self::Bool => 3,
            Self::Datetime => 4,
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
    /// A string, for [`Kind::Keyword`].
    Term(&'a str),
    /// For [`Kind::Integer`].
    Integer(i64),
    /// For [`Kind::Float`]; the two zeros are one key, NaN is none.
    Float(f64),
    /// For [`Kind::Bool`].
    Bool(bool),
    /// Microseconds since 1970 UTC, for [`Kind::Datetime`].
    Datetime(i64),
}

impl<'a> Key<'a> {
    /// The form in which an index of `kind` stores this key; `None` when it is of another kind.
    pub(super) fn stored(self, kind: Kind) -> Option<Stored<'a>> {
        match (self, kind) {
            (Key::Term(term), Kind::Keyword) => Some(Stored::Term(term)),
            (Key::Integer(number), Kind::Integer) | (Key::Datetime(number), Kind::Datetime) => {
                Some(Stored::Number(number))
            }
            (Key::Float(number), Kind::Float) => float_code(number).map(Stored::Number),
            (Key::Bool(truth), Kind::Bool) => Some(Stored::Number(i64::from(truth))),
            (Key::Term(_) | Key::Integer(_) | Key::Float(_) | Key::Bool(_) | Key::Datetime(_), _) => None,
        }
    }

    /// The key that an index of `kind` stores so.
    pub(super) fn from_stored(stored: Stored<'a>, kind: Kind) -> Self {
        match (stored, kind) {
            (Stored::Term(term), _) => Key::Term(term),
            (Stored::Number(number), Kind::Float) => Key::Float(float_of(number)),
            (Stored::Number(number), Kind::Bool) => Key::Bool(number != 0),
            (Stored::Number(number), Kind::Datetime) => Key::Datetime(number),
            (Stored::Number(number), Kind::Integer | Kind::Keyword) => Key::Integer(number),
        }
    }
}

/// A key as it is stored and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored<'a> {
    Term(&'a str),
    Number(i64),
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

    use super::{Key, Kind, float_code};

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
    fn keys_survive_being_stored() {
        let keys = [
            (Kind::Keyword, Key::Term("owl")),
            (Kind::Integer, Key::Integer(-3)),
            (Kind::Float, Key::Float(-2.5)),
            (Kind::Float, Key::Float(f64::INFINITY)),
            (Kind::Bool, Key::Bool(true)),
            (Kind::Datetime, Key::Datetime(7)),
        ];
        for (kind, key) in keys {
            let stored = key.stored(kind);
            assert_eq!(stored.map(|stored| Key::from_stored(stored, kind)), Some(key));
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
        assert_eq!(Kind::from_code(5), None);
    }
}
