//! Entries that live in the store alone, and who opened them.

use tollgate_core::{
    EntryId, RunId,
    entry::{HoldKind, Link, LinkKind},
};

use super::{
    conflict,
    intake::received,
    readiness::Target,
    state::{OpenedBy, OpenedByRun, State},
    table::RunNo,
};
use crate::port::{Child, Opened, OpenedHow, Opener, Opening, Result};

/// What the links say of who set them.
const SOURCE: &str = "effect:open-entry";

impl State {
    /// Opens an entry, unless one of its fingerprint is there.
    pub(super) fn open(&mut self, opening: Opening) -> Result<Opened> {
        self.require_lanes(std::iter::once(&opening.arrival.admission))?;
        let same = self.entries.iter().find(|(_, entry)| {
            entry.opened.as_ref().is_some_and(|opened| {
                (&opened.backlog, &opened.fingerprint) == (&opening.arrival.backlog, &opening.fingerprint)
            })
        });
        let same = same.map(|(id, _)| id);
        match (same, opening.opener) {
            (None, _) => self.open_first(opening),
            (Some(id), Opener::Run { run, .. }) => self.find_again(id, run),
            (Some(id), Opener::Person) => self.say_again(id, opening),
        }
    }

    fn open_first(&mut self, opening: Opening) -> Result<Opened> {
        let Opening { mut arrival, fingerprint, opener } = opening;
        let name = arrival.snapshot.name.clone();
        if let Some(other) = self.find(&name) {
            return Err(conflict(format!(
                "{name} is there already, in the backlog `{}` and for something else; use another key",
                self.entries[other].backlog
            )));
        }
        let opener = match opener {
            Opener::Person => None,
            Opener::Run { run, depth_max } => Some(self.opener(run, depth_max)?),
        };
        let mut guarded = self.guard_holds(&arrival, true);
        if let Some(opener) = opener {
            arrival.links.push(self.child_of(opener.parent));
            guarded.extend(self.hold_of_origin(&arrival, opener.first));
        }
        let backlog = arrival.backlog.clone();
        let made = self.make(&arrival, guarded)?;
        self.refuse_circle(made.id)?;
        self.entries[made.id].opened = Some(OpenedBy { backlog, fingerprint, opener });
        if let Some(opener) = opener {
            self.note_child(opener.run, made.id)?;
        }
        Ok(Opened { id: made.id, name, state: self.state_of(made.id), how: OpenedHow::Created })
    }

    /// What a run asks for that is there stays as it is. Where an earlier run of the same entry had opened it, it counts as opened by
    /// this one, which pays for it again.
    fn find_again(&mut self, id: EntryId, run: RunId) -> Result<Opened> {
        let run = self.run_that_opens(run)?;
        let opened_by = self.entries[id].opened.as_ref().and_then(|opened| opened.opener);
        if opened_by.is_some_and(|opener| opener.parent == self.runs[run].entry) {
            self.note_child(run, id)?;
            if self.lift(id, &[HoldKind::Budget, HoldKind::Cancelled]) > 0 {
                self.entries[id].unfunded = None;
            }
        }
        Ok(self.opened(id, OpenedHow::Found))
    }

    /// A person may say something else of what is there.
    fn say_again(&mut self, id: EntryId, opening: Opening) -> Result<Opened> {
        let Opening { mut arrival, fingerprint, .. } = opening;
        let (name, wanted) = (&self.entries[id].name, &arrival.snapshot.name);
        if name != wanted {
            return Err(conflict(format!(
                "{name} has the fingerprint `{fingerprint}` already; leave the key `{}` out, or give another fingerprint",
                wanted.key
            )));
        }
        let parents = self.entries[id].all_links().filter(|link| link.kind == LinkKind::ChildOf);
        arrival.links.extend(parents.cloned());
        if self.entries[id].last.as_deref() == Some(&received(&arrival)) {
            return Ok(self.opened(id, OpenedHow::Found));
        }
        self.update(id, None, &arrival)?;
        self.refuse_circle(id)?;
        Ok(self.opened(id, OpenedHow::Revised))
    }

    fn opened(&self, id: EntryId, how: OpenedHow) -> Opened {
        Opened { id, name: self.entries[id].name.clone(), state: self.state_of(id), how }
    }

    fn run_that_opens(&self, run: RunId) -> Result<RunNo> {
        let number = self.run_no(run)?;
        match self.cancelled(number) {
            None => Ok(number),
            Some(cancelled) => {
                Err(conflict(format!("the run that asks for it opens nothing more: {cancelled}")))
            }
        }
    }

    fn opener(&self, run: RunId, depth_max: u32) -> Result<OpenedByRun> {
        let run = self.run_that_opens(run)?;
        let parent = self.runs[run].entry;
        let above = self.entries[parent].opened.as_ref().and_then(|opened| opened.opener);
        let (above, first) = above.map_or((0, parent), |above| (above.depth, above.first));
        if above + 1 > depth_max {
            let key = &self.entries[parent].name.key;
            return Err(conflict(format!(
                "{key} was opened by a run itself, and so on {above} deep; entries open others {depth_max} deep at most (`depth` \
                 under `intake` of the backlog)"
            )));
        }
        Ok(OpenedByRun { run, parent, first, depth: above + 1 })
    }

    fn child_of(&self, parent: EntryId) -> Link {
        let (to, source) = (self.entries[parent].name.clone(), SOURCE.to_owned());
        Link { kind: LinkKind::ChildOf, to, written: None, source }
    }

    /// Notes that a run opened an entry, or found it as a child of its own entry; from now on it pays for it.
    fn note_child(&mut self, run: RunNo, entry: EntryId) -> Result<()> {
        self.pins(self.runs[run].pins)?;
        self.runs[run].children.insert(entry);
        Ok(())
    }

    /// Refuses an entry that waits for itself.
    fn refuse_circle(&self, id: EntryId) -> Result<()> {
        match self.way_from(id, id, &mut vec![id]) {
            None => Ok(()),
            Some(way) => {
                let keys: Vec<_> = way.iter().map(|id| self.entries[*id].name.key.as_str()).collect();
                Err(conflict(format!("it would wait for itself: {}", keys.join(" → "))))
            }
        }
    }

    /// A way from one entry to another by what waits for what; `way` is how far it has come.
    fn way_from(&self, at: EntryId, to: EntryId, way: &mut Vec<EntryId>) -> Option<Vec<EntryId>> {
        for link in self.entries[at].all_links().filter(|link| link.kind == LinkKind::DependsOn) {
            let Target::To(next) = self.target(at, link) else { continue };
            if next == to {
                return Some(way.iter().copied().chain([next]).collect());
            }
            if !way.contains(&next) {
                way.push(next);
                let found = self.way_from(next, to, way);
                way.pop();
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// The entries that runs of an entry opened, in the order in which they did.
    pub(super) fn children_of_entry(&self, parent: EntryId) -> Vec<Child> {
        let children = self.entries.iter().filter_map(|(id, entry)| {
            let opener = entry.opened.as_ref()?.opener.filter(|opener| opener.parent == parent)?;
            let (name, opened_by) = (entry.name.clone(), self.runs[opener.run].id);
            Some(Child { name, state: self.state_of(id), opened_by })
        });
        children.collect()
    }
}
