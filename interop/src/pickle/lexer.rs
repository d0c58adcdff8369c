//! Bytes into opcodes.

use std::io::Read;

use super::bytes::Bytes;
use super::error::{Outcome, PickleProblem};
use super::limits::Limits;
use super::opcode::{Op, refused};
use super::value::Value;
use super::{integer, text};

/// What the last protocol is that is read.
const LAST_PROTOCOL: u8 = 5;
/// Longest name of a module or class.
const NAME: u64 = 512;

/// Reads one opcode with its argument. With `skim` the text of strings is stepped over, and comes as `None`.
pub(super) fn next<R: Read>(bytes: &mut Bytes<R>, limits: &Limits, skim: bool) -> Outcome<Op> {
    let code = bytes.byte("the pickle, before its last opcode")?;
    Ok(match code {
        0x80 => {
            let found = bytes.byte("PROTO")?;
            if found > LAST_PROTOCOL {
                return Err(PickleProblem::Protocol { found });
            }
            Op::Nothing
        }
        0x95 => {
            // Only a hint on how much to read at once; one that is too short is as good as any.
            let length = u64::from_le_bytes(bytes.array("FRAME")?);
            if length > bytes.left() {
                return Err(PickleProblem::Length {
                    what: "a frame",
                    length,
                    left: bytes.left(),
                });
            }
            Op::Nothing
        }
        b'.' => Op::Stop,
        b'(' => Op::Mark,
        b'p' => Op::Put(index(&bytes.line(limits.integer_bytes, "PUT")?)?),
        b'q' => Op::Put(bytes.byte("BINPUT")?.into()),
        b'r' => Op::Put(u32::from_le_bytes(bytes.array("LONG_BINPUT")?).into()),
        0x94 => Op::Memoize,
        b'g' => Op::Get(index(&bytes.line(limits.integer_bytes, "GET")?)?),
        b'h' => Op::Get(bytes.byte("BINGET")?.into()),
        b'j' => Op::Get(u32::from_le_bytes(bytes.array("LONG_BINGET")?).into()),
        b'N' => Op::Push(Value::None),
        0x88 => Op::Push(Value::Bool(true)),
        0x89 => Op::Push(Value::Bool(false)),
        b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b => Op::Push(integer(bytes, limits, code)?),
        b'F' => Op::Push(Value::Float(decimal_float(
            &bytes.line(limits.integer_bytes, "FLOAT")?,
        )?)),
        b'G' => {
            let mut number: [u8; 8] = bytes.array("BINFLOAT")?;
            // The only number of a pickle with its highest byte first.
            number.reverse();
            Op::Push(Value::Float(f64::from_le_bytes(number)))
        }
        b'V' => {
            let line = bytes.line(limits.text_bytes, "UNICODE")?;
            Op::Push(if skim {
                Value::None
            } else {
                text::from_raw_escapes(&line)?
            })
        }
        0x8c => {
            let length = bytes.byte("SHORT_BINUNICODE")?.into();
            Op::Push(string(bytes, length, limits, skim)?)
        }
        b'X' => {
            let length = u32::from_le_bytes(bytes.array("BINUNICODE")?).into();
            Op::Push(string(bytes, length, limits, skim)?)
        }
        0x8d => {
            let length = u64::from_le_bytes(bytes.array("BINUNICODE8")?);
            Op::Push(string(bytes, length, limits, skim)?)
        }
        b'C' => {
            let length = bytes.byte("SHORT_BINBYTES")?.into();
            Op::Push(binary(bytes, length, limits, skim)?)
        }
        b'B' => {
            let length = u32::from_le_bytes(bytes.array("BINBYTES")?).into();
            Op::Push(binary(bytes, length, limits, skim)?)
        }
        0x8e => {
            let length = u64::from_le_bytes(bytes.array("BINBYTES8")?);
            Op::Push(binary(bytes, length, limits, skim)?)
        }
        b']' => Op::EmptyList,
        b'}' => Op::EmptyDict,
        0x8f => Op::EmptySet,
        b')' => Op::EmptyTuple,
        b'l' => Op::List,
        b'd' => Op::Dict,
        b't' => Op::Tuple,
        0x85..=0x87 => Op::TupleOf(usize::from(code - 0x84)),
        b'a' => Op::Append,
        b'e' => Op::Appends,
        b's' => Op::SetItem,
        b'u' => Op::SetItems,
        0x90 => Op::AddItems,
        b'c' => {
            let mut name = || {
                let line = bytes.line(NAME, "GLOBAL")?;
                String::from_utf8(line).map_err(|_| PickleProblem::Text("the name of a class is not UTF-8"))
            };
            let module = name()?;
            Op::Global(module, name()?)
        }
        0x93 => Op::StackGlobal,
        0x81 => Op::NewObject,
        b'R' => Op::Reduce,
        b'b' => Op::Build,
        _ => {
            return Err(match refused(code) {
                Some((name, what)) => PickleProblem::Refused { name, what },
                None => PickleProblem::NoOpcode { code },
            });
        }
    })
}

fn integer<R: Read>(bytes: &mut Bytes<R>, limits: &Limits, code: u8) -> Outcome<Value> {
    const WHAT: &str = "an integer";
    let long = match code {
        b'K' => return Ok(Value::Int(bytes.byte(WHAT)?.into())),
        b'M' => return Ok(Value::Int(u16::from_le_bytes(bytes.array(WHAT)?).into())),
        b'J' => return Ok(Value::Int(i32::from_le_bytes(bytes.array(WHAT)?).into())),
        b'I' => {
            let line = bytes.line(limits.integer_bytes, WHAT)?;
            return match line.as_slice() {
                b"00" => Ok(Value::Bool(false)),
                b"01" => Ok(Value::Bool(true)),
                digits => integer::from_digits(digits),
            };
        }
        b'L' => {
            let line = bytes.line(limits.integer_bytes, WHAT)?;
            return integer::from_digits(line.strip_suffix(b"L").unwrap_or(&line));
        }
        0x8a => u64::from(bytes.byte(WHAT)?),
        _ => {
            let length = i32::from_le_bytes(bytes.array(WHAT)?);
            u64::try_from(length).map_err(|_| PickleProblem::Malformed("an integer has a negative length"))?
        }
    };
    Ok(integer::from_bytes(&bytes.take(
        long,
        limits.integer_bytes,
        WHAT,
    )?))
}

fn string<R: Read>(bytes: &mut Bytes<R>, length: u64, limits: &Limits, skim: bool) -> Outcome<Value> {
    const WHAT: &str = "a string";
    if skim {
        bytes.skip(length, limits.text_bytes, WHAT)?;
        return Ok(Value::None);
    }
    text::from_utf8(bytes.take(length, limits.text_bytes, WHAT)?)
}

fn binary<R: Read>(bytes: &mut Bytes<R>, length: u64, limits: &Limits, skim: bool) -> Outcome<Value> {
    const WHAT: &str = "bytes";
    if skim {
        bytes.skip(length, limits.text_bytes, WHAT)?;
        return Ok(Value::None);
    }
    Ok(Value::Bytes(bytes.take(length, limits.text_bytes, WHAT)?.into()))
}

/// The index of a memo entry in decimal.
fn index(digits: &[u8]) -> Outcome<u64> {
    if let Value::Int(index) = integer::from_digits(digits)?
        && index >= 0
    {
        return Ok(index.unsigned_abs());
    }
    Err(PickleProblem::Malformed("a memo index is out of range"))
}

fn decimal_float(line: &[u8]) -> Outcome<f64> {
    // What `repr` of Python writes; Rust reads all of it, and more words for infinity.
    let text = std::str::from_utf8(line).ok();
    let number = text.and_then(|text| text.trim().parse().ok());
    number.ok_or(PickleProblem::Text("a float is not written in decimal"))
}
