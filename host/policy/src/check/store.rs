//! A password in a file that everybody reads who works on the project.

use crate::{
    policy::Policy,
    source_map::{Place, Report},
};

pub(super) fn check(policy: &Policy, root: &Place<'_>, report: &mut Report) {
    if policy.instance.store.has_password() {
        let help = "take it out, and put it into `PGPASSWORD` or `~/.pgpass` of whoever runs a host";
        let message = "a password stands in the address of the store, and whoever has this file knows it";
        report.key_warning(&root.key("instance").key("store"), message, Some(help.into()));
    }
}
