//! Values that a payload cannot hold: where they are, and whether the nearest that it can will do.

use serde_json::Value as Json;

use crate::error::Problem;

/// A value that JSON cannot hold, and where it is.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// Keys and positions from the outside in: `.tags[3]`.
    pub(crate) path: String,
    pub(crate) problem: Problem,
}

impl Misfit {
    pub(crate) fn here(problem: Problem) -> Misfit {
        Misfit {
            path: String::new(),
            problem,
        }
    }

    /// The same, one level further out.
    pub(crate) fn within(mut self, step: &str) -> Misfit {
        self.path.insert_str(0, step);
        self
    }
}

impl From<Problem> for Misfit {
    fn from(problem: Problem) -> Self {
        Misfit::here(problem)
    }
}

/// What to say of so many values that were changed.
pub(crate) fn told(changed: u64) -> Option<String> {
    let values = "values that a payload cannot hold were changed to the nearest that it can";
    (changed > 0).then(|| format!("{changed} {values}"))
}

/// What becomes of values that a payload cannot hold.
#[derive(Debug, Default)]
pub(crate) struct Lossy {
    /// Whether they are changed to the nearest that it can; else they are errors.
    pub(crate) is_allowed: bool,
    /// How many were.
    pub(crate) changed: u64,
}

impl Lossy {
    /// A value that JSON cannot hold: `instead`, if that is allowed.
    pub(crate) fn change(
        &mut self,
        found: String,
        nearest: &'static str,
        instead: Json,
    ) -> Result<Json, Misfit> {
        if !self.is_allowed {
            return Err(Misfit::here(Problem::Unkept { found, nearest }));
        }
        self.changed += 1;
        Ok(instead)
    }
}
