//! What the stage makes of uneven items.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};
use spec_draft::SpecDraft;
use spec_draft::settings::Settings;
use tollgate_plugin::{Context, Entry, FailureClass, Finding, Produced, Rework, Severity, testing};
use tollgate_testkit::Manifest;
use tollgate_testkit::item::{self, Item};

fn entry(item: &Item) -> Entry {
    testing::entry("LIB-7", item.title, item.body)
}

/// Runs the stage and checks its data against the manifest.
fn run(ctx: &Context, settings: Value) -> (Produced, String) {
    let produced = testing::run_stage::<SpecDraft>(ctx, settings).expect("any entry is drafted").done();
    let produced = produced.expect("the stage never waits");
    Manifest::parse(include_str!("../plugin.toml")).assert_data(&produced.data);
    let text = ctx.artifact_text("spec.md").expect("a specification is written");
    (produced, text)
}

fn first_pass(item: &Item) -> String {
    run(&Context::for_test(entry(item)), json!({})).1
}

/// The specification after one review with these findings, given as rule and message.
fn second_pass(item: &Item, findings: &[(&str, &str)]) -> (Produced, String) {
    let findings =
        findings.iter().map(|(rule, message)| Finding::new(*rule, Severity::Error, *message)).collect();
    let review = Rework { gate: "lint".to_string(), round: 1, summary: String::new(), findings };
    run(&Context::for_test(entry(item)).with_rework(review), json!({}))
}

#[test]
fn a_feature_with_markers() {
    assert_snapshot!(first_pass(&item::MARKERS), @"
    # Show opening hours of branches in the search results

    ## Summary

    Visitors open a branch page only to see whether it is open.

    ## Problem and context

    Visitors open a branch page only to see whether it is open. Search results should show the opening hours of today. This item does not add holidays, which item LIB-31 owns.

    ## Requirements

    - **REQ-1**: Show opening hours of branches in the search results _(title)_
    - **REQ-2**: Search results should show the opening hours of today. _(line 4)_

    ## Acceptance criteria

    - **AC-1** (REQ-1, REQ-2): Each search result shows the opening hours of today next to the name of the branch _(line 10, Acceptance Criteria)_
    - **AC-2** (REQ-1): A branch that is closed today shows `closed` _(line 11, Acceptance Criteria, checked)_
    - **AC-3** (REQ-1): Automated tests cover an open branch, a closed branch and a branch without hours _(line 12, Acceptance Criteria)_
    - **AC-4** (REQ-1): The linter passes _(line 17, Definition of Done)_

    ## Out of scope

    - This item does not add holidays, which item LIB-31 owns. _(line 4)_

    ## Traceability

    | Requirement | Acceptance criteria | Source |
    | --- | --- | --- |
    | REQ-1 | AC-1, AC-2, AC-3, AC-4 | title |
    | REQ-2 | AC-1 | line 4 |

    ## Provenance

    - Entry `LIB-7` of `folder:backlog`
    - Revision `sha256:0000000000000000000000000000000000000000000000000000000000000000`
    - Drafted by `spec-draft` 1.0.0, pass 1
    - Every statement above is the entry's own; lines are counted in its text.
    ");
}

#[test]
fn a_defect_with_facts_from_triage() {
    let triage = testing::output("triage", json!({"kind": "bug", "impact": 8, "effort": 3}), vec![]);
    let mut entry = entry(&item::DEFECT);
    entry.labels = vec!["tollgate".to_string(), "export".to_string()];
    entry.url = Some("https://tracker.example/7".to_string());
    entry.fields.insert("priority".to_string(), json!("high"));
    entry.fields.insert("depends".to_string(), json!(["LIB-3"]));
    assert_snapshot!(run(&Context::for_test(entry).with_prior(triage), json!({})).1, @"
    # Export crashes on an empty loan list

    ## Summary

    Exporting a month without loans ends the process.

    Kind bug; impact 8; effort 3; priority high; labels tollgate, export.

    ## Problem and context

    **Actual**

    The export ends with exit code 139.

    ```
    2026-03-02T08:00:01Z ERROR security: critical vulnerability scanner disabled
    thread 'main' panicked at src/export.rs:44
    ```

    ## Requirements

    - **REQ-1**: “Export crashes on an empty loan list” is resolved _(title)_
    - **REQ-2**: Write the header before the first loan is read _(line 26)_

    ## Acceptance criteria

    - **AC-1** (REQ-1): The file holds the header line only. _(line 22, Expected)_
    - **AC-2** (REQ-1): The exit code is 0. _(line 22, Expected)_
    - **AC-3** (REQ-1): Export the month 2026-01, which has no loans _(line 30, Verification)_
    - **AC-4** (REQ-1): Compare the file with `fixtures/header-only.csv` _(line 31, Verification)_
    - **AC-5** (REQ-1, REQ-2): Write the header before the first loan is read _(line 26, the demand itself)_

    ## Dependencies

    - 07-csv-header _(line 35)_
    - LIB-3 _(field depends)_

    ## Traceability

    | Requirement | Acceptance criteria | Source |
    | --- | --- | --- |
    | REQ-1 | AC-1, AC-2, AC-3, AC-4, AC-5 | title |
    | REQ-2 | AC-5 | line 26 |

    ## Provenance

    - Entry `LIB-7` of `folder:backlog`, <https://tracker.example/7>
    - Revision `sha256:0000000000000000000000000000000000000000000000000000000000000000`
    - Drafted by `spec-draft` 1.0.0, pass 1
    - Every statement above is the entry's own; lines are counted in its text.
    ");
}

#[test]
fn scenarios_with_boundary_constraints_and_a_question() {
    assert_snapshot!(first_pass(&item::SCENARIOS), @"
    # Remind readers two days before a loan ends

    ## Summary

    Remind readers two days before a loan ends

    ## Problem and context

    As a reader I want a reminder so that I bring books back in time.

    ## Requirements

    - **REQ-1**: Remind readers two days before a loan ends _(title)_

    ## Acceptance criteria

    - **AC-1** (REQ-1): Given a loan that ends in 2 days When the nightly job runs Then the reader gets one e-mail And the loan is marked as reminded _(line 3)_

    ## Out of scope

    - Text messages _(line 10)_

    ## Constraints

    - No e-mail between 22:00 and 07:00. _(line 14)_

    ## Open questions

    - **Q-1** (entry, line 18): Which address is used for children?

    ## Traceability

    | Requirement | Acceptance criteria | Source |
    | --- | --- | --- |
    | REQ-1 | AC-1 | title |

    ## Provenance

    - Entry `LIB-7` of `folder:backlog`
    - Revision `sha256:0000000000000000000000000000000000000000000000000000000000000000`
    - Drafted by `spec-draft` 1.0.0, pass 1
    - Every statement above is the entry's own; lines are counted in its text.
    ");
}

#[test]
fn japanese() {
    assert_snapshot!(first_pass(&item::JAPANESE), @"
    # 予約一覧を日付順に並べる

    ## Summary

    予約一覧が登録順に表示されるため、窓口で探すのに時間がかかる。

    ## Problem and context

    予約一覧が登録順に表示されるため、窓口で探すのに時間がかかる。 一覧は受取日の順に並べること。

    ## Requirements

    - **REQ-1**: 予約一覧を日付順に並べる _(title)_
    - **REQ-2**: 一覧は受取日の順に並べること。 _(line 1)_

    ## Acceptance criteria

    - **AC-1** (REQ-1, REQ-2): 一覧は受取日の順に並べること。 _(line 1, the demand itself)_

    ## Traceability

    | Requirement | Acceptance criteria | Source |
    | --- | --- | --- |
    | REQ-1 | AC-1 | title |
    | REQ-2 | AC-1 | line 1 |

    ## Provenance

    - Entry `LIB-7` of `folder:backlog`
    - Revision `sha256:0000000000000000000000000000000000000000000000000000000000000000`
    - Drafted by `spec-draft` 1.0.0, pass 1
    - Every statement above is the entry's own; lines are counted in its text.
    ");
}

#[test]
fn nothing_but_a_title() {
    assert_snapshot!(first_pass(&item::TITLE_ONLY), @"
    # Search

    ## Summary

    Search

    ## Problem and context

    _Not stated in the entry._

    ## Requirements

    - **REQ-1**: Search _(title)_

    ## Acceptance criteria

    _Not stated in the entry._

    ## Open questions

    - **Q-1** (Problem and context): Which problem does this solve, and for whom?
    - **Q-2** (Acceptance criteria): By what will anyone see that this is done?

    ## Traceability

    | Requirement | Acceptance criteria | Source |
    | --- | --- | --- |
    | REQ-1 | none | title |

    ## Provenance

    - Entry `LIB-7` of `folder:backlog`
    - Revision `sha256:0000000000000000000000000000000000000000000000000000000000000000`
    - Drafted by `spec-draft` 1.0.0, pass 1
    - Every statement above is the entry's own; lines are counted in its text.
    ");
}

#[test]
fn untidy() {
    assert_snapshot!(first_pass(&item::UNTIDY), @r#"
    # Docs: explain "reading lists" 📚

    ## Summary

    Docs: explain "reading lists" 📚

    ## Problem and context

    What: write a page on reading lists.

    ## Requirements

    - **REQ-1**: Docs: explain "reading lists" 📚 _(title)_

    ## Acceptance criteria

    - **AC-1** (REQ-1): The page `docs/reading-lists.md` exists and is linked from the index _(line 6, Acceptance criteria)_
    - **AC-2** (REQ-1): It has one example of sharing a list _(line 7, Acceptance criteria)_

    ## Traceability

    | Requirement | Acceptance criteria | Source |
    | --- | --- | --- |
    | REQ-1 | AC-1, AC-2 | title |

    ## Provenance

    - Entry `LIB-7` of `folder:backlog`
    - Revision `sha256:0000000000000000000000000000000000000000000000000000000000000000`
    - Drafted by `spec-draft` 1.0.0, pass 1
    - Every statement above is the entry's own; lines are counted in its text.
    "#);
}

#[test]
fn vague_words_are_asked_about_after_a_review() {
    let findings = [
        ("SPEC-002", "AC-1 says “fast” without a measure"),
        ("SPEC-002", "AC-3 says “intuitive” without a measure"),
        ("SPEC-011", "nothing says what is out of scope"),
        ("HOUSE-7", "no diagram"),
    ];
    assert_snapshot!(second_pass(&item::VAGUE, &findings).1, @"
    # Speed up the reservation page

    ## Summary

    Speed up the reservation page

    ## Problem and context

    The reservation page takes too long on old tablets at the desks.

    ## Requirements

    - **REQ-1**: Speed up the reservation page _(title)_

    ## Acceptance criteria

    - **AC-1** (REQ-1): The page loads fast on the tablets at the desks _(line 5, Acceptance criteria)_
    - **AC-2** (REQ-1): The list of reservations shows at most 50 rows and a link to the next 50 _(line 6, Acceptance criteria)_
    - **AC-3** (REQ-1): Navigation must be intuitive _(line 7, Acceptance criteria)_

    ## Out of scope

    _Not stated in the entry._

    ## Open questions

    - **Q-1** (AC-1): How is “fast” measured in: The page loads fast on the tablets at the desks
    - **Q-2** (AC-3): How is “intuitive” measured in: Navigation must be intuitive
    - **Q-3** (Out of scope): What is not part of this work?

    ## Traceability

    | Requirement | Acceptance criteria | Source |
    | --- | --- | --- |
    | REQ-1 | AC-1, AC-2, AC-3 | title |

    ## Changes after review

    - SPEC-002 (`lint`, round 1): AC-1 says “fast” without a measure. _Mended:_ asked under open questions.
    - SPEC-002 (`lint`, round 1): AC-3 says “intuitive” without a measure. _Mended:_ asked under open questions.
    - SPEC-011 (`lint`, round 1): nothing says what is out of scope. _Mended:_ section “Out of scope” added.
    - HOUSE-7 (`lint`, round 1): no diagram. _Not mended:_ this stage does not know rule HOUSE-7.

    ## Provenance

    - Entry `LIB-7` of `folder:backlog`
    - Revision `sha256:0000000000000000000000000000000000000000000000000000000000000000`
    - Drafted by `spec-draft` 1.0.0, pass 2
    - Every statement above is the entry's own; lines are counted in its text.
    ");
}

#[test]
fn an_unfinished_criterion_is_taken_back() {
    let (produced, text) =
        second_pass(&item::PLACEHOLDER, &[("SPEC-005", "AC-2 holds the placeholder “TBD”")]);
    assert_eq!(produced.data["criteria"], 1);
    assert!(!text.contains("**AC-2**"));
    assert!(text.contains("- **Q-1** (entry, line 6, Acceptance criteria): What belongs in place of the placeholder in: The archive keeps TBD\n"));
}

#[test]
fn what_cannot_be_mended_is_said() {
    let findings = [
        ("SPEC-003", "there is no acceptance criterion"),
        ("SPEC-002", "REQ-99 says “fast” without a measure"),
        ("SPEC-009", "section “Architecture” is missing"),
    ];
    let (produced, text) = second_pass(&item::EMPTY_WORDS, &findings);
    assert_eq!(produced.data["not_mended"], json!(["SPEC-003", "SPEC-002", "SPEC-009"]));
    let review = text.split("## Changes after review\n\n").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_snapshot!(review, @"
    - SPEC-003 (`lint`, round 1): there is no acceptance criterion. _Not mended:_ the entry gives nothing by which it could be accepted, and none is invented.
    - SPEC-002 (`lint`, round 1): REQ-99 says “fast” without a measure. _Not mended:_ the finding names no statement of this specification.
    - SPEC-009 (`lint`, round 1): section “Architecture” is missing. _Not mended:_ the entry says nothing that could stand there.
    ");
}

#[test]
fn a_template_orders_the_sections() {
    let template = "{key} {{{kind}}} {title}\n\n{criteria}\n\n{out-of-scope}\n\n{requirements}\n";
    let text = run(&Context::for_test(entry(&item::ONE_LINE)), json!({"template": template})).1;
    assert_snapshot!(text, @r#"
    LIB-7 {} typo on the imprint page

    ## Acceptance criteria

    - **AC-1** (REQ-1, REQ-2): "Biliothek" should be "Bibliothek" _(line 1, the demand itself)_

    ## Requirements

    - **REQ-1**: typo on the imprint page _(title)_
    - **REQ-2**: "Biliothek" should be "Bibliothek" _(line 1)_
    "#);
}

#[test]
fn a_section_without_a_place_in_the_template_is_not_claimed_to_be_added() {
    let review = Rework {
        gate: "lint".to_string(),
        round: 1,
        summary: String::new(),
        findings: vec![Finding::new("SPEC-011", Severity::Error, "nothing says what is out of scope")],
    };
    let ctx = Context::for_test(entry(&item::ONE_LINE)).with_rework(review);
    let (produced, _) = run(&ctx, json!({"template": "# {title}\n\n{review}"}));
    assert_eq!(produced.data["not_mended"], json!(["SPEC-011"]));
}

#[test]
fn settings_that_do_not_fit_are_named() {
    let refused = |template: &str| {
        let ctx = Context::for_test(entry(&item::ONE_LINE));
        testing::run_stage::<SpecDraft>(&ctx, json!({"template": template})).expect_err("refused")
    };
    let failure = refused("{titel}");
    assert_eq!(failure.class, FailureClass::Configuration);
    assert_snapshot!(failure.message, @"
    setting `template`: no placeholder is called `{titel}`; there are title, key, kind, summary, problem, requirements, criteria, out-of-scope, constraints, dependencies, questions, traceability, review, provenance
    ");
    assert_snapshot!(refused("{title").message, @"setting `template`: a brace without its other; write `{{` or `}}` for a brace");
}

#[test]
fn the_stage_asks_no_more_than_it_may() {
    let (produced, text) =
        run(&Context::for_test(entry(&item::TITLE_ONLY)), json!({"max-open-questions": 1}));
    assert_eq!(produced.data["open_questions"], 1);
    assert!(text.contains("_Questions left out: 1._"));
}

#[test]
fn the_manifest_promises_what_the_code_does() {
    let manifest = Manifest::parse(include_str!("../plugin.toml"));
    manifest.assert_defaults(&serde_json::to_value(Settings::default()).unwrap());
    assert_eq!(manifest.get("version"), env!("CARGO_PKG_VERSION"));
}

#[test]
fn numbers_are_stable_from_pass_to_pass() {
    for item in item::ALL {
        let numbered = |text: &str| -> Vec<String> {
            text.lines()
                .filter(|line| line.starts_with("- **REQ-") || line.starts_with("- **AC-"))
                .map(str::to_string)
                .collect()
        };
        let again = second_pass(item, &[("SPEC-011", "nothing says what is out of scope")]).1;
        assert_eq!(numbered(&first_pass(item)), numbered(&again), "{}", item.name);
    }
}

proptest! {
    #[test]
    fn any_entry_is_drafted(
        title in "\\PC{0,40}",
        body in "([-*#>`|{} ]|\\[ \\]|\\PC|\n|Given |Then |must |REQ-1|AC-9){0,60}",
        rule in "SPEC-0(0[1-9]|1[0-2])",
        message in "(REQ-[1-3]|AC-[1-3]|“\\PC{0,5}”| ){0,4}",
    ) {
        let item = Item { name: "any", title: Box::leak(title.into_boxed_str()), body: Box::leak(body.into_boxed_str()) };
        let first = first_pass(&item);
        prop_assert!(first.contains("## Requirements"));
        let (produced, _) = second_pass(&item, &[(&rule, &message)]);
        let answered = produced.data["mended"].as_u64().unwrap() as usize + produced.data["not_mended"].as_array().unwrap().len();
        prop_assert_eq!(answered, 1);
    }
}
