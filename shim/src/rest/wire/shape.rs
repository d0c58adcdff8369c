//! Values of several shapes: what a value is shows at its first byte, and it is read as that. To try one shape after the other
//! would keep all of it twice, and read what is nested once more on every level.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::{Number, Value};

/// Something that is read by its shape. Shapes that it does not have are refused.
pub(in crate::rest) trait Shaped<'de>: Sized {
    /// What it is, for what is said of other shapes.
    const EXPECTED: &'static str;

    /// Of a list.
    fn of_list<A: SeqAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Err(refused::<Self, _>(Unexpected::Seq))
    }

    /// Of an object.
    fn of_object<A: MapAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Err(refused::<Self, _>(Unexpected::Map))
    }

    /// Of a number.
    fn of_number<E: de::Error>(number: Number) -> Result<Self, E> {
        let found = match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Unexpected::Unsigned(number),
            (None, Some(number)) => Unexpected::Signed(number),
            (None, None) => Unexpected::Float(number.as_f64().unwrap_or(f64::NAN)),
        };
        Err(refused::<Self, _>(found))
    }

    /// Of a text.
    fn of_text<E: de::Error>(text: &str) -> Result<Self, E> {
        Err(refused::<Self, _>(Unexpected::Str(text)))
    }

    /// Of a truth value; of null, where there is none.
    fn of_truth<E: de::Error>(truth: Option<bool>) -> Result<Self, E> {
        Err(refused::<Self, _>(
            truth.map_or(Unexpected::Unit, Unexpected::Bool),
        ))
    }
}

fn refused<'de, T: Shaped<'de>, E: de::Error>(found: Unexpected<'_>) -> E {
    E::invalid_type(found, &T::EXPECTED)
}

/// Reads something by its shape.
pub(in crate::rest) fn by_shape<'de, T: Shaped<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(Seen(PhantomData))
}

struct Seen<T>(PhantomData<T>);

impl<'de, T: Shaped<'de>> Visitor<'de> for Seen<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::of_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::of_object(map)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        T::of_number(number.into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        T::of_number(number.into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        let number = Number::from_f64(number);
        number.map_or_else(|| Err(E::custom("a number is not finite")), T::of_number)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::of_text(text)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<T, E> {
        T::of_truth(Some(truth))
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        T::of_truth(None)
    }
}

/// A number as vectors have it, rounded once.
pub(in crate::rest) fn rounded(number: &Number) -> f32 {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => number as f32,
        (None, Some(number)) => number as f32,
        (None, None) => number.as_f64().unwrap_or(f64::NAN) as f32,
    }
}

/// A truth value as JSON; null, where there is none.
pub(in crate::rest) fn truth_value(truth: Option<bool>) -> Value {
    truth.map_or(Value::Null, Value::Bool)
}
