//! Opcodes that are followed, and those that are refused.

use super::value::Value;

/// An opcode with its argument.
#[derive(Debug)]
pub(super) enum Op {
    /// Puts a value on the stack that the opcode has in itself.
    Push(Value),
    /// `FRAME` and `PROTO` of a known protocol: nothing to do.
    Nothing,
    Stop,
    Mark,
    Put(u64),
    Memoize,
    Get(u64),
    EmptyList,
    EmptyDict,
    EmptySet,
    EmptyTuple,
    /// What lies above the mark, as a list, a dict, a tuple.
    List,
    Dict,
    Tuple,
    /// The topmost one to three values as a tuple.
    TupleOf(usize),
    Append,
    Appends,
    SetItem,
    SetItems,
    AddItems,
    /// Module and name.
    Global(String, String),
    StackGlobal,
    NewObject,
    Reduce,
    Build,
}

/// Opcodes that Python knows and plain data of the formats read here never has.
const REFUSED: [(u8, &str, &str); 18] = [
    (b'0', "POP", "throws a value away"),
    (b'1', "POP_MARK", "throws values away"),
    (b'2', "DUP", "copies a value"),
    (b'P', "PERSID", "an object from outside of the file"),
    (b'Q', "BINPERSID", "an object from outside of the file"),
    (b'i', "INST", "an old way to call anything"),
    (b'o', "OBJ", "an old way to call anything"),
    (0x82, "EXT1", "a class by a number of the reading program"),
    (0x83, "EXT2", "a class by a number of the reading program"),
    (0x84, "EXT4", "a class by a number of the reading program"),
    (0x92, "NEWOBJ_EX", "an object from named arguments"),
    (0x97, "NEXT_BUFFER", "bytes from outside of the file"),
    (0x98, "READONLY_BUFFER", "bytes from outside of the file"),
    (0x96, "BYTEARRAY8", "bytes that may change"),
    (b'S', "STRING", "a string of Python 2"),
    (b'T', "BINSTRING", "a string of Python 2"),
    (b'U', "SHORT_BINSTRING", "a string of Python 2"),
    (0x91, "FROZENSET", "a frozen set"),
];

/// Name of a refused opcode, and what it would do.
pub(super) fn refused(code: u8) -> Option<(&'static str, &'static str)> {
    let mut all = REFUSED.iter();
    all.find(|(known, ..)| *known == code)
        .map(|(_, name, what)| (*name, *what))
}
