-- Each row contradicts: who waits for money has a live run that pays, and is not in the ready index.
SELECT unfunded.entry_id FROM unfunded JOIN run AS payer ON payer.seq = unfunded.payer
LEFT JOIN ready ON ready.entry_id = unfunded.entry_id
WHERE ready.entry_id IS NOT NULL OR payer.state NOT IN ('running', 'waiting');
