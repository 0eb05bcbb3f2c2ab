//! That every query fits the schema, and how PostgreSQL goes about those that matter.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use serde_json::Value;
use tokio_postgres::Client;
use tollgate_core::time::ManualClock;

use super::{open, server};
use crate::support::*;

/// The texts of all queries, by name, with `$1` for the first parameter and so on.
fn queries() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/postgres");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
    let query = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, numbered(&fs::read_to_string(&path).unwrap(), &mut Vec::new()))
    };
    files.map(query).collect()
}

fn numbered(text: &str, names: &mut Vec<String>) -> String {
    let mut parts = text.split(':');
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let length = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(part.len());
        let (name, rest) = part.split_at(length);
        // What is in a comment is no parameter.
        if name.is_empty() || numbered.ends_with(':') {
            numbered.push_str(&format!(":{part}"));
            continue;
        }
        let known = names.iter().position(|known| known == name);
        let number = known.unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        numbered.push_str(&format!("${}{rest}", number + 1));
    }
    numbered
}

async fn a_store() -> Client {
    let url = server::new_database();
    drop(open(&url, Arc::new(ManualClock::at(start()))));
    super::connect(&url).await
}

#[test]
fn every_query_fits_the_schema() {
    block_on(async {
        let client = a_store().await;
        for (name, text) in queries() {
            if let Err(error) = client.prepare(&text).await {
                panic!("{name}: {error:?}\n{text}");
            }
        }
    });
}

/// How many pages a claim of lane 1 looks at.
async fn pages_of_a_claim(client: &Client) -> i64 {
    pages_of(client, &queries()["run_claim"].replace("$1", "1")).await
}

async fn pages_of(client: &Client, query: &str) -> i64 {
    let rows = client.query(&format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}"), &[]).await.unwrap();
    let plan = serde_json::from_str::<Value>(&rows[0].get::<_, Json>(0).0).unwrap();
    let pages = |kind: &str| plan[0]["Plan"][kind].as_i64().unwrap();
    pages("Shared Hit Blocks") + pages("Shared Read Blocks")
}

/// How many pages a claim looks at once nobody may see any more what was claimed before; until then it has to be looked past. `first` is
/// done before each look. The server looks after its own tables whenever it likes, with a snapshot that holds things back, so several looks
/// are had until one needs no more than `wanted`.
async fn pages_in_the_end(client: &Client, first: &str, wanted: i64) -> i64 {
    let mut least = i64::MAX;
    for _ in 0..2_000 {
        client.batch_execute(first).await.unwrap();
        least = least.min(pages_of_a_claim(client).await);
        if least <= wanted {
            break;
        }
    }
    least
}

/// A column of JSON as its text.
struct Json(String);

impl<'v> tokio_postgres::types::FromSql<'v> for Json {
    fn from_sql(
        _: &tokio_postgres::types::Type,
        raw: &'v [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(String::from_utf8(raw.to_vec())?))
    }

    fn accepts(_: &tokio_postgres::types::Type) -> bool {
        true
    }
}

#[test]
fn a_claim_costs_the_same_however_much_waits() {
    block_on(async {
        let client = a_store().await;
        let lane = "INSERT INTO snapshot VALUES ('', ''); INSERT INTO pins VALUES ('', '');
                    INSERT INTO lane (backlog, pipeline, kind, pins, open) VALUES ('b', 'p', 'work', '', true)";
        client.batch_execute(lane).await.unwrap();
        let fill = async |from: u32, to: u32| {
            let fill = format!(
                "INSERT INTO ready (lane_id, rank_key, entry_id)
                 SELECT 1, int8send(n), n FROM generate_series({from}, {to}) AS n; ANALYZE ready"
            );
            client.batch_execute(&fill).await.unwrap();
        };
        fill(1, 1_000).await;
        let few = pages_of_a_claim(&client).await;
        fill(1_001, 60_000).await;
        let many = pages_in_the_end(&client, "SELECT 1", few + 2).await;
        assert!(many <= few + 2, "{few} pages with a thousand, {many} with sixty thousand");
        // What was claimed and is not cleared away yet lies in the way once, and then costs a page for some hundreds.
        client.batch_execute("DELETE FROM ready WHERE entry_id <= 10000").await.unwrap();
        let after = pages_in_the_end(&client, "SELECT 1", many + 100).await;
        assert!(after <= many + 100, "{after} pages behind ten thousand that are gone");
        let cleared = pages_in_the_end(&client, "VACUUM ready", few + 4).await;
        assert!(cleared <= few + 4, "{cleared} pages when they are cleared away");
    });
}

/// One of sixty thousand is named, of which the server cannot know that it opened nothing.
#[test]
fn to_claim_what_is_named_looks_at_nothing_else() {
    block_on(async {
        let client = a_store().await;
        let fill = "SET session_replication_role = replica;
                    INSERT INTO ready (lane_id, rank_key, entry_id)
                    SELECT 1, int8send(n), n FROM generate_series(1, 60000) AS n;
                    INSERT INTO place (lane_id, rank_key, entry_id, terms)
                    SELECT 1, int8send(n), n, '[]' FROM generate_series(1, 60000) AS n;
                    INSERT INTO opened (parent_id, run_seq, origin_id, entry_id, backlog, fingerprint, depth)
                    SELECT n, n, n, n + 30000, 'work', n, 1 FROM generate_series(1, 30000) AS n;
                    ANALYZE";
        client.batch_execute(fill).await.unwrap();
        for name in ["run_claim_only", "ready_exists_only"] {
            let query = queries()[name].replace("$1", "'[30001]'").replace("$2", "1");
            let pages = pages_of(&client, &query).await;
            assert!(pages <= 60, "{name}: {pages} pages");
        }
    });
}

/// Twenty thousand are ready, due at the same time, and held once. To meet ten of them in the middle, each of the tables could be read from
/// its begin.
#[test]
fn a_page_of_entries_looks_at_nothing_else() {
    block_on(async {
        let client = a_store().await;
        let fill = "SET session_replication_role = replica;
                    INSERT INTO lane (backlog, pipeline, kind, pins, open) VALUES ('b', 'p', 'work', '', true);
                    INSERT INTO entry (tracker, key, backlog, state, closed, revision, basis, depends, title, created_at, first_seen_at)
                    SELECT 't', n, 'b', 'ready', false, '', '', 'either', '', 0, 0 FROM generate_series(1, 20000) AS n;
                    INSERT INTO source_item SELECT n, repeat('it says much', 20) FROM generate_series(1, 20000) AS n;
                    INSERT INTO place (lane_id, rank_key, entry_id, terms, due_at)
                    SELECT 1, int8send(n), n, '[]', 7 FROM generate_series(1, 20000) AS n;
                    INSERT INTO ready (lane_id, rank_key, entry_id) SELECT 1, int8send(n), n FROM generate_series(1, 20000) AS n;
                    INSERT INTO hold (entry_id, position, kind, subject, since_at)
                    SELECT n, 0, 'person', '', 0 FROM generate_series(1, 20000) AS n;
                    ANALYZE";
        // One by one: what is written by a long transaction keeps all databases of the server from clearing away.
        for statement in fill.split(';') {
            client.batch_execute(statement).await.unwrap();
        }
        let pages = [
            ("entry_list_due", ["7", "7", "10000", "10"].as_slice()),
            ("entry_list_due_by_number", &["10000", "7", "10"]),
            ("entry_list_items", &["10000", "10"]),
            ("ready_list_items", &["'b'", "'p'", "10"]),
        ];
        for (name, params) in pages {
            let numbered = params.iter().enumerate();
            let query = numbered.fold(queries()[name].clone(), |query, (index, value)| {
                query.replace(&format!("${}", index + 1), value)
            });
            let pages = pages_of(&client, &query).await;
            assert!(pages <= 200, "{name}: {pages} pages");
        }
    });
}

/// What a session of the store is told stands in what it does.
const NOTES_JIT: &str = "
    CREATE TABLE told (jit text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO told SELECT current_setting('jit'); RETURN NEW; END $$;
    CREATE TRIGGER notes BEFORE INSERT ON ready FOR EACH ROW EXECUTE FUNCTION note()";

/// Half a second of it would be for a query of two milliseconds that is expected to find more than it does.
#[test]
fn no_query_is_compiled() {
    let url = server::new_database();
    block_on(async {
        let world = World::new(&|clock| open(&url, clock)).await;
        server::ask(&url, NOTES_JIT);
        world.admit(vec![world.arrival("A")]).await;
        assert_eq!(server::ask(&url, "SELECT DISTINCT jit FROM told").trim(), "off");
    });
}
