//! Numbers.

use serde::de::Visitor;

use super::Refused;

/// Powers of ten that an `f64` holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Digits that a `u64` holds, whichever they are.
const MOST_DIGITS: usize = 19;

/// Digits of an exponent that is added up. One of more is left to `str::parse`.
const EXPONENT_DIGITS: usize = 4;

/// Integers up to here are held exactly by an `f64`.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

/// A number as it is written: digits, and where the point is among them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    text: &'a [u8],
    is_negative: bool,
    /// Whether it has neither point nor exponent.
    is_whole: bool,
    /// All digits as one number, which is to be multiplied by this power of ten; `None` where they are too many.
    digits: Option<(u64, i32)>,
}

impl<'a> Number<'a> {
    /// Reads the number that bytes begin with, and tells what is left of them.
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (mut rest, mut digits) = (bytes, 0);
        let is_negative = rest.first() == Some(&b'-');
        if is_negative {
            rest = rest.get(1..)?;
        }
        let starts_with_zero = rest.first() == Some(&b'0');
        let mut count = take_digits(&mut rest, &mut digits);
        if count == 0 || (starts_with_zero && count > 1) {
            return None;
        }
        let (mut exponent, mut is_exact, mut is_whole) = (0_i32, true, true);
        if let [b'.', after @ ..] = rest {
            rest = after;
            let fraction = take_digits(&mut rest, &mut digits);
            if fraction == 0 {
                return None;
            }
            is_whole = false;
            count += fraction;
            exponent = i32::try_from(fraction).map_or(0, |places| -places);
        }
        if let [b'e' | b'E', after @ ..] = rest {
            let (sign, after) = match after {
                [b'+', after @ ..] => (1, after),
                [b'-', after @ ..] => (-1, after),
                after => (1, after),
            };
            rest = after;
            let mut power = 0;
            let places = take_digits(&mut rest, &mut power);
            if places == 0 {
                return None;
            }
            is_whole = false;
            is_exact = places <= EXPONENT_DIGITS;
            exponent = exponent.saturating_add(i32::try_from(power).map_or(0, |power| sign * power));
        }
        is_exact &= count <= MOST_DIGITS;
        let text = bytes.get(..bytes.len() - rest.len())?;
        let number = Number {
            text,
            is_negative,
            is_whole,
            digits: is_exact.then_some((digits, exponent)),
        };
        Some((number, rest))
    }

    /// Shows it to somebody: as an integer if it is written and held as one, else rounded to an `f64`.
    pub(super) fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if let Some(outcome) = self.integer() {
            return match outcome {
                Integer::Unsigned(number) => visitor.visit_u64(number),
                Integer::Signed(number) => visitor.visit_i64(number),
            };
        }
        visitor.visit_f64(self.double().ok_or(Refused)?)
    }

    /// As [`visit`](Self::visit), rounded once to an `f32`.
    pub(super) fn visit_short<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.is_whole {
            return self.visit(visitor);
        }
        visitor.visit_f64(self.single().ok_or(Refused)?.into())
    }

    fn integer(self) -> Option<Integer> {
        if !self.is_whole {
            return None;
        }
        let digits = match self.digits {
            Some((digits, _)) => digits,
            None if self.is_negative => return None,
            None => self.parsed()?,
        };
        match (self.is_negative, digits) {
            (false, digits) => Some(Integer::Unsigned(digits)),
            // The one number that an integer cannot say.
            (true, 0) => None,
            (true, digits) => 0_i64.checked_sub_unsigned(digits).map(Integer::Signed),
        }
    }

    fn parsed<T: std::str::FromStr>(self) -> Option<T> {
        str::from_utf8(self.text).ok()?.parse().ok()
    }

    /// Without its sign, where two exact numbers and one operation give it: rounded once, so that it is the nearest (Clinger 1990).
    fn exactly(self) -> Option<f64> {
        let (digits, exponent) = self.digits.filter(|(digits, _)| *digits <= EXACT)?;
        let power = *POWERS.get(exponent.unsigned_abs() as usize)?;
        let digits = digits as f64;
        Some(if exponent < 0 {
            digits / power
        } else {
            digits * power
        })
    }

    /// The nearest `f64`, unless that is none.
    fn double(self) -> Option<f64> {
        let number = match self.exactly() {
            Some(size) if self.is_negative => -size,
            Some(size) => size,
            None => self.parsed::<f64>()?,
        };
        number.is_finite().then_some(number)
    }

    /// The nearest `f32`, unless that is none.
    fn single(self) -> Option<f32> {
        let number = match self.exactly().and_then(narrowed) {
            Some(size) if self.is_negative => -size,
            Some(size) => size,
            None => self.parsed::<f32>()?,
        };
        number.is_finite().then_some(number)
    }
}

enum Integer {
    Unsigned(u64),
    Signed(i64),
}

/// The `f32` nearest to a number of which this is the nearest `f64`, if the one tells the other: it does not where it lies in the
/// middle between two, which its number may do or only nearly.
fn narrowed(number: f64) -> Option<f32> {
    const LOW: u32 = f64::MANTISSA_DIGITS - f32::MANTISSA_DIGITS;
    let is_between = number.to_bits() & ((1 << LOW) - 1) == 1 << (LOW - 1);
    // Smaller ones have fewer bits.
    let is_normal = number == 0.0 || number >= f64::from(f32::MIN_POSITIVE);
    (is_normal && !is_between).then_some(number as f32)
}

/// Takes the digits off the front of bytes, writes them behind those of a number (beyond its range as chance has it), and counts them.
fn take_digits(bytes: &mut &[u8], number: &mut u64) -> usize {
    let before = bytes.len();
    while let Some((eight, rest)) = bytes.split_first_chunk()
        && let Some(more) = eight_digits(*eight)
    {
        *number = number.wrapping_mul(100_000_000).wrapping_add(more);
        *bytes = rest;
    }
    while let [digit @ b'0'..=b'9', rest @ ..] = *bytes {
        *number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        *bytes = rest;
    }
    before - bytes.len()
}

/// The number that eight digits are, if they are.
///
/// Pairs of neighbours become one, three times, all at once in one word: Lemire, *Number parsing at a gigabyte per second*, 2021.
fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const THREES: u64 = 0x3333_3333_3333_3333;
    let word = u64::from_le_bytes(bytes);
    // Digits are 0x30 to 0x39: their upper halves are 3, and still are with 6 added.
    let after = word.wrapping_add(0x0606_0606_0606_0606);
    if (word & HIGH) | ((after & HIGH) >> 4) != THREES {
        return None;
    }
    const EVERY_FOURTH: u64 = 0x0000_00ff_0000_00ff;
    let digits = word & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & EVERY_FOURTH).wrapping_mul(100 + (1_000_000 << 32));
    let high = ((pairs >> 16) & EVERY_FOURTH).wrapping_mul(1 + (10_000 << 32));
    Some(low.wrapping_add(high) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_are_a_number() {
        for number in [0_u64, 1, 12_345_678, 99_999_999, 10_000_000, 90_807_060] {
            let text = format!("{number:08}");
            let bytes: [u8; 8] = text.as_bytes().try_into().unwrap();
            assert_eq!(eight_digits(bytes), Some(number));
            for at in 0..8 {
                for other in [b'/', b':', b'.', b'e', 0, 0xff, b'0' + 0x80] {
                    let mut bytes = bytes;
                    bytes[at] = other;
                    assert_eq!(eight_digits(bytes), None, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn what_lies_between_two_is_not_narrowed() {
        let (low, high) = (1.0_f32, 1.0_f32.next_up());
        let middle = f64::midpoint(low.into(), high.into());
        assert_eq!(narrowed(middle), None);
        assert_eq!(narrowed(middle.next_down()), Some(low));
        assert_eq!(narrowed(middle.next_up()), Some(high));
        assert_eq!(narrowed(1e-40), None);
        assert_eq!(narrowed(0.0), Some(0.0));
    }
}
