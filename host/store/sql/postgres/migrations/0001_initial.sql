-- The whole schema.
--
-- Times are whole milliseconds since 1970 (UTC) and end in `_at`. Money is in microcents. Digests are their 32 raw bytes. Text sorts by its bytes. Words
-- (`state`, `kind`, …) are those of the code and the commands, so that a person can read the tables. What is queried is a column;
-- what is only handed back is JSON in `body`. A column is NOT NULL where a row without it would mean nothing; columns that later
-- migrations add are nullable or have a default.

-- Which migrations ran. `needs` is the least version of the schema that a host has to know to work with the store from then on: an
-- earlier one refuses the store by the migration's name.
CREATE TABLE schema_migration (
    version    BIGINT PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    applied_at BIGINT NOT NULL,
    needs      BIGINT NOT NULL
);

-- One row: the store itself. `seen_at` is the latest time that the store ever acted on; it never acts on an earlier one.
-- `moved_to` is set when the store went elsewhere.
CREATE TABLE store (
    one      SMALLINT PRIMARY KEY CHECK (one = 1),
    id       TEXT COLLATE "C" NOT NULL,
    made_at  BIGINT NOT NULL,
    seen_at  BIGINT NOT NULL,
    moved_to TEXT COLLATE "C",
    moved_at BIGINT
);

-- ---------------------------------------------------------------------------------------------------------------------------
-- Counters.
--
-- What nearly every transaction counts would be one row that each of them waits for until the one before is on the disk. So
-- every connection of a host has a slot, a small number that it alone holds (by an advisory lock), and counts in rows of its own;
-- the count is their sum, and one row alone may be below zero. Two transactions never wait for each other's counts.

-- The slot of this connection; 0 for one that has none, such as a person's.
CREATE FUNCTION slot() RETURNS SMALLINT LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('tollgate.slot', true), ''), '0')::smallint;

-- The virtual time that was served last, below which no lane can save up claims: the largest of all slots.
CREATE TABLE turn (
    slot  SMALLINT PRIMARY KEY,
    vtime BIGINT NOT NULL
) WITH (fillfactor = 50);

-- What JSON in a text says, but for the one character that PostgreSQL reads nowhere.
CREATE FUNCTION json_in(body TEXT) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CAST(replace(body, '\u0000', '\ufffd') AS json);

-- ---------------------------------------------------------------------------------------------------------------------------
-- Policy.

-- Every policy that was ever applied, with who and why; the applied one is the newest. Rows are never changed.
CREATE TABLE policy_version (
    version    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest     BYTEA NOT NULL,
    document   TEXT COLLATE "C" NOT NULL,
    who        TEXT COLLATE "C" NOT NULL,
    why        TEXT COLLATE "C" NOT NULL,
    applied_at BIGINT NOT NULL
);

-- What runs are pinned to, by digest. Rows are never changed.
CREATE TABLE pins (
    digest BYTEA PRIMARY KEY,
    body   TEXT COLLATE "C" NOT NULL
);

-- Every version of a plugin that some pins name.
CREATE TABLE plugin_version (
    digest        BYTEA PRIMARY KEY,
    name          TEXT COLLATE "C" NOT NULL,
    version       TEXT COLLATE "C" NOT NULL,
    contract      TEXT COLLATE "C" NOT NULL,
    first_seen_at BIGINT NOT NULL
);

-- What a claim sets aside under some pins: for the project as a whole, and of that for each plugin.
CREATE TABLE tranche (
    pins   BYTEA NOT NULL REFERENCES pins (digest),
    scope  TEXT COLLATE "C" NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (pins, scope)
);

-- One row for each backlog and pipeline that was ever routed together; `open` is false when the applied policy does not name it.
-- Its virtual time and how much waits in it are in `lane_share`. The pins of one that is known by rebuilt runs alone are not in `pins`.
CREATE TABLE lane (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    backlog  TEXT COLLATE "C" NOT NULL,
    pipeline TEXT COLLATE "C" NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL CHECK (kind IN ('work', 'refine')),
    pins     BYTEA NOT NULL,
    open     BOOLEAN NOT NULL,
    UNIQUE (backlog, pipeline)
);

-- What each slot counted of a lane: its virtual time, and its rows in `ready`, which triggers keep. The lane's virtual time is the
-- largest `base` and all that was added to it since: two transactions that bring a lane up to the others at once do it once.
CREATE TABLE lane_share (
    lane_id BIGINT NOT NULL REFERENCES lane (id),
    slot    SMALLINT NOT NULL,
    base    BIGINT NOT NULL DEFAULT 0,
    vtime   BIGINT NOT NULL,
    waiting BIGINT NOT NULL,
    PRIMARY KEY (lane_id, slot)
) WITH (fillfactor = 50);

-- What may be spent; `active` is false when the applied policy does not name it.
CREATE TABLE cap (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope        TEXT COLLATE "C" NOT NULL,
    period       TEXT COLLATE "C" NOT NULL CHECK (period IN ('day', 'month')),
    zone         TEXT COLLATE "C" NOT NULL,
    limit_amount BIGINT NOT NULL,
    active       BOOLEAN NOT NULL,
    UNIQUE (scope, period)
);

-- Where a cap stands in one period. At every commit settled + escrow is at most the limit that held when either last grew.
CREATE TABLE cap_period (
    cap_id    BIGINT NOT NULL REFERENCES cap (id),
    label     TEXT COLLATE "C" NOT NULL,
    settled   BIGINT NOT NULL CHECK (settled >= 0),
    escrow    BIGINT NOT NULL CHECK (escrow >= 0),
    overdraft BIGINT NOT NULL CHECK (overdraft >= 0),
    PRIMARY KEY (cap_id, label)
);

-- ---------------------------------------------------------------------------------------------------------------------------
-- Entries.

-- What an entry said at some revision, by digest: the text is apart from the row that changes. Rows are never changed.
CREATE TABLE snapshot (
    revision BYTEA PRIMARY KEY,
    body     TEXT COLLATE "C" NOT NULL
);

-- One row for each item of work that was ever seen. Rows are never deleted.
--
-- Of the entries that wait, those with a row in `hold` are held and those without are ready; `held_for` is the kind of the
-- first hold. `basis` is the digest of what it says at its revision without what refining adds; `worked` is that of what its newest
-- run worked on, or of what was adopted: done is said of it. `adopted` is true from its adoption until a run of it begins. `arrival`
-- is the digest of what last came in, by which an arrival that brings nothing new is passed over.
CREATE TABLE entry (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tracker       TEXT COLLATE "C" NOT NULL,
    key           TEXT COLLATE "C" NOT NULL,
    backlog       TEXT COLLATE "C" NOT NULL,
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN (
                   'new', 'held', 'ready', 'busy', 'done', 'failed', 'escalated', 'blocked', 'gone')),
    held_for      TEXT COLLATE "C" CHECK ((held_for IS NOT NULL) = (state = 'held')),
    closed        BOOLEAN NOT NULL,
    revision      BYTEA NOT NULL REFERENCES snapshot (revision),
    basis         BYTEA NOT NULL,
    worked        BYTEA,
    adopted       BOOLEAN NOT NULL DEFAULT false,
    depends       TEXT COLLATE "C" NOT NULL CHECK (depends IN ('either', 'tracker', 'run')),
    arrival       BYTEA,
    rounds        BIGINT NOT NULL DEFAULT 0,
    title         TEXT COLLATE "C" NOT NULL,
    url           TEXT COLLATE "C",
    created_at    BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    UNIQUE (tracker, key)
);
CREATE INDEX entry_by_key ON entry (key, backlog);

-- What the source said of an entry last, kept so that it can be judged again without reading the source.
CREATE TABLE source_item (
    entry_id BIGINT PRIMARY KEY REFERENCES entry (id),
    body     TEXT COLLATE "C" NOT NULL
);

-- What is known of an entry besides what its source says: fields that people set, and what its newest refine run found.
-- `version` counts the changes: what was judged by an earlier one is judged again.
CREATE TABLE supplement (
    entry_id BIGINT PRIMARY KEY REFERENCES entry (id),
    version  BIGINT NOT NULL,
    body     TEXT COLLATE "C" NOT NULL
);

-- Links from an entry, by the name of the other, which may not be known yet. All links of an entry are replaced together. Where
-- a link leads is in `link_list.sql`.
CREATE TABLE link (
    entry_id BIGINT NOT NULL REFERENCES entry (id),
    position BIGINT NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL CHECK (kind IN ('depends-on', 'child-of', 'member-of', 'duplicate-of')),
    tracker  TEXT COLLATE "C" NOT NULL,
    key      TEXT COLLATE "C" NOT NULL,
    written  TEXT COLLATE "C",
    source   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (entry_id, position)
);
CREATE INDEX link_by_key ON link (key, kind);

-- Numbers that entries share whose texts are alike, where their backlog compares them. Entries that are held as duplicates have none.
CREATE TABLE "similar" (
    backlog  TEXT COLLATE "C" NOT NULL,
    number   BIGINT NOT NULL,
    entry_id BIGINT NOT NULL REFERENCES entry (id),
    PRIMARY KEY (backlog, number, entry_id)
);

-- When entries were let in, or will be, by what is counted: the entries of a source, or of an author. Rows whose time is longer ago
-- than the span in which they count are deleted.
CREATE TABLE intake (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    backlog TEXT COLLATE "C" NOT NULL,
    scope   TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX intake_by_scope ON intake (backlog, scope, at);

-- One row for each reason why an entry may not run, in the order in which people read them. The policy's reasons are kept in
-- every state; reasons about dependencies only while the entry waits. One that names the entry it waits for (`target_id`) has no
-- sentence of its own: what the other entry is doing is told when it is asked, so that it is never out of date.
CREATE TABLE hold (
    entry_id      BIGINT NOT NULL REFERENCES entry (id),
    position      BIGINT NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    subject       TEXT COLLATE "C" NOT NULL,
    reason        TEXT COLLATE "C",
    until_at      BIGINT,
    since_at      BIGINT NOT NULL,
    link_position BIGINT,
    target_id     BIGINT REFERENCES entry (id),
    PRIMARY KEY (entry_id, position)
);
CREATE INDEX hold_due ON hold (until_at) WHERE until_at IS NOT NULL;

-- Where an entry waits, would wait, or waited: for its work, or first to be refined. One that the policy gives no lane, and judges
-- otherwise later, has a row without.
-- `due_at` is when what the policy says of it changes next, and set only while it waits.
-- `former_key` is the key before the last time that it was scored again: until whoever did that has put in order what moved, the entry's
-- row in `ready` stands there, and afterwards, if anywhere, at `rank_key`.
-- `rejudged` is set when it is newer than what came in last: the next arrival is compared with nothing.
CREATE TABLE place (
    entry_id          BIGINT PRIMARY KEY REFERENCES entry (id),
    lane_id           BIGINT REFERENCES lane (id),
    rank_key          BYTEA CHECK ((rank_key IS NULL) = (lane_id IS NULL)),
    score_thousandths BIGINT,
    terms             TEXT COLLATE "C" NOT NULL,
    due_at            BIGINT,
    former_key        BYTEA,
    rejudged          BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX place_due ON place (due_at, entry_id) WHERE due_at IS NOT NULL;

-- The ready index: exactly what can be claimed, in the order in which it is. Entries that wait for their work or to be refined
-- (`run_seq` is null) and begun runs that can go on. What is held, parked or driven is not here, so a claim never steps over it.
CREATE TABLE ready (
    lane_id  BIGINT NOT NULL,
    rank_key BYTEA NOT NULL,
    entry_id BIGINT NOT NULL,
    run_seq  BIGINT,
    PRIMARY KEY (lane_id, rank_key, entry_id)
);
-- Where an entry stands its place says: an index by entry would be written at random wherever a row moves.
CREATE INDEX ready_begun ON ready (entry_id) WHERE run_seq IS NOT NULL;

-- Who scores a whole backlog again, and has not put in order all that moved. One whose lease lapsed did not come to that; whoever
-- finds it does it instead.
CREATE TABLE rescoring (
    id          BIGINT PRIMARY KEY,
    lease_until BIGINT NOT NULL
);

CREATE FUNCTION ready_count() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO lane_share (lane_id, slot, vtime, waiting) SELECT lane_id, slot(), 0, count(*) FROM changed GROUP BY lane_id
        ON CONFLICT (lane_id, slot) DO UPDATE SET waiting = lane_share.waiting + excluded.waiting;
    ELSE
        INSERT INTO lane_share (lane_id, slot, vtime, waiting) SELECT lane_id, slot(), 0, -count(*) FROM changed GROUP BY lane_id
        ON CONFLICT (lane_id, slot) DO UPDATE SET waiting = lane_share.waiting + excluded.waiting;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ready_count_insert AFTER INSERT ON ready REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ready_count();
CREATE TRIGGER ready_count_delete AFTER DELETE ON ready REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ready_count();

-- How many entries of each backlog are in which state, and for what, and how many of them are adopted; kept by triggers, so that
-- a report reads a few rows however long the backlog is.
CREATE TABLE coverage (
    backlog  TEXT COLLATE "C" NOT NULL,
    state    TEXT COLLATE "C" NOT NULL,
    held_for TEXT COLLATE "C" NOT NULL,
    adopted  BOOLEAN NOT NULL,
    slot     SMALLINT NOT NULL,
    entries  BIGINT NOT NULL,
    PRIMARY KEY (backlog, state, held_for, adopted, slot)
) WITH (fillfactor = 50);

CREATE FUNCTION coverage_count() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO coverage
        SELECT backlog, state, coalesce(held_for, ''), adopted, slot(), count(*) FROM is_so GROUP BY 1, 2, 3, 4
        ON CONFLICT (backlog, state, held_for, adopted, slot) DO UPDATE SET entries = coverage.entries + excluded.entries;
    ELSE
        INSERT INTO coverage
        SELECT backlog, state, held_for, adopted, slot(), sum(entries)
        FROM (SELECT backlog, state, coalesce(held_for, '') AS held_for, adopted, 1 AS entries FROM is_so
              UNION ALL
              SELECT backlog, state, coalesce(held_for, ''), adopted, -1 FROM was_so) AS changed
        GROUP BY 1, 2, 3, 4
        HAVING sum(entries) <> 0
        ON CONFLICT (backlog, state, held_for, adopted, slot) DO UPDATE SET entries = coverage.entries + excluded.entries;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER coverage_insert AFTER INSERT ON entry REFERENCING NEW TABLE AS is_so
    FOR EACH STATEMENT EXECUTE FUNCTION coverage_count();
CREATE TRIGGER coverage_update AFTER UPDATE ON entry REFERENCING OLD TABLE AS was_so NEW TABLE AS is_so
    FOR EACH STATEMENT EXECUTE FUNCTION coverage_count();

-- What the runs of a backlog have cost.
CREATE TABLE backlog_cost (
    backlog TEXT COLLATE "C" NOT NULL,
    slot    SMALLINT NOT NULL,
    cost    BIGINT NOT NULL,
    PRIMARY KEY (backlog, slot)
) WITH (fillfactor = 50);

-- Every reading of a source in full; `complete` is null until it ended.
CREATE TABLE reconcile (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    backlog  TEXT COLLATE "C" NOT NULL,
    tracker  TEXT COLLATE "C" NOT NULL,
    begun_at BIGINT NOT NULL,
    ended_at BIGINT,
    complete BOOLEAN
);
CREATE INDEX reconcile_complete ON reconcile (backlog, tracker, id) WHERE complete;

-- In which reconcile an entry was seen last: the one thing that every reading writes for every entry, so its row is small.
CREATE TABLE sighting (
    entry_id  BIGINT PRIMARY KEY REFERENCES entry (id),
    reconcile BIGINT NOT NULL
);

-- ---------------------------------------------------------------------------------------------------------------------------
-- Runs.

-- One row for each journey of an entry through a pipeline. `fence` only rises. `lease_until` is set while a host drives it;
-- a running run without one has a row in `ready`. `heard` is the newest signal before its present
-- call began. `chain_*` is the head of its events. `escrow` is what is set aside for it.
-- `payer` is the run that opened its entry, with whose cost it counts. `rebuilt` is true for one that is known by its record alone: its events, steps, pins and the text that it worked on are not here.
CREATE TABLE run (
    seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           TEXT COLLATE "C" NOT NULL UNIQUE,
    entry_id     BIGINT NOT NULL REFERENCES entry (id),
    lane_id      BIGINT NOT NULL REFERENCES lane (id),
    backlog      TEXT COLLATE "C" NOT NULL,
    pipeline     TEXT COLLATE "C" NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL CHECK (kind IN ('work', 'refine')),
    round        BIGINT NOT NULL,
    title        TEXT COLLATE "C" NOT NULL,
    revision     BYTEA NOT NULL,
    pins         BYTEA NOT NULL,
    rank_key     BYTEA NOT NULL,
    order_facts  TEXT COLLATE "C" NOT NULL,
    state        TEXT COLLATE "C" NOT NULL CHECK (state IN ('running', 'waiting', 'done', 'failed', 'escalated', 'cancelled')),
    reason       TEXT COLLATE "C",
    fence        BIGINT NOT NULL,
    host         TEXT COLLATE "C" NOT NULL,
    lease_until  BIGINT CHECK (lease_until IS NULL OR state = 'running'),
    crashes      BIGINT NOT NULL,
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    cost         BIGINT NOT NULL,
    escrow       BIGINT NOT NULL CHECK (escrow >= 0),
    chain_events BIGINT NOT NULL,
    chain_hash   BYTEA NOT NULL,
    heard        BIGINT NOT NULL DEFAULT 0,
    rebuilt      BOOLEAN NOT NULL DEFAULT false,
    payer        BIGINT REFERENCES run (seq)
);
CREATE UNIQUE INDEX run_live ON run (entry_id, pipeline) WHERE state IN ('running', 'waiting');
CREATE INDEX run_by_entry ON run (entry_id);
CREATE INDEX run_leased ON run (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX run_waiting ON run (state) WHERE state = 'waiting';

-- Entries that live in this store alone: what makes each the same as another, and, where a run opened it, which one and of which
-- entry. `depth` counts the openings that lead to it from an entry that no run opened, `origin_id`. Rows are never changed.
CREATE TABLE opened (
    entry_id    BIGINT PRIMARY KEY REFERENCES entry (id),
    backlog     TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    parent_id   BIGINT REFERENCES entry (id),
    run_seq     BIGINT REFERENCES run (seq) CHECK ((run_seq IS NULL) = (parent_id IS NULL)),
    origin_id   BIGINT REFERENCES entry (id) CHECK ((origin_id IS NULL) = (parent_id IS NULL)),
    depth       BIGINT NOT NULL,
    UNIQUE (backlog, fingerprint)
);
CREATE INDEX opened_by_parent ON opened (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX opened_by_origin ON opened (origin_id) WHERE origin_id IS NOT NULL;

-- Entries that a run asked to be opened and that are children of its entry: made by it, or found where an earlier run of the entry
-- had made them. Rows are never changed.
CREATE TABLE child (
    run_seq  BIGINT NOT NULL REFERENCES run (seq),
    entry_id BIGINT NOT NULL REFERENCES entry (id),
    PRIMARY KEY (run_seq, entry_id)
);
CREATE INDEX child_by_entry ON child (entry_id);

-- A run that opened entries: what it may cost, by its pipeline and by what people approved, and what the runs that it pays for have
-- cost and set aside: those of the entries that it opened, of those that these opened, and so on.
CREATE TABLE family (
    run_seq      BIGINT PRIMARY KEY REFERENCES run (seq),
    limit_amount BIGINT NOT NULL,
    settled      BIGINT NOT NULL CHECK (settled >= 0),
    escrow       BIGINT NOT NULL CHECK (escrow >= 0)
);

-- What waits until a run that pays for it has so much room: an entry that is held for it, or (`run_seq`) a run that was begun.
CREATE TABLE unfunded (
    entry_id BIGINT PRIMARY KEY REFERENCES entry (id),
    payer    BIGINT NOT NULL REFERENCES family (run_seq),
    run_seq  BIGINT REFERENCES run (seq),
    amount   BIGINT NOT NULL
);
CREATE INDEX unfunded_by_payer ON unfunded (payer);

-- What people and other hosts want of a run. Only a transaction that holds the run applies it.
CREATE TABLE inbox (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_seq    BIGINT NOT NULL REFERENCES run (seq),
    sent_at    BIGINT NOT NULL,
    who        TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    body       TEXT COLLATE "C" NOT NULL,
    applied_at BIGINT
);
CREATE INDEX inbox_open ON inbox (run_seq, id) WHERE applied_at IS NULL;
CREATE UNIQUE INDEX inbox_cancel ON inbox (run_seq) WHERE kind = 'cancel';

-- What drivers brought after they had lost their run: evidence, by which nothing is decided.
CREATE TABLE late (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_seq BIGINT NOT NULL REFERENCES run (seq),
    fence   BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    brought TEXT COLLATE "C" NOT NULL
);
CREATE INDEX late_by_run ON late (run_seq, id);

-- Hosts whose lease on a run lapsed, by the fence that they had, and of which nobody has heard since: they ended while they drove it.
CREATE TABLE lost_host (
    run_seq BIGINT NOT NULL REFERENCES run (seq),
    fence   BIGINT NOT NULL,
    host    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run_seq, fence)
);
CREATE INDEX lost_host_by_host ON lost_host (host);

-- Every call that ended, in the order in which they did, and what it cost. `gate` is empty for the stage itself. Rows are never
-- changed.
CREATE TABLE step (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_seq    BIGINT NOT NULL REFERENCES run (seq),
    stage      TEXT COLLATE "C" NOT NULL,
    gate       TEXT COLLATE "C" NOT NULL,
    rework     BIGINT NOT NULL,
    attempt    BIGINT NOT NULL,
    plugin     BYTEA NOT NULL,
    settled_at BIGINT NOT NULL,
    fuel       BIGINT NOT NULL,
    cost       BIGINT NOT NULL,
    body       TEXT COLLATE "C" NOT NULL,
    UNIQUE (run_seq, stage, gate, rework, attempt)
);

-- Attempts that asked something or paused: what must be the same when one is called again, and what of its cost was settled
-- before it ended. `gate` is empty for the stage itself.
CREATE TABLE attempt (
    run_seq BIGINT NOT NULL REFERENCES run (seq),
    stage   TEXT COLLATE "C" NOT NULL,
    gate    TEXT COLLATE "C" NOT NULL,
    rework  BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    plugin  BYTEA NOT NULL,
    begun   TEXT COLLATE "C" NOT NULL,
    charged BIGINT NOT NULL CHECK (charged >= 0),
    PRIMARY KEY (run_seq, stage, gate, rework, attempt)
);

-- What an attempt asked of its capabilities and what it was told: the intent before it acts, the answer before the guest sees
-- it. `open` is true while the answer is awaited and its largest cost is set aside; an intent that is neither open nor answered was
-- charged at its largest, and nobody knows whether it happened.
CREATE TABLE journal (
    run_seq BIGINT NOT NULL REFERENCES run (seq),
    stage   TEXT COLLATE "C" NOT NULL,
    gate    TEXT COLLATE "C" NOT NULL,
    rework  BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    call    BIGINT NOT NULL,
    intent  TEXT COLLATE "C" NOT NULL,
    answer  TEXT COLLATE "C",
    open    BOOLEAN NOT NULL CHECK (NOT open OR answer IS NULL),
    PRIMARY KEY (run_seq, stage, gate, rework, attempt, call)
);
CREATE INDEX journal_open ON journal (run_seq) WHERE open;

-- What a live run has set aside, by cap and by the period in which it was. No rows for a run that no host drives.
CREATE TABLE escrow (
    run_seq BIGINT NOT NULL REFERENCES run (seq),
    cap_id  BIGINT NOT NULL REFERENCES cap (id),
    label   TEXT COLLATE "C" NOT NULL,
    amount  BIGINT NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (run_seq, cap_id, label)
);

-- What happened to a run; each hash covers the one before it. Rows are never changed.
CREATE TABLE event (
    run_seq BIGINT NOT NULL REFERENCES run (seq),
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL,
    body    TEXT COLLATE "C" NOT NULL,
    hash    BYTEA NOT NULL,
    PRIMARY KEY (run_seq, seq)
);

-- The events of a run that was over long ago, all of them, in place of their rows in `event`: deflated, as the store's module
-- `pack` says. Rows are never changed.
CREATE TABLE event_pack (
    run_seq BIGINT PRIMARY KEY REFERENCES run (seq),
    events  BIGINT NOT NULL,
    body    BYTEA NOT NULL
);

-- ---------------------------------------------------------------------------------------------------------------------------
-- Work that was done before Tollgate.

-- Every adoption of an entry, oldest first. Rows are never changed.
CREATE TABLE adoption (
    seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         TEXT COLLATE "C" NOT NULL UNIQUE,
    entry_id   BIGINT NOT NULL REFERENCES entry (id),
    adopted_at BIGINT NOT NULL,
    body       TEXT COLLATE "C" NOT NULL
);
CREATE INDEX adoption_by_entry ON adoption (entry_id, seq);

-- What stood in a tracker of work that this store does not know, by the key of an item that was not seen yet. It is applied, and
-- gone from here, in the transaction that makes the entry. `body` is a record, or for one that does not verify what is wrong with it.
CREATE TABLE prior (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tracker TEXT COLLATE "C" NOT NULL,
    key     TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    kind    TEXT COLLATE "C" NOT NULL CHECK (kind IN ('run', 'adoption', 'damaged')),
    place   TEXT COLLATE "C" NOT NULL,
    body    TEXT COLLATE "C" NOT NULL
);
CREATE INDEX prior_by_key ON prior (tracker, key);

-- Trackers whose records have been read.
CREATE TABLE prior_reading (
    tracker TEXT COLLATE "C" PRIMARY KEY,
    read_at BIGINT NOT NULL
);

-- ---------------------------------------------------------------------------------------------------------------------------
-- What leaves the host.

-- Effects and records that were committed, in the order in which they are delivered to their entry. What comes of an adoption
-- comes of no run. `fence` only rises;
-- `lease_until` is set while a host sends it. `became` is set once, when it is settled. `path` and `artifact` are those of a
-- published file, by which a later run knows its own file again. `leaves` is the revision that the entry has once a change of
-- its state is delivered, by which the change is known as our own. What is delivered is apart, since this row changes often.
CREATE TABLE outbox (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_seq     BIGINT REFERENCES run (seq),
    adoption    BIGINT REFERENCES adoption (seq),
    entry_id    BIGINT NOT NULL REFERENCES entry (id),
    kind        TEXT COLLATE "C" NOT NULL CHECK (kind IN ('effect', 'record', 'leave', 'adopted')),
    reference   TEXT COLLATE "C",
    path        TEXT COLLATE "C",
    artifact    BYTEA,
    leaves      BYTEA,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sending', 'settled')),
    fence       BIGINT NOT NULL,
    host        TEXT COLLATE "C",
    lease_until BIGINT CHECK ((lease_until IS NOT NULL) = (state = 'sending')),
    next_at     BIGINT NOT NULL,
    failures    BIGINT NOT NULL,
    ambiguous   BOOLEAN NOT NULL,
    reason      TEXT COLLATE "C",
    became      TEXT COLLATE "C" CHECK ((became IS NOT NULL) = (state = 'settled')),
    settled_at  BIGINT,
    CHECK ((run_seq IS NULL) = (kind = 'adopted') AND (adoption IS NULL) = (kind <> 'adopted'))
);
CREATE INDEX outbox_by_run ON outbox (run_seq, id);
CREATE UNIQUE INDEX outbox_reference ON outbox (run_seq, reference) WHERE reference IS NOT NULL;
CREATE INDEX outbox_unsettled ON outbox (entry_id, id) WHERE state <> 'settled';
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_leased ON outbox (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX outbox_by_adoption ON outbox (adoption) WHERE adoption IS NOT NULL;
CREATE INDEX outbox_by_path ON outbox (entry_id, path, id) WHERE path IS NOT NULL;

-- What is delivered, a row a delivery. Rows are never changed.
CREATE TABLE outbox_body (
    outbox_id BIGINT PRIMARY KEY REFERENCES outbox (id),
    body      TEXT COLLATE "C" NOT NULL
);

-- Times that end a run's wait.
CREATE TABLE wake (
    run_seq BIGINT NOT NULL REFERENCES run (seq),
    at      BIGINT NOT NULL,
    PRIMARY KEY (run_seq, at)
);
CREATE INDEX wake_due ON wake (at);

-- What is said to have happened outside, by name: it ends the waits for events of that name. It concerns one run or, where `run_seq` is
-- null, all. Rows are never changed.
CREATE TABLE signal (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    TEXT COLLATE "C" NOT NULL,
    run_seq BIGINT REFERENCES run (seq),
    who     TEXT COLLATE "C" NOT NULL,
    data    TEXT COLLATE "C" NOT NULL,
    sent_at BIGINT NOT NULL
);
CREATE INDEX signal_by_name ON signal (name, id);

-- The call that a run waits for, from the commit of that call to the end of its wait. Signals after `since` end it.
CREATE TABLE wait (
    run_seq BIGINT PRIMARY KEY REFERENCES run (seq),
    step    TEXT COLLATE "C" NOT NULL,
    since   BIGINT NOT NULL,
    body    TEXT COLLATE "C" NOT NULL
);

-- Names of signals that end a run's wait.
CREATE TABLE wake_signal (
    run_seq BIGINT NOT NULL REFERENCES run (seq),
    name    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run_seq, name)
);
CREATE INDEX wake_signal_by_name ON wake_signal (name);

-- Runs that wait until the entries that they opened are over.
CREATE TABLE wake_children (
    run_seq BIGINT PRIMARY KEY REFERENCES run (seq)
);

-- What a person is asked before a run goes on.
CREATE TABLE ask (
    run_seq BIGINT PRIMARY KEY REFERENCES run (seq),
    body    TEXT COLLATE "C" NOT NULL
);

-- Deliveries that a run waits for. When the last row of one condition of a run goes, the wait ends.
CREATE TABLE wake_delivery (
    run_seq   BIGINT NOT NULL REFERENCES run (seq),
    condition BIGINT NOT NULL,
    outbox_id BIGINT NOT NULL REFERENCES outbox (id),
    PRIMARY KEY (run_seq, condition, outbox_id)
);
CREATE INDEX wake_delivery_by_outbox ON wake_delivery (outbox_id);

-- ---------------------------------------------------------------------------------------------------------------------------
-- Hosts and people.

-- Hosts that drove runs, and when each was last heard of.
CREATE TABLE host (
    id      TEXT COLLATE "C" PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    version TEXT COLLATE "C",
    schema  BIGINT,
    labels  TEXT COLLATE "C"
);

-- At most one row: the stop in force.
CREATE TABLE control (
    one      SMALLINT PRIMARY KEY CHECK (one = 1),
    mode     TEXT COLLATE "C" NOT NULL CHECK (mode IN ('drain', 'now')),
    who      TEXT COLLATE "C" NOT NULL,
    why      TEXT COLLATE "C" NOT NULL,
    since_at BIGINT NOT NULL
);

-- What people decided, about an entry or (`entry_id` is null) about all hosts, with what exactly where there is more to say than
-- the kind. Rows are never changed.
CREATE TABLE decision (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id   BIGINT REFERENCES entry (id),
    kind       TEXT COLLATE "C" NOT NULL,
    who        TEXT COLLATE "C",
    why        TEXT COLLATE "C",
    body       TEXT COLLATE "C",
    decided_at BIGINT NOT NULL
);
CREATE INDEX decision_by_entry ON decision (entry_id, id);

-- Ticks of schedules that were acted on: the key makes a tick happen once, however many hosts saw it.
CREATE TABLE schedule_fire (
    schedule TEXT COLLATE "C" NOT NULL,
    tick_at  BIGINT NOT NULL,
    fired_at BIGINT NOT NULL,
    PRIMARY KEY (schedule, tick_at)
);

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
           SELECT CAST(json_agg(lost_host.host ORDER BY lost_host.fence) AS text) FROM lost_host WHERE lost_host.run_seq = run.seq
       ) END AS lost_hosts,
       ask.body AS ask
FROM run
JOIN entry ON entry.id = run.entry_id
LEFT JOIN ask ON ask.run_seq = run.seq;

-- What waits for a person, and since when: runs that ask, runs that cannot pay for what they opened (with how much `more` that needs
-- at the most), entries whose newest run was given to a person, and entries that are held for what a person alone lifts, unless the
-- policy says no to them anyway.
CREATE VIEW escalation AS
SELECT CASE json_in(ask.body) ->> 'lack'
           WHEN 'approval' THEN 'approval'
           WHEN 'evidence' THEN 'evidence'
           WHEN 'answer' THEN 'question'
           ELSE 'budget'
       END AS kind,
       (SELECT max(event.at) FROM event WHERE event.run_seq = ask.run_seq AND event.kind = 'waiting') AS since_at,
       run.entry_id, run.id AS run_id, json_in(ask.body) ->> 'role' AS role, CAST(NULL AS bigint) AS more
FROM ask
JOIN run ON run.seq = ask.run_seq
UNION ALL
SELECT 'budget',
       min(coalesce(
           (SELECT since_at FROM hold WHERE hold.entry_id = unfunded.entry_id AND hold.kind = 'budget'),
           (SELECT max(event.at) FROM event WHERE event.run_seq = unfunded.run_seq AND event.kind = 'waiting'))),
       run.entry_id, run.id, NULL, CAST(sum(unfunded.amount) AS bigint)
FROM unfunded
JOIN run ON run.seq = unfunded.payer
GROUP BY run.seq
UNION ALL
SELECT 'escalated', run.ended_at, run.entry_id, run.id, json_in(outbox_body.body) #>> '{final,to}', NULL
FROM entry
JOIN run ON run.seq = (SELECT max(seq) FROM run WHERE entry_id = entry.id AND kind = 'work')
LEFT JOIN outbox ON outbox.run_seq = run.seq AND outbox.kind = 'record'
LEFT JOIN outbox_body ON outbox_body.outbox_id = outbox.id
WHERE entry.state = 'escalated'
UNION ALL
SELECT 'held', min(hold.since_at), entry.id, NULL, NULL, NULL
FROM entry
JOIN hold ON hold.entry_id = entry.id
WHERE entry.state = 'held' AND hold.kind IN ('person', 'refine-failed', 'own-output', 'duplicate', 'intake', 'budget')
  AND hold.until_at IS NULL
  AND NOT (hold.kind = 'budget' AND EXISTS (SELECT 1 FROM unfunded WHERE unfunded.entry_id = entry.id))
  AND NOT EXISTS (
      SELECT 1 FROM hold AS refusal
      WHERE refusal.entry_id = entry.id AND refusal.kind IN ('closed', 'not-eligible', 'on-hold'))
GROUP BY entry.id;

-- ---------------------------------------------------------------------------------------------------------------------------
-- Rows that change often: there is room beside them for their next version, and what they leave behind is cleared away before much
-- of it lies in the way of a claim, however large the table is.

ALTER TABLE ready SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE run SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 80);
ALTER TABLE entry SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 90);
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 80);
ALTER TABLE place SET (autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE hold SET (autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE escrow SET (autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE journal SET (autovacuum_vacuum_scale_factor = 0.01);
ALTER TABLE cap_period SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 50);
ALTER TABLE family SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 50);
ALTER TABLE host SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 50);
