//! Tables that say what they leave out.

/// A table under a heading, with as many rows as `chars_max` characters hold; nothing when there are no rows.
pub(super) fn table(heading: &str, columns: &[&str], rows: &[Vec<String>], chars_max: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line =
        |cells: &mut dyn Iterator<Item = &str>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    let mut text = format!("### {heading}\n\n");
    text += &line(&mut columns.iter().map(|name| name.trim_start_matches('>')));
    // A column whose name begins with `>` holds numbers, which stand at the right.
    text += &line(&mut columns.iter().map(|name| if name.starts_with('>') { "---:" } else { "---" }));
    let mut chars = text.chars().count();
    for (shown, row) in rows.iter().enumerate() {
        let row = line(&mut row.iter().map(String::as_str));
        chars += row.chars().count();
        if chars > chars_max {
            text +=
                &format!("\n{} more are left out here; the JSON below has them all.\n", rows.len() - shown);
            break;
        }
        text += &row;
    }
    text + "\n"
}
