//! Which column of a CSV file means what.

use std::collections::{BTreeSet, HashMap};

use csv::ByteRecord;

use crate::error::{Problem, RowError, quoted, quoted_bytes};
use crate::options::ReadOptions;
use crate::row::Place;
use crate::vector::MAX_DIM;

/// The names of columns that are looked for when the caller names none.
const ID: &str = "id";
const VECTOR: &str = "vector";
const VECTOR_PREFIX: &str = "v";
/// So many columns are told in an error.
const TOLD: usize = 12;

/// The header row, sorted into roles.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    pub(crate) id: Option<usize>,
    pub(crate) vector: VectorColumns,
    /// Columns of the payload, in the order of the file.
    pub(crate) payload: Vec<usize>,
}

/// Where a row's vector is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum VectorColumns {
    /// Nowhere.
    None,
    /// In one column, as text.
    Whole(usize),
    /// One number a column, in the vector's order.
    Numbers(Vec<usize>),
}

impl Columns {
    pub(crate) fn find(
        header: &ByteRecord,
        options: &ReadOptions,
        place: &Place,
    ) -> Result<Columns, RowError> {
        let (options, asked) = (&options.csv, &options.columns);
        let fail = |found: String, advice| {
            let problem = Problem::Format {
                expected: "a header row that names each column once",
                found,
                advice,
            };
            RowError::new(place.clone(), problem)
        };
        let mut names = Vec::with_capacity(header.len());
        let mut by_name = HashMap::with_capacity(header.len());
        for (column, name) in header.iter().enumerate() {
            let text = std::str::from_utf8(name);
            let text = text
                .map_err(|_| fail(quoted_bytes(name), "save the file as UTF-8"))?
                .trim();
            // Such a column is that of row numbers, as pandas writes it.
            if text.is_empty() && !asked.leave_out.iter().any(String::is_empty) {
                return Err(fail(
                    format!("no name for column {}", column + 1),
                    "name it or drop it: --leave-out '' leaves it out",
                ));
            }
            if by_name.insert(text.to_owned(), column).is_some() {
                return Err(fail(
                    format!("the name {} twice", quoted(text)),
                    "rename one of them",
                ));
            }
            names.push(text.to_owned());
        }
        if names.is_empty() {
            return Err(fail(
                "nothing".to_owned(),
                "write a first line such as id,vector,title",
            ));
        }
        let problem = |problem| RowError::new(place.clone(), problem);
        // A column that the caller named must be there: without it rows would be numbered, or have no vector.
        let required = |name: &str| match by_name.get(name) {
            Some(&column) => Ok(Some(column)),
            None => Err(problem(Problem::NoColumn {
                name: quoted(name),
                columns: listed(&names),
            })),
        };
        let mut left_out = BTreeSet::new();
        for name in &asked.leave_out {
            left_out.extend(required(name)?);
        }
        let prefix = options.vector_prefix.as_deref().unwrap_or(VECTOR_PREFIX);
        let mut numbers = Vec::new();
        let mut json = None;
        if options.vectors {
            json = match &options.vector_column {
                Some(name) => required(name)?,
                None => by_name
                    .get(VECTOR)
                    .copied()
                    .filter(|column| !left_out.contains(column)),
            };
            if options.vector_prefix.is_some() {
                required(&format!("{prefix}0"))?;
            }
            // Where the caller names the columns, one that is also left out is an error, which is told below.
            let is_vector = |column: &usize| options.vector_prefix.is_some() || !left_out.contains(column);
            while let Some(column) = by_name
                .get(&format!("{prefix}{}", numbers.len()))
                .copied()
                .filter(is_vector)
            {
                numbers.push(column);
            }
        }
        let vector = match (json, numbers) {
            (None, numbers) if numbers.is_empty() && options.vectors => {
                return Err(problem(Problem::NoVectorColumn {
                    columns: listed(&names),
                }));
            }
            (None, numbers) if numbers.is_empty() => VectorColumns::None,
            (None, numbers) if numbers.len() > MAX_DIM => {
                return Err(fail(
                    format!("{} vector columns", numbers.len()),
                    "a vector has at most 65,536 numbers",
                ));
            }
            (None, numbers) => VectorColumns::Numbers(numbers),
            (Some(column), numbers) if numbers.is_empty() => VectorColumns::Whole(column),
            (Some(_), _) => {
                let json = options.vector_column.as_deref().unwrap_or(VECTOR);
                let found = format!("both {json} and {prefix}0");
                return Err(fail(found, "keep the vector in one of them"));
            }
        };
        let id = match &options.id_column {
            Some(name) => required(name)?,
            None if asked.number_rows => None,
            None => by_name.get(ID).copied().filter(|id| !left_out.contains(id)),
        };
        let vectors: &[usize] = match &vector {
            VectorColumns::None => &[],
            VectorColumns::Whole(column) => std::slice::from_ref(column),
            VectorColumns::Numbers(columns) => columns.as_slice(),
        };
        if let Some(both) = id.iter().chain(vectors).find(|column| left_out.contains(*column)) {
            let name = quoted(names.get(*both).map_or("", String::as_str));
            return Err(problem(Problem::Collection(format!(
                "the column {name} is to be read and, with --leave-out, not to be"
            ))));
        }
        // Numbering rows that have ids of their own would put them in the place of other points.
        let is_likely =
            |(column, name): &(usize, &String)| name.eq_ignore_ascii_case(ID) && !left_out.contains(column);
        let likely = names.iter().enumerate().find(is_likely);
        if let (None, Some((_, name)), false) = (id, likely, asked.number_rows) {
            let name = name.clone();
            return Err(problem(Problem::MaybeIds { name }));
        }
        let mut columns = Columns {
            names,
            id,
            vector,
            payload: Vec::new(),
        };
        let mut read = columns.names.iter().enumerate();
        let is_stray =
            |(column, name): &(usize, &String)| !left_out.contains(column) && columns.is_gap(name, prefix);
        if let Some((_, stray)) = read.find(is_stray) {
            let found = format!("the vector column {stray} after a gap");
            return Err(fail(
                found,
                "number the vector columns from 0 without gaps, or rename this one",
            ));
        }
        columns.payload = (0..columns.names.len())
            .filter(|column| columns.is_payload(*column) && !left_out.contains(column))
            .collect();
        Ok(columns)
    }

    pub(crate) fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("", String::as_str)
    }

    pub(crate) fn id_name(&self) -> &str {
        self.id.map_or(ID, |column| self.name(column))
    }

    fn is_payload(&self, column: usize) -> bool {
        let vector = match &self.vector {
            VectorColumns::None => false,
            VectorColumns::Whole(vector) => *vector == column,
            // A header of many columns is searched once a file.
            VectorColumns::Numbers(numbers) => numbers.contains(&column),
        };
        !vector && self.id != Some(column)
    }

    /// Whether `name` is the prefix and a number that the run of vector columns does not reach.
    fn is_gap(&self, name: &str, prefix: &str) -> bool {
        let VectorColumns::Numbers(numbers) = &self.vector else {
            return false;
        };
        let digits = name.strip_prefix(prefix).unwrap_or_default();
        let canonical = digits == "0" || !digits.starts_with('0');
        let number = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse::<usize>().ok())
            .flatten();
        canonical && number.is_some_and(|number| number >= numbers.len())
    }
}

/// The names of columns as an error shows them.
fn listed(names: &[String]) -> String {
    let mut text = names
        .iter()
        .take(TOLD)
        .map(|name| quoted(name))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > TOLD {
        text.push_str(&format!(" and {} more", names.len() - TOLD));
    }
    text
}
