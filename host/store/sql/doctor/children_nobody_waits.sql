-- Each row contradicts: who waits for its children has one that is not over, or is to be opened.
SELECT wake_children.run_seq FROM wake_children JOIN run ON run.seq = wake_children.run_seq
WHERE run.state <> 'waiting'
   OR NOT EXISTS (SELECT 1 FROM child JOIN entry ON entry.id = child.entry_id
                  WHERE child.run_seq = run.seq AND entry.state NOT IN ('done', 'failed', 'blocked', 'gone'))
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.run_seq = run.seq AND outbox.state <> 'settled');
