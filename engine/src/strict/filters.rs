//! Conditions, and the indexes that they need.

use super::{Strict, at_most, refused};
use crate::compose::sort::SortKey;
use crate::compose::value::ValueKind;
use crate::error::Result;
use crate::filter::{Condition, Filter, MatchValue, PayloadPath, Predicate, ValueList};
use crate::formula::{Expression, Formula, Variable};
use crate::limits::{MAX_FILTER_DEPTH, MAX_FORMULA_DEPTH};
use crate::payload::{PayloadIndexKind, PayloadIndexOptions};

use PayloadIndexKind::{Datetime, Float, Geo, Integer, Keyword, Text, Uuid};

/// Which switch says whether indexes of a field must be there.
#[derive(Clone, Copy)]
pub(super) enum For {
    Read,
    Write,
}

/// What an index is wanted for.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Lookup,
    Range,
    /// Anything: an index of any kind tells who has values.
    Presence,
}

/// The kinds of indexes that serve a predicate, and for what.
fn wanted(predicate: &Predicate) -> (&'static [PayloadIndexKind], Use) {
    match predicate {
        Predicate::Value(MatchValue::String(_))
        | Predicate::Any(ValueList::Strings(_))
        | Predicate::Except(ValueList::Strings(_)) => (&[Keyword, Uuid], Use::Lookup),
        Predicate::Value(MatchValue::Integer(_))
        | Predicate::Any(ValueList::Integers(_))
        | Predicate::Except(ValueList::Integers(_)) => (&[Integer], Use::Lookup),
        Predicate::Value(MatchValue::Bool(_)) => (&[PayloadIndexKind::Bool], Use::Lookup),
        Predicate::Prefix(_) | Predicate::Substring(_) => (&[Keyword], Use::Lookup),
        Predicate::Text(_) | Predicate::TextAny(_) | Predicate::Phrase(_) => (&[Text], Use::Lookup),
        Predicate::Range(_) => (&[Integer, Float], Use::Range),
        Predicate::Datetime(_) => (&[Datetime], Use::Range),
        Predicate::GeoBoundingBox(_) | Predicate::GeoRadius(_) | Predicate::GeoPolygon(_) => {
            (&[Geo], Use::Lookup)
        }
        Predicate::ValuesCount(_) | Predicate::IsEmpty(_) | Predicate::IsNull(_) => {
            (&PayloadIndexKind::ALL, Use::Presence)
        }
    }
}

/// Values in the list of a condition.
fn size(condition: &Condition) -> usize {
    match condition {
        Condition::HasId(ids) => ids.len(),
        Condition::Field {
            predicate: Predicate::Any(list) | Predicate::Except(list),
            ..
        } => match list {
            ValueList::Strings(list) => list.len(),
            ValueList::Integers(list) => list.len(),
        },
        Condition::Field { .. }
        | Condition::IsEmpty { .. }
        | Condition::IsNull { .. }
        | Condition::HasVector(_)
        | Condition::Slice(_)
        | Condition::Nested { .. }
        | Condition::Filter(_) => 0,
    }
}

fn conditions(filter: &Filter) -> impl Iterator<Item = &Condition> {
    let Filter {
        must,
        should,
        must_not,
        min_should,
    } = filter;
    let least = min_should.iter().flat_map(|least| &least.conditions);
    must.iter()
        .chain(should.iter().flatten())
        .chain(must_not)
        .chain(least)
}

impl Strict<'_> {
    /// Checks a filter. What is wrong with it otherwise is said by whoever runs it.
    pub(super) fn filter(&self, filter: &Filter, to: For) -> Result<()> {
        let mut found = 0;
        self.clauses(filter, None, to, 0, &mut found)?;
        let most = self.limits.filter_max_conditions;
        at_most("filter_max_conditions", most, "filter", found)
    }

    fn clauses(
        &self,
        filter: &Filter,
        within: Option<&PayloadPath>,
        to: For,
        depth: usize,
        found: &mut usize,
    ) -> Result<()> {
        // No deeper one is run.
        if depth >= MAX_FILTER_DEPTH {
            return Ok(());
        }
        for condition in conditions(filter) {
            let most = self.limits.condition_max_size;
            at_most("condition_max_size", most, "condition", size(condition))?;
            match condition {
                Condition::Filter(inner) => {
                    self.clauses(inner, within, to, depth + 1, found)?;
                    continue;
                }
                Condition::Nested { path, filter } => {
                    if let Ok(path) = PayloadPath::parse(path) {
                        let path = path.into_array();
                        let full = within.map_or_else(|| path.clone(), |within| within.join(&path));
                        self.clauses(filter, Some(&full), to, depth + 1, found)?;
                    }
                    continue;
                }
                Condition::Field { path, predicate } => self.indexed(path, within, wanted(predicate), to)?,
                Condition::IsEmpty { path } | Condition::IsNull { path } => {
                    self.indexed(path, within, (&PayloadIndexKind::ALL, Use::Presence), to)?;
                }
                Condition::HasId(_) | Condition::HasVector(_) | Condition::Slice(_) => {}
            }
            *found += 1;
        }
        Ok(())
    }

    /// Refuses a field without an index that fits, where there must be one.
    fn indexed(
        &self,
        path: &str,
        within: Option<&PayloadPath>,
        (kinds, use_of): (&[PayloadIndexKind], Use),
        to: For,
    ) -> Result<()> {
        let (limit, allowed) = match to {
            For::Read => (
                "unindexed_filtering_retrieve",
                self.limits.unindexed_filtering_retrieve,
            ),
            For::Write => (
                "unindexed_filtering_update",
                self.limits.unindexed_filtering_update,
            ),
        };
        let Ok(path) = PayloadPath::parse(path) else {
            return Ok(());
        };
        if allowed != Some(false) {
            return Ok(());
        }
        let path = within.map_or_else(|| path.to_string(), |within| within.join(&path).to_string());
        let says = |options: Option<&PayloadIndexOptions>| match (use_of, options) {
            (Use::Lookup, Some(options)) => options.lookup != Some(false),
            (Use::Range, Some(options)) => options.range != Some(false),
            (Use::Presence, _) | (_, None) => true,
        };
        let mut indexes = self.tables.schema.payload_indexes.iter();
        let fits = indexes.any(|index| {
            index.path == path && kinds.contains(&index.params.kind) && says(index.params.options.as_ref())
        });
        if fits {
            return Ok(());
        }
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let which = match names.as_slice() {
            [] => "of text".to_owned(),
            names => format!("of one of the following types: [{}]", names.join(", ")),
        };
        Err(refused(
            limit,
            format!("Index required but not found for \"{path}\" {which}"),
            "Create an index for this key or use a different filter.",
        ))
    }

    /// Refuses an order by a field without an index.
    pub(super) fn ordered(&self, path: &str) -> Result<()> {
        self.indexed(path, None, (&[Integer, Float, Datetime], Use::Range), For::Read)
    }

    /// Refuses a key of an order without an index of what counts in it.
    pub(super) fn sorted(&self, key: &SortKey) -> Result<()> {
        let wanted: (&[PayloadIndexKind], Use) = match key.kind {
            ValueKind::Any => (&PayloadIndexKind::ALL, Use::Presence),
            ValueKind::Numbers => (&[Integer, Float], Use::Range),
            ValueKind::Datetimes => (&[Datetime], Use::Range),
            ValueKind::Strings => (&[Keyword, Uuid], Use::Lookup),
        };
        self.indexed(&key.path, None, wanted, For::Read)
    }

    /// Checks the fields and conditions of a formula.
    pub(super) fn formula(&self, formula: &Formula) -> Result<()> {
        self.expression(&formula.expression, 0)
    }

    fn expression(&self, expression: &Expression, depth: usize) -> Result<()> {
        if depth >= MAX_FORMULA_DEPTH {
            return Ok(());
        }
        let part = |part: &Expression| self.expression(part, depth + 1);
        match expression {
            Expression::Constant(_) | Expression::Datetime(_) | Expression::Variable(Variable::Score(_)) => {
                Ok(())
            }
            Expression::Variable(Variable::Payload(path)) => {
                self.indexed(path, None, (&[Integer, Float], Use::Lookup), For::Read)
            }
            Expression::DatetimeAt(path) => self.indexed(path, None, (&[Datetime], Use::Lookup), For::Read),
            Expression::GeoDistance { to, .. } => self.indexed(to, None, (&[Geo], Use::Lookup), For::Read),
            Expression::Condition(condition) => {
                self.filter(&Filter::must([(**condition).clone()]), For::Read)
            }
            Expression::Sum(parts)
            | Expression::Product(parts)
            | Expression::Max(parts)
            | Expression::Min(parts) => parts.iter().try_for_each(part),
            Expression::Quotient {
                dividend, divisor, ..
            } => part(dividend).and_then(|()| part(divisor)),
            Expression::Power { base, exponent } => part(base).and_then(|()| part(exponent)),
            Expression::Neg(of)
            | Expression::Abs(of)
            | Expression::Sqrt(of)
            | Expression::Exp(of)
            | Expression::Ln(of)
            | Expression::Log10(of)
            | Expression::Acosh(of) => part(of),
            Expression::Decay { x, target, .. } => {
                part(x)?;
                target.as_deref().map_or(Ok(()), part)
            }
        }
    }
}
