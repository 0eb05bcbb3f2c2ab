-- Each row contradicts: what is delivered is there as well as that it is.
SELECT outbox.entry_id FROM outbox LEFT JOIN outbox_body ON outbox_body.outbox_id = outbox.id
WHERE outbox_body.outbox_id IS NULL;
