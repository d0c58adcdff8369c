//! The client's models as opcodes: objects that every version of it loads.
//!
//! The state of an object has the keys of pydantic 1 and of pydantic 2: each takes its own and passes over the others'.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use super::classes::MODELS;
use crate::pickle::{GROUP, MemoEntry, PlainWriter};

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
    /// Plain data.
    Object(Map<String, Json>),
}

impl Model {
    pub(super) fn new(class: &'static str, fields: Vec<(&'static str, Field)>) -> Model {
        Model { class, fields }
    }
}

/// The number that is written with the same few digits.
pub(super) fn short(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

/// Writes models, payloads and vectors.
#[derive(Debug)]
pub(super) struct ModelWriter<W> {
    pub(super) plain: PlainWriter<W>,
    classes: HashMap<&'static str, MemoEntry>,
}

impl<W: Write> ModelWriter<W> {
    pub(super) fn new(to: W) -> io::Result<Self> {
        Ok(ModelWriter {
            plain: PlainWriter::new(to)?,
            classes: HashMap::new(),
        })
    }

    /// A string that is likely to come again.
    pub(super) fn name(&mut self, name: &str) -> io::Result<()> {
        self.plain.name(name)
    }

    fn class(&mut self, class: &'static str) -> io::Result<()> {
        if let Some(entry) = self.classes.get(class) {
            return self.plain.pickle.fetch(*entry);
        }
        self.name(MODELS)?;
        self.name(class)?;
        self.plain.pickle.class()?;
        let entry = self.plain.pickle.memoize()?;
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
        self.plain.pickle.new_object()?;
        self.plain.pickle.empty_dict()?;
        self.plain.pickle.mark()?;
        self.name("__dict__")?;
        self.plain.pickle.empty_dict()?;
        self.plain.pickle.mark()?;
        fields(self)?;
        self.plain.pickle.set_items()?;
        self.name("__pydantic_extra__")?;
        self.plain.pickle.none()?;
        self.name("__pydantic_fields_set__")?;
        self.set(given)?;
        self.name("__pydantic_private__")?;
        self.plain.pickle.none()?;
        self.name("__fields_set__")?;
        // Written again: a reference would keep an entry of the memo for each object.
        self.set(given)?;
        self.name("__private_attribute_values__")?;
        self.plain.pickle.empty_dict()?;
        self.plain.pickle.set_items()?;
        self.plain.pickle.build()
    }

    fn set(&mut self, names: &[&'static str]) -> io::Result<()> {
        self.plain.pickle.empty_set()?;
        self.plain.pickle.mark()?;
        for name in names {
            self.name(name)?;
        }
        self.plain.pickle.add_items()
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
            Field::None => self.plain.pickle.none(),
            Field::Bool(value) => self.plain.pickle.bool(*value),
            Field::Number(value) => self.plain.pickle.unsigned(*value),
            Field::Float(value) => self.plain.pickle.float(*value),
            Field::Member(class, member) => {
                self.class(class)?;
                self.plain.pickle.text(member)?;
                self.plain.pickle.member()
            }
            Field::Model(model) => self.model(model),
            Field::Object(map) => self.payload(map),
            Field::Models(models) => {
                self.plain.pickle.empty_dict()?;
                self.plain.pickle.mark()?;
                for (name, model) in models {
                    self.name(name)?;
                    self.model(model)?;
                }
                self.plain.pickle.set_items()
            }
        }
    }

    /// A payload, or an object in one.
    pub(super) fn payload(&mut self, payload: &Map<String, Json>) -> io::Result<()> {
        self.plain.payload(payload)
    }

    /// A list of numbers.
    pub(super) fn numbers(&mut self, numbers: &[f32]) -> io::Result<()> {
        self.plain.pickle.empty_list()?;
        for group in numbers.chunks(GROUP) {
            self.plain.pickle.mark()?;
            group
                .iter()
                .try_for_each(|number| self.plain.pickle.float((*number).into()))?;
            self.plain.pickle.appends()?;
        }
        Ok(())
    }

    /// A list of indices.
    pub(super) fn indices(&mut self, indices: &[u32]) -> io::Result<()> {
        self.plain.pickle.empty_list()?;
        for group in indices.chunks(GROUP) {
            self.plain.pickle.mark()?;
            group
                .iter()
                .try_for_each(|index| self.plain.pickle.unsigned((*index).into()))?;
            self.plain.pickle.appends()?;
        }
        Ok(())
    }
}
