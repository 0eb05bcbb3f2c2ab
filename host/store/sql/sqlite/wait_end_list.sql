SELECT json_extract(body, '$.ended') AS body FROM event
WHERE run_seq = :run AND kind = 'woken' AND json_extract(body, '$.ended') IS NOT NULL
ORDER BY seq;
