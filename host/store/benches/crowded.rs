//! A claim from a store in PostgreSQL that was used for long: a million entries wait in one lane, fifty thousand are parked that would come
//! before them, and a hundred thousand that were claimed have left their dead rows behind, where every claim begins to look. Beside it, in
//! the same database, is what a claim would be if there were nothing but the index: one row of a bare table with as many, by
//! `FOR UPDATE SKIP LOCKED`, and its commit.
//!
//! The dead are measured twice: when nobody has cleared them away yet (no vacuum runs), and when nobody may, because a reader that began
//! before they died is not through.
//!
//! `TOLLGATE_BENCH_POSTGRES` is the URL of an empty database, whose user may do everything; `TOLLGATE_BENCH_ENTRIES` has fewer wait.

mod backlog;
#[path = "../../sandbox/benches/measure/mod.rs"]
mod measure;

use std::{
    collections::BTreeMap,
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use backlog::{BACKLOG, TRACKER, arrival, policy, request};
use measure::{Against, Figure, Target, probe_fdatasync};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use tollgate_core::LaneId;
use tollgate_store::{OpenMode, PostgresOptions, PostgresStore, Store as _, port::ClaimOutcome};

const DATABASE: &str = "TOLLGATE_BENCH_POSTGRES";

/// Entries that wait, that are parked, and that are over with nobody having cleared their rows away.
const WAITING: usize = 1_000_000;
const PARKED: usize = 50_000;
const DEAD: usize = 100_000;

/// Rounds, and claims of each kind in a round.
const ROUNDS: usize = 5;
const CLAIMS_PER_BLOCK: usize = 400;

/// One after the other, and as many at once as a host has workers.
const ASKERS: [usize; 2] = [1, 8];

/// Milliseconds within which 99 of 100 claims are to be done.
const TARGET_MS: f64 = 10.0;

/// Percentiles that are told.
const PERCENTILES: [usize; 3] = [50, 95, 99];

const ENTRIES: &str = include_str!("fill/entries.sql");
const PARKED_SQL: &str = include_str!("fill/parked.sql");
const OVER: &str = include_str!("fill/over.sql");

/// No vacuum comes by itself, to these tables or the bare one.
const NO_VACUUM: &str = "ALTER TABLE ready SET (autovacuum_enabled = false);
                         ALTER TABLE entry SET (autovacuum_enabled = false);
                         ALTER TABLE bare SET (autovacuum_enabled = false);";

/// As many rows as wait, in another order than that in which they are claimed.
const BARE: &str = "CREATE TABLE bare (id bigint PRIMARY KEY, rank bigint NOT NULL, taken boolean NOT NULL);
                    INSERT INTO bare SELECT number, number * 2654435761 % 1000000007, false FROM generate_series(1, :count) AS number;
                    CREATE INDEX bare_ready ON bare (rank, id) WHERE NOT taken;";

const BARE_HEAD: &str =
    "SELECT id FROM bare WHERE NOT taken ORDER BY rank, id LIMIT 1 FOR UPDATE SKIP LOCKED";
const BARE_TAKE: &str = "UPDATE bare SET taken = true WHERE id = $1";

#[expect(clippy::print_stderr, reason = "what is missing is for who runs it")]
fn main() {
    let Some(url) = told(DATABASE) else {
        eprintln!("{DATABASE} names no empty database; `cargo xtask bench crowded` makes one");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let crowd = Crowd::fill(&url).await;
        crowd.leave_dead_rows().await;
        crowd.measure("100 k dead rows that nobody has cleared away").await;
        // Until it is dropped, its snapshot has all that dies from here on.
        let reader = connect(&url).await;
        let begins = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT count(*) FROM store;";
        reader.batch_execute(begins).await.expect("a reader that begins");
        crowd.leave_dead_rows().await;
        crowd.measure("100 k dead rows that an old reader keeps").await;
        drop(reader);
    });
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a database that answers");
    tokio::spawn(connection);
    client
}

/// A store with all of it.
struct Crowd {
    url: String,
    store: Arc<PostgresStore>,
    lane: LaneId,
    /// For what no store does.
    client: Client,
    fill_time: Duration,
}

impl Crowd {
    async fn fill(url: &str) -> Self {
        let began = Instant::now();
        let options = PostgresOptions { url: url.to_owned(), mode: OpenMode::Host, clock: None };
        let opened = tokio::task::spawn_blocking(|| PostgresStore::open(options)).await;
        let store = opened.expect("it opens").expect("an empty database");
        let applied = store.apply_policy(policy()).await.expect("a policy that can be applied");
        let lane = applied.lanes[0].id;
        let reconcile = store.begin_reconcile(BACKLOG, TRACKER).await.expect("a reconcile that begins");
        let model = arrival(lane, 0, None);
        let key = model.item.name.key.clone();
        store.admit(reconcile, vec![model]).await.expect("an entry that is taken in");
        let client = connect(url).await;
        let crowd =
            Self { url: url.to_owned(), store: Arc::new(store), lane, client, fill_time: began.elapsed() };
        // Its row in the ready index is the model of the others'; that of its run, of the runs that wait.
        let claims = 2 * ROUNDS * CLAIMS_PER_BLOCK * ASKERS.len();
        let entries = (waiting() + PARKED + 2 * DEAD + claims).to_string();
        crowd.run(ENTRIES, &[(":model", &format!("'{key}'")), (":first", "1"), (":count", &entries)]).await;
        crowd.claim().await;
        crowd.run("VACUUM (ANALYZE)", &[]).await;
        crowd.run(PARKED_SQL, &[(":model", "1"), (":count", &PARKED.to_string())]).await;
        crowd.run(BARE, &[(":count", &waiting().to_string())]).await;
        crowd.run("VACUUM (ANALYZE)", &[]).await;
        crowd.run(NO_VACUUM, &[]).await;
        Self { fill_time: began.elapsed(), ..crowd }
    }

    /// Of the entries that come first so many are over.
    async fn leave_dead_rows(&self) {
        self.run(OVER, &[(":count", &DEAD.to_string())]).await;
        // What was written is on the disk before anything is measured.
        self.run("CHECKPOINT", &[]).await;
    }

    async fn run(&self, statements: &str, parameters: &[(&str, &str)]) {
        let text =
            parameters.iter().fold(statements.to_owned(), |text, (name, value)| text.replace(name, value));
        self.client.batch_execute(&text).await.expect("statements that the database runs");
    }

    async fn claim(&self) {
        let outcome = self.store.claim(request(self.lane)).await.expect("a store that answers");
        assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "{outcome:?}");
    }

    /// Claims beside bare ones, a block of each in turn; prints what they took.
    async fn measure(&self, what: &str) {
        for askers in ASKERS {
            let (mut claims, mut bare, mut fdatasync_ms) = (Vec::new(), Vec::new(), Vec::new());
            for round in 0..ROUNDS {
                fdatasync_ms.push(probe_fdatasync(&env::temp_dir()).expect("a folder that can be written"));
                // Neither is always the first.
                if round % 2 == 0 {
                    claims.push(self.block(askers).await);
                    bare.push(self.bare_block(askers).await);
                } else {
                    bare.push(self.bare_block(askers).await);
                    claims.push(self.block(askers).await);
                }
            }
            let dead = self.dead_rows().await;
            let by = if askers == 1 { "one asks".into() } else { format!("{askers} ask") };
            for percentile in PERCENTILES {
                let of = |blocks: &[Vec<f64>]| blocks.iter().map(|block| nth(block, percentile)).collect();
                let figure = Figure {
                    blocks: of(&claims),
                    against: Some(Against { name: "a bare row, taken and committed", blocks: of(&bare) }),
                    targets: (percentile == 99).then_some(Target::AtMost(TARGET_MS)).into_iter().collect(),
                    fdatasync_ms: fdatasync_ms.clone(),
                    facts: BTreeMap::from([
                        ("dead rows of the ready index and of entries".into(), dead),
                        ("seconds to fill".into(), self.fill_time.as_secs_f64()),
                    ]),
                    ..Figure::new(
                        format!(
                            "{percentile} of 100 claims, {} waiting, {PARKED} parked, {what}, {by}",
                            waiting()
                        ),
                        "ms",
                    )
                };
                figure.print();
            }
        }
    }

    /// Rows that are dead and were not cleared away, by the server's own count.
    async fn dead_rows(&self) -> f64 {
        let count = "SELECT CAST(sum(n_dead_tup) AS bigint) FROM pg_stat_user_tables WHERE relname IN ('ready', 'entry')";
        let row = self.client.query_one(count, &[]).await.expect("the server counts");
        row.get::<_, i64>(0) as f64
    }

    /// Milliseconds of each claim of a block, by so many at once.
    async fn block(&self, askers: usize) -> Vec<f64> {
        let mut asking = JoinSet::new();
        for _ in 0..askers {
            let (store, lane) = (Arc::clone(&self.store), self.lane);
            asking.spawn(async move {
                let mut took = Vec::new();
                for _ in 0..CLAIMS_PER_BLOCK / askers {
                    let began = Instant::now();
                    let outcome = store.claim(request(lane)).await.expect("a store that answers");
                    took.push(began.elapsed().as_secs_f64() * 1e3);
                    assert!(matches!(outcome, ClaimOutcome::Claimed(_)), "{outcome:?}");
                }
                took
            });
        }
        asking.join_all().await.concat()
    }

    /// Milliseconds of each row that is taken from the bare table, by so many at once.
    async fn bare_block(&self, askers: usize) -> Vec<f64> {
        let mut asking = JoinSet::new();
        for _ in 0..askers {
            let client = connect(&self.url).await;
            asking.spawn(take_bare_rows(client, CLAIMS_PER_BLOCK / askers));
        }
        asking.join_all().await.concat()
    }
}

async fn take_bare_rows(mut client: Client, count: usize) -> Vec<f64> {
    let head = client.prepare(BARE_HEAD).await.expect("a statement");
    let take = client.prepare(BARE_TAKE).await.expect("a statement");
    let mut took = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        let transaction = client.transaction().await.expect("a transaction begins");
        let row = transaction.query_one(&head, &[]).await.expect("a row is left");
        transaction.execute(&take, &[&row.get::<_, i64>(0)]).await.expect("it can be taken");
        transaction.commit().await.expect("it commits");
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    took
}

/// So many of a hundred take this at the most.
fn nth(block: &[f64], percentile: usize) -> f64 {
    let mut sorted = block.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() * percentile).div_ceil(100) - 1]
}

fn waiting() -> usize {
    told("TOLLGATE_BENCH_ENTRIES").map_or(WAITING, |text| text.parse().expect("a number of entries"))
}

fn told(name: &str) -> Option<String> {
    env::var_os(name)?.into_string().ok()
}
