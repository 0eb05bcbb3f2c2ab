-- Each row contradicts: what a run works on and with is kept.
SELECT run.seq AS run_seq FROM run
LEFT JOIN pins ON pins.digest = run.pins
LEFT JOIN snapshot ON snapshot.revision = run.revision
WHERE NOT run.rebuilt AND (pins.digest IS NULL OR snapshot.revision IS NULL);
