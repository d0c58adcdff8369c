//! Sets of rows, and what is known of the rows that match.

use vdb_index::RowSet;

/// A set of rows or the complement of one: closed under every operation without knowing how many rows there are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rows {
    Only(RowSet),
    AllBut(RowSet),
}

impl Rows {
    pub(super) fn none() -> Self {
        Self::Only(RowSet::new())
    }

    pub(super) fn all() -> Self {
        Self::AllBut(RowSet::new())
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::Only(rows) if rows.is_empty())
    }

    pub(super) fn is_all(&self) -> bool {
        matches!(self, Self::AllBut(rows) if rows.is_empty())
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Only(rows) => Self::AllBut(rows),
            Self::AllBut(rows) => Self::Only(rows),
        }
    }

    pub(super) fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(a), Self::Only(b)) => Self::Only(a.and(b)),
            (Self::Only(a), Self::AllBut(b)) => Self::Only(a.minus(b)),
            (Self::AllBut(a), Self::Only(b)) if a.is_empty() => Self::Only(b.clone()),
            (Self::AllBut(a), Self::Only(b)) => Self::Only(b.clone().minus(&a)),
            (Self::AllBut(a), Self::AllBut(b)) => Self::AllBut(a.or(b)),
        }
    }

    pub(super) fn or(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(a), Self::Only(b)) => Self::Only(a.or(b)),
            (Self::Only(a), Self::AllBut(b)) => Self::AllBut(b.clone().minus(&a)),
            (Self::AllBut(a), Self::Only(b)) => Self::AllBut(a.minus(b)),
            (Self::AllBut(a), Self::AllBut(b)) => Self::AllBut(a.and(b)),
        }
    }

    /// The set as one over the rows below `rows`.
    pub(super) fn among(self, rows: u32) -> RowSet {
        match self {
            Self::Only(only) => only,
            Self::AllBut(but) => RowSet::all(rows).minus(&but),
        }
    }
}

/// What is known of the rows for which something holds: `certain` is a subset of them, `possible` a superset.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// Both are this.
    Exact(Rows),
    Between {
        certain: Rows,
        possible: Rows,
    },
}

impl Answer {
    pub(super) fn none() -> Self {
        Self::Exact(Rows::none())
    }

    pub(super) fn all() -> Self {
        Self::Exact(Rows::all())
    }

    pub(super) fn unknown() -> Self {
        Self::between(Rows::none(), Rows::all())
    }

    pub(super) fn between(certain: Rows, possible: Rows) -> Self {
        if possible.is_none() || certain.is_all() || certain == possible {
            return Self::Exact(possible);
        }
        Self::Between { certain, possible }
    }

    pub(super) fn possible(&self) -> &Rows {
        match self {
            Self::Exact(rows) => rows,
            Self::Between { possible, .. } => possible,
        }
    }

    pub(super) fn into_possible(self) -> Rows {
        match self {
            Self::Exact(rows) => rows,
            Self::Between { possible, .. } => possible,
        }
    }

    fn certain(&self) -> &Rows {
        match self {
            Self::Exact(rows) => rows,
            Self::Between { certain, .. } => certain,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        self.possible().is_none()
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Exact(rows) => Self::Exact(rows.not()),
            Self::Between { certain, possible } => Self::Between {
                certain: possible.not(),
                possible: certain.not(),
            },
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        // What was known of everything so far is nothing: the usual first step.
        if self.possible().is_all() && matches!(self, Self::Exact(_)) {
            return other;
        }
        self.with(&other, Rows::and)
    }

    pub(super) fn or(self, other: &Self) -> Self {
        self.with(other, Rows::or)
    }

    fn with(self, other: &Self, combine: impl Fn(Rows, &Rows) -> Rows) -> Self {
        match self {
            Self::Exact(rows) => match other {
                Self::Exact(other) => Self::Exact(combine(rows, other)),
                Self::Between { certain, possible } => {
                    Self::between(combine(rows.clone(), certain), combine(rows, possible))
                }
            },
            Self::Between { certain, possible } => Self::between(
                combine(certain, other.certain()),
                combine(possible, other.possible()),
            ),
        }
    }
}

/// The rows for which so many answers hold at least, of answers that come one after another.
pub(super) struct AtLeast {
    /// At each place what is known of the rows for which more answers hold than the number of the place.
    reached: Vec<Answer>,
    /// Answers that have come.
    answers: usize,
}

impl AtLeast {
    pub(super) fn new(count: usize) -> Self {
        Self {
            reached: vec![Answer::none(); count],
            answers: 0,
        }
    }

    pub(super) fn add(&mut self, answer: &Answer) {
        self.answers += 1;
        // More of them than there are hold for no row.
        for n in (0..self.reached.len().min(self.answers)).rev() {
            let now = match n.checked_sub(1).and_then(|before| self.reached.get(before)) {
                Some(before) => before.clone().and(answer.clone()),
                None => answer.clone(),
            };
            if let Some(reached) = self.reached.get_mut(n) {
                *reached = std::mem::replace(reached, Answer::none()).or(&now);
            }
        }
    }

    pub(super) fn finish(mut self) -> Answer {
        self.reached.pop().unwrap_or_else(Answer::all)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vdb_index::RowSet;

    use super::{Answer, AtLeast, Rows};

    const ROWS: u32 = 12;

    fn rows(bits: u16, complement: bool) -> Rows {
        let set: RowSet = (0..ROWS).filter(|row| bits >> row & 1 == 1).collect();
        if complement {
            Rows::Only(set).not()
        } else {
            Rows::Only(set)
        }
    }

    fn bits(rows: Rows) -> u16 {
        rows.among(ROWS).iter().fold(0, |bits, row| bits | 1 << row)
    }

    const ALL: u16 = (1 << ROWS) - 1;

    /// A truth, and an answer that is right about it.
    fn known() -> impl Strategy<Value = (u16, Answer)> {
        (0..=ALL, 0..=ALL, 0..=ALL, any::<bool>(), any::<bool>()).prop_map(|(truth, less, more, a, b)| {
            let certain = if a {
                rows(truth & less, false)
            } else {
                rows(ALL & !(truth & less), true)
            };
            let possible = if b {
                rows(truth | more, false)
            } else {
                rows(ALL & !(truth | more), true)
            };
            (truth, Answer::between(certain, possible))
        })
    }

    fn is_right(answer: Answer, truth: u16) -> bool {
        let (certain, possible) = (bits(answer.certain().clone()), bits(answer.into_possible()));
        certain & !truth == 0 && truth & !possible == 0
    }

    fn at_least(count: usize, answers: &[Answer]) -> Answer {
        let mut reached = AtLeast::new(count);
        answers.iter().for_each(|answer| reached.add(answer));
        reached.finish()
    }

    proptest! {
        #[test]
        fn combined_answers_are_right_about_the_combined_truth(
            (a, known_a) in known(),
            (b, known_b) in known(),
            (c, known_c) in known(),
        ) {
            prop_assert!(is_right(known_a.clone().not(), ALL & !a));
            prop_assert!(is_right(known_a.clone().and(known_b.clone()), a & b));
            prop_assert!(is_right(known_a.clone().or(&known_b), a | b));
            let answers = [known_a, known_b, known_c];
            prop_assert!(is_right(at_least(1, &answers), a | b | c));
            prop_assert!(is_right(at_least(2, &answers), a & b | a & c | b & c));
            prop_assert!(is_right(at_least(3, &answers), a & b & c));
            prop_assert!(is_right(at_least(4, &answers), 0));
        }

        #[test]
        fn exact_answers_stay_exact(a in 0..=ALL, b in 0..=ALL, complement in any::<bool>()) {
            let (x, y) = (Answer::Exact(rows(a, complement)), Answer::Exact(rows(b, false)));
            for answer in [x.clone().and(y.clone()), x.clone().or(&y), x.clone().not(), at_least(2, &[x, y])] {
                prop_assert!(matches!(answer, Answer::Exact(_)));
            }
        }
    }
}
