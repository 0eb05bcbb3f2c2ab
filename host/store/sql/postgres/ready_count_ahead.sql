-- How many come before a place. While a backlog is scored again the one who asks may stand before it too, where it did.
SELECT count(*) AS ahead, (SELECT CAST(coalesce(sum(waiting), 0) AS bigint) FROM lane_share WHERE lane_id = :lane) AS waiting
FROM ready
WHERE lane_id = :lane AND (rank_key, entry_id) < (:rank_key, :entry) AND entry_id <> :entry;
