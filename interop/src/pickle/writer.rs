//! Opcodes of protocol 4, written without frames.

use std::io::{self, Write};

/// Items that are put into a list or dict at once, as Python does it.
pub(crate) const GROUP: usize = 1000;

/// Writes opcodes. What is given a memo entry can be written once more for a few bytes.
#[derive(Debug)]
pub(crate) struct PickleWriter<W> {
    to: W,
    entries: u32,
}

/// An entry of the memo.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry(u32);

impl<W: Write> PickleWriter<W> {
    /// Begins a pickle.
    pub(crate) fn new(mut to: W) -> io::Result<Self> {
        to.write_all(&[0x80, 4])?;
        Ok(PickleWriter { to, entries: 0 })
    }

    /// Ends the pickle.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.to.write_all(b".")?;
        Ok(self.to)
    }

    /// Remembers what was written last.
    pub(crate) fn memoize(&mut self) -> io::Result<Entry> {
        let entry = Entry(self.entries);
        self.entries += 1;
        self.to.write_all(&[0x94])?;
        Ok(entry)
    }

    /// Writes what an entry remembers.
    pub(crate) fn fetch(&mut self, entry: Entry) -> io::Result<()> {
        match u8::try_from(entry.0) {
            Ok(short) => self.to.write_all(&[b'h', short]),
            Err(_) => {
                self.to.write_all(b"j")?;
                self.to.write_all(&entry.0.to_le_bytes())
            }
        }
    }

    pub(crate) fn none(&mut self) -> io::Result<()> {
        self.to.write_all(b"N")
    }

    pub(crate) fn bool(&mut self, value: bool) -> io::Result<()> {
        self.to.write_all(&[if value { 0x88 } else { 0x89 }])
    }

    pub(crate) fn unsigned(&mut self, value: u64) -> io::Result<()> {
        self.integer(value.into())
    }

    pub(crate) fn signed(&mut self, value: i64) -> io::Result<()> {
        self.integer(value.into())
    }

    fn integer(&mut self, value: i128) -> io::Result<()> {
        if let Ok(byte) = u8::try_from(value) {
            return self.to.write_all(&[b'K', byte]);
        }
        if let Ok(short) = u16::try_from(value) {
            self.to.write_all(b"M")?;
            return self.to.write_all(&short.to_le_bytes());
        }
        if let Ok(word) = i32::try_from(value) {
            self.to.write_all(b"J")?;
            return self.to.write_all(&word.to_le_bytes());
        }
        // Two's complement with no byte more than the sign needs.
        let bytes = value.to_le_bytes();
        let bits = 129 - if value < 0 { value.leading_ones() } else { value.leading_zeros() };
        let length = u8::try_from(bits.div_ceil(8)).unwrap_or(16);
        self.to.write_all(&[0x8a, length])?;
        self.to.write_all(bytes.get(..length.into()).unwrap_or(&bytes))
    }

    pub(crate) fn float(&mut self, value: f64) -> io::Result<()> {
        let mut bytes = value.to_le_bytes();
        // The only number of a pickle with its highest byte first.
        bytes.reverse();
        self.to.write_all(b"G")?;
        self.to.write_all(&bytes)
    }

    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        if let Ok(short) = u8::try_from(text.len()) {
            self.to.write_all(&[0x8c, short])?;
        } else if let Ok(long) = u32::try_from(text.len()) {
            self.to.write_all(b"X")?;
            self.to.write_all(&long.to_le_bytes())?;
        } else {
            self.to.write_all(&[0x8d])?;
            self.to.write_all(&(text.len() as u64).to_le_bytes())?;
        }
        self.to.write_all(text.as_bytes())
    }

    pub(crate) fn empty_list(&mut self) -> io::Result<()> {
        self.to.write_all(b"]")
    }

    pub(crate) fn empty_dict(&mut self) -> io::Result<()> {
        self.to.write_all(b"}")
    }

    pub(crate) fn empty_set(&mut self) -> io::Result<()> {
        self.to.write_all(&[0x8f])
    }

    pub(crate) fn mark(&mut self) -> io::Result<()> {
        self.to.write_all(b"(")
    }

    /// What was written since the mark goes into the list before it.
    pub(crate) fn appends(&mut self) -> io::Result<()> {
        self.to.write_all(b"e")
    }

    /// What was written since the mark goes into the dict before it.
    pub(crate) fn set_items(&mut self) -> io::Result<()> {
        self.to.write_all(b"u")
    }

    /// What was written since the mark goes into the set before it.
    pub(crate) fn add_items(&mut self) -> io::Result<()> {
        self.to.write_all(&[0x90])
    }

    /// A class of the two strings written last.
    pub(crate) fn class(&mut self) -> io::Result<()> {
        self.to.write_all(&[0x93])
    }

    /// An object of the class written last, without fields.
    pub(crate) fn new_object(&mut self) -> io::Result<()> {
        self.to.write_all(&[b')', 0x81])
    }

    /// The dict written last becomes the state of the object before it.
    pub(crate) fn build(&mut self) -> io::Result<()> {
        self.to.write_all(b"b")
    }

    /// The member of the enumeration before it that the string written last names.
    pub(crate) fn member(&mut self) -> io::Result<()> {
        self.to.write_all(&[0x85, b'R'])
    }
}
