//! Items as uneven as those of real backlogs: of several tools, tempers and languages.

/// A title and a body.
pub struct Item {
    /// A name for messages of tests.
    pub name: &'static str,
    /// The entry's title.
    pub title: &'static str,
    /// The entry's body.
    pub body: &'static str,
}

/// A feature with comment markers around its sections, as some tools write them.
pub const MARKERS: Item = Item {
    name: "markers",
    title: "Show opening hours of branches in the search results",
    body: "## Description\n\n<!-- SECTION:DESCRIPTION:BEGIN -->\nVisitors open a branch page only to see whether it is open. Search results should show the opening hours\nof today. This item does not add holidays, which item LIB-31 owns.\n<!-- SECTION:DESCRIPTION:END -->\n\n## Acceptance Criteria\n<!-- AC:BEGIN -->\n- [ ] #1 Each search result shows the opening hours of today next to the name of the branch\n- [x] #2 A branch that is closed today shows `closed`\n- [ ] #3 Automated tests cover an open branch, a closed branch and a branch without hours\n<!-- AC:END -->\n\n## Definition of Done\n<!-- DOD:BEGIN -->\n- [ ] #1 The linter passes\n<!-- DOD:END -->\n",
};

/// A defect in a folder of numbered files, with a log that holds misleading words.
pub const DEFECT: Item = Item {
    name: "defect",
    title: "Export crashes on an empty loan list",
    body: "## Status: Open\n\n## Priority\n\nHigh\n\n## Summary\n\nExporting a month without loans ends the process.\n\n## Actual\n\nThe export ends with exit code 139.\n\n```\n2026-03-02T08:00:01Z ERROR security: critical vulnerability scanner disabled\nthread 'main' panicked at src/export.rs:44\n```\n\n## Expected\n\nThe file holds the header line only. The exit code is 0.\n\n## Fix Required\n\n- Write the header before the first loan is read\n\n## Verification\n\n1. Export the month 2026-01, which has no loans\n2. Compare the file with `fixtures/header-only.csv`\n\n## Dependencies\n\n- 07-csv-header\n",
};

/// Vague words beside criteria that can be checked.
pub const VAGUE: Item = Item {
    name: "vague",
    title: "Speed up the reservation page",
    body: "The reservation page takes too long on old tablets at the desks.\n\n**Acceptance criteria:**\n\n- The page loads fast on the tablets at the desks\n- The list of reservations shows at most 50 rows and a link to the next 50\n- Navigation must be intuitive\n",
};

/// Nothing that could be checked.
pub const EMPTY_WORDS: Item = Item {
    name: "empty words",
    title: "Make the staff app better",
    body: "It should be nicer to use and more modern. Everything has to feel smooth and user-friendly.\n",
};

/// One line, nothing else.
pub const ONE_LINE: Item = Item {
    name: "one line",
    title: "typo on the imprint page",
    body: "\"Biliothek\" should be \"Bibliothek\"",
};

/// Scenarios and a table, in a request with a story.
pub const SCENARIOS: Item = Item {
    name: "scenarios",
    title: "Remind readers two days before a loan ends",
    body: "As a reader I want a reminder so that I bring books back in time.\n\nGiven a loan that ends in 2 days\nWhen the nightly job runs\nThen the reader gets one e-mail\nAnd the loan is marked as reminded\n\n### Out of scope\n\n- Text messages\n\n### Constraints\n\nNo e-mail between 22:00 and 07:00.\n\n### Open questions\n\n- Which address is used for children?\n\n| Loan | Reminders |\n| --- | --- |\n| 2 days left | 1 |\n",
};

/// German, with Windows line ends.
pub const GERMAN: Item = Item {
    name: "german",
    title: "Mahnung erst nach drei Tagen senden",
    body: "## Beschreibung\r\n\r\nDie Mahnung geht am Tag nach der Frist hinaus. Leser beschweren sich.\r\n\r\n## Akzeptanzkriterien\r\n\r\n- [ ] Die Mahnung geht 3 Tage nach der Frist hinaus\r\n- [ ] Wer vorher zurückgibt, erhält keine Mahnung\r\n",
};

/// Japanese, without any Markdown.
pub const JAPANESE: Item = Item {
    name: "japanese",
    title: "予約一覧を日付順に並べる",
    body: "予約一覧が登録順に表示されるため、窓口で探すのに時間がかかる。\n一覧は受取日の順に並べること。\n",
};

/// A demand in prose, without any section.
pub const PROSE: Item = Item {
    name: "prose",
    title: "Lock the returns box while it is full",
    body: "When the box is full, books fall behind it and nobody finds them. The box must lock its flap once 40 books are in it. The display must say which branch is nearest!\n\nSeen at the north branch, by the way.\n",
};

/// A placeholder among the criteria.
pub const PLACEHOLDER: Item = Item {
    name: "placeholder",
    title: "Archive loans older than ten years",
    body: "Loans are kept for ever, which the data protection officer does not allow.\n\n## Acceptance criteria\n\n- [ ] Loans that ended more than 10 years ago are removed each night\n- [ ] The archive keeps TBD\n",
};

/// Nothing at all beyond a title.
pub const TITLE_ONLY: Item = Item { name: "title only", title: "Search", body: "" };

/// A second account of the same demand, a code fence with criteria-like lines, emoji, and headings out of order.
pub const UNTIDY: Item = Item {
    name: "untidy",
    title: "Docs: explain \"reading lists\" 📚",
    body: "# Reading lists\n\nWhat: write a page on reading lists.\n\n**Acceptance criteria**\n1. The page `docs/reading-lists.md` exists and is linked from the index\n2. It has one example of sharing a list\n2. It has one example of sharing a list\n\n```md\n- [ ] this is an example, no criterion\n```\n\n> someone said it should crash less\n\n## Notes\n\n- [ ] ask whether the old page can go\n",
};

/// All of them.
pub const ALL: &[&Item] = &[
    &MARKERS,
    &DEFECT,
    &VAGUE,
    &EMPTY_WORDS,
    &ONE_LINE,
    &SCENARIOS,
    &GERMAN,
    &JAPANESE,
    &PROSE,
    &PLACEHOLDER,
    &TITLE_ONLY,
    &UNTIDY,
];
