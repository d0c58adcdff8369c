//! The bytes of one payload, and a walker over them that copies nothing.
//!
//! A payload is a JSON object. Every value starts with a tag byte; whatever has a variable length says it up
//! front, so that a reader looking for one key steps over the others without looking inside.
//!
//! | tag | value | what follows |
//! |---|---|---|
//! | `00` | null | nothing |
//! | `01`, `02` | false, true | nothing |
//! | `03` | integer from 0 to 2^64-1 | varint |
//! | `04` | integer n below 0, down to -2^63 | varint of -1-n |
//! | `05` | float | 8 bytes, IEEE 754 |
//! | `06` | string | varint length in bytes, UTF-8 |
//! | `07` | array | varint length of the body in bytes; body: varint count, then that many values |
//! | `08` | object | varint length of the body in bytes; body: varint count, then that many entries |
//! | `40`..`7f` | string of 0 to 63 bytes | UTF-8 |
//! | `80`..`ff` | integer from 0 to 127 | nothing |
//!
//! An entry is a varint key length, the key in UTF-8, and a value; entries keep the order in which they were
//! given. A payload is the body of its object; the empty payload may also be no bytes at all. Varints are
//! LEB128: seven bits a byte, least significant first, the high bit set on all but the last. Numbers are
//! little-endian. Objects and arrays nest at most [`MAX_DEPTH`] deep, the payload itself included.
//!
//! Integers and floats are different values here: `2` and `2.0` do not come back as each other.

use crate::error::ValueError;

/// How deep objects and arrays may nest, counting the payload itself.
pub const MAX_DEPTH: usize = 64;

pub(super) const TAG_NULL: u8 = 0x00;
pub(super) const TAG_FALSE: u8 = 0x01;
pub(super) const TAG_TRUE: u8 = 0x02;
pub(super) const TAG_UNSIGNED: u8 = 0x03;
pub(super) const TAG_NEGATIVE: u8 = 0x04;
pub(super) const TAG_FLOAT: u8 = 0x05;
pub(super) const TAG_STRING: u8 = 0x06;
pub(super) const TAG_ARRAY: u8 = 0x07;
pub(super) const TAG_OBJECT: u8 = 0x08;
pub(super) const TAG_SHORT_STRING: u8 = 0x40;
pub(super) const TAG_SHORT_STRING_LAST: u8 = 0x7F;
pub(super) const TAG_SMALL: u8 = 0x80;

/// One value inside encoded bytes. Containers are read lazily: damage inside them shows when they are walked.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// JSON null.
    Null,
    /// JSON true or false.
    Bool(bool),
    /// An integer that fits `i64`.
    I64(i64),
    /// An integer above `i64::MAX`; smaller ones are always [`ValueRef::I64`].
    U64(u64),
    /// A number that was written with a fraction or an exponent; always finite.
    F64(f64),
    /// A string.
    Str(&'a str),
    /// An array.
    Array(ArrayRef<'a>),
    /// An object.
    Object(ObjectRef<'a>),
}

impl<'a> ValueRef<'a> {
    /// Reads the value that fills `bytes` from end to end, as [`encode_value`](super::encode_value) wrote it.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, ValueError> {
        let mut input = Input(bytes);
        let value = input.value()?;
        input.end()?;
        Ok(value)
    }
}

/// An array inside encoded bytes.
#[derive(Clone, Copy, Debug)]
pub struct ArrayRef<'a> {
    count: usize,
    items: &'a [u8],
}

impl<'a> ArrayRef<'a> {
    /// How many values the array says it has; never more than its bytes can hold.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True when the array has no values.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The values in order. Ends after the first error.
    pub fn iter(&self) -> Items<'a> {
        Items {
            left: self.count,
            input: Input(self.items),
        }
    }
}

impl<'a> IntoIterator for ArrayRef<'a> {
    type Item = Result<ValueRef<'a>, ValueError>;
    type IntoIter = Items<'a>;

    fn into_iter(self) -> Items<'a> {
        self.iter()
    }
}

/// An object inside encoded bytes.
#[derive(Clone, Copy, Debug)]
pub struct ObjectRef<'a> {
    count: usize,
    entries: &'a [u8],
}

impl<'a> ObjectRef<'a> {
    /// Reads a whole payload, as [`encode_payload`](super::encode_payload) wrote it. No bytes are the empty
    /// payload.
    pub fn from_payload(bytes: &'a [u8]) -> Result<Self, ValueError> {
        if bytes.is_empty() {
            return Ok(ObjectRef {
                count: 0,
                entries: bytes,
            });
        }
        let (count, entries) = Input(bytes).counted_body(2)?;
        Ok(ObjectRef { count, entries })
    }

    /// How many keys the object says it has; never more than its bytes can hold.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True when the object has no keys.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many bytes its entries take, encoded.
    pub fn bytes(&self) -> usize {
        self.entries.len()
    }

    /// Keys and values in the order in which they were given. Ends after the first error.
    pub fn iter(&self) -> Entries<'a> {
        Entries {
            left: self.count,
            input: Input(self.entries),
        }
    }

    /// The value of a key, found by stepping over the others.
    pub fn get(&self, key: &str) -> Result<Option<ValueRef<'a>>, ValueError> {
        let mut input = Input(self.entries);
        for _ in 0..self.count {
            if input.sized()? == key.as_bytes() {
                return input.value().map(Some);
            }
            input.skip()?;
        }
        Ok(None)
    }
}

impl<'a> IntoIterator for ObjectRef<'a> {
    type Item = Result<(&'a str, ValueRef<'a>), ValueError>;
    type IntoIter = Entries<'a>;

    fn into_iter(self) -> Entries<'a> {
        self.iter()
    }
}

/// The values of an array; made by [`ArrayRef::iter`].
#[derive(Clone, Debug)]
pub struct Items<'a> {
    left: usize,
    input: Input<'a>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<ValueRef<'a>, ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        next_of(&mut self.left, &mut self.input, Input::value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

/// The entries of an object; made by [`ObjectRef::iter`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    left: usize,
    input: Input<'a>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<(&'a str, ValueRef<'a>), ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        next_of(&mut self.left, &mut self.input, |input| {
            Ok((input.text()?, input.value()?))
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

/// Reads one more element; the last one also has to end where the body ends.
fn next_of<'a, T>(
    left: &mut usize,
    input: &mut Input<'a>,
    read: impl FnOnce(&mut Input<'a>) -> Result<T, ValueError>,
) -> Option<Result<T, ValueError>> {
    *left = left.checked_sub(1)?;
    let read = read(input).and_then(|element| {
        if *left == 0 {
            input.end().map(|()| element)
        } else {
            Ok(element)
        }
    });
    if read.is_err() {
        *left = 0;
    }
    Some(read)
}

/// Bytes not yet read.
#[derive(Clone, Debug)]
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn end(&self) -> Result<(), ValueError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ValueError {
                what: "no bytes after the last value",
            })
        }
    }

    fn byte(&mut self) -> Result<u8, ValueError> {
        let (&byte, rest) = self.0.split_first().ok_or(ValueError { what: "another byte" })?;
        self.0 = rest;
        Ok(byte)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], ValueError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(ValueError {
            what: "as many bytes as the length says",
        })?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, ValueError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(ValueError {
            what: "a varint of at most 64 bits",
        })
    }

    fn length(&mut self) -> Result<usize, ValueError> {
        usize::try_from(self.varint()?).map_err(|_| ValueError {
            what: "a length that memory can hold",
        })
    }

    /// A length and that many bytes.
    fn sized(&mut self) -> Result<&'a [u8], ValueError> {
        let len = self.length()?;
        self.take(len)
    }

    fn text(&mut self) -> Result<&'a str, ValueError> {
        utf8(self.sized()?)
    }

    /// A count and all the bytes behind it, each element taking at least `smallest` of them.
    fn counted_body(&mut self, smallest: usize) -> Result<(usize, &'a [u8]), ValueError> {
        let count = self.length()?;
        let body = self.0;
        if count > body.len() / smallest {
            return Err(ValueError {
                what: "a count that the bytes can hold",
            });
        }
        if count == 0 {
            self.end()?;
        }
        Ok((count, body))
    }

    fn value(&mut self) -> Result<ValueRef<'a>, ValueError> {
        Ok(match self.byte()? {
            TAG_NULL => ValueRef::Null,
            TAG_FALSE => ValueRef::Bool(false),
            TAG_TRUE => ValueRef::Bool(true),
            TAG_UNSIGNED => {
                let number = self.varint()?;
                i64::try_from(number).map_or(ValueRef::U64(number), ValueRef::I64)
            }
            TAG_NEGATIVE => {
                let below = i64::try_from(self.varint()?);
                ValueRef::I64(!below.map_err(|_| ValueError {
                    what: "an integer not below -2^63",
                })?)
            }
            TAG_FLOAT => {
                let bytes = self.0.first_chunk().ok_or(ValueError {
                    what: "8 bytes of a float",
                })?;
                let number = f64::from_le_bytes(*bytes);
                self.take(8)?;
                if !number.is_finite() {
                    return Err(ValueError {
                        what: "a finite float",
                    });
                }
                ValueRef::F64(number)
            }
            TAG_STRING => ValueRef::Str(self.text()?),
            TAG_ARRAY => {
                let (count, items) = Input(self.sized()?).counted_body(1)?;
                ValueRef::Array(ArrayRef { count, items })
            }
            TAG_OBJECT => {
                let (count, entries) = Input(self.sized()?).counted_body(2)?;
                ValueRef::Object(ObjectRef { count, entries })
            }
            short @ TAG_SHORT_STRING..=TAG_SHORT_STRING_LAST => {
                ValueRef::Str(utf8(self.take(usize::from(short - TAG_SHORT_STRING))?)?)
            }
            small @ TAG_SMALL.. => ValueRef::I64(i64::from(small - TAG_SMALL)),
            _ => return Err(ValueError { what: "a known tag" }),
        })
    }

    /// Steps over one value without looking inside.
    fn skip(&mut self) -> Result<(), ValueError> {
        match self.byte()? {
            TAG_NULL | TAG_FALSE | TAG_TRUE | TAG_SMALL.. => {}
            TAG_UNSIGNED | TAG_NEGATIVE => {
                self.varint()?;
            }
            TAG_FLOAT => {
                self.take(8)?;
            }
            TAG_STRING | TAG_ARRAY | TAG_OBJECT => {
                self.sized()?;
            }
            short @ TAG_SHORT_STRING..=TAG_SHORT_STRING_LAST => {
                self.take(usize::from(short - TAG_SHORT_STRING))?;
            }
            _ => return Err(ValueError { what: "a known tag" }),
        }
        Ok(())
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, ValueError> {
    std::str::from_utf8(bytes).map_err(|_| ValueError { what: "UTF-8 text" })
}
