//! JSON as opcodes: what a payload becomes in a pickle.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use super::writer::{Entry, GROUP, PickleWriter};

/// Strings that are written once and then referred to, at most, and the longest of them.
const NAMES: usize = 4096;
const NAME_BYTES: usize = 64;

/// Writes plain data: text, numbers, lists and dicts.
#[derive(Debug)]
pub(crate) struct PlainWriter<W> {
    pub(crate) pickle: PickleWriter<W>,
    names: HashMap<String, Entry>,
}

impl<W: Write> PlainWriter<W> {
    /// Begins a pickle.
    pub(crate) fn new(to: W) -> io::Result<Self> {
        Ok(PlainWriter {
            pickle: PickleWriter::new(to)?,
            names: HashMap::new(),
        })
    }

    /// A string that is likely to come again.
    pub(crate) fn name(&mut self, name: &str) -> io::Result<()> {
        if let Some(entry) = self.names.get(name) {
            return self.pickle.fetch(*entry);
        }
        self.pickle.text(name)?;
        if self.names.len() < NAMES && name.len() <= NAME_BYTES {
            let entry = self.pickle.memoize()?;
            self.names.insert(name.to_owned(), entry);
        }
        Ok(())
    }

    /// A payload, or an object in one.
    pub(crate) fn payload(&mut self, payload: &Map<String, Json>) -> io::Result<()> {
        self.pickle.empty_dict()?;
        let mut entries = payload.iter().peekable();
        while entries.peek().is_some() {
            self.pickle.mark()?;
            for (key, value) in entries.by_ref().take(GROUP) {
                self.name(key)?;
                self.json(value)?;
            }
            self.pickle.set_items()?;
        }
        Ok(())
    }

    /// Ends the pickle.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.pickle.finish()
    }

    fn json(&mut self, value: &Json) -> io::Result<()> {
        match value {
            Json::Null => self.pickle.none(),
            Json::Bool(value) => self.pickle.bool(*value),
            Json::Number(number) => {
                if let Some(value) = number.as_u64() {
                    self.pickle.unsigned(value)
                } else if let Some(value) = number.as_i64() {
                    self.pickle.signed(value)
                } else {
                    // What is no integer of 64 bits is a float.
                    self.pickle.float(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Json::String(text) => self.pickle.text(text),
            Json::Array(items) => {
                self.pickle.empty_list()?;
                for group in items.chunks(GROUP) {
                    self.pickle.mark()?;
                    group.iter().try_for_each(|item| self.json(item))?;
                    self.pickle.appends()?;
                }
                Ok(())
            }
            Json::Object(map) => self.payload(map),
        }
    }
}
