//! Dense vectors that stand in text: as JSON (`[0.1, 0.2]`), as NumPy prints them (`[0.1 0.2]`), as arrays of PostgreSQL
//! (`{0.1,0.2}`), or numbers without brackets.

use crate::error::{Problem, quoted};
use crate::json::{self, Spot};
use crate::vector::{MAX_DIM, NumbersSeed, not_finite};

const BRACKETS: [(char, char); 3] = [('[', ']'), ('{', '}'), ('(', ')')];

/// What is wrong, and where: `field`, or a number of it.
pub(crate) type Wrong = (String, Problem);

/// The numbers of a text that is not empty. `field` is what errors call it.
pub(crate) fn vector(text: &str, field: &str) -> Result<Vec<f32>, Wrong> {
    let text = text.trim();
    let vector = if is_json(text) {
        let spot = Spot::default();
        let seed = NumbersSeed { field, spot: &spot };
        json::parse(text.as_bytes(), seed)
            .map_err(|problem| (spot.take().unwrap_or_else(|| field.to_owned()), problem))?
    } else {
        numbers(text, field)?
    };
    match not_finite(&vector) {
        Some((at, problem)) => Err((format!("{field}[{at}]"), problem)),
        None => Ok(vector),
    }
}

/// Whether a text is JSON, or nothing else and so best told what JSON lacks.
fn is_json(text: &str) -> bool {
    if text.contains(',') {
        return text.starts_with('[');
    }
    // NumPy prints a vector of one whole number as `[1.]`.
    !text.contains(char::is_whitespace) && !text.starts_with(['{', '(']) && !text.ends_with(".]")
}

/// Numbers with commas or blanks between them, in brackets or not.
fn numbers(text: &str, field: &str) -> Result<Vec<f32>, Wrong> {
    let mut pairs = BRACKETS.into_iter();
    let inner = pairs
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
        .unwrap_or(text);
    let parts: Box<dyn Iterator<Item = &str>> = if inner.contains(',') {
        Box::new(inner.split(',').map(str::trim))
    } else {
        Box::new(inner.split_whitespace())
    };
    let mut vector = Vec::new();
    for part in parts {
        let place = || format!("{field}[{}]", vector.len());
        if part == "..." {
            let found = "\"...\", which NumPy prints for numbers that it leaves out,".to_owned();
            let expected = "a number: write whole vectors, as json.dumps(vector.tolist()) does";
            return Err((place(), Problem::Value { expected, found }));
        }
        if vector.len() == MAX_DIM {
            return Err((
                field.to_owned(),
                Problem::Value {
                    expected: "a vector, which has at most 65536 numbers",
                    found: "the text".to_owned(),
                },
            ));
        }
        let number: f32 = part.parse().map_err(|_| {
            let expected = "a number, and a vector in text is numbers with commas or blanks between them";
            let found = quoted(part);
            (place(), Problem::Value { expected, found })
        })?;
        if !number.is_finite() {
            return Err((
                place(),
                Problem::NotFinite {
                    value: part.to_owned(),
                },
            ));
        }
        vector.push(number);
    }
    Ok(vector)
}

#[cfg(test)]
mod tests;
