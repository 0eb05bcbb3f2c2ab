//! Who has a role. People are known by the names that they give themselves; who is in a team is not known here.

/// Whether a member of a role is one person: `ines` or `@ines`, and neither `@octo/tech-leads` nor `team:platform`.
pub fn is_person(member: &str) -> bool {
    !member.trim_start_matches('@').is_empty() && !member.contains(['/', ':'])
}

/// Whether a person is named among the members of a role.
pub fn names(members: &[String], who: &str) -> bool {
    let plain = |name: &str| name.trim().trim_start_matches('@').to_lowercase();
    members.iter().filter(|member| is_person(member)).any(|member| plain(member) == plain(who))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_by_name_and_a_team_is_nobody() {
        let members: Vec<String> =
            ["ines", "@Otto", "@octo/tech-leads", "team:platform", "@"].map(Into::into).into();
        for (who, is_named) in [
            ("ines", true),
            ("@ines", true),
            ("otto", true),
            ("ott", false),
            ("@octo/tech-leads", false),
            ("team:platform", false),
            ("", false),
            ("@", false),
        ] {
            assert_eq!(names(&members, who), is_named, "{who}");
        }
    }
}
