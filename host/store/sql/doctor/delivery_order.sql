-- Each row contradicts: deliveries to an entry are settled in order.
-- What nobody sends, such as the record of a refine run, waits for nothing.
SELECT later.entry_id FROM outbox AS later JOIN outbox AS earlier USING (entry_id)
WHERE earlier.id < later.id AND later.state <> 'waiting' AND earlier.state <> 'settled'
  AND later.fence > 0 AND coalesce(later.became, '') NOT LIKE '%withheld%';
