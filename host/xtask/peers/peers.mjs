// Job queues for PostgreSQL that others wrote, doing jobs of one step that does nothing, ten at once.
//
//   node peers.mjs <what> <address of an empty or a peer's own database> <jobs>
//
// prints a line of JSON. What is measured begins when the jobs are in the database and ends when the last is known to be done; of how soon a
// job is begun, when it is about to be told, and ends with its first step.

import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { PgBoss } from "pg-boss";
import pg from "pg";

const AT_ONCE = 10;
const WARM_UP = 200;
const BATCH = 500;

const [what, address, jobs] = process.argv.slice(2);
const count = Number(jobs);

const silent = new Logger(() => () => {});
const seconds = (since) => (performance.now() - since) / 1000;

function connections() {
  const pool = new pg.Pool({ connectionString: address, max: AT_ONCE + 4 });
  const fail = (error) => {
    throw error;
  };
  pool.on("error", fail);
  pool.on("connect", (client) => client.on("error", fail));
  return pool;
}

// graphile-worker: jobs one by one as it comes, or taken and finished by the hundred as its own benchmark has it.
async function graphile(batched) {
  const pool = connections();
  const utils = await makeWorkerUtils({ pgPool: pool, logger: silent });
  await utils.migrate();
  await pool.query("TRUNCATE graphile_worker._private_jobs");
  const worker = batched ? { localQueue: { size: BATCH }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {};
  const measure = async (number) => {
    await utils.addJobs(Array.from({ length: number }, (_, n) => ({ identifier: "nothing", payload: { n } })));
    let left = number;
    const began = performance.now();
    const runner = await run({
      pgPool: pool,
      logger: silent,
      concurrency: AT_ONCE,
      noHandleSignals: true,
      taskList: { nothing: async () => {} },
      preset: { worker },
    });
    await new Promise((resolve) => {
      runner.events.on("job:complete", () => (left -= 1) === 0 && resolve());
    });
    // The last ones are said to be complete a moment before they are.
    const anyLeft = "SELECT count(*)::int AS number FROM graphile_worker._private_jobs";
    while ((await pool.query(anyLeft)).rows[0].number > 0);
    const took = seconds(began);
    await runner.stop();
    return number / took;
  };
  await measure(WARM_UP);
  const perSecond = await measure(count);
  await utils.release();
  await pool.end();
  return { per_second: perSecond };
}

// graphile-worker: how soon a job is begun that is told to one that has nothing to do.
async function graphileStart() {
  const pool = connections();
  const utils = await makeWorkerUtils({ pgPool: pool, logger: silent });
  await utils.migrate();
  await pool.query("TRUNCATE graphile_worker._private_jobs");
  let begun;
  const runner = await run({
    pgPool: pool,
    logger: silent,
    concurrency: AT_ONCE,
    noHandleSignals: true,
    taskList: { nothing: async () => begun(performance.now()) },
  });
  const start = async (n) => {
    const begins = new Promise((resolve) => {
      begun = resolve;
    });
    const told = performance.now();
    await utils.addJob("nothing", { n });
    const took = (await begins) - told;
    await new Promise((resolve) => setTimeout(resolve, 50 + ((n * 97) % 250)));
    return took;
  };
  for (let n = 0; n < 5; n += 1) await start(n);
  const ms = [];
  for (let n = 0; n < count; n += 1) ms.push(await start(n));
  await runner.stop();
  await utils.release();
  await pool.end();
  return { ms };
}

// pg-boss: without `work`, which waits between two batches; so it is as fast as it can be.
async function boss(batch) {
  const boss = new PgBoss({ connectionString: address, max: AT_ONCE + 2, supervise: false, schedule: false });
  boss.on("error", (error) => {
    throw error;
  });
  await boss.start();
  const measure = async (queue, number) => {
    await boss.createQueue(queue);
    await boss.insert(queue, Array.from({ length: number }, (_, n) => ({ data: { n } })));
    let left = number;
    const began = performance.now();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (left > 0) {
          const fetched = await boss.fetch(queue, { batchSize: batch });
          if (fetched.length === 0) return;
          await boss.complete(queue, fetched.map((job) => job.id));
          left -= fetched.length;
        }
      }),
    );
    const took = seconds(began);
    if (left !== 0) throw new Error(`${left} jobs are left`);
    await boss.deleteQueue(queue);
    return number / took;
  };
  await measure("warm-up", WARM_UP);
  const perSecond = await measure("measured", count);
  await boss.stop({ graceful: false });
  return { per_second: perSecond };
}

const measures = {
  "graphile-worker": () => graphile(false),
  "graphile-worker-batched": () => graphile(true),
  "graphile-worker-start": graphileStart,
  "pg-boss": () => boss(1),
  "pg-boss-batched": () => boss(BATCH),
};
console.log(JSON.stringify(await measures[what]()));
process.exit(0);
