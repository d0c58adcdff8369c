//! Which number does a name stand for? For those who must not wait while a catalog is being committed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use vdb_storage::manifest::Catalog;
use vdb_sys::sync::RwLock;

/// Names and aliases of the catalog in force, each with the number of its collection. Whoever changes the catalog lets this
/// follow, under the catalog's lock; whoever reads it takes no other lock, and a short one.
#[derive(Debug)]
pub(crate) struct Roster(RwLock<HashMap<String, u32>>);

impl Roster {
    /// The names of a catalog.
    pub(crate) fn new(catalog: &Catalog) -> Self {
        Roster(RwLock::new(names(catalog)))
    }

    /// The collection that a name or an alias stands for.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.0.read().get(name).copied()
    }

    /// The collections that several names or aliases stand for at one moment, those of them that stand for any.
    pub(crate) fn find_all<'n>(&self, names: &BTreeSet<&'n str>) -> BTreeMap<&'n str, u32> {
        let known = self.0.read();
        let found = names.iter().filter_map(|&name| Some((name, *known.get(name)?)));
        found.collect()
    }

    /// Takes over the names of the catalog that is in force from now on.
    pub(crate) fn follow(&self, catalog: &Catalog) {
        let names = names(catalog);
        *self.0.write() = names;
    }
}

fn names(catalog: &Catalog) -> HashMap<String, u32> {
    let aliases = catalog.aliases.iter().map(|a| (a.name.clone(), a.collection_id));
    let collections = catalog.collections.iter().map(|c| (c.name.clone(), c.id));
    // No alias has the name of a collection; should a catalog say otherwise, it is the collection's.
    aliases.chain(collections).collect()
}

#[cfg(test)]
mod tests;
