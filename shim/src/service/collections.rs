//! Collections and aliases come and go.

use vdb::AliasChange;

use super::describe::{CollectionDescription, describe};
use super::error::{Problems, Result, ServiceError};
use super::names::{check_name, check_new_name, problem_of_new};
use super::settings::{CollectionSettings, SettingsUpdate, kept};
use super::{Inner, Service};

impl Service {
    /// Names of all collections that the caller may see, sorted.
    ///
    /// # Errors
    /// When others keep it waiting for too long.
    pub async fn list_collections(&self) -> Result<Vec<String>> {
        let mut names = self.about_all(|inner| Ok(inner.database.collections())).await?;
        names.retain(|name| self.access().sees(name));
        Ok(names)
    }

    /// Whether a collection or alias of that name exists.
    ///
    /// # Errors
    /// When nothing can have that name.
    pub async fn collection_exists(&self, name: &str) -> Result<bool> {
        check_name(name)?;
        let name = name.to_owned();
        self.about_all(move |inner| Ok(inner.database.exists(&name)))
            .await
    }

    /// Creates a collection.
    ///
    /// # Errors
    /// When the name is taken or not allowed, or the settings are out of range or ask for what there is not.
    pub async fn create_collection(&self, name: &str, mut settings: CollectionSettings) -> Result<bool> {
        check_new_name(name)?;
        settings.validate()?;
        self.inner.options.collections.fill(&mut settings);
        let name = name.to_owned();
        self.to_the_end(move |inner| create(inner, &name, &settings))
            .await
    }

    /// Changes settings of a collection; what is not given stays.
    ///
    /// # Errors
    /// When there is no such collection or vector, or a value is out of range.
    pub async fn update_collection(&self, name: &str, update: SettingsUpdate) -> Result<bool> {
        check_name(name)?;
        update.validate()?;
        let name = name.to_owned();
        self.to_the_end(move |inner| {
            let collection = inner.collection(&name)?;
            let _alone = inner.changes.to(&collection);
            let mut settings = kept::recall(&collection);
            update.apply(&mut settings)?;
            collection.update_config(&update.to_update(&collection.config(), &settings)?)?;
            Ok(true)
        })
        .await
    }

    /// Drops a collection with its aliases; false if there is none.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn delete_collection(&self, name: &str) -> Result<bool> {
        check_name(name)?;
        let name = name.to_owned();
        self.to_the_end(move |inner| {
            let aliases = inner.aliases_of(&name);
            let dropped = inner.database.drop_collection(&name)?;
            if dropped {
                inner.issues.forget(&name);
                inner.activities.forget(&name);
                aliases.iter().chain([&name]).for_each(|gone| inner.forget(gone));
            }
            Ok(dropped)
        })
        .await
    }

    /// What is told of a collection.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn collection_info(&self, name: &str) -> Result<CollectionDescription> {
        self.about_collection(name, |_, collection, control| {
            describe(collection, &kept::recall(collection), control)
        })
        .await
    }

    /// Sizes of a collection and what goes on in the background, as the engine tells it.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn engine_info(&self, name: &str) -> Result<vdb::CollectionInfo> {
        self.about_collection(name, |_, collection, _| Ok(collection.info()?))
            .await
    }

    /// Changes aliases, in order and in one step: all of it takes effect, or nothing.
    ///
    /// # Errors
    /// When a collection or an alias that it names is not there, or a new alias is the name of a collection or no name that one
    /// can have.
    pub async fn update_aliases(&self, changes: Vec<AliasChange>) -> Result<bool> {
        let mut problems = Problems::new();
        for (number, change) in changes.iter().enumerate() {
            let (field, name) = match change {
                AliasChange::Create { alias, .. } => ("create_alias.alias_name", alias),
                AliasChange::Rename { to, .. } => ("rename_alias.new_alias_name", to),
                AliasChange::Delete { .. } => continue,
            };
            if let Some(problem) = problem_of_new(name) {
                problems.add(format_args!("actions[{number}].{field}"), problem);
            }
        }
        problems.finish()?;
        self.to_the_end(move |inner| {
            change_aliases(inner, &changes)?;
            Ok(true)
        })
        .await
    }

    /// All aliases of collections that the caller may see, with these, sorted by alias.
    ///
    /// # Errors
    /// When others keep it waiting for too long.
    pub async fn list_aliases(&self) -> Result<Vec<(String, String)>> {
        let mut aliases = self.about_all(|inner| Ok(inner.database.aliases())).await?;
        aliases.retain(|(_, collection)| self.access().sees(collection));
        Ok(aliases)
    }

    /// The aliases of one collection, sorted; none, if there is no such collection.
    ///
    /// # Errors
    /// When nothing can have that name.
    pub async fn collection_aliases(&self, collection: &str) -> Result<Vec<String>> {
        check_name(collection)?;
        let name = collection.to_owned();
        self.about_all(move |inner| Ok(inner.aliases_of(&name))).await
    }
}

impl Inner {
    /// The aliases of a collection, sorted.
    fn aliases_of(&self, name: &str) -> Vec<String> {
        let aliases = self.database.aliases().into_iter();
        let its = aliases.filter(|(_, collection)| collection == name);
        its.map(|(alias, _)| alias).collect()
    }

    /// Nothing has this name any more: what was counted under it is of nothing.
    fn forget(&self, name: &str) {
        self.rest.forget(name);
        self.grpc.forget(name);
    }
}

fn change_aliases(inner: &Inner, changes: &[AliasChange]) -> Result<()> {
    // Only collections can have aliases; another alias is none, and said not to be there.
    let collections = inner.database.collections();
    for change in changes {
        if let AliasChange::Create { collection, .. } = change
            && collections.binary_search(collection).is_err()
        {
            return Err(ServiceError::no_collection(collection));
        }
    }
    inner.database.update_aliases(changes)?;
    for change in changes {
        if let AliasChange::Delete { alias: gone } | AliasChange::Rename { from: gone, .. } = change
            && !inner.database.exists(gone)
        {
            inner.forget(gone);
        }
    }
    Ok(())
}

fn create(inner: &Inner, name: &str, settings: &CollectionSettings) -> Result<bool> {
    let config = settings.to_config()?;
    let _place = inner.place_for(name)?;
    match inner.database.create_collection(name, config) {
        Ok(_) => Ok(true),
        Err(vdb::Error::NameTaken {
            taken_by: "an alias", ..
        }) => Err(ServiceError::bad_input(format!(
            "Can't create collection with name {name}. Alias with the same name already exists"
        ))),
        Err(error) => Err(error.into()),
    }
}
