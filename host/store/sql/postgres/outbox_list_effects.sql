SELECT outbox.reference, outbox_body.body, outbox.became
FROM outbox
JOIN outbox_body ON outbox_body.outbox_id = outbox.id
WHERE outbox.run_seq = :run AND outbox.kind = 'effect'
ORDER BY outbox.id;
