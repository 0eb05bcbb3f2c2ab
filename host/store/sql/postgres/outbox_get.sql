SELECT outbox.id, outbox.fence, outbox.entry_id, run.id AS run, entry.tracker, entry.key, entry.url, outbox.kind,
       outbox.reference, outbox_body.body, outbox.path, outbox.ambiguous, outbox.failures
FROM outbox
JOIN outbox_body ON outbox_body.outbox_id = outbox.id
LEFT JOIN run ON run.seq = outbox.run_seq
JOIN entry ON entry.id = outbox.entry_id
WHERE outbox.id = :id;
