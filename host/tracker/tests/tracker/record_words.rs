use tollgate_core::{
    course::{End, Stopped},
    effect::Delivered,
    record::StepResult,
};
use tollgate_tracker::record::{SUMMARY_CHARS_MAX, section, summary};

use crate::sample;

#[test]
fn done() {
    insta::assert_snapshot!(summary(&sample::done()), @r#"
    ## Done: Renewal counts a closing day twice

    `A-1` in pipeline `spec-generation`: 4 steps and 1 rework in 1 min 01 s, $0.00000123, 12.3 M of fuel. Ended 2026-11-21T04:08:01.500Z.

    ### Steps

    | step | result | summary | time | fuel | cost |
    | --- | --- | --- | ---: | ---: | ---: |
    | draft | produced | a specification with 3 requirements | 1.2 s | 3.0 M | $0.00000031 |
    | draft/spec-lint | fail | one rule is broken | 1.2 s | 3.0 M | $0.00000031 |
    | draft, rework 1 | produced | a specification with 3 requirements, reworked | 1.2 s | 3.0 M | $0.00000031 |
    | draft/spec-lint, rework 1 | pass | 12 rules hold | 1.2 s | 3.0 M | $0.00000031 |

    ### Findings

    | rule | severity | step | message | where |
    | --- | --- | --- | --- | --- |
    | `SPEC-004` | error | draft/spec-lint | REQ-2 says `fast` and no number follows | `spec.md:14` |

    ### Sent back

    | by | to | round | why |
    | --- | --- | ---: | --- |
    | `spec-lint` | `draft` | 1 | one rule is broken |

    ### Artifacts

    | name | step | type | size | sha256 |
    | --- | --- | --- | ---: | --- |
    | `spec.md` | draft | `text/markdown` | 2.2 KiB | `d4f02eaafd1a` |
    | `spec.md` | draft, rework 1 | `text/markdown` | 2.2 KiB | `d4f02eaafd1a` |

    ### Effects

    | kind | step | what became of it |
    | --- | --- | --- |
    | `publish-file` | draft, rework 1 | done: `specs/A-1.md` |

    ### Order

    Taken from backlog `specs` with score 4.25:

    - `{"high": 3}[field.priority]` = 3
    - `age_days / 8` = 1.25

    ### Provenance

    - run `01KA5PZ3M2Q4R6S8T0V2000001`, work, round 1, claim 4
    - from 2026-11-21T04:07:00.000Z to 2026-11-21T04:08:01.500Z
    - host `desk-7/3`, store `01KA5PZ3M2Q4R6S8T0V2X4Y6Z8`
    - item `folder:backlog#A-1`, revision `2b214ddf3326`
    - pipeline `spec-generation`, answered for by `platform`
    - policy `823412d1eacb`, pins `150a56eebec8`, engine `wasmtime-48.0.8+a1b2c3d4e5f6`
    - chain: 9 events, head `9414886b1ebf`

    ### Plugins

    | plugin | version | contract | sha256 |
    | --- | --- | --- | --- |
    | `spec-draft` | 1.0.0 | 0.1 | `5e689e2b0167` |
    "#);
}

#[test]
fn failed() {
    insta::assert_snapshot!(summary(&sample::failed()), @r"
    ## Failed: Renewal counts a closing day twice

    `A-1` in pipeline `spec-generation`: 1 step and 0 reworks in 1 min 01 s, $0.00000123, 12.3 M of fuel. Ended 2026-11-21T04:08:01.500Z.

    **Stopped at `draft`:** the plugin used all of its 40 M units of fuel

    **What to do:** shorten the item or raise `budget.fuel` of the stage, then `tollgate runs retry A-1`

    ### Steps

    | step | result | summary | time | fuel | cost |
    | --- | --- | --- | ---: | ---: | ---: |
    | draft | failed: out-of-fuel | used all of its fuel | 1.2 s | 3.0 M | $0.00000031 |

    ### Order

    Taken from backlog `specs` in the order of its keys.

    ### Provenance

    - run `01KA5PZ3M2Q4R6S8T0V2000002`, work, round 1, claim 4
    - from 2026-11-21T04:07:00.000Z to 2026-11-21T04:08:01.500Z
    - host `desk-7/3`, store `01KA5PZ3M2Q4R6S8T0V2X4Y6Z8`
    - item `folder:backlog#A-1`, revision `2b214ddf3326`
    - pipeline `spec-generation`, answered for by `platform`
    - policy `823412d1eacb`, pins `150a56eebec8`, engine `wasmtime-48.0.8+a1b2c3d4e5f6`
    - chain: 9 events, head `9414886b1ebf`

    ### Plugins

    | plugin | version | contract | sha256 |
    | --- | --- | --- | --- |
    | `spec-draft` | 1.0.0 | 0.1 | `5e689e2b0167` |
    ");
}

#[test]
fn escalated() {
    insta::assert_snapshot!(summary(&sample::escalated()), @r#"
    ## Escalated: Renewal counts a closing day twice

    `A-1` in pipeline `spec-generation`: 4 steps and 1 rework in 1 min 01 s, $0.00000123, 12.3 M of fuel. Ended 2026-11-21T04:08:01.500Z.

    **Stopped at `draft`:** the gate sent the work back 3 times, and it still breaks a rule

    **Asked:** `tech-lead`

    **What to do:** shorten the item or raise `budget.fuel` of the stage, then `tollgate runs retry A-1`

    The item was edited while this run was under way; what is said here is about its earlier text.

    ### Steps

    | step | result | summary | time | fuel | cost |
    | --- | --- | --- | ---: | ---: | ---: |
    | draft | produced | a specification with 3 requirements | 1.2 s | 3.0 M | $0.00000031 |
    | draft/spec-lint | fail | one rule is broken | 1.2 s | 3.0 M | $0.00000031 |
    | draft, rework 1 | produced | a specification with 3 requirements, reworked | 1.2 s | 3.0 M | $0.00000031 |
    | draft/spec-lint, rework 1 | pass | 12 rules hold | 1.2 s | 3.0 M | $0.00000031 |

    ### Findings

    | rule | severity | step | message | where |
    | --- | --- | --- | --- | --- |
    | `SPEC-004` | error | draft/spec-lint | REQ-2 says `fast` and no number follows | `spec.md:14` |

    ### Sent back

    | by | to | round | why |
    | --- | --- | ---: | --- |
    | `spec-lint` | `draft` | 1 | one rule is broken |

    ### Artifacts

    | name | step | type | size | sha256 |
    | --- | --- | --- | ---: | --- |
    | `spec.md` | draft | `text/markdown` | 2.2 KiB | `d4f02eaafd1a` |
    | `spec.md` | draft, rework 1 | `text/markdown` | 2.2 KiB | `d4f02eaafd1a` |

    ### Order

    Taken from backlog `specs` with score 4.25:

    - `{"high": 3}[field.priority]` = 3
    - `age_days / 8` = 1.25

    ### Provenance

    - run `01KA5PZ3M2Q4R6S8T0V2000003`, work, round 1, claim 4
    - from 2026-11-21T04:07:00.000Z to 2026-11-21T04:08:01.500Z
    - host `desk-7/3`, store `01KA5PZ3M2Q4R6S8T0V2X4Y6Z8`
    - item `folder:backlog#A-1`, revision `2b214ddf3326`
    - pipeline `spec-generation`, answered for by `platform`
    - policy `823412d1eacb`, pins `150a56eebec8`, engine `wasmtime-48.0.8+a1b2c3d4e5f6`
    - chain: 9 events, head `9414886b1ebf`

    ### Plugins

    | plugin | version | contract | sha256 |
    | --- | --- | --- | --- |
    | `spec-draft` | 1.0.0 | 0.1 | `5e689e2b0167` |
    "#);
}

#[test]
fn cancelled() {
    let mut record = sample::failed();
    record.end = End::Cancelled { reason: "nobody needs it any more".into() };
    record.chain = None;
    let text = summary(&record);
    insta::assert_snapshot!(text.split("### Steps").next().unwrap_or_default(), @r"
    ## Cancelled: Renewal counts a closing day twice

    `A-1` in pipeline `spec-generation`: 1 step and 0 reworks in 1 min 01 s, $0.00000123, 12.3 M of fuel. Ended 2026-11-21T04:08:01.500Z.

    **Why:** nobody needs it any more
    ");
}

#[test]
fn refused_and_pending_effects() {
    let mut record = sample::done();
    let mut refused = record.effects[0].clone();
    refused.became = Some(Delivered::Refused { reason: "a file is there".into() });
    let mut pending = record.effects[0].clone();
    pending.became = None;
    record.effects.extend([refused, pending]);
    let text = summary(&record);
    let effects = text.split("### ").find(|part| part.starts_with("Effects")).unwrap();
    insta::assert_snapshot!(effects, @r"
    Effects

    | kind | step | what became of it |
    | --- | --- | --- |
    | `publish-file` | draft, rework 1 | done: `specs/A-1.md` |
    | `publish-file` | draft, rework 1 | refused: a file is there |
    | `publish-file` | draft, rework 1 | not delivered yet |
    ");
}

#[test]
fn the_whole_section() {
    let mut record = sample::failed();
    record.entry.name.key = "A <1> ümlaut".into();
    let text = section(&record);
    let lines: Vec<&str> = text.lines().collect();
    let around = [lines[0], "…", lines[lines.len() - 1]];
    insta::assert_snapshot!(around.join("\n"), @r"
    <!-- tollgate:record v=1 run=01KA5PZ3M2Q4R6S8T0V2000002 item=folder:backlog#A%20%3C1%3E%20%C3%BCmlaut -->
    …
    <!-- tollgate:end run=01KA5PZ3M2Q4R6S8T0V2000002 sha256=82e0d602721b2829ee1b3bb6e3a5758ea7d585e0274a06ae3e0ae99a71d10cc1 -->
    ");
}

#[test]
fn a_summary_never_exceeds_its_limit_and_says_what_it_leaves_out() {
    let mut record = sample::escalated();
    let long = "<&*_`[word] ".repeat(2_000);
    record.entry.title.clone_from(&long);
    record.entry.name.key.clone_from(&long);
    record.end = End::Escalated {
        to: long.clone(),
        stopped: Stopped { at: None, reason: long.clone(), recovery: long.clone() },
    };
    record.pins.pipeline.clone_from(&long);
    record.order.terms = vec![tollgate_core::record::Term { text: long.clone(), value: 1.0 }; 500];
    record.pins.plugins = vec![record.pins.plugins[0].clone(); 500];
    record.reworks = vec![record.reworks[0].clone(); 500];
    record.effects = vec![sample::done().effects[0].clone(); 500];
    let mut step = sample::step("draft", None, 0, StepResult::Produced, &long);
    step.findings = vec![sample::finding(); 20];
    step.artifacts = vec![step.artifacts[0].clone(); 20];
    record.steps = vec![step; 500];
    let text = summary(&record);
    assert!(text.chars().count() <= SUMMARY_CHARS_MAX, "{}", text.chars().count());
    assert_eq!(text.matches("more are left out here; the JSON below has them all.").count(), 6);
}
