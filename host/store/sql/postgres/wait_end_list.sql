SELECT json_in(body) ->> 'ended' AS body FROM event
WHERE run_seq = :run AND kind = 'woken' AND json_in(body) ->> 'ended' IS NOT NULL
ORDER BY seq;
