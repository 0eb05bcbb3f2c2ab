//! Approvals: by whom, and decided by what.

use std::collections::BTreeMap;

use tollgate_core::pipeline::Approval;

use crate::{
    formula::Formula,
    policy::Backlog,
    roles,
    source_map::{Place, Report},
};

/// Reports an approval that nobody can give, and one that anyone could write themselves out of.
pub(super) fn check(
    approval: &Approval,
    backlog: &Backlog,
    roles: &BTreeMap<String, Vec<String>>,
    place: &Place<'_>,
    report: &mut Report,
) {
    let Approval { role, when } = approval;
    let members = roles.get(role).map(Vec::as_slice).unwrap_or_default();
    if !members.iter().any(|member| roles::is_person(member)) {
        let message = format!("the role `{role}` names no person, so nobody can approve");
        let help = format!(
            "list people by name in tollgate.toml, `[roles]`: {role} = [\"ines\"]; who is in a team is not known here"
        );
        report.key_warning(&place.key("role"), message, Some(help));
    }
    let Some(formula) = when.as_ref().and_then(|when| Formula::parse(when).ok()) else { return };
    let read = formula.references().fields.iter().filter_map(|name| backlog.fields.get(name));
    for field in read.filter(|field| field.is_text && !backlog.trust_text.contains(&field.name)) {
        let message = format!("an approval is decided by `{}`, which anyone may have written", field.name);
        let help = format!(
            "read it from front matter or a label, or list it in backlog `{}`: trust_text = [\"{}\"]",
            backlog.name, field.name
        );
        report.error(&place.key("when"), message, Some(help));
    }
}
