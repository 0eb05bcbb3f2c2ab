-- The whole schema.
--
-- Times are whole milliseconds since 1970 (UTC) and end in `_at`. Money is in microcents. Digests are their 32 raw bytes. Words
-- (`state`, `kind`, …) are those of the code and the commands, so that a person can read the tables. What is queried is a column;
-- what is only handed back is JSON in `body`. A column is NOT NULL where a row without it would mean nothing; columns that later
-- migrations add are nullable or have a default.

-- Which migrations ran. `needs` is the least version of the schema that a host has to know to work with the store from then on: an
-- earlier one refuses the store by the migration's name.
CREATE TABLE schema_migration (
    version    INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    applied_at INTEGER NOT NULL,
    needs      INTEGER NOT NULL
) STRICT;

-- One row: the store itself. `seen_at` is the latest time that the store ever acted on; it never acts on an earlier one. `vtime`
-- is the virtual time that was served last, below which no lane can save up claims. `moved_to` is set when the store went elsewhere.
CREATE TABLE store (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    id       TEXT NOT NULL,
    made_at  INTEGER NOT NULL,
    seen_at  INTEGER NOT NULL,
    vtime    INTEGER NOT NULL DEFAULT 0,
    moved_to TEXT,
    moved_at INTEGER
) STRICT;

-- ---------------------------------------------------------------------------------------------------------------------------
-- Policy.

-- Every policy that was ever applied, with who and why; the applied one is the newest. Rows are never changed.
CREATE TABLE policy_version (
    version    INTEGER PRIMARY KEY,
    digest     BLOB NOT NULL,
    document   TEXT NOT NULL,
    who        TEXT NOT NULL,
    why        TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

-- What runs are pinned to, by digest. Rows are never changed.
CREATE TABLE pins (
    digest BLOB PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;

-- Every version of a plugin that some pins name.
CREATE TABLE plugin_version (
    digest        BLOB PRIMARY KEY,
    name          TEXT NOT NULL,
    version       TEXT NOT NULL,
    contract      TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL
) STRICT;

-- What a claim sets aside under some pins: for the project as a whole, and of that for each plugin.
CREATE TABLE tranche (
    pins   BLOB NOT NULL REFERENCES pins (digest),
    scope  TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (pins, scope)
) STRICT, WITHOUT ROWID;

-- One row for each backlog and pipeline that was ever routed together; `open` is 0 when the applied policy does not name it.
-- `waiting` counts its rows in `ready`, kept by triggers. The pins of one that is known by rebuilt runs alone are not in `pins`.
CREATE TABLE lane (
    id       INTEGER PRIMARY KEY,
    backlog  TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('work', 'refine')),
    pins     BLOB NOT NULL,
    open     INTEGER NOT NULL,
    vtime    INTEGER NOT NULL,
    waiting  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (backlog, pipeline)
) STRICT;

-- What may be spent; `active` is 0 when the applied policy does not name it.
CREATE TABLE cap (
    id           INTEGER PRIMARY KEY,
    scope        TEXT NOT NULL,
    period       TEXT NOT NULL CHECK (period IN ('day', 'month')),
    zone         TEXT NOT NULL,
    limit_amount INTEGER NOT NULL,
    active       INTEGER NOT NULL,
    UNIQUE (scope, period)
) STRICT;

-- Where a cap stands in one period. At every commit settled + escrow is at most the limit that held when either last grew.
CREATE TABLE cap_period (
    cap_id    INTEGER NOT NULL REFERENCES cap (id),
    label     TEXT NOT NULL,
    settled   INTEGER NOT NULL CHECK (settled >= 0),
    escrow    INTEGER NOT NULL CHECK (escrow >= 0),
    overdraft INTEGER NOT NULL CHECK (overdraft >= 0),
    PRIMARY KEY (cap_id, label)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------------------------------------------------------------------
-- Entries.

-- What an entry said at some revision, by digest: the text is apart from the row that changes. Rows are never changed.
CREATE TABLE snapshot (
    revision BLOB PRIMARY KEY,
    body     TEXT NOT NULL
) STRICT;

-- One row for each item of work that was ever seen. Rows are never deleted.
--
-- Of the entries that wait, those with a row in `hold` are held and those without are ready; `held_for` is the kind of the
-- first hold. `basis` is the digest of what it says at its revision without what refining adds; `worked` is that of what its newest
-- run worked on, or of what was adopted: done is said of it. `adopted` is 1 from its adoption until a run of it begins. `arrival`
-- is the digest of what last came in, by which an arrival that brings nothing new is passed over.
CREATE TABLE entry (
    id            INTEGER PRIMARY KEY,
    tracker       TEXT NOT NULL,
    key           TEXT NOT NULL,
    backlog       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN (
                   'new', 'held', 'ready', 'busy', 'done', 'failed', 'escalated', 'blocked', 'gone')),
    held_for      TEXT CHECK ((held_for IS NOT NULL) = (state = 'held')),
    closed        INTEGER NOT NULL,
    revision      BLOB NOT NULL REFERENCES snapshot (revision),
    basis         BLOB NOT NULL,
    worked        BLOB,
    adopted       INTEGER NOT NULL DEFAULT 0,
    depends       TEXT NOT NULL CHECK (depends IN ('either', 'tracker', 'run')),
    arrival       BLOB,
    rounds        INTEGER NOT NULL DEFAULT 0,
    title         TEXT NOT NULL,
    url           TEXT,
    created_at    INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL,
    UNIQUE (tracker, key)
) STRICT;
CREATE INDEX entry_by_key ON entry (key, backlog);
CREATE INDEX entry_escalated ON entry (id) WHERE state = 'escalated';

-- What the source said of an entry last, kept so that it can be judged again without reading the source.
CREATE TABLE source_item (
    entry_id INTEGER PRIMARY KEY REFERENCES entry (id),
    body     TEXT NOT NULL
) STRICT;

-- What is known of an entry besides what its source says: fields that people set, and what its newest refine run found.
-- `version` counts the changes: what was judged by an earlier one is judged again.
CREATE TABLE supplement (
    entry_id INTEGER PRIMARY KEY REFERENCES entry (id),
    version  INTEGER NOT NULL,
    body     TEXT NOT NULL
) STRICT;

-- Links from an entry, by the name of the other, which may not be known yet. All links of an entry are replaced together. Where
-- a link leads is in `link_list.sql`.
CREATE TABLE link (
    entry_id INTEGER NOT NULL REFERENCES entry (id),
    position INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('depends-on', 'child-of', 'member-of', 'duplicate-of')),
    tracker  TEXT NOT NULL,
    key      TEXT NOT NULL,
    written  TEXT,
    source   TEXT NOT NULL,
    PRIMARY KEY (entry_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_by_key ON link (key, kind);

-- Entries that live in this store alone: what makes each the same as another, and, where a run opened it, which one and of which
-- entry. `depth` counts the openings that lead to it from an entry that no run opened, `origin_id`. Rows are never changed.
CREATE TABLE opened (
    entry_id    INTEGER PRIMARY KEY REFERENCES entry (id),
    backlog     TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    parent_id   INTEGER REFERENCES entry (id),
    run_seq     INTEGER REFERENCES run (seq) CHECK ((run_seq IS NULL) = (parent_id IS NULL)),
    origin_id   INTEGER REFERENCES entry (id) CHECK ((origin_id IS NULL) = (parent_id IS NULL)),
    depth       INTEGER NOT NULL,
    UNIQUE (backlog, fingerprint)
) STRICT;
CREATE INDEX opened_by_parent ON opened (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX opened_by_origin ON opened (origin_id) WHERE origin_id IS NOT NULL;

-- Entries that a run asked to be opened and that are children of its entry: made by it, or found where an earlier run of the entry
-- had made them. Rows are never changed.
CREATE TABLE child (
    run_seq  INTEGER NOT NULL REFERENCES run (seq),
    entry_id INTEGER NOT NULL REFERENCES entry (id),
    PRIMARY KEY (run_seq, entry_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX child_by_entry ON child (entry_id);

-- A run that opened entries: what it may cost, by its pipeline and by what people approved, and what the runs that it pays for have
-- cost and set aside: those of the entries that it opened, of those that these opened, and so on.
CREATE TABLE family (
    run_seq      INTEGER PRIMARY KEY REFERENCES run (seq),
    limit_amount INTEGER NOT NULL,
    settled      INTEGER NOT NULL CHECK (settled >= 0),
    escrow       INTEGER NOT NULL CHECK (escrow >= 0)
) STRICT;

-- What waits until a run that pays for it has so much room: an entry that is held for it, or (`run_seq`) a run that was begun.
CREATE TABLE unfunded (
    entry_id INTEGER PRIMARY KEY REFERENCES entry (id),
    payer    INTEGER NOT NULL REFERENCES family (run_seq),
    run_seq  INTEGER REFERENCES run (seq),
    amount   INTEGER NOT NULL
) STRICT;
CREATE INDEX unfunded_by_payer ON unfunded (payer);

-- Numbers that entries share whose texts are alike, where their backlog compares them. Entries that are held as duplicates have none.
CREATE TABLE similar (
    backlog  TEXT NOT NULL,
    number   INTEGER NOT NULL,
    entry_id INTEGER NOT NULL REFERENCES entry (id),
    PRIMARY KEY (backlog, number, entry_id)
) STRICT, WITHOUT ROWID;

-- When entries were let in, or will be, by what is counted: the entries of a source, or of an author. Rows whose time is longer ago
-- than the span in which they count are deleted.
CREATE TABLE intake (
    id      INTEGER PRIMARY KEY,
    backlog TEXT NOT NULL,
    scope   TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX intake_by_scope ON intake (backlog, scope, at);

-- One row for each reason why an entry may not run, in the order in which people read them. The policy's reasons are kept in
-- every state; reasons about dependencies only while the entry waits. One that names the entry it waits for (`target_id`) has no
-- sentence of its own: what the other entry is doing is told when it is asked, so that it is never out of date.
CREATE TABLE hold (
    entry_id      INTEGER NOT NULL REFERENCES entry (id),
    position      INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    subject       TEXT NOT NULL,
    reason        TEXT,
    until_at      INTEGER,
    since_at      INTEGER NOT NULL,
    link_position INTEGER,
    target_id     INTEGER REFERENCES entry (id),
    PRIMARY KEY (entry_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_due ON hold (until_at) WHERE until_at IS NOT NULL;

-- Where an entry waits, would wait, or waited: for its work, or first to be refined. One that the policy gives no lane, and judges
-- otherwise later, has a row without.
-- `due_at` is when what the policy says of it changes next, and set only while it waits.
-- `former_key` is the key before the last time that it was scored again: until whoever did that has put in order what moved, the entry's
-- row in `ready` stands there, and afterwards, if anywhere, at `rank_key`.
-- `rejudged` is set when it is newer than what came in last: the next arrival is compared with nothing.
CREATE TABLE place (
    entry_id          INTEGER PRIMARY KEY REFERENCES entry (id),
    lane_id           INTEGER REFERENCES lane (id),
    rank_key          BLOB CHECK ((rank_key IS NULL) = (lane_id IS NULL)),
    score_thousandths INTEGER,
    terms             TEXT NOT NULL,
    due_at            INTEGER,
    former_key        BLOB,
    rejudged          INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX place_due ON place (due_at) WHERE due_at IS NOT NULL;

-- The ready index: exactly what can be claimed, in the order in which it is. Entries that wait for their work or to be refined
-- (`run_seq` is null) and begun runs that can go on. What is held, parked or driven is not here, so a claim never steps over it.
CREATE TABLE ready (
    lane_id  INTEGER NOT NULL,
    rank_key BLOB NOT NULL,
    entry_id INTEGER NOT NULL,
    run_seq  INTEGER,
    PRIMARY KEY (lane_id, rank_key, entry_id)
) STRICT, WITHOUT ROWID;
-- Where an entry stands its place says: an index by entry would be written at random wherever a row moves.
CREATE INDEX ready_begun ON ready (entry_id) WHERE run_seq IS NOT NULL;

-- Who scores a whole backlog again, and has not put in order all that moved. One whose lease lapsed did not come to that; whoever
-- finds it does it instead.
CREATE TABLE rescoring (
    id          INTEGER PRIMARY KEY,
    lease_until INTEGER NOT NULL
) STRICT;

CREATE TRIGGER ready_count_insert AFTER INSERT ON ready BEGIN
    UPDATE lane SET waiting = waiting + 1 WHERE id = NEW.lane_id;
END;
CREATE TRIGGER ready_count_delete AFTER DELETE ON ready BEGIN
    UPDATE lane SET waiting = waiting - 1 WHERE id = OLD.lane_id;
END;

-- How many entries of each backlog are in which state, and for what, and how many of them are adopted; kept by triggers, so that
-- a report reads a few rows however long the backlog is.
CREATE TABLE coverage (
    backlog  TEXT NOT NULL,
    state    TEXT NOT NULL,
    held_for TEXT NOT NULL,
    adopted  INTEGER NOT NULL,
    entries  INTEGER NOT NULL CHECK (entries >= 0),
    PRIMARY KEY (backlog, state, held_for, adopted)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER coverage_insert AFTER INSERT ON entry BEGIN
    INSERT INTO coverage VALUES (NEW.backlog, NEW.state, coalesce(NEW.held_for, ''), NEW.adopted, 1)
    ON CONFLICT DO UPDATE SET entries = entries + 1;
END;
CREATE TRIGGER coverage_update AFTER UPDATE OF backlog, state, held_for, adopted ON entry
WHEN (OLD.backlog, OLD.state, OLD.held_for, OLD.adopted) IS NOT (NEW.backlog, NEW.state, NEW.held_for, NEW.adopted) BEGIN
    UPDATE coverage SET entries = entries - 1
    WHERE backlog = OLD.backlog AND state = OLD.state AND held_for = coalesce(OLD.held_for, '') AND adopted = OLD.adopted;
    INSERT INTO coverage VALUES (NEW.backlog, NEW.state, coalesce(NEW.held_for, ''), NEW.adopted, 1)
    ON CONFLICT DO UPDATE SET entries = entries + 1;
END;

-- What the runs of a backlog have cost.
CREATE TABLE backlog_cost (
    backlog TEXT PRIMARY KEY,
    cost    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every reading of a source in full; `complete` is null until it ended.
CREATE TABLE reconcile (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    backlog  TEXT NOT NULL,
    tracker  TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    ended_at INTEGER,
    complete INTEGER
) STRICT;
CREATE INDEX reconcile_complete ON reconcile (backlog, tracker, id) WHERE complete = 1;

-- In which reconcile an entry was seen last: the one thing that every reading writes for every entry, so its row is small.
CREATE TABLE sighting (
    entry_id  INTEGER PRIMARY KEY REFERENCES entry (id),
    reconcile INTEGER NOT NULL
) STRICT;

-- ---------------------------------------------------------------------------------------------------------------------------
-- Runs.

-- One row for each journey of an entry through a pipeline. `fence` only rises. `lease_until` is set while a host drives it;
-- a running run without one has a row in `ready`. `heard` is the newest signal before its present
-- call began. `chain_*` is the head of its events. `escrow` is what is set aside for it.
-- `payer` is the run that opened its entry, with whose cost it counts. `rebuilt` is 1 for one that is known by its record alone: its events, steps, pins and the text that it worked on are not here.
CREATE TABLE run (
    seq          INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    entry_id     INTEGER NOT NULL REFERENCES entry (id),
    lane_id      INTEGER NOT NULL REFERENCES lane (id),
    backlog      TEXT NOT NULL,
    pipeline     TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('work', 'refine')),
    round        INTEGER NOT NULL,
    title        TEXT NOT NULL,
    revision     BLOB NOT NULL,
    pins         BLOB NOT NULL,
    rank_key     BLOB NOT NULL,
    order_facts  TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'done', 'failed', 'escalated', 'cancelled')),
    reason       TEXT,
    fence        INTEGER NOT NULL,
    host         TEXT NOT NULL,
    lease_until  INTEGER CHECK (lease_until IS NULL OR state = 'running'),
    crashes      INTEGER NOT NULL,
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    cost         INTEGER NOT NULL,
    escrow       INTEGER NOT NULL CHECK (escrow >= 0),
    chain_events INTEGER NOT NULL,
    chain_hash   BLOB NOT NULL,
    heard        INTEGER NOT NULL DEFAULT 0,
    rebuilt      INTEGER NOT NULL DEFAULT 0,
    payer        INTEGER REFERENCES run (seq)
) STRICT;
CREATE UNIQUE INDEX run_live ON run (entry_id, pipeline) WHERE state IN ('running', 'waiting');
CREATE INDEX run_by_entry ON run (entry_id);
CREATE INDEX run_leased ON run (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX run_waiting ON run (state) WHERE state = 'waiting';

-- What people and other hosts want of a run. Only a transaction that holds the run applies it.
CREATE TABLE inbox (
    id         INTEGER PRIMARY KEY,
    run_seq    INTEGER NOT NULL REFERENCES run (seq),
    sent_at    INTEGER NOT NULL,
    who        TEXT NOT NULL,
    kind       TEXT NOT NULL,
    body       TEXT NOT NULL,
    applied_at INTEGER
) STRICT;
CREATE INDEX inbox_open ON inbox (run_seq, id) WHERE applied_at IS NULL;
CREATE UNIQUE INDEX inbox_cancel ON inbox (run_seq) WHERE kind = 'cancel';

-- What drivers brought after they had lost their run: evidence, by which nothing is decided.
CREATE TABLE late (
    id      INTEGER PRIMARY KEY,
    run_seq INTEGER NOT NULL REFERENCES run (seq),
    fence   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    brought TEXT NOT NULL
) STRICT;
CREATE INDEX late_by_run ON late (run_seq, id);

-- Hosts whose lease on a run lapsed, by the fence that they had, and of which nobody has heard since: they ended while they drove it.
CREATE TABLE lost_host (
    run_seq INTEGER NOT NULL REFERENCES run (seq),
    fence   INTEGER NOT NULL,
    host    TEXT NOT NULL,
    PRIMARY KEY (run_seq, fence)
) STRICT, WITHOUT ROWID;
CREATE INDEX lost_host_by_host ON lost_host (host);

-- Every call that ended, in the order in which they did, and what it cost. `gate` is empty for the stage itself. Rows are never
-- changed.
CREATE TABLE step (
    id         INTEGER PRIMARY KEY,
    run_seq    INTEGER NOT NULL REFERENCES run (seq),
    stage      TEXT NOT NULL,
    gate       TEXT NOT NULL,
    rework     INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    plugin     BLOB NOT NULL,
    settled_at INTEGER NOT NULL,
    fuel       INTEGER NOT NULL,
    cost       INTEGER NOT NULL,
    body       TEXT NOT NULL,
    UNIQUE (run_seq, stage, gate, rework, attempt)
) STRICT;

-- Attempts that asked something or paused: what must be the same when one is called again, and what of its cost was settled
-- before it ended. `gate` is empty for the stage itself.
CREATE TABLE attempt (
    run_seq INTEGER NOT NULL REFERENCES run (seq),
    stage   TEXT NOT NULL,
    gate    TEXT NOT NULL,
    rework  INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    plugin  BLOB NOT NULL,
    begun   TEXT NOT NULL,
    charged INTEGER NOT NULL CHECK (charged >= 0),
    PRIMARY KEY (run_seq, stage, gate, rework, attempt)
) STRICT;

-- What an attempt asked of its capabilities and what it was told: the intent before it acts, the answer before the guest sees
-- it. `open` is 1 while the answer is awaited and its largest cost is set aside; an intent that is neither open nor answered was
-- charged at its largest, and nobody knows whether it happened.
CREATE TABLE journal (
    run_seq INTEGER NOT NULL REFERENCES run (seq),
    stage   TEXT NOT NULL,
    gate    TEXT NOT NULL,
    rework  INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    call    INTEGER NOT NULL,
    intent  TEXT NOT NULL,
    answer  TEXT,
    open    INTEGER NOT NULL CHECK (open = 0 OR answer IS NULL),
    PRIMARY KEY (run_seq, stage, gate, rework, attempt, call)
) STRICT;
CREATE INDEX journal_open ON journal (run_seq) WHERE open = 1;

-- What a live run has set aside, by cap and by the period in which it was. No rows for a run that no host drives.
CREATE TABLE escrow (
    run_seq INTEGER NOT NULL REFERENCES run (seq),
    cap_id  INTEGER NOT NULL REFERENCES cap (id),
    label   TEXT NOT NULL,
    amount  INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (run_seq, cap_id, label)
) STRICT, WITHOUT ROWID;

-- What happened to a run; each hash covers the one before it. Rows are never changed.
CREATE TABLE event (
    run_seq INTEGER NOT NULL REFERENCES run (seq),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    body    TEXT NOT NULL,
    hash    BLOB NOT NULL,
    PRIMARY KEY (run_seq, seq)
) STRICT, WITHOUT ROWID;

-- The events of a run that was over long ago, all of them, in place of their rows in `event`: deflated, as the store's module
-- `pack` says. Rows are never changed.
CREATE TABLE event_pack (
    run_seq INTEGER PRIMARY KEY REFERENCES run (seq),
    events  INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT;

-- ---------------------------------------------------------------------------------------------------------------------------
-- Work that was done before Tollgate.

-- Every adoption of an entry, oldest first. Rows are never changed.
CREATE TABLE adoption (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    entry_id   INTEGER NOT NULL REFERENCES entry (id),
    adopted_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX adoption_by_entry ON adoption (entry_id, seq);

-- What stood in a tracker of work that this store does not know, by the key of an item that was not seen yet. It is applied, and
-- gone from here, in the transaction that makes the entry. `body` is a record, or for one that does not verify what is wrong with it.
CREATE TABLE prior (
    id      INTEGER PRIMARY KEY,
    tracker TEXT NOT NULL,
    key     TEXT NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('run', 'adoption', 'damaged')),
    place   TEXT NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX prior_by_key ON prior (tracker, key);

-- Trackers whose records have been read.
CREATE TABLE prior_reading (
    tracker TEXT PRIMARY KEY,
    read_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------------------------------------------------------------------
-- What leaves the host.

-- Effects and records that were committed, in the order in which they are delivered to their entry. What comes of an adoption
-- comes of no run. `fence` only rises;
-- `lease_until` is set while a host sends it. `became` is set once, when it is settled. `path` and `artifact` are those of a
-- published file, by which a later run knows its own file again. `leaves` is the revision that the entry has once a change of
-- its state is delivered, by which the change is known as our own. What is delivered is apart, since this row changes often.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    run_seq     INTEGER REFERENCES run (seq),
    adoption    INTEGER REFERENCES adoption (seq),
    entry_id    INTEGER NOT NULL REFERENCES entry (id),
    kind        TEXT NOT NULL CHECK (kind IN ('effect', 'record', 'leave', 'adopted')),
    reference   TEXT,
    path        TEXT,
    artifact    BLOB,
    leaves      BLOB,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'settled')),
    fence       INTEGER NOT NULL,
    host        TEXT,
    lease_until INTEGER CHECK ((lease_until IS NOT NULL) = (state = 'sending')),
    next_at     INTEGER NOT NULL,
    failures    INTEGER NOT NULL,
    ambiguous   INTEGER NOT NULL,
    reason      TEXT,
    became      TEXT CHECK ((became IS NOT NULL) = (state = 'settled')),
    settled_at  INTEGER,
    CHECK ((run_seq IS NULL) = (kind = 'adopted') AND (adoption IS NULL) = (kind <> 'adopted'))
) STRICT;
CREATE INDEX outbox_by_run ON outbox (run_seq, id);
CREATE UNIQUE INDEX outbox_reference ON outbox (run_seq, reference) WHERE reference IS NOT NULL;
CREATE INDEX outbox_unsettled ON outbox (entry_id, id) WHERE state <> 'settled';
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_leased ON outbox (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX outbox_by_adoption ON outbox (adoption) WHERE adoption IS NOT NULL;
CREATE INDEX outbox_by_path ON outbox (entry_id, path, id) WHERE path IS NOT NULL;

-- What is delivered, a row a delivery. Rows are never changed.
CREATE TABLE outbox_body (
    outbox_id INTEGER PRIMARY KEY REFERENCES outbox (id),
    body      TEXT NOT NULL
) STRICT;

-- Times that end a run's wait.
CREATE TABLE wake (
    run_seq INTEGER NOT NULL REFERENCES run (seq),
    at      INTEGER NOT NULL,
    PRIMARY KEY (run_seq, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX wake_due ON wake (at);

-- What is said to have happened outside, by name: it ends the waits for events of that name. It concerns one run or, where `run_seq` is
-- null, all. Rows are never changed.
CREATE TABLE signal (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL,
    run_seq INTEGER REFERENCES run (seq),
    who     TEXT NOT NULL,
    data    TEXT NOT NULL,
    sent_at INTEGER NOT NULL
) STRICT;
CREATE INDEX signal_by_name ON signal (name, id);

-- The call that a run waits for, from the commit of that call to the end of its wait. Signals after `since` end it.
CREATE TABLE wait (
    run_seq INTEGER PRIMARY KEY REFERENCES run (seq),
    step    TEXT NOT NULL,
    since   INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;

-- Names of signals that end a run's wait.
CREATE TABLE wake_signal (
    run_seq INTEGER NOT NULL REFERENCES run (seq),
    name    TEXT NOT NULL,
    PRIMARY KEY (run_seq, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX wake_signal_by_name ON wake_signal (name);

-- Runs that wait until the entries that they opened are over.
CREATE TABLE wake_children (
    run_seq INTEGER PRIMARY KEY REFERENCES run (seq)
) STRICT;

-- What a person is asked before a run goes on.
CREATE TABLE ask (
    run_seq INTEGER PRIMARY KEY REFERENCES run (seq),
    body    TEXT NOT NULL
) STRICT;

-- Deliveries that a run waits for. When the last row of one condition of a run goes, the wait ends.
CREATE TABLE wake_delivery (
    run_seq   INTEGER NOT NULL REFERENCES run (seq),
    condition INTEGER NOT NULL,
    outbox_id INTEGER NOT NULL REFERENCES outbox (id),
    PRIMARY KEY (run_seq, condition, outbox_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX wake_delivery_by_outbox ON wake_delivery (outbox_id);

-- ---------------------------------------------------------------------------------------------------------------------------
-- Hosts and people.

-- Hosts that drove runs, and when each was last heard of.
CREATE TABLE host (
    id      TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL,
    version TEXT,
    schema  INTEGER,
    labels  TEXT
) STRICT, WITHOUT ROWID;

-- At most one row: the stop in force.
CREATE TABLE control (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    mode     TEXT NOT NULL CHECK (mode IN ('drain', 'now')),
    who      TEXT NOT NULL,
    why      TEXT NOT NULL,
    since_at INTEGER NOT NULL
) STRICT;

-- What people decided, about an entry or (`entry_id` is null) about all hosts, with what exactly where there is more to say than
-- the kind. Rows are never changed.
CREATE TABLE decision (
    id         INTEGER PRIMARY KEY,
    entry_id   INTEGER REFERENCES entry (id),
    kind       TEXT NOT NULL,
    who        TEXT,
    why        TEXT,
    body       TEXT,
    decided_at INTEGER NOT NULL
) STRICT;
CREATE INDEX decision_by_entry ON decision (entry_id, id);

-- Ticks of schedules that were acted on: the key makes a tick happen once, however many hosts saw it.
CREATE TABLE schedule_fire (
    schedule TEXT NOT NULL,
    tick_at  INTEGER NOT NULL,
    fired_at INTEGER NOT NULL,
    PRIMARY KEY (schedule, tick_at)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------------------------------------------------------------------
-- Lines for people: one list of columns for every query that shows them.

CREATE VIEW entry_line AS
SELECT entry.id, entry.tracker, entry.key, entry.backlog, entry.title, entry.url, entry.state, entry.closed, entry.revision, entry.adopted,
       entry.rounds, entry.created_at, lane.pipeline, place.score_thousandths, place.terms, place.lane_id, place.rank_key
FROM entry
LEFT JOIN place ON place.entry_id = entry.id
LEFT JOIN lane ON lane.id = place.lane_id;

CREATE VIEW run_line AS
SELECT run.seq, run.id, run.entry_id, entry.tracker, entry.key, run.title, run.lane_id, run.pipeline, run.kind, run.round,
       run.state, run.reason, run.host, run.fence, run.lease_until, run.crashes, run.started_at, run.ended_at, run.cost, run.pins,
       run.revision, run.order_facts, run.escrow, run.rebuilt,
       CASE WHEN run.crashes > 0 THEN (
           SELECT json_group_array(lost_host.host ORDER BY lost_host.fence) FROM lost_host WHERE lost_host.run_seq = run.seq
       ) END AS lost_hosts,
       ask.body AS ask
FROM run
JOIN entry ON entry.id = run.entry_id
LEFT JOIN ask ON ask.run_seq = run.seq;

-- What waits for a person, and since when: runs that ask, runs that cannot pay for what they opened (with how much `more` that needs
-- at the most), entries whose newest run was given to a person, and entries that are held for what a person alone lifts, unless the
-- policy says no to them anyway.
CREATE VIEW escalation AS
SELECT CASE json_extract(ask.body, '$.lack')
           WHEN 'approval' THEN 'approval'
           WHEN 'evidence' THEN 'evidence'
           WHEN 'answer' THEN 'question'
           ELSE 'budget'
       END AS kind,
       (SELECT max(event.at) FROM event WHERE event.run_seq = ask.run_seq AND event.kind = 'waiting') AS since_at,
       run.entry_id, run.id AS run_id, json_extract(ask.body, '$.role') AS role, NULL AS more
FROM ask
JOIN run ON run.seq = ask.run_seq
UNION ALL
SELECT 'budget',
       min(coalesce(
           (SELECT since_at FROM hold WHERE hold.entry_id = unfunded.entry_id AND hold.kind = 'budget'),
           (SELECT max(event.at) FROM event WHERE event.run_seq = unfunded.run_seq AND event.kind = 'waiting'))),
       run.entry_id, run.id, NULL, sum(unfunded.amount)
FROM unfunded
CROSS JOIN run ON run.seq = unfunded.payer
GROUP BY run.seq
UNION ALL
SELECT 'escalated', run.ended_at, run.entry_id, run.id, json_extract(outbox_body.body, '$.final.to'), NULL
FROM entry
JOIN run ON run.seq = (SELECT max(seq) FROM run WHERE entry_id = entry.id AND kind = 'work')
LEFT JOIN outbox ON outbox.run_seq = run.seq AND outbox.kind = 'record'
LEFT JOIN outbox_body ON outbox_body.outbox_id = outbox.id
WHERE entry.state = 'escalated'
UNION ALL
SELECT 'held', min(hold.since_at), entry.id, NULL, NULL, NULL
FROM hold
CROSS JOIN entry ON entry.id = hold.entry_id
WHERE entry.state = 'held' AND hold.kind IN ('person', 'refine-failed', 'own-output', 'duplicate', 'intake', 'budget')
  AND hold.until_at IS NULL
  AND NOT (hold.kind = 'budget' AND EXISTS (SELECT 1 FROM unfunded WHERE unfunded.entry_id = entry.id))
  AND NOT EXISTS (
      SELECT 1 FROM hold AS refusal
      WHERE refusal.entry_id = entry.id AND refusal.kind IN ('closed', 'not-eligible', 'on-hold'))
GROUP BY entry.id;
