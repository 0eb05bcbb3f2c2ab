//! The forms in which people write what they will accept.

use insta::assert_snapshot;
use tollgate_text::{Document, criteria};

/// One line a criterion: its line, form, box, text, and details.
fn found(body: &str) -> String {
    let document = Document::parse(body);
    let lines: Vec<String> = criteria(&document)
        .iter()
        .map(|criterion| {
            let done = if criterion.done { "x" } else { " " };
            let form = criterion.form.as_str();
            let details: String = criterion.details.iter().map(|detail| format!(" + {detail}")).collect();
            format!("line {} {form} [{done}] {}{details}", criterion.line, criterion.text)
        })
        .collect();
    lines.join("\n")
}

#[test]
fn check_boxes_with_numbers_and_comment_markers() {
    assert_snapshot!(found(
        "## Description\n\nText.\n\n## Acceptance Criteria\n<!-- AC:BEGIN -->\n- [ ] #1 The list is sorted by\n  date\n- [x] #2 Empty lists show \"Nothing here\"\n<!-- AC:END -->\n\n## Definition of Done\n<!-- DOD:BEGIN -->\n- [ ] #1 All tests pass\n<!-- DOD:END -->\n"
    ), @r#"
    line 7 checkbox [ ] The list is sorted by date
    line 9 checkbox [x] Empty lists show "Nothing here"
    line 14 checkbox [ ] All tests pass
    "#);
}

#[test]
fn lists_under_a_heading_that_says_optional() {
    assert_snapshot!(found(
        "## Acceptance Criteria (Optional)\n\n* AC1: The export has a header\n* **AC-2:** One row a loan\n\n### On the web\n\n1. The button is disabled\n   while exporting\n2. These formats:\n   - CSV\n   - JSON\n"
    ), @"
    line 3 bullet [ ] The export has a header
    line 4 bullet [ ] One row a loan
    line 8 numbered [ ] The button is disabled while exporting
    line 11 bullet [ ] CSV
    line 12 bullet [ ] JSON
    ");
}

#[test]
fn details_stay_with_their_criterion() {
    assert_snapshot!(found(
        "- [ ] Roles are kept\n  - admin\n  - guest\n\n  Also after a restart.\n- [ ] Second\n"
    ), @"
    line 1 checkbox [ ] Roles are kept + admin + guest + Also after a restart.
    line 6 checkbox [ ] Second
    ");
}

#[test]
fn expected_and_verification_of_a_defect() {
    assert_snapshot!(found(
        "# Export crashes on an empty list\n\n## Status: Open\n## Priority\nHigh\n\n## Actual\nThe process ends with code 139.\n\n## Expected\nThe file holds the header only. The exit code is 0.\n\n## Fix Required\n- Check for the empty list\n\n## Verification\n1. Run the export on an empty list\n2. Compare with `golden.csv`\n\n## Dependencies\n- 07-csv-header\n"
    ), @"
    line 11 sentence [ ] The file holds the header only.
    line 11 sentence [ ] The exit code is 0.
    line 17 numbered [ ] Run the export on an empty list
    line 18 numbered [ ] Compare with `golden.csv`
    ");
}

#[test]
fn scenarios_in_lines_lists_sentences_and_fences() {
    assert_snapshot!(found(
        "Given a locked bike\nWhen the rider scans it\nThen it unlocks\nAnd the trip begins\n\n- **Given** a flat battery\n- **When** the rider scans it\n- **Then** the app says so\n\nGiven no network, when the rider scans, then the scan is queued.\n\n```gherkin\nScenario: refund\n  Given a trip of 0 minutes\n  Then nothing is charged\nScenario: second\n  Given another\n  When it ends\n  Then it is charged\n```\n"
    ), @"
    line 1 scenario [ ] Given a locked bike When the rider scans it Then it unlocks And the trip begins
    line 6 scenario [ ] **Given** a flat battery **When** the rider scans it **Then** the app says so
    line 10 scenario [ ] Given no network, when the rider scans, then the scan is queued.
    line 14 scenario [ ] Given a trip of 0 minutes Then nothing is charged
    line 17 scenario [ ] Given another When it ends Then it is charged
    ");
}

#[test]
fn labels_stand_for_headings() {
    assert_snapshot!(found(
        "Search finds nothing.\n\n**Acceptance criteria**\n- finds by ID\n\n**Expected:** a list of hits\n**Actual:** nothing\n\nNotes:\n- [ ] ask Jo\n"
    ), @"
    line 4 bullet [ ] finds by ID
    line 6 sentence [ ] a list of hits
    ");
}

#[test]
fn bare_boxes_tables_and_other_languages() {
    assert_snapshot!(found(
        "[ ] first\n[x] second\n\n## Akzeptanzkriterien\n\n| Eingabe | Ergebnis |\n| --- | --- |\n| leer | Fehler 400 |\n| `a` | 200 |\n\n## 受け入れ条件\n- 一覧が日付順に並ぶ\n"
    ), @"
    line 1 checkbox [ ] first
    line 2 checkbox [x] second
    line 8 row [ ] leer | Fehler 400
    line 9 row [ ] `a` | 200
    line 12 bullet [ ] 一覧が日付順に並ぶ
    ");
}

#[test]
fn a_bare_line_names_a_section_too() {
    assert_snapshot!(found("Holds expire.\n\nAcceptance criteria\n- after 7 days\n\nOut of scope\n- [ ] fees\n"), @"line 4 bullet [ ] after 7 days");
    assert_eq!(found("Acceptance criteria are unclear.\n- after 7 days\n"), "");
}

#[test]
fn a_criteria_section_of_prose_is_read_by_the_sentence() {
    assert_snapshot!(found("Acceptance criteria:\n\nThe page shows 10 rows. A click opens the row."), @"
    line 3 sentence [ ] The page shows 10 rows.
    line 3 sentence [ ] A click opens the row.
    ");
}

#[test]
fn without_criteria_what_the_item_demands_counts_unless_it_is_vague() {
    assert_snapshot!(found(
        "The report must list all stations. It should be fast. Should it be blue? Nice to have.\n\n```\nit must not count code\n```\n> the quote must not count\n\n## What to do\n- Return 404 for an unknown station\n- Make it nice\n"
    ), @"
    line 1 statement [ ] The report must list all stations.
    line 9 statement [ ] Return 404 for an unknown station
    ");
}

#[test]
fn plans_accounts_and_questions_hold_no_criteria() {
    assert_snapshot!(found(
        "## Implementation Plan\n- [ ] Write the parser\n\n## Implementation Notes\n### Testing\n- [x] ran it\n\n## Open questions\n- [ ] must we?\n\n## Out of scope\n- [ ] must not do this here\n"
    ), @"");
}

#[test]
fn an_item_that_says_nothing_has_no_criteria() {
    for body in
        ["", "Make it better.", "It should be nice and fast.", "# Title only", "\u{feff}", "---\n---\n"]
    {
        assert_eq!(found(body), "", "{body:?}");
    }
}
