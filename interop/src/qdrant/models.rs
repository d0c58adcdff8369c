//! The client's models as opcodes: objects that every version of it loads.
//!
//! The state of an object has the keys of pydantic 1 and of pydantic 2: each takes its own and passes over the others'.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use super::classes::MODELS;
use crate::pickle::{GROUP, MemoEntry, PickleWriter};

/// Keys of payloads that are written once and then referred to, at most, and the longest of them.
const KEYS: usize = 4096;
const KEY_BYTES: usize = 64;

/// An object to write.
pub(super) struct Model {
    pub(super) class: &'static str,
    pub(super) fields: Vec<(&'static str, Field)>,
}

/// The value of a field.
pub(super) enum Field {
    None,
    Bool(bool),
    Number(u64),
    Float(f64),
    /// A member of an enumeration.
    Member(&'static str, &'static str),
    Model(Model),
    Models(Vec<(String, Model)>),
}

impl Model {
    pub(super) fn new(class: &'static str, fields: Vec<(&'static str, Field)>) -> Model {
        Model { class, fields }
    }
}

/// Writes models, payloads and vectors.
#[derive(Debug)]
pub(super) struct ModelWriter<W> {
    pub(super) pickle: PickleWriter<W>,
    texts: HashMap<String, MemoEntry>,
    classes: HashMap<&'static str, MemoEntry>,
}

impl<W: Write> ModelWriter<W> {
    pub(super) fn new(to: W) -> io::Result<Self> {
        Ok(ModelWriter {
            pickle: PickleWriter::new(to)?,
            texts: HashMap::new(),
            classes: HashMap::new(),
        })
    }

    /// A string that is likely to come again.
    pub(super) fn name(&mut self, name: &str) -> io::Result<()> {
        if let Some(entry) = self.texts.get(name) {
            return self.pickle.fetch(*entry);
        }
        self.pickle.text(name)?;
        if self.texts.len() < KEYS && name.len() <= KEY_BYTES {
            let entry = self.pickle.memoize()?;
            self.texts.insert(name.to_owned(), entry);
        }
        Ok(())
    }

    fn class(&mut self, class: &'static str) -> io::Result<()> {
        if let Some(entry) = self.classes.get(class) {
            return self.pickle.fetch(*entry);
        }
        self.name(MODELS)?;
        self.name(class)?;
        self.pickle.class()?;
        let entry = self.pickle.memoize()?;
        self.classes.insert(class, entry);
        Ok(())
    }

    /// An object whose fields `fields` writes, names and values in turns; those of `given` count as given by the caller.
    pub(super) fn object(
        &mut self,
        class: &'static str,
        given: &[&'static str],
        fields: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.class(class)?;
        self.pickle.new_object()?;
        self.pickle.empty_dict()?;
        self.pickle.mark()?;
        self.name("__dict__")?;
        self.pickle.empty_dict()?;
        self.pickle.mark()?;
        fields(self)?;
        self.pickle.set_items()?;
        self.name("__pydantic_extra__")?;
        self.pickle.none()?;
        self.name("__pydantic_fields_set__")?;
        self.set(given)?;
        self.name("__pydantic_private__")?;
        self.pickle.none()?;
        self.name("__fields_set__")?;
        // Written again: a reference would keep an entry of the memo for each object.
        self.set(given)?;
        self.name("__private_attribute_values__")?;
        self.pickle.empty_dict()?;
        self.pickle.set_items()?;
        self.pickle.build()
    }

    fn set(&mut self, names: &[&'static str]) -> io::Result<()> {
        self.pickle.empty_set()?;
        self.pickle.mark()?;
        for name in names {
            self.name(name)?;
        }
        self.pickle.add_items()
    }

    /// An object with all of its fields; those that are not `None` count as given.
    pub(super) fn model(&mut self, model: &Model) -> io::Result<()> {
        let given = model
            .fields
            .iter()
            .filter(|(_, field)| !matches!(field, Field::None));
        let given: Vec<&'static str> = given.map(|(name, _)| *name).collect();
        self.object(model.class, &given, |writer| {
            for (name, field) in &model.fields {
                writer.name(name)?;
                writer.field(field)?;
            }
            Ok(())
        })
    }

    fn field(&mut self, field: &Field) -> io::Result<()> {
        match field {
            Field::None => self.pickle.none(),
            Field::Bool(value) => self.pickle.bool(*value),
            Field::Number(value) => self.pickle.unsigned(*value),
            Field::Float(value) => self.pickle.float(*value),
            Field::Member(class, member) => {
                self.class(class)?;
                self.pickle.text(member)?;
                self.pickle.member()
            }
            Field::Model(model) => self.model(model),
            Field::Models(models) => {
                self.pickle.empty_dict()?;
                self.pickle.mark()?;
                for (name, model) in models {
                    self.name(name)?;
                    self.model(model)?;
                }
                self.pickle.set_items()
            }
        }
    }

    /// A payload, or an object in one.
    pub(super) fn payload(&mut self, payload: &Map<String, Json>) -> io::Result<()> {
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

    /// A list of numbers.
    pub(super) fn numbers(&mut self, numbers: &[f32]) -> io::Result<()> {
        self.pickle.empty_list()?;
        for group in numbers.chunks(GROUP) {
            self.pickle.mark()?;
            group
                .iter()
                .try_for_each(|number| self.pickle.float((*number).into()))?;
            self.pickle.appends()?;
        }
        Ok(())
    }

    /// A list of indices.
    pub(super) fn indices(&mut self, indices: &[u32]) -> io::Result<()> {
        self.pickle.empty_list()?;
        for group in indices.chunks(GROUP) {
            self.pickle.mark()?;
            group
                .iter()
                .try_for_each(|index| self.pickle.unsigned((*index).into()))?;
            self.pickle.appends()?;
        }
        Ok(())
    }
}
