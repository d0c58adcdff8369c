//! The columns of a file of ours, which are as it says or the file is refused.

use std::collections::BTreeSet;

use arrow_schema::{DataType, Schema};

use super::{Layout, OurField, OurFields, Payload, Vectors};
use crate::columnar::field::{FieldType, Scalar};
use crate::columnar::origin::{self, Origin};
use crate::columnar::vectors::Kind;

/// The columns of a schema, of which some are to be left out and some have been spoken of.
struct Columns<'a> {
    schema: &'a Schema,
    left_out: &'a BTreeSet<usize>,
    known: BTreeSet<usize>,
}

impl Layout {
    /// As a file of ours says; else why its columns are not those that it speaks of.
    pub(super) fn of_origin(
        schema: &Schema,
        origin: &Origin,
        left_out: &BTreeSet<usize>,
    ) -> Result<Layout, String> {
        let mut columns = Columns {
            schema,
            left_out,
            known: BTreeSet::new(),
        };
        let id = columns.find(origin::ID)?.map(|(id, _)| id);
        let mut vectors = Vec::new();
        for said in origin.vectors() {
            let Some((column, of)) = columns.find(&said.column)? else {
                continue;
            };
            let kind = Kind::of(of)
                .filter(|kind| said.is(*kind))
                .ok_or_else(|| other_type(&said.column, of, "vectors"))?;
            vectors.push(Vectors {
                name: said.name.clone(),
                column,
                kind,
            });
        }
        let payload = Payload::Ours(fields(&mut columns, origin)?);
        columns.are_all_known()?;
        Ok(Layout {
            id,
            config: Some(origin.config(|name| vectors.iter().any(|kept| kept.name == name))?),
            vectors,
            payload,
            notes: Vec::new(),
        })
    }
}

/// The columns of payloads.
fn fields(columns: &mut Columns<'_>, origin: &Origin) -> Result<OurFields, String> {
    let said = &origin.payload;
    let mut found = OurFields::default();
    let mut typed = |name: &str, of: FieldType| {
        let column = columns.find(name)?;
        match column {
            Some((_, found)) if !of.is_kept_by(found) => Err(other_type(name, found, "payloads")),
            Some((column, _)) => Ok(Some(column)),
            None => Ok(None),
        }
    };
    let mut keys = BTreeSet::new();
    for field in &said.fields {
        if !keys.insert(field.key.as_str()) {
            return Err(format!("it speaks of the payload field {:?} twice", field.key));
        }
        if let Some(column) = typed(&field.column, field.of)? {
            found.fields.push(OurField {
                column,
                key: field.key.clone(),
                of: field.of,
            });
        }
    }
    if let Some(name) = &said.nulls {
        found.nulls = typed(name, FieldType::List(Scalar::Text))?;
    }
    if let Some(name) = &said.rest {
        found.rest = typed(name, FieldType::Json)?;
    }
    Ok(found)
}

fn other_type(name: &str, of: &DataType, what: &str) -> String {
    format!("its column {name:?} is of the type {of}, which is not that of its {what} any more")
}

impl<'a> Columns<'a> {
    /// The column of this name and its type; none if it is to be left out.
    fn find(&mut self, name: &str) -> Result<Option<(usize, &'a DataType)>, String> {
        let schema = self.schema;
        let found = schema.index_of(name);
        let column = found.map_err(|_| format!("it has no column {name:?} any more"))?;
        if !self.known.insert(column) {
            return Err(format!("it speaks of the column {name:?} twice"));
        }
        let of = schema.field(column).data_type();
        Ok((!self.left_out.contains(&column)).then_some((column, of)))
    }

    /// Refuses a column that the file does not speak of.
    fn are_all_known(&self) -> Result<(), String> {
        let is_new = |at: &usize| !self.known.contains(at) && !self.left_out.contains(at);
        match (0..self.schema.fields().len()).find(is_new) {
            None => Ok(()),
            Some(new) => {
                let name = self.schema.field(new).name();
                Err(format!(
                    "it has a column {name:?} that it does not speak of (leave it out with --leave-out {name:?})"
                ))
            }
        }
    }
}
