SELECT CAST(body AS json) ->> 'ended' AS body FROM event
WHERE run_seq = :run AND kind = 'woken' AND CAST(body AS json) ->> 'ended' IS NOT NULL
ORDER BY seq;
