//! From an entry that somebody opens to an item as a source would find it.
//!
//! A declared field is written where the backlog reads it first, so what follows judges such an item as any other, and again
//! whenever the policy changes. What cannot be said is refused here, since no person looks at a file of it afterwards.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate_core::{
    entry::{EntryName, INTERNAL_TRACKER, Link, LinkKind},
    item::{Dependency, Shelf, SourceItem},
    opening::{OpenEntry, OpenLink, check_key},
};

use crate::{
    error::did_you_mean,
    fields::{self, Said},
    policy::{Backlog, Field, FieldOrigin, Policy},
};

/// What an entry that somebody opens becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Composed {
    /// The item.
    pub item: SourceItem,
    /// Its links, beside those that it depends on.
    pub links: Vec<Link>,
}

/// Why an entry cannot be opened: a fragment each of what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct NotOpened(pub Vec<String>);

impl Policy {
    /// The backlog of this name, where it takes entries that somebody opens.
    ///
    /// # Errors
    ///
    /// When there is none, or it takes none.
    pub fn internal_backlog(&self, name: &str) -> Result<&Backlog, NotOpened> {
        let known = || self.backlogs.keys().map(String::as_str);
        let Some(backlog) = self.backlogs.get(name) else {
            let help = did_you_mean(name, known()).map(|help| format!("; {help}")).unwrap_or_default();
            return Err(NotOpened(vec![format!("there is no backlog `{name}`{help}")]));
        };
        if backlog.internal {
            return Ok(backlog);
        }
        Err(NotOpened(vec![format!(
            "the backlog `{name}` takes no entries that somebody opens; add `[[backlog.{name}.source]]` with \
             `internal = true` to tollgate.toml"
        )]))
    }
}

impl Backlog {
    /// The item that `opening` makes, with this key; `source` says of its links who set them, and `author` of it who opened it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it: a key that is none, a field that is not declared, a value of another type, a link to
    /// itself.
    pub fn compose(
        &self,
        opening: &OpenEntry,
        key: &str,
        author: &str,
        source: &str,
    ) -> Result<Composed, NotOpened> {
        let mut problems: Vec<String> =
            check_key(key).and_then(|()| opening.check()).err().into_iter().collect();
        let mut item = SourceItem {
            name: EntryName { tracker: INTERNAL_TRACKER.to_owned(), key: key.to_owned() },
            url: None,
            kind: opening.kind.clone(),
            title: opening.title.trim().to_owned(),
            body: opening.body.clone(),
            author: Some(author.to_owned()),
            labels: opening.labels.clone(),
            created_at: None,
            closed: false,
            shelf: Shelf::Open,
            front_matter: Map::new(),
            headings: BTreeMap::new(),
            depends: depends(opening, source),
        };
        for (name, value) in &opening.fields {
            match self.fields.get(name) {
                Some(field) => problems.extend(self.say(field, value, &mut item).err()),
                None => {
                    let known = self.fields.keys().map(String::as_str);
                    let help = did_you_mean(name, known).map(|help| format!("; {help}")).unwrap_or_default();
                    problems.push(format!("the field `{name}` is not declared in `{}`{help}", self.name));
                }
            }
        }
        let links: Vec<_> = opening.links.iter().filter(|link| link.kind != LinkKind::DependsOn).collect();
        let links = links.into_iter().map(|link| self.link(&item, link, source)).collect();
        for link in &opening.links {
            if self.dependency(&item, link.key.trim()) == item.name {
                problems.push(format!("`{}` links `{key}` to itself", link.kind.as_str()));
            }
        }
        if problems.is_empty() { Ok(Composed { item, links }) } else { Err(NotOpened(problems)) }
    }

    /// Writes the value of a field where it is read first.
    fn say(&self, field: &Field, value: &Value, item: &mut SourceItem) -> Result<(), String> {
        let wanted = fields::convert(value, field.kind, field.values.as_deref(), &self.zone);
        let wanted = wanted.map_err(|problem| format!("the field `{}` {problem}", field.name))?;
        let Some(origin) = field.from.first() else { return Ok(()) };
        match origin {
            FieldOrigin::FrontMatter(name) => drop(item.front_matter.insert(name.clone(), value.clone())),
            FieldOrigin::Heading(name) => drop(item.headings.insert(name.clone(), as_text(value))),
            FieldOrigin::Label(name) if value_is_true(value) => item.labels.push(name.clone()),
            FieldOrigin::Label(_) => {}
            FieldOrigin::LabelPrefix(prefix) => {
                let values = value
                    .as_array()
                    .map_or_else(|| vec![as_text(value)], |all| all.iter().map(as_text).collect());
                item.labels.extend(values.iter().map(|value| format!("{prefix}{value}")));
            }
            FieldOrigin::Refine { .. } => {
                return Err(format!(
                    "the field `{}` is found by a refine stage, and nobody can say it",
                    field.name
                ));
            }
        }
        let only = BTreeMap::from([(field.name.clone(), field.clone())]);
        let read = fields::extract(&only, Said::by_source(item), &self.zone).values;
        let says_nothing = || matches!(origin, FieldOrigin::Label(_)) && !value_is_true(value);
        if read.get(&field.name) == Some(&wanted) || says_nothing() {
            return Ok(());
        }
        Err(format!("the field `{}` is read from {origin}, which says something else then", field.name))
    }

    fn link(&self, item: &SourceItem, link: &OpenLink, source: &str) -> Link {
        let written = link.key.trim();
        let to = self.dependency(item, written);
        let changed = (to.key != written).then(|| written.to_owned());
        Link { kind: link.kind, to, written: changed, source: source.to_owned() }
    }
}

fn depends(opening: &OpenEntry, source: &str) -> Vec<Dependency> {
    let depends = opening.links.iter().filter(|link| link.kind == LinkKind::DependsOn);
    depends.map(|link| Dependency { key: link.key.clone(), source: source.to_owned() }).collect()
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(as_text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn value_is_true(value: &Value) -> bool {
    value == &Value::Bool(true) || value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}
