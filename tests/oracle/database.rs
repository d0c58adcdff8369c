//! Collections by name, aliases, atomic batches.

use std::collections::BTreeMap;
use std::sync::Arc;

use vdb::{CollectionConfig, Expected, PointId, WriteBatch};

use super::collection::{OracleCollection, Refusal};
use super::op::Op;

/// One entry of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// An operation on a collection.
    Write(String, Op),
    /// A condition on a point.
    Require(String, PointId, Expected),
}

/// The engine's form of a batch.
pub fn batch(steps: &[Step]) -> WriteBatch {
    steps.iter().fold(WriteBatch::new(), |batch, step| match step {
        Step::Write(name, op) => batch.operation(name.clone(), op.operation()),
        Step::Require(name, id, expected) => batch.require(name.clone(), *id, *expected),
    })
}

/// A database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OracleDatabase {
    /// Number by name.
    pub names: BTreeMap<String, usize>,
    /// Number by alias.
    pub aliases: BTreeMap<String, usize>,
    /// All collections there ever were, by number. Copies of a database share those that do not change.
    pub collections: Vec<Arc<OracleCollection>>,
}

impl OracleDatabase {
    /// The number of the collection of a name or alias.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.names.get(name).or_else(|| self.aliases.get(name)).copied()
    }

    /// The collection of a name or alias.
    pub fn get(&self, name: &str) -> Option<&OracleCollection> {
        self.collections
            .get(self.number(name)?)
            .map(|collection| &**collection)
    }

    /// The collection of a name or alias.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut OracleCollection> {
        let number = self.number(name)?;
        self.collections.get_mut(number).map(Arc::make_mut)
    }

    /// Creates a collection; the name must be free.
    pub fn create(&mut self, name: &str, config: CollectionConfig) {
        self.names.insert(name.to_owned(), self.collections.len());
        self.collections.push(Arc::new(OracleCollection::new(config)));
    }

    /// Gives a number to a collection that perhaps never came to be: those after it keep theirs either way.
    pub fn skip_number(&mut self) {
        self.collections
            .push(Arc::new(OracleCollection::new(CollectionConfig::default())));
    }

    /// Puts what a snapshot holds in the place of a collection, or where there is none. Aliases stay with the name;
    /// the next operation takes a number that neither has given.
    pub fn restore(&mut self, name: &str, mut content: OracleCollection) {
        let number = self.collections.len();
        if let Some(replaced) = self.names.insert(name.to_owned(), number) {
            content.next_seq = content.next_seq.max(self.collections[replaced].next_seq);
            self.aliases
                .values_mut()
                .filter(|to| **to == replaced)
                .for_each(|to| *to = number);
        }
        self.collections.push(Arc::new(content));
    }

    /// Drops a collection with its aliases.
    pub fn drop_collection(&mut self, name: &str) -> bool {
        let Some(number) = self.names.remove(name) else {
            return false;
        };
        self.aliases.retain(|_, n| *n != number);
        true
    }

    /// Renames a collection that exists; the new name must be free.
    pub fn rename(&mut self, from: &str, to: &str) {
        let number = self.names.remove(from).unwrap();
        self.names.insert(to.to_owned(), number);
    }

    /// Points an alias at a collection that exists.
    pub fn alias(&mut self, alias: &str, name: &str) {
        let number = self.number(name).unwrap();
        self.aliases.insert(alias.to_owned(), number);
    }

    /// Carries out a batch in full, or changes nothing.
    pub fn apply(&mut self, steps: &[Step]) -> Result<(), Refusal> {
        let mut next = self.clone();
        for step in steps {
            let (Step::Write(name, _) | Step::Require(name, ..)) = step;
            let collection = next
                .get_mut(name)
                .ok_or_else(|| Refusal::NoCollection(name.clone()))?;
            match step {
                Step::Write(_, op) => collection.apply(op)?,
                Step::Require(_, id, expected) => collection.require(*id, *expected)?,
            }
        }
        *self = next;
        Ok(())
    }
}
