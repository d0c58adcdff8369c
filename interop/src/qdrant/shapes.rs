//! Which vectors points have, against which the collection has.

use std::collections::BTreeMap;
use std::sync::Arc;

use vdb::{Element, Point, PointId, Vector};

use super::config::Described;
use crate::error::{Problem, RowError, quoted};
use crate::row::{At, Place};

/// Different shapes in one file, at most: far more than a sound one has.
const MOST: usize = 4096;

/// What points were seen to have. What a collection is like stands at the end of a backup, after its points.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    /// The first point of each shape.
    seen: BTreeMap<(String, Shape), PointId>,
    /// Points that have a vector.
    pub(super) with_vectors: u64,
    pub(super) points: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Dense { size: usize, are_bytes: bool },
    Sparse,
    Multi { size: usize },
}

impl Shapes {
    /// Notes a point.
    pub(super) fn note(&mut self, point: &Point) -> Result<(), String> {
        self.points += 1;
        self.with_vectors += u64::from(!point.vectors.0.is_empty());
        for (name, vector) in &point.vectors.0 {
            let shape = match vector {
                Vector::Dense(numbers) => Shape::Dense {
                    size: numbers.len(),
                    are_bytes: numbers.iter().all(|n| (0.0..=255.0).contains(n) && n.fract() == 0.0),
                },
                Vector::Sparse(_) => Shape::Sparse,
                Vector::Multi(rows) => Shape::Multi {
                    size: rows.first().map_or(0, Vec::len),
                },
            };
            // Names are looked up without being copied as long as they are known.
            let known = self.seen.keys().any(|(known, of)| *of == shape && known == name);
            if !known {
                if self.seen.len() >= MOST {
                    return Err(format!("its points have more than {MOST} kinds of vectors"));
                }
                self.seen.insert((name.clone(), shape), point.id);
            }
        }
        Ok(())
    }

    /// Compares with the collection; an error names the first point that does not fit it.
    pub(super) fn check(&self, described: &Described, file: &Arc<str>) -> Result<(), RowError> {
        for ((name, shape), id) in &self.seen {
            let Some(problem) = misfit(name, *shape, described) else { continue };
            let place = Place {
                file: file.clone(),
                at: At::Point(*id),
            };
            let dot = if name.is_empty() { "" } else { "." };
            return Err(RowError::in_field(place, format!("vector{dot}{name}"), problem));
        }
        Ok(())
    }
}

/// Why a vector does not fit the collection.
fn misfit(name: &str, shape: Shape, described: &Described) -> Option<Problem> {
    let found = match shape {
        Shape::Dense { size, .. } => format!("a vector of {size} numbers"),
        Shape::Sparse => "a sparse vector".to_owned(),
        Shape::Multi { size } => format!("a multivector of {size} numbers a row"),
    };
    let config = &described.config;
    let expected = if let Some((_, params)) = config.vectors.iter().find(|(known, _)| known == name) {
        let size = match (shape, params.multivector) {
            (Shape::Dense { size, .. }, None) | (Shape::Multi { size }, Some(_)) => size,
            (Shape::Dense { .. } | Shape::Sparse | Shape::Multi { .. }, _) => 0,
        };
        if size == params.size {
            let fits = params.element != Element::U8 || !matches!(shape, Shape::Dense { are_bytes: false, .. });
            return (!fits).then(|| {
                Problem::Collection("a number is no whole one from 0 to 255, where the collection has uint8".to_owned())
            });
        }
        match params.multivector {
            None => format!("vectors of {} numbers", params.size),
            Some(_) => format!("multivectors of {} numbers a row", params.size),
        }
    } else if config.sparse_vectors.iter().any(|(known, _)| known == name) {
        if shape == Shape::Sparse {
            return None;
        }
        "sparse vectors".to_owned()
    } else {
        return Some(Problem::Collection(format!("the collection has no vector {}", quoted(name))));
    };
    Some(Problem::Collection(format!("{found} where the collection has {expected}")))
}
