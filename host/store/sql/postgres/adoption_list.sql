-- Adoptions and what became of their records: all of them, or those of an entry.
SELECT adoption.body, outbox.became
FROM adoption
JOIN outbox ON outbox.adoption = adoption.seq
WHERE CAST(:entry AS bigint) IS NULL OR adoption.entry_id = :entry
ORDER BY adoption.seq;
